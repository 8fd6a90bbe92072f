"""Timers with generations, and the silence of the caller (rule 10)."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import DIGITS, MAIN_LEG, Event
from callflow.core.flow import ROOT
from callflow.core.snapshot import Running, Silence, Timer, without
from callflow.core.table import Table
from callflow.core.turn import Turn

STOP_SECONDS = 5.0  # how long a cancelled effect may hold up the lists after it
SETTLE_SECONDS = 5.0  # how long a leg's hang-up waits for the result of its transfer

_KINDS = ("stop", "settle", "answer", "away", "after", "every", "silence")


def arm(turn: Turn, kind: str, state: str, row: int, due: float) -> Timer:
    """A new timer, in the order in which timers that are due at once fire: outer state first, then `after`, `every`,
    `silence`, each in the order of the file."""
    timer = Timer(turn.next_generation, kind, state, row, due)
    turn.next_generation += 1
    timers = turn.timers
    place = len(timers)
    while place and _before(turn, timer, timers[place - 1]):
        place -= 1
    turn.timers = (*timers[:place], timer, *timers[place:])
    return timer


def _before(turn: Turn, timer: Timer, other: Timer) -> bool:
    if timer.due != other.due:
        return timer.due < other.due
    return rank(turn.table, timer) < rank(turn.table, other)


def rank(table: Table, timer: Timer) -> tuple[int, int, int, int]:
    """Its place among timers that are due at once."""
    if timer.kind in ("stop", "settle", "answer", "away"):
        return -1, _KINDS.index(timer.kind), 0, timer.row
    state = table.states[timer.state]
    return len(state.ancestors), _KINDS.index(timer.kind), state.order, timer.row


def disarm(turn: Turn, kind: str, state: str, row: int | None = None) -> None:
    """Timers that can no longer fire: one that fires all the same is stale by its generation."""
    timers = turn.timers
    left = [one for one in timers if one.kind != kind or one.state != state or (row is not None and one.row != row)]
    if len(left) != len(timers):
        turn.timers = tuple(left)


def enter(turn: Turn, path: str) -> None:
    """A state is entered: its timers count from now."""
    state = turn.table.states[path]
    for row in state.timers:
        if row.kind != "silence":
            arm(turn, row.kind, path, row.index, turn.time + row.seconds)
    if state.silences:
        turn.silences = {**turn.silences, path: Silence(path)}


def leave(turn: Turn, path: str) -> None:
    """A state is left: its timers are gone, also those that were kept or are just returning."""
    turn.timers = tuple([one for one in turn.timers if one.state != path or one.kind in ("stop", "settle", "away")])
    if path in turn.silences:
        turn.silences = without(turn.silences, path)
    if turn.kept:
        turn.kept = tuple([event for event in turn.kept if not (is_timer(event) and event.state == path)])
    if turn.returning:
        turn.returning = tuple([one for one in turn.returning if not (is_timer(one) and one.state == path)])


def is_timer(event: Event) -> bool:
    return event.name.startswith(("after ", "every ", "silence "))


# -- silence -------------------------------------------------------------------------------------------------------


def heard(turn: Turn, event: Event) -> bool:
    """Whether this event is somebody's voice or key. Notes what it says of who is speaking, and whether anybody can be
    heard at all."""
    name = event.name
    if name == "room.active_speakers_changed":  # of those whom the session does not hear
        was, turn.others_speak = turn.others_speak, bool(event.data.get("legs"))
        return turn.others_speak or was
    if name in ("room.reconnecting", "room.reconnected", "room.disconnected"):
        turn.cut_off = name != "room.reconnected"
        if name == "room.reconnecting":
            turn.caller_speaks = turn.others_speak = False  # how that ended, nobody will say
        return False
    if name in ("room.track_muted", "room.track_unmuted"):
        if event.data.get("leg") == MAIN_LEG:
            turn.caller_muted = bool(event.data.get("muted"))
            turn.caller_speaks = turn.caller_speaks and not turn.caller_muted  # whoever is cut off has spoken until now
        return False
    if name in ("call.dropped", "call.hangup"):
        turn.caller_speaks = False
        if name == "call.hangup":  # whoever comes next has a microphone of their own
            turn.caller_muted = False
        return False
    if name == "session.user_state_changed":
        was, turn.caller_speaks = turn.caller_speaks, event.data.get("new_state") == "speaking"
        return turn.caller_speaks or was
    if name == "session.agent_state_changed":
        turn.agent_busy = event.data.get("new_state") in ("thinking", "speaking")
        return False
    if name == "session.user_input_transcribed":
        return True
    if name.startswith("leg."):
        name = name.removeprefix("leg.").partition(".")[2]
    return name.startswith("dtmf.") and name[5:] in DIGITS


def broken(turn: Turn) -> None:
    """Somebody was heard: every silence is at zero, and its rows may fire again."""
    fresh = {path: Silence(path) for path in turn.silences}
    if fresh != turn.silences:
        turn.timers = tuple([one for one in turn.timers if one.kind != "silence"])
        turn.silences = fresh
    if turn.kept:
        turn.kept = tuple([event for event in turn.kept if not event.name.startswith("silence ")])


def quiet(turn: Turn) -> bool:
    """Whether a silence counts now: the far end on the line, not on hold and not handed on, heard by us, and nobody
    speaking or about to."""
    leg = turn.legs.get(MAIN_LEG)
    if leg is None or leg.status != "on_line" or turn.caller_speaks or turn.agent_busy:
        return False
    if turn.others_speak or turn.muted or turn.caller_muted or turn.cut_off:
        return False
    return not turn.effects or not any(map(_is_heard, turn.effects.values()))


def _is_heard(effect: Running) -> bool:
    """Whether the far end has something to listen to, or to wait for, while this runs."""
    verb = verb_of(effect.verb)
    return not effect.stopping and ((verb.speech and not effect.quiet) or verb.occupies)


def count(turn: Turn) -> None:
    """At a step's end: silences count on, or pause."""
    now = turn.time
    counting = quiet(turn)
    for path, (_, counted, since, fired) in turn.silences.items():
        if counting and since is None:
            turn.silences = {**turn.silences, path: Silence(path, counted, now, fired)}
            for row in turn.table.states[path].silences:
                if row.index not in fired:
                    arm(turn, "silence", path, row.index, now + max(row.seconds - counted, 0.0))
        elif not counting and since is not None:
            turn.silences = {**turn.silences, path: Silence(path, counted + now - since, None, fired)}
            disarm(turn, "silence", path)


def fire(turn: Turn, timer: Timer) -> None:
    """A timer has come due: it is gone; `every` is armed again, a row of a silence has had its turn."""
    turn.timers = tuple([one for one in turn.timers if one.generation != timer.generation])
    if timer.kind == "every":
        seconds = turn.table.states[timer.state].timers[timer.row].seconds
        missed = int(max(turn.time - timer.due, 0.0) // seconds)
        arm(turn, "every", timer.state, timer.row, timer.due + (missed + 1) * seconds)
    elif timer.kind == "silence":
        one = turn.silences[timer.state]
        turn.silences = {**turn.silences, timer.state: one._replace(fired=(*one.fired, timer.row))}


def begin(turn: Turn) -> None:
    """The call starts: the top level's timers count from now."""
    enter(turn, ROOT)
