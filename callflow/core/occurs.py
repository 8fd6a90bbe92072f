"""What must be so for an event to happen, and what is so afterwards, beside what a snapshot says by itself.

As a planner's operators have it (STRIPS): preconditions, and what is added and taken away. The facts are few: `session`, `room`
and `job` are so from the beginning of a call; `away` is our own connection while LiveKit tries to bring it back; `detection` is a
look at who has answered that has yet to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Fact = Literal["session", "room", "job", "away", "detection"]
Facts = frozenset[Fact]

LegIs = Literal["absent", "dialing", "ringing", "on_line", "dropped", "hold", "gone"]

AT_FIRST: Facts = frozenset({"session", "room", "job"})


class Occurs(NamedTuple):
    """`legs`: how the leg of which the event tells stands then; None where it tells of none. `as_result`: only a verb's end is
    this event. `raised`: only the step raises it."""

    needs: Facts = frozenset()
    lacks: Facts = frozenset()
    adds: Facts = frozenset()
    takes: Facts = frozenset()
    legs: frozenset[LegIs] | None = None
    as_result: bool = False
    raised: bool = False


def _all(*facts: Fact) -> Facts:
    return frozenset(facts)


def _legs(*legs: LegIs) -> Occurs:
    return Occurs(needs=_all("room"), legs=frozenset(legs))


_RESULT = Occurs(as_result=True)
_RAISED = Occurs(raised=True)

_OF_AN_EVENT: Mapping[str, Occurs] = {
    "session.close": Occurs(needs=_all("session"), takes=_all("session")),
    "room.disconnected": Occurs(needs=_all("room"), takes=_all("room", "away")),
    "room.reconnecting": Occurs(needs=_all("room"), lacks=_all("away"), adds=_all("away")),
    "room.reconnected": Occurs(needs=_all("room", "away"), takes=_all("away")),
    # Whoever has hung up may come again: a guest joins anew, a number is dialled anew.
    "call.offered": _legs("absent", "gone"),
    "call.ringing": _legs("absent", "dialing", "gone"),
    "call.answered": _legs("absent", "dialing", "ringing", "gone"),
    "call.hangup": _legs("ringing", "on_line", "dropped", "hold"),
    "call.dropped": _legs("on_line", "hold"),
    "call.restored": _legs("dropped"),
    "dtmf.input": _RESULT,
    "dtmf.no_input": _RESULT,
    "dtmf.no_match": _RESULT,
}
_OF_A_FAMILY: Mapping[str, Occurs] = {
    "session": Occurs(needs=_all("session")),
    "room": Occurs(needs=_all("room")),
    "job": Occurs(needs=_all("job"), takes=_all("job")),
    "dtmf": _legs("on_line", "hold"),
    "amd": Occurs(needs=_all("detection"), takes=_all("detection")),
    "dial": _RESULT,
    "transfer": _RESULT,
    "consult": _RESULT,
    "task": _RESULT,
    "done": _RAISED,
    "failed": _RAISED,
}


def occurs(name: str) -> Occurs:
    """When the event of the catalogue that has this name can happen."""
    return _OF_AN_EVENT.get(name) or _OF_A_FAMILY[name.partition(".")[0]]
