"""How one call comes to a node: what happens to it, at times that the flow's timers allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.lasts import lasts, within
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.possible import action_of, afterwards, refused
from callflow.core.snapshot import Snapshot, Step, Timer
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


def way_to(flow: Flow, first: Sequence[Step], node: Node, more: Sequence[Passage] = ()) -> Way | None:
    """A call that comes to this node, and on from there; None where none of those that were tried does."""
    causes = [*_path(node), *((before, edge.input, edge.target) for before, edge in more)]
    for start in first:
        for patience in _PATIENCE:
            way = _walk(flow, start, causes, patience)
            if way is not None:
                return way
    return None


def _path(node: Node) -> list[tuple[Node, Input, Node]]:
    found: list[tuple[Node, Input, Node]] = []
    while node.parent is not None and node.cause is not None:
        found.append((node.parent, node.cause, node))
        node = node.parent
    return found[::-1]


def _walk(flow: Flow, start: Step, causes: Sequence[tuple[Node, Input, Node]], patience: _Patience) -> Way | None:
    steps = [start]
    now = start.snapshot.memory.started
    facts = AT_FIRST
    for before, cause, after in causes:
        if isinstance(cause, TimerFired):
            now = _talking(flow, steps, facts, cause, before, now)
        snapshot = steps[-1].snapshot
        event = _same(flow, before.snapshot, snapshot, cause, now, patience)
        if event is None or refused(flow, snapshot, facts, event) is not None:
            return None
        if event.time > min((timer.due for timer in snapshot.memory.timers), default=inf) + _TELLS:
            return None
        now = event.time
        facts = afterwards(flow, snapshot, facts, event)
        steps.append(step(flow, snapshot, event))
        if steps[-1].snapshot.configuration != after.snapshot.configuration:
            return None
    return Way(tuple(steps))


def _talking(flow: Flow, steps: list[Step], facts: Facts, cause: TimerFired, before: Node, now: float) -> float:
    """Lets somebody say a word whenever a silence would be over before the timer that is to fire; the time then."""
    for _ in range(MOST_WORDS):
        snapshot = steps[-1].snapshot
        first, timer = snapshot.memory.timers[:1], _timer_of(cause, before.snapshot, snapshot)
        if timer is None or not first or first[0].kind != "silence" or first[0].due >= timer.due:
            break
        word = Event(WORD, {"transcript": "…", "is_final": True}, max(now, first[0].due - 1.0))
        if refused(flow, snapshot, facts, word) is not None:
            break
        after = step(flow, snapshot, word)
        if after.snapshot.configuration != snapshot.configuration or after.snapshot.memory.timers[:1] == first:
            break
        steps.append(after)
        now = word.time
    return now


MOST_WORDS = 200
"""So many words are said before a call is given up that should come to a late timer."""

_TELLS = 1e-6


def _limits(flow: Flow, snapshot: Snapshot, event: Input) -> Iterator[float]:
    """When something else would happen at the latest."""
    for timer in snapshot.memory.timers:
        yield timer.due
    for effect in snapshot.memory.effects.values():
        if not (isinstance(event, EffectEnded) and event.id == effect.id):
            yield effect.started + within(effect, action_of(flow, effect)).most


def _timer_of(cause: TimerFired, before: Snapshot, now_at: Snapshot) -> Timer | None:
    """The same timer in this call."""
    which = next(one[1:4] for one in before.memory.timers if one.generation == cause.generation)
    return next((one for one in now_at.memory.timers if one[1:4] == which), None)


def _same(
    flow: Flow, before: Snapshot, now_at: Snapshot, cause: Input, now: float, patience: _Patience
) -> Input | None:
    """The same thing in this call: its own timer, its own effect."""
    if isinstance(cause, TimerFired):
        timer = _timer_of(cause, before, now_at)
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
