"""The page on the Python interface names all of it, and nothing else."""

from __future__ import annotations

import inspect
import re

import callflow
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/reference/python.md").read_text(encoding="utf-8")


def test_every_public_name_is_there():
    missing = [name for name in callflow.__all__ if not re.search(rf"\b{name}\b", PAGE)]
    assert missing == ["__version__"]


def test_signatures_are_what_they_are():
    for name in ("start", "bind"):
        shown = re.search(rf"\*\*`{name}\(([^`]*?)\) ->", PAGE)
        assert shown is not None
        parameters = re.findall(r"(\w+)(?==|,|$)", re.sub(r"=[^,]*", "", shown[1].replace("\n", " ")))
        assert parameters == list(inspect.signature(getattr(callflow, name)).parameters), name
