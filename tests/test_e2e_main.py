"""What `make e2e` makes of scenarios that fail: a neighbour's weight is no failure, and nothing else is forgiven."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CROWDED = "import os\ndef test_crowded(): assert 'PYTEST_XDIST_WORKER' not in os.environ\n"
BROKEN = "def test_broken(): assert False\n"
FINE = "def test_fine(): pass\n"
ALONE = "import pytest\n@pytest.mark.alone\ndef test_alone(): assert {}\n"
SETTINGS = """
[tool.pytest]
markers = ["alone: ..."]
asyncio_default_fixture_loop_scope = "function"
"""


def run(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    for number, text in enumerate(files):
        (folder / f"test_{number}.py").write_text(text)
    (folder / "pyproject.toml").write_text(SETTINGS)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "tests.e2e", ".", "--at-once", "1"],
        capture_output=True, text=True, cwd=folder, env=environment | {"PYTHONPATH": str(ROOT)}, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ((FINE, CROWDED, ALONE.format(True)), 0, "failed beside others, passed by themselves:\n"),
        ((CROWDED, BROKEN), 1, "failed beside others, failed by themselves:\n"),
        ((FINE, ALONE.format(False)), 1, None),
        ((CROWDED,) * 4, 1, None),
    ],
    ids=["crowded", "broken", "broken-alone", "too-many"],
)
def test_only_what_passes_by_itself_is_forgiven(tmp_path, files, code, said):
    done = run(tmp_path, *files)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("failed beside others" in done.stdout) is (said is not None)
    assert said is None or said in done.stdout
