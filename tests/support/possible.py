"""Every call that a test plays with a real session in a simulated room is held to what `callflow.core.possible` says can
happen, where its verbs are carried out in the room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event, Input
from callflow.core.flow import Flow
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import action_of, afterwards, refused
from callflow.core.snapshot import Snapshot, Step
from callflow.core.values.representatives import representatives_of
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
        if why is None and not stood_for(flow, before.snapshot, event):
            why = "nothing that is tried of it leads where this does"
        if why is not None:
            yield f"step {number}, {event}: {why}"
        facts = afterwards(flow, before.snapshot, facts, event)


def stood_for(flow: Flow, snapshot: Snapshot, event: Input) -> bool:
    """Whether one of the representatives answers all that the flow asks as what has happened does."""
    found = representatives_of(flow)
    if found.not_followed:
        return True
    if isinstance(event, Event):
        return found.has_payload(event.name, event.data)
    effect = snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
    if effect is None or not isinstance(event, EffectEnded) or event.status != "ok" or action_of(flow, effect) is None:
        return True
    named = verb_of(effect.verb).result_event(event.result)
    return found.has_result(effect.source, effect.verb, named, event.result)


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
