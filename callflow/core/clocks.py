"""Timers with generations, and the silence of the caller (rule 10)."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import DIGITS, MAIN_LEG, Event
from callflow.core.flow import ROOT
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import Running, Silence, Timer, without
from callflow.core.table import Table

STOP_SECONDS = 5.0  # how long a cancelled effect may hold up the lists after it
SETTLE_SECONDS = 5.0  # how long a leg's hang-up waits for the result of its transfer

_KINDS = ("stop", "settle", "answer", "away", "after", "every", "silence")


def arm(macrostep: Macrostep, kind: str, state: str, row: int, due: float) -> Timer:
    """A new timer, in the order in which timers that are due at once fire: outer state first, then `after`, `every`,
    `silence`, each in the order of the file."""
    timer = Timer(macrostep.next_generation, kind, state, row, due)
    macrostep.next_generation += 1
    timers = macrostep.timers
    place = len(timers)
    while place and _before(macrostep, timer, timers[place - 1]):
        place -= 1
    macrostep.timers = (*timers[:place], timer, *timers[place:])
    return timer


def _before(macrostep: Macrostep, timer: Timer, other: Timer) -> bool:
    if timer.due != other.due:
        return timer.due < other.due
    return rank(macrostep.table, timer) < rank(macrostep.table, other)


def rank(table: Table, timer: Timer) -> tuple[int, int, int, int]:
    """Its place among timers that are due at once."""
    if timer.kind in ("stop", "settle", "answer", "away"):
        return -1, _KINDS.index(timer.kind), 0, timer.row
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


def heard(macrostep: Macrostep, event: Event) -> bool:
    """Whether this event is somebody's voice or key. Notes what it says of who is speaking, and whether anybody can be
    heard at all."""
    name = event.name
    if name == "room.active_speakers_changed":  # of those whom the session does not hear
        was, macrostep.others_speak = macrostep.others_speak, bool(event.data.get("legs"))
        return macrostep.others_speak or was
    if name in ("room.reconnecting", "room.reconnected", "room.disconnected"):
        macrostep.cut_off = name != "room.reconnected"
        if name == "room.reconnecting":
            macrostep.caller_speaks = macrostep.others_speak = False  # how that ended, nobody will say
        return False
    if name in ("room.track_muted", "room.track_unmuted"):
        if event.data.get("leg") == MAIN_LEG:
            macrostep.caller_muted = bool(event.data.get("muted"))
            macrostep.caller_speaks = (
                macrostep.caller_speaks and not macrostep.caller_muted
            )  # whoever is cut off has spoken until now
        return False
    if name in ("call.dropped", "call.hangup"):
        macrostep.caller_speaks = False
        if name == "call.hangup":  # whoever comes next has a microphone of their own
            macrostep.caller_muted = False
        return False
    if name == "session.user_state_changed":
        was, macrostep.caller_speaks = macrostep.caller_speaks, event.data.get("new_state") == "speaking"
        return macrostep.caller_speaks or was
    if name == "session.agent_state_changed":
        macrostep.agent_busy = event.data.get("new_state") in ("thinking", "speaking")
        return False
    if name == "session.user_input_transcribed":
        return True
    if name.startswith("leg."):
        name = name.removeprefix("leg.").partition(".")[2]
    return name.startswith("dtmf.") and name[5:] in DIGITS


def broken(macrostep: Macrostep) -> None:
    """Somebody was heard: every silence is at zero, and its rows may fire again."""
    fresh = {path: Silence(path) for path in macrostep.silences}
    if fresh != macrostep.silences:
        macrostep.timers = tuple([one for one in macrostep.timers if one.kind != "silence"])
        macrostep.silences = fresh
    if macrostep.kept:
        macrostep.kept = tuple([event for event in macrostep.kept if not event.name.startswith("silence ")])


def quiet(macrostep: Macrostep) -> bool:
    """Whether a silence counts now: the far end on the line, not on hold and not handed on, heard by us, and nobody
    speaking or about to."""
    leg = macrostep.legs.get(MAIN_LEG)
    if leg is None or leg.status != "on_line" or macrostep.caller_speaks or macrostep.agent_busy:
        return False
    if macrostep.others_speak or macrostep.muted or macrostep.caller_muted or macrostep.cut_off:
        return False
    return not macrostep.effects or not any(map(_is_heard, macrostep.effects.values()))


def _is_heard(effect: Running) -> bool:
    """Whether the far end has something to listen to, or to wait for, while this runs."""
    verb = verb_of(effect.verb)
    return not effect.stopping and ((verb.speech and not effect.quiet) or verb.occupies)


def count(macrostep: Macrostep) -> None:
    """At a step's end: silences count on, or pause."""
    now = macrostep.time
    counting = quiet(macrostep)
    for path, (_, counted, since, fired) in macrostep.silences.items():
        if counting and since is None:
            macrostep.silences = {**macrostep.silences, path: Silence(path, counted, now, fired)}
            for row in macrostep.table.states[path].silences:
                if row.index not in fired:
                    arm(macrostep, "silence", path, row.index, now + max(row.seconds - counted, 0.0))
        elif not counting and since is not None:
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
