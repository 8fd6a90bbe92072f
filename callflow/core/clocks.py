"""Timers with generations, and the silence of the caller (rule 10)."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, Event
from callflow.core.flow import ROOT
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import Silence, Timer, without
from callflow.core.table import Table

STOP_SECONDS = 5.0  # how long a cancelled effect may hold up the lists after it
SETTLE_SECONDS = 5.0  # how long a leg's hang-up waits for the result of its transfer

_KINDS = ("stop", "settle", "answer", "away", "after", "every", "silence")
"""In the order in which they fire where they are due at once in one state; the first four are the whole call's."""


def arm(macrostep: Macrostep, kind: str, state: str, row: int, due: float) -> Timer:
    """A new timer, in the order in which timers that are due at once fire: outer state first, then `after`, `every`,
    `silence`, each in the order of the file."""
    timer = Timer(macrostep.next_generation, kind, state, row, due)
    macrostep.next_generation += 1
    timers = macrostep.timers
    place = len(timers)
    while place:
        other = timers[place - 1]
        if due > other.due or (due == other.due and rank(macrostep.table, timer) >= rank(macrostep.table, other)):
            break
        place -= 1
    macrostep.timers = (*timers[:place], timer, *timers[place:])
    return timer


def rank(table: Table, timer: Timer) -> tuple[int, int, int, int]:
    """Its place among timers that are due at once."""
    state = table.states[timer.state]
    return len(state.ancestors), _KINDS.index(timer.kind), state.order, timer.row


def disarm(macrostep: Macrostep, kind: str, state: str, row: int | None = None) -> None:
    """Timers that can no longer fire: one that fires all the same is stale by its generation."""
    timers = macrostep.timers
    left = [one for one in timers if one.kind != kind or one.state != state or (row is not None and one.row != row)]
    if len(left) != len(timers):
        macrostep.timers = tuple(left)


def enter(macrostep: Macrostep, path: str) -> None:
    """A state is entered: its timers count from now."""
    state = macrostep.table.states[path]
    for row in state.timers:
        if row.kind != "silence":
            arm(macrostep, row.kind, path, row.index, macrostep.time + row.seconds)
    if state.silences:
        macrostep.silences = {**macrostep.silences, path: Silence(path)}


def leave(macrostep: Macrostep, path: str) -> None:
    """A state is left: its timers are gone, also those that were kept or are just returning."""
    macrostep.timers = tuple(
        [one for one in macrostep.timers if one.state != path or one.kind in ("stop", "settle", "away")]
    )
    if path in macrostep.silences:
        macrostep.silences = without(macrostep.silences, path)
    if macrostep.kept:
        macrostep.kept = tuple([event for event in macrostep.kept if not (is_timer(event) and event.state == path)])
    if macrostep.returning:
        macrostep.returning = tuple([one for one in macrostep.returning if not (is_timer(one) and one.state == path)])


def is_timer(event: Event) -> bool:
    return event.name.startswith(("after ", "every ", "silence "))


# -- silence -------------------------------------------------------------------------------------------------------


def somebody_spoke(macrostep: Macrostep) -> None:
    """A voice or a key was heard: every silence is at zero, and its rows may fire again."""
    for _, counted, since, fired in macrostep.silences.values():
        if counted or fired or since is not None:
            macrostep.silences = {path: Silence(path) for path in macrostep.silences}
            macrostep.timers = tuple([one for one in macrostep.timers if one.kind != "silence"])
            break
    if macrostep.kept:
        macrostep.kept = tuple([event for event in macrostep.kept if not event.name.startswith("silence ")])
    if not macrostep.at.in_ending:
        macrostep.entered = 0


def quiet(macrostep: Macrostep) -> bool:
    """Whether a silence counts now: the far end on the line, not on hold and not handed on, heard by us, and nobody
    speaking or about to."""
    if macrostep.caller_speaks or macrostep.agent_busy:
        return False
    lasting = macrostep.lasting
    if lasting.others_speak or lasting.muted or lasting.caller_muted or lasting.cut_off:
        return False
    leg = macrostep.legs.get(MAIN_LEG)
    if leg is None or leg.status != "on_line":
        return False
    for effect in macrostep.effects.values():
        if not effect.stopping:
            verb = verb_of(effect.verb)
            if verb.occupies or (verb.speech and not effect.quiet):
                return False  # the far end has something to listen to, or to wait for
    return True


def count(macrostep: Macrostep) -> None:
    """At a step's end: silences count on, or pause."""
    counting = quiet(macrostep)
    for path, (_, counted, since, fired) in macrostep.silences.items():
        if counting is (since is not None):
            continue
        now = macrostep.time
        if counting:
            macrostep.silences = {**macrostep.silences, path: Silence(path, counted, now, fired)}
            for row in macrostep.table.states[path].silences:
                if row.index not in fired:
                    arm(macrostep, "silence", path, row.index, now + max(row.seconds - counted, 0.0))
        elif since is not None:
            macrostep.silences = {**macrostep.silences, path: Silence(path, counted + now - since, None, fired)}
            disarm(macrostep, "silence", path)


def fire(macrostep: Macrostep, timer: Timer) -> None:
    """A timer has come due: it is gone; `every` is armed again, a row of a silence has had its turn."""
    macrostep.timers = tuple([one for one in macrostep.timers if one.generation != timer.generation])
    if timer.kind == "every":
        seconds = macrostep.table.states[timer.state].timers[timer.row].seconds
        missed = int(max(macrostep.time - timer.due, 0.0) // seconds)
        arm(macrostep, "every", timer.state, timer.row, timer.due + (missed + 1) * seconds)
    elif timer.kind == "silence":
        one = macrostep.silences[timer.state]
        macrostep.silences = {**macrostep.silences, timer.state: one._replace(fired=(*one.fired, timer.row))}


def begin(macrostep: Macrostep) -> None:
    """The call starts: the top level's timers count from now."""
    enter(macrostep, ROOT)
