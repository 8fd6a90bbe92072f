"""What of a snapshot matters for whatever comes next: for who explores a flow, and has to know what was seen before.

Ids, sequence numbers and generations become places in their order, and times lengths of time from now: two snapshots of one
flow that have the same key go on in the same way. The same input, after the same time, leads to the same moves in both, and to
the same key again. Not compared is how long the call has lasted (`call.elapsed`), and which of its calls the model waits for.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import Event
from callflow.core.snapshot import Memory, Snapshot, Timer

LEFT_OUT = frozenset({"started", "next_effect", "next_seq", "next_generation"})
"""The parts of a `Memory` of which nothing is in a key: when the call began, and which numbers come next."""

_as_they_are = attrgetter(
    *("phase", "caller_speaks", "agent_busy", "closed", "closing"),
    *(
        "env",
        "call",
        "finished",
        "others_speak",
        "muted",
        "caller_muted",
        "cut_off",
        "outcome",
        "fault",
        "faults",
        "final",
    ),
)

_PRECISION = 1e6
"""Parts of a second that are told apart: sums of times since the epoch that ought to be the same differ by less."""

_BY_VALUE = 2
"""The version of marshal that writes equal values in the same way, whoever shares them. It tells 1, 1.0 and true apart."""


class Key(NamedTuple):
    """Hashable, and small. No time is in `what`; `when` has all of them, in microseconds from now: when the timers are due, when
    each silence would have begun had it never paused, when what is under way or put off began, as far as that can be read."""

    what: bytes
    when: tuple[int, ...]


def key(snapshot: Snapshot, now: float) -> Key:
    """The key of a snapshot at a time, in seconds since the epoch."""
    configuration, memory, entered = snapshot
    timers, silences, needless, scopes = memory.timers, memory.silences, memory.needless, memory.vars
    times = [timer.due for timer in timers]
    what = (
        configuration,
        entered,
        _as_they_are(memory),
        scopes if len(scopes) < 2 else [(_scope(scopes, name), values) for name, values in scopes.items()],
        frozenset(memory.history.items()),
        frozenset(memory.visits.items()),
        [(*leg,) for leg in memory.legs.values()],
        [_timer(memory, timer) for timer in timers],
        [(one.state, one.since is None, one.fired) for one in silences.values()] if silences else None,
        needless and needless.key,
        [*_lists(memory, times)] if memory.lists else None,
        [*_effects(memory, times)] if memory.effects else None,
        [_event(memory, event, times) for event in memory.kept] if memory.kept else None,
        [_event(memory, event, times) for event in memory.held] if memory.held else None,
    )
    if silences:
        times += [(now if one.since is None else one.since) - one.counted for one in silences.values()]
    if needless is not None:
        times.append(needless.until)
    return Key(_written(what), tuple([round((time - now) * _PRECISION) for time in times]))


def _timer(memory: Memory, timer: Timer) -> tuple[str, str, Any]:
    _, kind, state, row, _ = timer
    if kind == "stop":
        return kind, state, _place(memory.effects, row)
    return kind, state, [*memory.legs][row] if kind == "away" else row


def _lists(memory: Memory, times: list[float]) -> Iterable[Any]:
    for _, kind, owner, writer, of, position, effect, stopped, event, instance in memory.lists.values():
        began_with = None if event is None else _event(memory, event, times)
        scope = None if instance is None else _scope(memory.vars, instance)
        yield kind, owner, writer, of, position, _place(memory.effects, effect), stopped, began_with, scope


def _effects(memory: Memory, times: list[float]) -> Iterable[Any]:
    for _, verb, owner, waiting, source, started, stopping, seq, leg, quiet, terminator in memory.effects.values():
        if "elapsed" in verb_of(verb).failed_with:
            times.append(started)
        earlier = sum(number < seq for number in memory.lists) if stopping else 0  # lists that do not wait for it
        yield verb, owner, _place(memory.lists, waiting), source, stopping, earlier, leg, quiet, terminator


def _event(memory: Memory, event: Event, times: list[float]) -> Any:
    name, data, time, effect, state, call, offered_in = event
    times.append(time)
    return name, data, _place(memory.effects, effect), state, call is not None, offered_in


def _place(numbered: Mapping[int, Any], number: int | None) -> int | None:
    """The place of a number among those that are there, None where it is not: what has ended is nobody's any more."""
    return None if number is None or number not in numbered else [*numbered].index(number)


def _scope(scopes: Iterable[str], name: str) -> Any:
    """A scope of variables; of those of a sub-flow that is over, which one of its past instances."""
    if "#" not in name:
        return name
    path, _, number = name.partition("#")
    past = (int(other.rpartition("#")[2]) for other in scopes if other.startswith(f"{path}#"))
    return path, sum(other < int(number) for other in past)


def _written(what: Any) -> bytes:
    try:
        return marshal.dumps(what, _BY_VALUE)
    except ValueError:  # a value of the program's own types is in it
        return marshal.dumps(_plain(what), _BY_VALUE)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {_plain(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return type(value)([_plain(one) for one in value]) if type(value) in _OURS else [_plain(one) for one in value]
    return value if type(value) in _OURS else (type(value).__qualname__, repr(value))


_OURS = frozenset({list, tuple, frozenset, int, float, bool, bytes, type(None)})
