"""Flow files from strangers, in a process of their own with little memory: `fuzz.py`. More of them: `make fuzz`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.flowfile.fuzz import judge

FILES = os.environ.get("CALLFLOW_FUZZ", "300")


def test_no_file_breaks_the_loader():
    done = subprocess.run(
        [sys.executable, "-m", "tests.flowfile.fuzz", "--files", FILES, "--seed", "1"],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    flows = int(done.stdout.split(", ")[-3].split()[0])
    assert flows > int(FILES) // 20, "some of them are flows, and get as far as the checker"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("x: " + "[" * 5000, "100"),
        ("a: &a [" + "x, " * 900 + "]\nb: &b [" + "*a, " * 900 + "]\nc: [" + "*b, " * 900 + "]\n", "50,000"),
        ("x: " + "9" * 5000, "100"),
        ("#" * 1_000_001, "1,000,000"),
    ],
    ids=["depth", "aliases", "digits", "bytes"],
)
def test_a_limit_is_named_in_the_defect(text, limit):
    from callflow.flowfile.loader import read_loads
    from callflow.flowfile.source import decode

    _, defect = decode(text.encode(), "flow.yaml")
    defects = [defect] if defect is not None else read_loads(text)[1]
    assert any(limit in one.message + one.hint for one in defects), defects
    assert not judge(text.encode())
