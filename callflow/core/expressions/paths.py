"""Paths of files: a template of which no rendered value leaves the folder that the flow has written.

What stands before the first value of a variable, a caller, a model or an event is the flow's own, a value of `env` too, and so is
the folder in it: `/srv/sounds/{{ vars.language }}.wav` stays in `/srv/sounds`, `{{ vars.language }}.wav` in the flow's folder.
"""

from __future__ import annotations

import re
from typing import Self

from callflow.core.expressions.names import Names, Values
from callflow.core.expressions.problems import Failed
from callflow.core.expressions.template import Hole, Template, compile_template, split
from callflow.core.expressions.types import TEXT

_OUTSIDE = r"[/\\~]|[a-zA-Z][a-zA-Z0-9+.-]*:"
_SEPARATORS = r"[/\\]"


class Rendered(str):
    """A path with a rendered value in it, and the folder that it must not leave, as both are written.

    Only who opens the file can tell where the links of a file system lead.
    """

    __slots__ = ("folder",)

    folder: str

    def __new__(cls, path: str, folder: str) -> Self:
        made = super().__new__(cls, path)
        made.folder = folder
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.folder


def compile_path(source: str, names: Names) -> Template:
    """The template of a path. Raises ExpressionError with every problem."""
    template = compile_template(source, names, TEXT)
    parts = [Hole(*part, names) if isinstance(part, tuple) else part for part in split(source, [])]
    own = 0
    for part in parts:
        if isinstance(part, Hole) and not all(name.startswith("env.") for name in part.checker.reads):
            break
        own += 1
    if own == len(parts):
        return template  # all of it is the flow's own
    begin = [part.text() if isinstance(part, Hole) else part for part in parts[:own]]
    whole = template.evaluate

    def path(context: Values) -> str:
        written = str(whole(context))
        prefix = "".join([part if isinstance(part, str) else part(context) for part in begin]).lstrip()
        folder = prefix[: max(prefix.rfind("/"), prefix.rfind("\\")) + 1]
        rest = written.lstrip()[len(folder) :]
        if ".." in re.split(_SEPARATORS, rest) or "\x00" in rest or (not folder and re.match(_OUTSIDE, rest)):
            raise Failed("the file would lie outside the folder that the flow has written")
        return Rendered(written, folder)

    return Template(source, TEXT, template.reads, False, None, path)
