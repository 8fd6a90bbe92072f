"""What the README shows of the demo is what the demo prints."""

from __future__ import annotations

from tests.docs.pages import ROOT, blocks


def test_the_excerpt_of_the_demo(demo):
    [shown] = [block for block in blocks(ROOT / "README.md") if block.language == "text"]
    printed = [line.rstrip() for line in demo()[0].splitlines()]
    assert [line for line in shown.text.splitlines() if line not in printed] == []
