"""Every guarantee stands on its page, and in the folder of tests."""

from __future__ import annotations

from tests.docs.pages import ROOT, links


def test_the_page_and_the_folder_agree():
    page = ROOT / "docs/explanation/guarantees.md"
    listed = {link.rpartition("/")[2] for link in links(page) if "/guarantees/test_" in link}
    assert listed == {path.name for path in (ROOT / "tests/guarantees").glob("test_*.py")}
