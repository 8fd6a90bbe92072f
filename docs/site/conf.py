"""The pages of the documentation as a site: `make site`. They are written for GitHub, and read here as they stand there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from callflow import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "callflow"
author = "callflow's authors"
version = release = __version__

extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/**.md"]
exclude_patterns = [".*", "callflow", "tests", "benchmarks"]
html_theme = "furo"
html_title = "callflow"

# As on GitHub: an anchor for each heading, and pictures in HTML. `$` is no mathematics.
myst_heading_anchors = 6
myst_enable_extensions = ["html_image"]
suppress_warnings = ["misc.highlighting_failure"]
"""Some YAML is shown because it is none."""

NAVIGATION = {
    "Tutorial": ["docs/tutorial/README", "docs/tutorial/*"],
    "How to": ["docs/how-to/*"],
    "Reference": ["docs/reference/language", "docs/reference/*"],
    "Explanation": ["docs/explanation/*"],
    "The project": ["CHANGELOG", "CONTRIBUTING", "SECURITY", "docs/skill/SKILL"],
}


def with_navigation(_app: Sphinx, page: str, source: list[str]) -> None:
    """What stands beside every page; the README, where it is read elsewhere, has none of it."""
    if page == root_doc:
        for caption, pages in NAVIGATION.items():
            options = f":hidden:\n:glob:\n:caption: {caption}\n\n"
            source[0] += "\n```{toctree}\n" + options + "\n".join(pages) + "\n```\n"


def without_folders(app: Sphinx, page: str, source: list[str]) -> None:
    """A link to a folder shows its files on GitHub; a site has nothing to show there."""
    home = (Path(app.srcdir) / page).parent

    def kept(link: re.Match[str]) -> str:
        return link["text"] if (home / link["target"]).is_dir() else link[0]

    source[0] = re.sub(r"(?<!!)\[(?P<text>[^\]\n]+)\]\((?P<target>[^)#\s]+)\)", kept, source[0])


def with_index(app: Sphinx, failed: Exception | None) -> None:
    """A site begins with its index."""
    if failed is None:
        shutil.copy(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    app.connect("source-read", without_folders)
    app.connect("source-read", with_navigation)
    app.connect("build-finished", with_index)
