"""Text for people, as wide as their terminal."""

from __future__ import annotations

import sys

LEAST = 40


def columns() -> int | None:
    """The terminal's columns; None where the output is no terminal, and nothing is wrapped: a program may read it."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return max(shutil.get_terminal_size().columns, LEAST)


def wrapped(text: str, indent: int = 0) -> list[str]:
    """The lines of a paragraph, further ones `indent` further in; words are never cut."""
    width = columns()
    if width is None or len(text) <= width:
        return [text]
    import textwrap

    return textwrap.wrap(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
