"""What an event says beside the rows that it takes: of the legs, the session, the line, the silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core import clocks, forwarding
from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, ROOM_IS_GONE, Event
from callflow.core.flow import ROOT
from callflow.core.snapshot import Leg
from callflow.core.turn import Turn

ROOM = (
    "room.disconnected", "room.reconnecting", "room.reconnected", "room.active_speakers_changed",
    "room.track_muted", "room.track_unmuted",
)  # fmt: skip
OBSERVED = ("call.", "leg.", "session.", *ROOM, "dtmf.", "tool.", "dial.")
"""How the names of such events begin."""

_FORWARDED = ("dtmf.", "tool.", "leg.")


def observe(turn: Turn, event: Event) -> bool:
    """What an event says of the legs, the session, the line and the silence. True: it is nobody else's."""
    name = event.name
    if clocks.heard(turn, event):
        clocks.broken(turn)
        if not turn.in_ending:
            turn.entered = 0
    if name.startswith(_FORWARDED) and forwarding.forward(turn, event):
        return True
    if name == "session.close":
        if "session" in turn.closing | turn.closed:
            turn.closed |= {"session", "speech"}
            turn.note("own", event=name)
            return True
        turn.closed |= {"session", "speech"}
    elif name == "room.disconnected":
        ours = "line" in turn.closing | turn.closed
        clocks.disarm(turn, "away", ROOT)
        if event.data.get("reason", "") in ROOM_IS_GONE:
            turn.closed |= {"line"}
        if ours:
            turn.note("own", event=name)
            return True
    elif name.startswith(("call.", "leg.", "dial.")):
        return _leg(turn, event)
    return False


_STATUS: Mapping[str, Any] = {
    "offered": "ringing",
    "ringing": "ringing",
    "answered": "on_line",
    "dropped": "dropped",
    "restored": "on_line",
    "hangup": "gone",
}


def _leg(turn: Turn, event: Event) -> bool:
    family, _, rest = event.name.partition(".")
    leg, what = (MAIN_LEG, rest) if family == "call" else (str(event.data.get("leg") or MAIN_LEG), rest)
    if family == "leg":
        leg, _, what = rest.partition(".")
    status: Any = _STATUS.get(what)
    if status is None or (family == "dial" and what != "answered"):
        return False
    known = turn.legs.get(leg)
    if known is not None and family != "dial":
        clocks.disarm(turn, "away", ROOT, list(turn.legs).index(leg))
    if what == "hangup" and _is_handed_over(turn, leg) and event not in turn.held:
        turn.held = (*turn.held, event)
        clocks.arm(turn, "settle", ROOT, 0, turn.time + clocks.SETTLE_SECONDS)
        turn.note("held", event=event.name, why="a transfer runs on this leg")
        return True
    if known is not None and known.status == "hold" and what in ("dropped", "restored"):
        status = "hold"  # whoever is on hold is so still when their network is back
    data = dict(known.data) if known is not None else {}
    if what in ("offered", "ringing", "answered"):
        data.update(event.data)
    turn.legs = {**turn.legs, leg: Leg(leg, status, data)}
    if what == "dropped" and turn.flow.reconnect_grace is not None:
        clocks.arm(turn, "away", ROOT, list(turn.legs).index(leg), turn.time + turn.flow.reconnect_grace)
    return False


def give_up(turn: Turn, place: int) -> None:
    """A leg that has vanished was away for `reconnect_grace`: whoever has told of it tells of its hang-up, too."""
    turn.note("given_up", leg=list(turn.legs)[place])


def _is_handed_over(turn: Turn, leg: str) -> bool:
    """Whether it may be our own doing that this leg leaves: the result of what runs on it says so."""
    return any(one.leg == leg and not one.stopping and verb_of(one.verb).holds_hang_up for one in turn.effects.values())
