"""The same call at another time, under other numbers."""

from __future__ import annotations

from callflow.core.events import EffectEnded, Event, Input, TimerFired
from callflow.core.snapshot import ActionList, Running, Silence, Snapshot, Timer

LATER = 86_400.0 * 365


def effect(number: int) -> int:
    return 3 * number + 100


def seq(number: int) -> int:
    return 2 * number + 50


def generation(number: int) -> int:
    return number + 7


def snapshot(before: Snapshot) -> Snapshot:
    memory = before.memory
    return before._replace(
        memory=memory._replace(
            started=memory.started + LATER,
            vars={_scope(name): values for name, values in memory.vars.items()},
            lists={seq(number): _list(one) for number, one in memory.lists.items()},
            effects={effect(number): _running(one) for number, one in memory.effects.items()},
            timers=tuple(_timer(one) for one in memory.timers),
            silences={state: _silence(one) for state, one in memory.silences.items()},
            kept=tuple(map(_event, memory.kept)),
            held=tuple(map(_event, memory.held)),
            needless=memory.needless and memory.needless._replace(until=memory.needless.until + LATER),
            next_effect=effect(memory.next_effect),
            next_seq=seq(memory.next_seq),
            next_generation=generation(memory.next_generation),
        )
    )


def happens(event: Input) -> Input:
    if isinstance(event, Event):
        return _event(event)
    if isinstance(event, EffectEnded):
        return event._replace(id=effect(event.id), time=event.time + LATER)
    return TimerFired(generation(event.generation), event.time + LATER)


def _scope(name: str) -> str:
    path, past, number = name.partition("#")
    return f"{path}#{seq(int(number))}" if past else name


def _list(one: ActionList) -> ActionList:
    return one._replace(
        seq=seq(one.seq),
        effect=None if one.effect is None else effect(one.effect),
        event=None if one.event is None else _event(one.event),
        instance=None if one.instance is None else _scope(one.instance),
    )


def _running(one: Running) -> Running:
    return one._replace(
        id=effect(one.id),
        list=None if one.list is None else seq(one.list),
        started=one.started + LATER,
        seq=seq(one.seq) if one.stopping else 0,
    )


def _timer(one: Timer) -> Timer:
    row = effect(one.row) if one.kind == "stop" else one.row
    return one._replace(generation=generation(one.generation), row=row, due=one.due + LATER)


def _silence(one: Silence) -> Silence:
    return one if one.since is None else one._replace(since=one.since + LATER)


def _event(event: Event) -> Event:
    return event._replace(time=event.time + LATER, effect=None if event.effect is None else effect(event.effect))
