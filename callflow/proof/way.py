"""How one call comes to a node: what happens to it, at times that the flow's timers allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.lasts import lasts, within
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import action_of, afterwards, refused
from callflow.core.snapshot import Snapshot, Step
from callflow.core.step import step
from callflow.proof.node import Node, Passage
from callflow.proof.world import WORD


class Way(NamedTuple):
    """A call, from its beginning on: each step with what has happened, at its time in seconds from the beginning."""

    steps: tuple[Step, ...]

    @property
    def inputs(self) -> tuple[Input, ...]:
        return tuple(one.event for one in self.steps if one.event is not None)


class _Patience(NamedTuple):
    """When what may happen at any time happens: people after so many seconds, effects after so many, or as late as can be."""

    people: float | None
    effects: float | None


_PATIENCE = (
    _Patience(2.0, 1.0), _Patience(0.0, 0.0), _Patience(0.0, None), _Patience(None, 1.0), _Patience(None, 0.0), _Patience(2.0, None),
)  # fmt: skip


MEANWHILE = 100
"""How much may happen by itself until something else can: a timer that is armed again and again."""


def way_to(flow: Flow, first: Sequence[Step], node: Node, more: Sequence[Passage] = ()) -> Way | None:
    """A call that comes to this node, and on from there, by the fewest steps, or else as the node was found; None where none of those
    that were tried does."""
    onward = [(before, edge.input, edge.target) for before, edge in more]
    for path in (_nearest(node), _path(node)):
        for start in first:
            for patience in _PATIENCE:
                way = _walk(flow, start, [*path, *onward], patience)
                if way is not None:
                    return way
    return None


_Leg = tuple[Node, Input, Node]


def _nearest(node: Node) -> list[_Leg]:
    found: list[_Leg] = []
    while node.nearest is not None:
        before, edge = node.nearest
        found.append((before, edge.input, node))
        node = before
    return found[::-1]


def _path(node: Node) -> list[_Leg]:
    found: list[_Leg] = []
    while node.parent is not None and node.cause is not None:
        found.append((node.parent, node.cause, node))
        node = node.parent
    return found[::-1]


def _walk(flow: Flow, start: Step, causes: Sequence[tuple[Node, Input, Node]], patience: _Patience) -> Way | None:
    call = _Call(flow, start)
    for before, cause, after in causes:
        event = _same(flow, before.snapshot, call.snapshot, cause, call.now, patience)
        for _ in range(MEANWHILE):
            if event is not None and call.can(event):
                break
            meanwhile = _stops(call) if event is None else _meanwhile(flow, call.snapshot, call.now, event)
            if meanwhile is None or not call.can(meanwhile):
                return None
            call.take(meanwhile)
            if call.snapshot.configuration != before.snapshot.configuration:
                return None
            event = _same(flow, before.snapshot, call.snapshot, cause, call.now, patience)
        if event is None or not call.can(event):
            return None
        call.take(event)
        if call.snapshot.configuration != after.snapshot.configuration:
            return None
    return Way(tuple(call.steps))


class _Call:
    """A call as it goes on."""

    def __init__(self, flow: Flow, start: Step) -> None:
        self.flow = flow
        self.steps = [start]
        self.now = start.snapshot.memory.started
        self.facts = AT_FIRST

    @property
    def snapshot(self) -> Snapshot:
        return self.steps[-1].snapshot

    def can(self, event: Input) -> bool:
        """Whether this can be next."""
        due = min((timer.due for timer in self.snapshot.memory.timers), default=inf)
        return event.time <= due + _TELLS and refused(self.flow, self.snapshot, self.facts, event) is None

    def take(self, event: Input) -> None:
        self.now = event.time
        self.facts = afterwards(self.flow, self.snapshot, self.facts, event)
        self.steps.append(step(self.flow, self.snapshot, event))


def _stops(call: _Call) -> Input | None:
    """What was cancelled, and has yet to stop: what waits for it begins then."""
    stopping = (effect.id for effect in call.snapshot.memory.effects.values() if effect.stopping)
    return next((EffectEnded(number, "cancelled", {}, "cancelled", call.now) for number in stopping), None)


def _meanwhile(flow: Flow, snapshot: Snapshot, now: float, event: Input) -> Input | None:
    """What happens by itself before that: the next timer, the end of what is being said; a word, before a silence is too long."""
    memory = snapshot.memory
    found: list[Input] = []
    for timer in memory.timers[:1]:
        said = {"transcript": "…", "is_final": True}
        found.append(
            Event(WORD, said, max(timer.due - 1.0, 0.0))
            if timer.kind == "silence"
            else TimerFired(timer.generation, timer.due)
        )
    for effect in memory.effects.values():
        action = action_of(flow, effect)
        if verb_of(effect.verb).speech and action is not None and not action.arguments.get("loop"):
            whole = {"interrupted": False, "spoken": "", "heard": True, "leg": effect.leg or MAIN_LEG}
            time = effect.started + lasts(effect, action, "ok", whole).least
            found.append(EffectEnded(effect.id, "ok", whole, None, time))
    first = min(found, key=lambda one: one.time, default=None)
    return None if first is None or first.time > event.time else first._replace(time=max(first.time, now))


_TELLS = 1e-6


def _limits(flow: Flow, snapshot: Snapshot, event: Input) -> Iterator[float]:
    """When something else would happen at the latest."""
    for timer in snapshot.memory.timers:
        yield timer.due
    for effect in snapshot.memory.effects.values():
        if not (isinstance(event, EffectEnded) and event.id == effect.id):
            yield effect.started + within(effect, action_of(flow, effect)).most


def _same(
    flow: Flow, before: Snapshot, now_at: Snapshot, cause: Input, now: float, patience: _Patience
) -> Input | None:
    """The same thing in this call: its own timer, its own effect."""
    if isinstance(cause, TimerFired):
        which = next(one[1:4] for one in before.memory.timers if one.generation == cause.generation)
        timer = next((one for one in now_at.memory.timers if one[1:4] == which), None)
        return None if timer is None else TimerFired(timer.generation, max(now, timer.due))
    latest = min(_limits(flow, now_at, cause), default=now + 60.0)
    latest = min(latest, now + 3600.0)
    if isinstance(cause, Event):
        return cause._replace(time=latest if patience.people is None else min(now + patience.people, latest))
    source = before.memory.effects[cause.id].source
    effect = next((one for one in now_at.memory.effects.values() if one.source == source), None)
    if effect is None:
        return None
    if effect.stopping:
        return cause._replace(id=effect.id, time=now)
    action = action_of(flow, effect)
    if verb_of(effect.verb).speech and cause.status == "ok" and patience.effects:  # as a rule it is heard to its end
        whole = {**cause.result, "interrupted": False, "heard": True}
        time = effect.started + lasts(effect, action, "ok", whole).least
        if now <= time <= latest and "interrupted" in cause.result:
            return cause._replace(id=effect.id, result=whole, time=time)
    least = effect.started + lasts(effect, action, cause.status, cause.result).least
    most = min(latest, effect.started + within(effect, action).most)
    wanted = most if patience.effects is None else min(now + patience.effects, most)
    return cause._replace(id=effect.id, time=max(now, least, wanted))
