"""`callflow.load`: a flow that is read, complete and checked, as `callflow check` checks it."""

from __future__ import annotations

import os

from callflow.core.flow import Flow
from callflow.errors import FlowFileError
from callflow.flowfile import load as read_file
from callflow.flowfile import loads as read_text
from callflow.verify import check as verify


def load(path: str | os.PathLike[str], *, check: bool = True) -> Flow:
    """The flow in a file. `-` reads standard input.

    Raises FlowFileError with every defect: of the file, and, where it has none, of what `callflow check` demands beside,
    since a flow that can hide a hang-up must not run. Warnings are left to `callflow check`. `check=False` asks only
    whether the file can be read as a flow, which is enough for a sub-flow that is tried by itself.
    """
    return _checked(read_file(path), check)


def loads(text: str, name: str = "<text>", folder: str | os.PathLike[str] = ".", *, check: bool = True) -> Flow:
    """The flow in a text. `name` stands in messages and journals; `use:` looks in `folder`.

    Raises FlowFileError with every defect, as `load` does.
    """
    return _checked(read_text(text, name, folder), check)


def _checked(flow: Flow, check: bool) -> Flow:
    errors = verify(flow, warnings=False) if check else []
    if errors:
        raise FlowFileError(errors)
    return flow
