"""What `make e2e` makes of scenarios that fail: a neighbour's weight is no failure, and nothing else is forgiven."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.e2e import __main__ as e2e

ROOT = Path(__file__).parents[1]
CROWDED = "import os\ndef test_crowded(): assert os.environ['PYTEST_XDIST_WORKER_COUNT'] == '1'\n"
SETTINGS = """
[tool.pytest]
markers = ["alone: ..."]
asyncio_default_fixture_loop_scope = "function"
"""


def test_what_passes_by_itself_is_forgiven_and_named(tmp_path):
    (tmp_path / "test_it.py").write_text(CROWDED)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e", ".", "--at-once", "2"],
        capture_output=True, text=True, cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed beside others, passed by themselves:\ntest_it.py::test_crowded\n" in done.stdout


@pytest.mark.parametrize(
    ("beside", "alone", "code"),
    [
        ([(0, 0)], [(0, 0)], 0),
        ([(0, 0)], [(5, 0)], 0),  # there is none
        ([(1, 1), (0, 0)], [(0, 0)], 0),
        ([(1, 3), (0, 0)], [(0, 0)], 0),
        ([(1, 1), (1, 1)], [(0, 0)], 1),
        ([(1, 4)], [(0, 0)], 1),  # those are no accidents
        ([(2, 2)], [(0, 0)], 2),  # interrupted
        ([(1, 0)], [(0, 0)], 1),  # nobody knows what failed
        ([(0, 0)], [(1, 1), (0, 0)], 0),
        ([(0, 0)], [(1, 1), (1, 1)], 1),
        ([(0, 0)], [(1, 2)], 1),  # nothing but themselves weighed on them
        ([(1, 1), (0, 0)], [(1, 1), (1, 1)], 1),
    ],
)
def test_nothing_else_is_forgiven(monkeypatch, beside, alone, code):
    """Of each run: pytest's code, and how many failed."""
    expected, ran = [*beside, *alone], []

    def run_pytest(*arguments, cache):
        ran.append(arguments)
        return expected[len(ran) - 1][0]

    monkeypatch.setattr(e2e, "run_pytest", run_pytest)
    monkeypatch.setattr(
        e2e, "failed_in", lambda cache: [f"test_{number}" for number in range(expected[len(ran) - 1][1])]
    )
    assert CliRunner().invoke(e2e.main, ["."]).exit_code == code
    assert len(ran) == len(expected)
    assert [marks for _, flag, marks, *_ in ran if flag == "-m"] == ["not alone", "alone"]
