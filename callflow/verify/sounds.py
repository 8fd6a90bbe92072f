"""Sounds: what a flow plays is there, before anybody waits for it. A name that a template makes is known in the call alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from callflow.core.actions import EVERY_VERB
from callflow.core.expressions import Template
from callflow.core.flow import Action, Flow
from callflow.core.statechart.action_lists import actions_during
from callflow.core.suggest import closest
from callflow.errors import Defect
from callflow.verify.places import defect

if TYPE_CHECKING:
    from pathlib import Path

NOT_THERE = "is not there"

_SOUNDS = {
    verb.name: names
    for verb in EVERY_VERB.values()
    if (names := [name for name, argument in verb.arguments.items() if argument.sound])
}
"""Of each verb that plays one: the arguments that name a sound."""


def missing_sounds(flow: Flow) -> Iterator[Defect]:
    """Every sound that a list names and that cannot be played."""
    for action, name, wrong in unplayable(flow):
        yield defect(
            "no-such-sound", f"the sound `{name}` of `{action.verb}` {wrong}", action.position,
            _hint(flow, name, wrong), len(action.verb),
        )  # fmt: skip


def _hint(flow: Flow, name: str, wrong: str) -> str:
    """What to write instead."""
    from pathlib import Path

    folder = Path(flow.file).parent
    if "://" in name:
        return "a sound is a file beside the flow: nothing is fetched from an address"
    try:
        beside = sorted(one.name for one in (folder / name).parent.iterdir() if not _wrong(one))
    except (OSError, ValueError):
        beside = []
    meant = (
        []
        if wrong != NOT_THERE
        else closest(Path(name).name, beside) or [one for one in beside if Path(one).stem == Path(name).stem]
    )
    if meant:
        return f"did you mean {Path(name).parent / meant[0]}?"
    return "a sound's file is looked up from the folder of the flow file"


def unplayable(flow: Flow) -> Iterator[tuple[Action, str, str]]:
    """The actions whose sound is no file with something in it: the action, the name, and what is wrong."""
    for action in (*actions_during(flow), *flow.wrap_up):
        for key in _SOUNDS.get(action.verb, ()):
            value = action.arguments.get(key)
            name = value.value if isinstance(value, Template) and value.constant else value
            if isinstance(name, str) and (wrong := _wrong(_file(flow, name))):
                yield action, name, wrong


def _file(flow: Flow, name: str) -> Path:
    from pathlib import Path  # which a flow without sounds need not wait for

    return Path(flow.file).parent / name


def _wrong(file: Path) -> str:
    """What keeps a file from being played; nothing where nothing does."""
    try:
        if not file.exists():
            return NOT_THERE
        if not file.is_file():
            return "is no file"
        if file.stat().st_size == 0:
            return "is empty"
    except (OSError, ValueError) as error:  # a name too long, a NUL in it
        return f"cannot be looked up: {error.strerror or error}" if isinstance(error, OSError) else "is no path"
    return "" if os.access(file, os.R_OK) else "cannot be read"
