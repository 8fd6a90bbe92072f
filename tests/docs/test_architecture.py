"""The house on the page is the house that stands."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import ROOT, blocks


def drawn() -> list[Path]:
    """The paths of the tree on the page, by their indentation."""
    tree = next(
        block for block in blocks(ROOT / "docs/explanation/architecture.md") if block.text.startswith("callflow/")
    )
    found, around = [], [ROOT]
    for line in tree.text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        path = around[depth] / line.split()[0]
        around[depth + 1 :] = [path]
        found.append(path)
    return found


def test_what_is_drawn_is_there():
    assert [path for path in drawn() if not path.exists()] == []


def test_every_part_is_drawn():
    parts = {path.parent for path in (ROOT / "callflow").glob("*/__init__.py")}
    assert parts - set(drawn()) == set()
