"""What an event says beside the rows that it takes: of the legs, the session, the line, the silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from callflow.core import autoforward, clocks
from callflow.core.actions import verb_of
from callflow.core.events import DIGITS, MAIN_LEG, NO_DATA, ROOM_IS_GONE, Event
from callflow.core.flow import ROOT
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import Leg, joined
from callflow.core.table import CACHE_LIMIT

_SESSION, _LINE = frozenset({"session", "speech"}), frozenset({"line"})

Observer = Callable[[Macrostep, Event], bool]
"""Takes down what an event says. True: it is nobody else's."""


def observe(macrostep: Macrostep, event: Event) -> bool:
    """What an event says of the legs, the session, the line and the silence. True: it is nobody else's."""
    observer = observer_of(event.name)
    return observer is not None and observer(macrostep, event)


@lru_cache(CACHE_LIMIT)
def observer_of(name: str) -> Observer | None:
    """Who takes down what an event of this name says; None: it says nothing beside the rows that it takes."""
    family, _, rest = name.partition(".")
    if family == "leg":
        key = rest.partition(".")[2]
        return _leg_pressed if key.startswith("dtmf.") and key[5:] in DIGITS else _leg_forwarded
    if family == "dtmf":
        return _pressed if rest in DIGITS else autoforward.forward
    return _BY_NAME.get(name) or _BY_FAMILY.get(family)


# -- voices and keys


def _transcribed(macrostep: Macrostep, _: Event) -> bool:
    clocks.somebody_spoke(macrostep)
    return False


def _user_state(macrostep: Macrostep, event: Event) -> bool:
    spoke, macrostep.caller_speaks = macrostep.caller_speaks, event.data.get("new_state") == "speaking"
    if spoke or macrostep.caller_speaks:
        clocks.somebody_spoke(macrostep)
    return False


def _agent_state(macrostep: Macrostep, event: Event) -> bool:
    macrostep.agent_busy = event.data.get("new_state") in ("thinking", "speaking")
    return False


def _active_speakers(macrostep: Macrostep, event: Event) -> bool:
    """Of those whom the session does not hear."""
    spoke, macrostep.others_speak = macrostep.others_speak, bool(event.data.get("legs"))
    if spoke or macrostep.others_speak:
        clocks.somebody_spoke(macrostep)
    return False


def _track(macrostep: Macrostep, event: Event) -> bool:
    if event.data.get("leg") == MAIN_LEG:
        macrostep.caller_muted = bool(event.data.get("muted"))
        if macrostep.caller_muted:
            macrostep.caller_speaks = False  # whoever is cut off has spoken until now
    return False


def _pressed(macrostep: Macrostep, event: Event) -> bool:
    clocks.somebody_spoke(macrostep)
    return autoforward.forward(macrostep, event)


def _leg_pressed(macrostep: Macrostep, event: Event) -> bool:
    clocks.somebody_spoke(macrostep)
    return _leg_forwarded(macrostep, event)


# -- the session and the room


def _session_closed(macrostep: Macrostep, event: Event) -> bool:
    ours = "session" in macrostep.closing or "session" in macrostep.closed
    macrostep.closed = joined(macrostep.closed, _SESSION)
    if ours:
        macrostep.note("own", event=event.name)
    return ours


def _reconnecting(macrostep: Macrostep, _: Event) -> bool:
    macrostep.cut_off = True
    macrostep.caller_speaks = macrostep.others_speak = False  # how that ended, nobody will say
    return False


def _reconnected(macrostep: Macrostep, _: Event) -> bool:
    macrostep.cut_off = False
    return False


def _disconnected(macrostep: Macrostep, event: Event) -> bool:
    macrostep.cut_off = True
    ours = "line" in macrostep.closing or "line" in macrostep.closed
    clocks.disarm(macrostep, "away", ROOT)
    if event.data.get("reason", "") in ROOM_IS_GONE:
        macrostep.closed = joined(macrostep.closed, _LINE)
    if ours:
        macrostep.note("own", event=event.name)
    return ours


# -- legs


def _call_dropped(macrostep: Macrostep, event: Event) -> bool:
    macrostep.caller_speaks = False
    return _leg(macrostep, event)


def _call_hangup(macrostep: Macrostep, event: Event) -> bool:
    macrostep.caller_speaks = macrostep.caller_muted = False  # whoever comes next has a microphone of their own
    return _leg(macrostep, event)


def _leg_forwarded(macrostep: Macrostep, event: Event) -> bool:
    return autoforward.forward(macrostep, event) or _leg(macrostep, event)


_STATUS: Mapping[str, Any] = {
    "offered": "ringing",
    "ringing": "ringing",
    "answered": "on_line",
    "dropped": "dropped",
    "restored": "on_line",
    "hangup": "gone",
}


def _leg(macrostep: Macrostep, event: Event) -> bool:
    family, _, rest = event.name.partition(".")
    leg, what = (MAIN_LEG, rest) if family == "call" else (str(event.data.get("leg") or MAIN_LEG), rest)
    if family == "leg":
        leg, _, what = rest.partition(".")
    status: Any = _STATUS.get(what)
    if status is None or (family == "dial" and what != "answered"):
        return False
    known = macrostep.legs.get(leg)
    if known is not None and family != "dial":
        clocks.disarm(macrostep, "away", ROOT, list(macrostep.legs).index(leg))
    if what == "hangup" and _is_handed_over(macrostep, leg) and event not in macrostep.held:
        macrostep.held = (*macrostep.held, event)
        clocks.arm(macrostep, "settle", ROOT, 0, macrostep.time + clocks.SETTLE_SECONDS)
        macrostep.note("held", event=event.name, why="a transfer runs on this leg")
        return True
    if known is not None and known.status == "hold" and what in ("dropped", "restored"):
        status = "hold"  # whoever is on hold is so still when their network is back
    data = known.data if known is not None else NO_DATA
    if what in ("offered", "ringing", "answered"):
        data = {**data, **event.data}
    macrostep.legs = {**macrostep.legs, leg: Leg(leg, status, data)}
    if what == "dropped" and macrostep.flow.reconnect_grace is not None:
        clocks.arm(
            macrostep, "away", ROOT, list(macrostep.legs).index(leg), macrostep.time + macrostep.flow.reconnect_grace
        )
    return False


def give_up(macrostep: Macrostep, place: int) -> None:
    """A leg that has vanished was away for `reconnect_grace`: whoever has told of it tells of its hang-up, too."""
    macrostep.note("given_up", leg=list(macrostep.legs)[place])


def _is_handed_over(macrostep: Macrostep, leg: str) -> bool:
    """Whether it may be our own doing that this leg leaves: the result of what runs on it says so."""
    return any(
        one.leg == leg and not one.stopping and verb_of(one.verb).holds_hang_up for one in macrostep.effects.values()
    )


_BY_NAME: Mapping[str, Observer] = {
    "session.user_state_changed": _user_state,
    "session.agent_state_changed": _agent_state,
    "session.user_input_transcribed": _transcribed,
    "session.close": _session_closed,
    "room.active_speakers_changed": _active_speakers,
    "room.track_muted": _track,
    "room.track_unmuted": _track,
    "room.reconnecting": _reconnecting,
    "room.reconnected": _reconnected,
    "room.disconnected": _disconnected,
    "call.dropped": _call_dropped,
    "call.hangup": _call_hangup,
}

_BY_FAMILY: Mapping[str, Observer] = {"call": _leg, "dial": _leg, "tool": autoforward.forward}
