"""What must be so for an event to happen, and what is so afterwards, beside what a snapshot says by itself.

As a planner's operators have it (STRIPS): preconditions, and what is added and taken away. The facts are few. From the beginning of
a call there are its `session`, its `room` and its `job`, and the `conversation`, until somebody begins to close the session;
`closing`: that it is closed may be told yet. The `line` is there until an act of the flow's has dropped it for everybody: its legs
are still told to be gone then. Our own connection is `away` while LiveKit tries to bring it back; a `detection` is a look at who
has answered that has yet to tell; a `recording` runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from attrs import frozen

Fact = Literal["session", "conversation", "closing", "room", "line", "job", "away", "detection", "recording"]


@frozen(cache_hash=True)
class Music:
    """This leg is on hold, and hears music."""

    leg: str


@frozen(cache_hash=True)
class Leaving:
    """This leg has been taken off the line, which has yet to be told."""

    leg: str


@frozen(cache_hash=True)
class Called:
    """The model has called this tool since it hears nobody: by a turn that had begun before, or by what followed that."""

    tool: str


Facts = frozenset[Fact | Music | Leaving | Called]

LegIs = Literal["absent", "dialing", "ringing", "on_line", "dropped", "hold", "gone"]
"""How a leg stands; `gone`: it has hung up."""

AT_FIRST: Facts = frozenset({"session", "conversation", "room", "line", "job"})


class Occurs(NamedTuple):
    """One way in which an event can happen. `legs`: how the leg of which it tells stands then; None where it tells of none.
    `where`: what a field of its payload is. `as_result`: only a verb's end is this event. `raised`: only the step raises it."""

    needs: frozenset[Fact] = frozenset()
    lacks: frozenset[Fact] = frozenset()
    adds: frozenset[Fact] = frozenset()
    takes: frozenset[Fact] = frozenset()
    legs: frozenset[LegIs] | None = None
    where: tuple[str, str] | None = None
    as_result: bool = False
    raised: bool = False


def _all(*facts: Fact) -> frozenset[Fact]:
    return frozenset(facts)


def _legs(*legs: LegIs, needs: tuple[Fact, ...] = ("room", "line")) -> tuple[Occurs]:
    return (Occurs(needs=_all(*needs), legs=frozenset(legs)),)


_RESULT = (Occurs(as_result=True),)

_OF_AN_EVENT: Mapping[str, tuple[Occurs, ...]] = {
    # That the program begins to close it is told at once; when it is closed that is told as well, whoever closes it.
    "session.close": (
        Occurs(
            needs=_all("session", "conversation"),
            takes=_all("conversation"),
            adds=_all("closing"),
            where=("reason", "user_initiated"),
        ),
        Occurs(needs=_all("session", "conversation"), takes=_all("session", "conversation"), adds=_all("closing")),
        Occurs(needs=_all("closing"), takes=_all("closing", "session")),
    ),
    # What was given up may come back, or be gone for good: then LiveKit ends the job, and tells of no other end of it.
    "room.disconnected": (
        Occurs(needs=_all("room"), where=("reason", "OUT_OF_REACH")),
        Occurs(needs=_all("room"), takes=_all("room", "away", "job")),
    ),
    "room.reconnecting": (Occurs(needs=_all("room"), lacks=_all("away"), adds=_all("away")),),
    "room.reconnected": (Occurs(needs=_all("room", "away"), takes=_all("away")),),
    # Whoever has hung up may come again: a guest joins anew, a number is dialled anew.
    "call.offered": _legs("absent", "gone"),
    "call.ringing": _legs("absent", "dialing", "gone"),
    "call.answered": _legs("absent", "dialing", "ringing", "gone"),
    "call.hangup": _legs("ringing", "on_line", "dropped", "hold", needs=("room",)),
    "call.dropped": _legs("on_line", "hold"),
    "call.restored": _legs("dropped", "hold"),  # one who was on hold is so all the while
    "dtmf.input": _RESULT,
    "dtmf.no_input": _RESULT,
    "dtmf.no_match": _RESULT,
}
_OF_A_FAMILY: Mapping[str, tuple[Occurs, ...]] = {
    "session": (Occurs(needs=_all("session")),),
    "room": (Occurs(needs=_all("room")),),
    "job": (Occurs(needs=_all("job"), takes=_all("job")),),
    "dtmf": (Occurs(needs=_all("room", "line"), lacks=_all("away"), legs=frozenset({"on_line", "hold"})),),
    "amd": (Occurs(needs=_all("detection"), takes=_all("detection")),),
    "done": (Occurs(raised=True),),
    "failed": (Occurs(needs=_all("session")),),  # from outside: an agent's `on_enter` raises
}


def occurs(name: str) -> tuple[Occurs, ...]:
    """When the event of the catalogue that has this name can happen: the first of these that fits. Of all other families than
    those above the events are results."""
    return _OF_AN_EVENT.get(name) or _OF_A_FAMILY.get(name.partition(".")[0], _RESULT)
