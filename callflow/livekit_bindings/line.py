"""The line: who is on it, as far as the room tells, and whether anybody can hear us.

The far end is the first participant that is a person or a telephone (not an agent, an ingress or a recorder). It is
linked by identity, since a takeover, a reconnect of the agent and a restart of the server all let it leave for a moment
without a reason; every later party is a leg of its own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from attrs import define, field
from livekit import rtc

from callflow.core.events import DIGITS, MAIN_LEG
from callflow.livekit_bindings.causes import Cause, cause_of, reason_name
from callflow.livekit_bindings.room_events import participant_fields

Status = Literal["absent", "ringing", "on_line", "dropped", "gone", "down"]
"""down: the room itself is gone, or the flow has dropped it."""

PARTIES = frozenset({"standard", "sip", "connector"})
ON_BEHALF = "lk.publish_on_behalf"  # an avatar that publishes for an agent

KEYS = {"*": "star", "#": "pound"}
"""Keys whose names in a flow are not what stands on them."""

ROOM_DELETED_GRACE = 0.4
"""Seconds. When a room is deleted, "the far end has left", "the room is gone" and "the worker wants the job to end" come
in any order, some 50 ms apart: the others wait this long, and give way to the room's."""

Post = Callable[[str, Mapping[str, Any]], None]


@define(eq=False)
class Leg:
    """One party's connection. `timer`: what becomes of it if it does not come back."""

    name: str
    identity: str
    status: Status = "absent"
    sid: str = ""
    since: float = 0.0  # when it was dropped, on the loop's clock
    timer: asyncio.TimerHandle | None = None


@define(eq=False)
class Line:
    """Turns the room's participants into `call.*` and `leg.<name>.*`, and lets speech wait for somebody who hears it.

    `grace` is in seconds. `only` names the one identity that may be the far end; None: whoever comes first. `inbound`:
    the far end calls us, and one who gives up while it rings has hung up. While `cut_off`, our own connection is being
    made anew: that somebody is not seen says nothing of them.
    """

    post: Post
    grace: float
    only: str | None = None
    inbound: bool = True
    legs: dict[str, Leg] = field(factory=dict)  # by identity
    status: Status = "absent"  # the far end's
    dropped_by_us: bool = False
    cut_off: bool = False
    _changed: asyncio.Event = field(factory=asyncio.Event)

    # -- what the room says

    def joined(self, participant: Any) -> None:
        """A participant is in the room: it has just come, was there before us, or has come back."""
        fields = participant_fields(participant)
        if fields["kind"] not in PARTIES or ON_BEHALF in fields["attributes"]:
            return
        leg = self.legs.get(fields["identity"])
        if leg is None:
            leg = self._new_leg(fields)
            if leg is None:
                return
        if leg.status == "dropped":
            self._restored(leg, fields)
        else:
            leg.sid = fields["sid"]
            self._progress(leg, fields)

    def changed(self, participant: Any) -> None:
        """Its attributes have changed: a telephone's call status is one of them."""
        fields = participant_fields(participant)
        leg = self.legs.get(fields["identity"])
        if leg is not None and leg.status in ("absent", "ringing"):
            self._progress(leg, fields)

    def left(self, participant: Any) -> None:
        """A participant is gone, for the reason that LiveKit gives, or for none: then it may come back."""
        leg = self.legs.get(participant.identity)
        if leg is None or leg.status in ("gone", "down", "dropped") or (leg.sid and leg.sid != participant.sid):
            return  # unknown, gone before, or an earlier connection of one that has come back already
        reason = participant.disconnect_reason
        if not reason and leg.status == "on_line" and not self.dropped_by_us:
            self._dropped(leg)
        elif reason == rtc.DisconnectReason.ROOM_DELETED:
            self._set(leg, "dropped")
            self._later(leg, ROOM_DELETED_GRACE, lambda: self._hung_up(leg, reason))
        else:
            self._hung_up(leg, reason)

    def down(self, *, by_us: bool = False) -> None:
        """The room is gone, or is being dropped by the flow: nobody hears anything any more."""
        self.dropped_by_us = self.dropped_by_us or by_us
        for leg in self.legs.values():
            _stop(leg)
            leg.status = "down"
        self._status("down")

    def pressed(self, key: Any) -> None:
        """A key of a telephone. A bridge relays keys between legs, so the leg is the one that LiveKit names."""
        leg = self.legs.get(key.participant.identity) if key.participant is not None else None
        name = KEYS.get(key.digit, key.digit.lower())
        if leg is not None and name in DIGITS:
            self._tell(leg, f"dtmf.{name}", {"digit": key.digit, "leg": leg.name, "code": key.code})

    def answered_by_hand(self, identity: str) -> None:
        """A console: the far end is whoever sits there, unless they have left already."""
        if self.over:
            return
        leg = Leg(MAIN_LEG, identity)
        self.legs[identity] = leg
        self._set(leg, "on_line")
        self.post("call.answered", {"leg": MAIN_LEG, "identity": identity, "kind": "console", "attributes": {}})

    def hung_up_by_hand(self) -> None:
        """A console: Ctrl-C, also before the session has started."""
        if self.over:
            return
        if not self.legs:
            self.legs[""] = Leg(MAIN_LEG, "", "on_line")
        for leg in self.legs.values():
            self._hung_up(leg, rtc.DisconnectReason.CLIENT_INITIATED)

    def close(self) -> None:
        for leg in self.legs.values():
            _stop(leg)

    # -- what speech asks

    @property
    def hears(self) -> bool:
        return self.status == "on_line"

    @property
    def over(self) -> bool:
        """Whether nobody will ever hear anything again."""
        return self.status in ("gone", "down")

    @property
    def ending(self) -> bool:
        """Whether the room is gone, or on its way: the flow has dropped it, or LiveKit has said that it was deleted."""
        return self.dropped_by_us or self.status == "down"

    async def heard(self) -> bool:
        """Waits until the far end hears us; False when it never will. Unbounded: the effect's timeout bounds it."""
        while not self.hears and not self.over:
            await self._changed.wait()
        return self.hears

    async def cut(self) -> None:
        """Returns when the far end does not hear us (any more)."""
        while self.hears:
            await self._changed.wait()

    def identity_of(self, name: str) -> str | None:
        """Who is on this leg, None when nobody is or has been."""
        return next((leg.identity for leg in self.legs.values() if leg.name == name), None)

    def parties(self) -> list[Leg]:
        """The legs that are on the line now, the main one first."""
        return [leg for leg in self.legs.values() if leg.status in ("on_line", "dropped")]

    # -- inside

    def _new_leg(self, fields: Mapping[str, Any]) -> Leg | None:
        identity = fields["identity"]
        if any(leg.name == MAIN_LEG for leg in self.legs.values()) or (self.only and identity != self.only):
            leg = Leg(fields["attributes"].get("callflow.leg") or re.sub(r"\W", "_", identity), identity)
        else:
            leg = Leg(MAIN_LEG, identity)
        self.legs[identity] = leg
        return leg

    def _progress(self, leg: Leg, fields: Mapping[str, Any]) -> None:
        status = fields["attributes"].get("sip.callStatus", "")
        if fields["kind"] != "sip" or status in ("", "active"):
            if leg.status != "on_line":
                self._set(leg, "on_line")
                self._tell(leg, "answered", leg_fields(leg.name, fields))
        elif status in ("dialing", "ringing") and leg.status == "absent":
            self._set(leg, "ringing")
            self._tell(leg, "ringing", leg_fields(leg.name, fields))

    def _dropped(self, leg: Leg) -> None:
        leg.since = asyncio.get_running_loop().time()
        self._set(leg, "dropped")
        self._tell(leg, "dropped", {"leg": leg.name, "identity": leg.identity})
        self._later(leg, self.grace, lambda: self._hung_up(leg, None))

    def _restored(self, leg: Leg, fields: Mapping[str, Any]) -> None:
        _stop(leg)
        leg.sid = fields["sid"]
        self._set(leg, "on_line")
        away = asyncio.get_running_loop().time() - leg.since
        self._tell(leg, "restored", {"leg": leg.name, "identity": leg.identity, "away": round(away, 3)})

    def _hung_up(self, leg: Leg, reason: int | None) -> None:
        answered = leg.status in ("on_line", "dropped")
        _stop(leg)
        if not answered and (leg.name != MAIN_LEG or not self.inbound):
            self._forget(leg)
            return
        self._set(leg, "gone")
        cause = Cause("agent", "hung_up") if self.dropped_by_us else cause_of(reason)
        if self.cut_off and not reason:
            cause = Cause("network", "out_of_reach")
        if not answered:
            cause = Cause(cause.by, "abandoned")
        data = {"leg": leg.name, "identity": leg.identity, "by": cause.by, "cause": cause.cause}
        self._tell(leg, "hangup", {**data, "disconnect_reason": reason_name(reason)})

    def _forget(self, leg: Leg) -> None:
        """A leg that was never answered has no hangup: the dial's result says what became of it."""
        del self.legs[leg.identity]
        if leg.name == MAIN_LEG:
            self._status("absent")

    def _later(self, leg: Leg, seconds: float, act: Callable[[], None]) -> None:
        _stop(leg)
        leg.timer = asyncio.get_running_loop().call_later(seconds, act)

    def _tell(self, leg: Leg, event: str, data: Mapping[str, Any]) -> None:
        main = event if event.startswith("dtmf.") else f"call.{event}"
        self.post(main if leg.name == MAIN_LEG else f"leg.{leg.name}.{event}", data)

    def _set(self, leg: Leg, status: Status) -> None:
        leg.status = status
        if leg.name == MAIN_LEG:
            self._status(status)

    def _status(self, status: Status) -> None:
        self.status = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def leg_fields(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of `call.answered` and its like, from a participant's fields."""
    attributes = fields["attributes"]
    return {
        "leg": name,
        "identity": fields["identity"],
        "sid": fields["sid"],
        "kind": fields["kind"],
        "name": fields["name"],
        "number": attributes.get("sip.phoneNumber"),
        "trunk": attributes.get("sip.trunkID"),
        "trunk_number": attributes.get("sip.trunkPhoneNumber"),
        "sip_call_id": attributes.get("sip.callID"),
        "attributes": attributes,
    }


def _stop(leg: Leg) -> None:
    if leg.timer is not None:
        leg.timer.cancel()
        leg.timer = None
