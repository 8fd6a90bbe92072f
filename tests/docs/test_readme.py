"""What the README shows of the demo is what the demo prints."""

from __future__ import annotations

import subprocess

from tests.docs.pages import ROOT, blocks
from tests.docs.test_examples import COMMAND


def test_the_excerpt_of_the_demo():
    [shown] = [block for block in blocks(ROOT / "README.md") if block.language == "text"]
    done = subprocess.run([COMMAND, "demo"], cwd=ROOT, capture_output=True, text=True, check=True)
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    assert [line for line in shown.text.splitlines() if line not in printed] == []
