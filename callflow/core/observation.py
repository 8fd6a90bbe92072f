"""What an event says beside the rows that it takes: of the legs, the session, the line, the silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core import autoforward, clocks
from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, ROOM_IS_GONE, Event
from callflow.core.flow import ROOT
from callflow.core.macrostep import Macrostep
from callflow.core.snapshot import Leg

ROOM = (
    "room.disconnected", "room.reconnecting", "room.reconnected", "room.active_speakers_changed",
    "room.track_muted", "room.track_unmuted",
)  # fmt: skip
OBSERVED = ("call.", "leg.", "session.", *ROOM, "dtmf.", "tool.", "dial.")
"""How the names of such events begin."""

_FORWARDED = ("dtmf.", "tool.", "leg.")


def observe(macrostep: Macrostep, event: Event) -> bool:
    """What an event says of the legs, the session, the line and the silence. True: it is nobody else's."""
    name = event.name
    if clocks.heard(macrostep, event):
        clocks.broken(macrostep)
        if not macrostep.in_ending:
            macrostep.entered = 0
    if name.startswith(_FORWARDED) and autoforward.forward(macrostep, event):
        return True
    if name == "session.close":
        if "session" in macrostep.closing | macrostep.closed:
            macrostep.closed |= {"session", "speech"}
            macrostep.note("own", event=name)
            return True
        macrostep.closed |= {"session", "speech"}
    elif name == "room.disconnected":
        ours = "line" in macrostep.closing | macrostep.closed
        clocks.disarm(macrostep, "away", ROOT)
        if event.data.get("reason", "") in ROOM_IS_GONE:
            macrostep.closed |= {"line"}
        if ours:
            macrostep.note("own", event=name)
            return True
    elif name.startswith(("call.", "leg.", "dial.")):
        return _leg(macrostep, event)
    return False


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
    data = dict(known.data) if known is not None else {}
    if what in ("offered", "ringing", "answered"):
        data.update(event.data)
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
