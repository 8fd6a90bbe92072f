"""Every call that a test plays with a real session in a simulated room is held to what `callflow.core.possible` says can
happen, where its verbs are carried out in the room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from callflow.core.actions import verb_of
from callflow.core.flow import Flow
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import afterwards, refused
from callflow.core.snapshot import Step
from callflow.runtime.record import CallRecord
from callflow.testing import Stage


def impossible(flow: Flow, steps: Sequence[Step]) -> Iterator[str]:
    """What happened in a call though it cannot, a line each."""
    facts = AT_FIRST
    for number, (before, after) in enumerate(pairwise(steps), start=1):
        event = after.event
        if event is None:
            continue
        why = refused(flow, before.snapshot, facts, event)
        if why is not None:
            yield f"step {number}, {event}: {why}"
        facts = afterwards(flow, before.snapshot, facts, event)


def install() -> None:
    """For all calls of this process."""
    play = Stage.play

    async def held(self: Stage) -> CallRecord:
        record = await play(self)
        faked = {*self.faked.performing(), *(self.options.get("telephony") or {})}
        if not all(verb_of(name).asks_outside for name in faked):
            return record  # the room does not bring about what a fake says
        found = [*impossible(self.flow, self.steps)]
        assert not found, "\n".join(found)
        return record

    Stage.play = held  # type: ignore[method-assign]
