"""The line: who is on it, as far as the room tells, and whether anybody can hear us.

Legs have names: a participant that we dial bears the one of its dial (`expect`); one that the flow tells by its identity
bears the name that it has there; the far end, `far_end`, is otherwise the first participant that is a person or a
telephone (not an agent, an ingress or a recorder); every later party is `participant_1`, `participant_2` …, in the order in which
they have come. What a participant
says of itself gives it no name, but for a voucher that only the server's secret can make (`vouching`). A name is borne by
one leg at a time, and the flow's names by nobody else. A party that was not dialled is linked by its identity, since a
takeover, a reconnect of the agent and a restart of the server all let it leave for a moment without a reason.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Container, Mapping
from typing import Any

from attrs import define, field
from livekit import rtc

from callflow.core.events import DIGITS, KEYS, MAIN_LEG
from callflow.livekit_bindings.causes import DisconnectCause, breaks, cause_of_leg, reason_name
from callflow.livekit_bindings.legs import Leg, Status, leg_fields
from callflow.livekit_bindings.room_events import participant_fields

PARTIES = frozenset({"standard", "sip", "connector"})
ON_BEHALF = "lk.publish_on_behalf"  # an avatar that publishes for an agent
ROOM_DELETED_GRACE = 0.4
"""Seconds. When a room is deleted, "the far end has left", "the room is gone" and "the worker wants the job to end" come
in any order, some 50 ms apart: the others wait this long, and give way to the room's."""

HANGUP_GRACE = 0.1
"""Seconds. A telephone that has hung up says so in `sip.callStatus`, and leaves 15-40 ms later, with a reason; now and
then 2 s later, or never."""

DIAL_FIRST = 0.01
"""Seconds that the hang-up of a leg gives way to the result of its dial, when both come at once."""

Post = Callable[[str, Mapping[str, Any]], None]


def _nobody(_leg: Leg) -> None:
    """Where nobody clears up after a leg."""


def _unvouched(_fields: Mapping[str, Any]) -> None:
    """Where no voucher counts."""


@define(eq=False)
class Line:
    """Turns the room's participants into `call.*` and `leg.<name>.*`, and lets speech wait for somebody who hears it.

    `only` names the one identity that may be the far end; None: whoever comes first. `inbound`:
    the far end calls us, and one who gives up while it rings has hung up. `dials`: the far end is whom we dial, and
    nobody else. `offers`: a far end that calls us is offered, and not on the line until `take`. `lingers` is called with
    a leg that has hung up and is still in the room. `told` has the names of legs that come by themselves, by identity;
    `reserved` are names that nobody else bears; `vouched` finds the leg that a participant's voucher names. While `cut_off`,
    our own connection is being made anew: that somebody is not seen says nothing of them, and nobody hears us. `broken`: that
    connection has broken, or was away as the line dropped: of those on the line nothing is known any more. `deleted_at`:
    when LiveKit itself has said that the room is gone.
    """

    post: Post
    only: str | None = None
    inbound: bool = True
    dials: bool = False
    offers: bool = False
    lingers: Callable[[Leg], None] = _nobody
    told: Mapping[str, str] = field(factory=dict)
    reserved: Container[str] = ()
    vouched: Callable[[Mapping[str, Any]], str | None] = _unvouched
    legs: dict[str, Leg] = field(factory=dict)  # by identity
    status: Status = "absent"  # the far end's
    dropped_by_us: bool = False
    down_at: float | None = None  # when we had dropped it
    cut_off: bool = False
    broken: bool = False
    deleted_at: float | None = None
    _names: dict[str, Leg] = field(factory=dict)
    _strangers: dict[str, str] = field(factory=dict)  # the names of parties that nobody has named, by identity
    _spent: set[str] = field(factory=set)  # identities of dials that came to nothing
    _changed: asyncio.Event = field(factory=asyncio.Event)

    # -- who is who

    def leg(self, name: str = MAIN_LEG) -> Leg | None:
        """Who bears this name: is dialled or on the line, or was the last to be; None when nobody has been."""
        return self._names.get(name)

    def identity_of(self, name: str) -> str | None:
        """Who is on this leg, None when nobody is or has been."""
        leg = self._names.get(name)
        return leg.identity if leg is not None else None

    def parties(self) -> list[Leg]:
        """The legs that are on the line now, the main one first."""
        here = [leg for leg in self.legs.values() if leg.on_line]
        return sorted(here, key=lambda leg: leg.name != MAIN_LEG)

    def present(self) -> list[Leg]:
        """Every leg that may be in the room, also one that is being dialled."""
        return [leg for leg in self.legs.values() if not leg.over]

    def sends_as(self, identity: str) -> str | None:
        """The leg, one of the flow's, on which this participant is now; None: it is somebody else."""
        leg = self.legs.get(identity)
        if leg is None or leg.over or self._names.get(leg.name) is not leg:
            return None
        return leg.name if leg.name == MAIN_LEG or leg.name in self.reserved else None

    def take(self) -> None:
        """Who is offered is taken: a telephone's bridge says when it is on the line, anybody else is there at once."""
        self.offers = False
        leg = self._names.get(MAIN_LEG)
        if leg is not None and leg.status == "ringing" and leg.kind != "sip":
            self.answer(leg)

    # -- what a dial says

    def expect(self, name: str, identity: str, *, limit: float | None = None) -> Leg:
        """We dial: whoever joins as `identity` is this leg, which bears `name` from now on. `limit` is its
        `max_call_duration`. Ends with `settle`."""
        leg = Leg(name, identity, dialled=True, dialling=True, since=_now(), limit=limit)
        before = self._names.get(name)
        if before is not None and not before.on_line:
            self._forget(before)
        self.legs[identity] = self._names[name] = leg
        self._set(leg, "absent")
        return leg

    def answer(self, leg: Leg) -> bool:
        """The dial was answered, whether or not the room has said so. False: nobody is to hear of it, since the room is
        gone, or it is being removed."""
        if leg.answered_at is not None:
            return True
        if leg.status == "down":
            return False
        if leg.asked == "leave":
            leg.answered_late = True
            return False
        leg.answered_at = _now()
        if leg.status != "gone":
            self._set(leg, "on_line")
        self._tell(leg, "answered", leg.fields or {"leg": leg.name, "identity": leg.identity, "kind": "sip"})
        if leg.status == "gone":
            leg.untold = self._farewell(leg)
        return True

    def settle(self, leg: Leg) -> None:
        """Its dial is over: a leg that was not answered is nobody, one that has hung up meanwhile says so now."""
        leg.dialling = False
        if leg.answered_at is None:
            self._spent.add(leg.identity)
            self._forget(leg)
        elif leg.untold is not None:
            self._later(leg, DIAL_FIRST, lambda: self._tell(leg, "hangup", leg.untold or {}))
        self._wake()

    def ask_to_leave(self, leg: Leg) -> None:
        """We do not want it any more: what it does from now on is our doing."""
        leg.asked = "leave"
        self._wake()

    def lost(self, leg: Leg) -> None:
        """It has hung up, as the server knows and the room has not said."""
        if not leg.over:
            leg.sip_status = "hangup"
            self._hung_up(leg, None)

    def give_up(self, name: str) -> None:
        """The call waits no longer for a leg that has vanished: it has hung up."""
        leg = self._names.get(name)
        if leg is not None and leg.status == "dropped":
            self._hung_up(leg, None)

    async def decided(self, leg: Leg) -> None:
        """Returns when the room says that this leg was answered or has left, or we have asked it to leave."""
        while leg.answered_at is None and not leg.over and leg.asked != "leave":
            await self._changed.wait()

    async def settled(self, leg: Leg) -> None:
        """Returns when its dial is over."""
        while leg.dialling:
            await self._changed.wait()

    async def gone(self, leg: Leg) -> None:
        """Returns when this leg is not on the line any more."""
        while not leg.over:
            await self._changed.wait()

    # -- what the room says

    def joined(self, participant: Any) -> None:
        """A participant is in the room: it has just come, was there before us, or has come back."""
        fields = participant_fields(participant)
        identity = fields["identity"]
        if fields["kind"] not in PARTIES or ON_BEHALF in fields["attributes"] or identity in self._spent:
            return
        leg = self.legs.get(identity)
        if leg is not None and leg.dialled and fields["kind"] != "sip":
            return  # not whom we have called, whatever it calls itself
        if leg is None or (leg.over and leg.sid and leg.sid != fields["sid"]):
            leg = self._new_leg(fields)
        if leg.status == "dropped":
            self._restored(leg, fields)
        else:
            self._progress(leg, fields)

    def changed(self, participant: Any) -> None:
        """Its attributes have changed: a telephone's call status is one of them."""
        fields = participant_fields(participant)
        leg = self.legs.get(fields["identity"])
        if leg is not None and not leg.over and leg.sid in ("", fields["sid"]):
            self._progress(leg, fields)

    def left(self, participant: Any) -> None:
        """A participant is gone, for the reason that LiveKit gives, or for none: then it may come back."""
        leg = self.legs.get(participant.identity)
        if leg is None or leg.status == "gone" or (leg.sid and leg.sid != participant.sid):
            return  # unknown, gone before, or an earlier connection of one that has come back already
        reason = participant.disconnect_reason
        if leg.status == "down":
            if self.dropped_by_us and leg.was_answered and not (leg.asked or leg.hung_up) and hangs_up(leg, reason):
                self._hung_up(leg, reason)  # before it heard of ours
            return
        if leg.sip_status == "hangup" or leg.asked == "leave":
            self._hung_up(leg, reason)
        elif leg.status == "dropped":
            return
        elif not reason and leg.status == "on_line" and not self.dropped_by_us:
            self._dropped(leg)
        elif reason == rtc.DisconnectReason.ROOM_DELETED:
            self._set(leg, "dropped")
            self._later(leg, ROOM_DELETED_GRACE, lambda: self._hung_up(leg, reason))
        else:
            self._hung_up(leg, reason)

    def down(self, *, by_us: bool = False) -> None:
        """The room is gone, or is being dropped by the flow: nobody hears anything any more."""
        self.dropped_by_us = self.dropped_by_us or by_us
        self.down_at = _now() if by_us else self.down_at
        self.broken = self.broken or self.cut_off
        for leg in list(self.legs.values()):
            leg.stop()
            if leg.on_line and leg.sip_status == "hangup" and not leg.asked:
                self._hung_up(leg, None)
            leg.status = "down"
        self._far_end("down")

    def out_of_reach(self) -> None:
        """Our own connection was given up: nobody hears anything any more. Who is there still, only the server knows."""
        self.broken = True
        for leg in self.legs.values():
            leg.stop()
        self._far_end("down")

    def reach(self, there: bool) -> None:
        """Whether our own connection stands: while it does not, nobody hears us."""
        self.cut_off = not there
        self._wake()

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
        leg = Leg(MAIN_LEG, identity, answered_at=_now())
        self.legs[identity] = self._names[MAIN_LEG] = leg
        self._set(leg, "on_line")
        self.post("call.answered", {"leg": MAIN_LEG, "identity": identity, "kind": "console", "attributes": {}})

    def hung_up_by_hand(self) -> None:
        """A console: Ctrl-C, also before the session has started."""
        if self.over:
            return
        if not self.legs:
            self.legs[""] = self._names[MAIN_LEG] = Leg(MAIN_LEG, "", "on_line", answered_at=_now())
        for leg in list(self.legs.values()):
            self._hung_up(leg, rtc.DisconnectReason.CLIENT_INITIATED)

    def close(self) -> None:
        for leg in self.legs.values():
            leg.stop()

    # -- what speech asks

    @property
    def hears(self) -> bool:
        return self.status == "on_line" and not self.cut_off

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

    @property
    def anybody_hears(self) -> bool:
        """Whether the far end, or any other party, is on the line and hears us."""
        return not self.cut_off and any(leg.status == "on_line" for leg in self.legs.values())

    async def nobody_hears(self) -> None:
        """Returns when no party hears us (any more)."""
        while self.anybody_hears:
            await self._changed.wait()

    async def next_change(self) -> None:
        """Returns when something has changed for one of the legs."""
        await self._changed.wait()

    # -- inside

    def _new_leg(self, fields: Mapping[str, Any]) -> Leg:
        leg = Leg(self._name_for(fields), fields["identity"], since=_now())
        self.legs[leg.identity] = self._names[leg.name] = leg
        return leg

    def _name_for(self, fields: Mapping[str, Any]) -> str:
        identity = fields["identity"]
        named = self.told.get(identity) or self.vouched(fields)
        bearer = self._names.get(named or MAIN_LEG)
        if named:
            free = bearer is None or bearer.over
        else:
            free = bearer is None and not self.dials and self.only in (None, identity)
        if free or (bearer is not None and bearer.identity == identity):
            return named or MAIN_LEG
        return self._own_name(identity)

    def _own_name(self, identity: str) -> str:
        """For a party that nobody has named: a number, in the order in which they have come. Its identity may be a person's
        name or telephone number, and names of legs stand in those of events, which are written everywhere."""
        name = self._strangers.get(identity)
        if name is None:
            taken = {MAIN_LEG, *self._names, *self._strangers.values()}
            numbered = (f"participant_{number}" for number in itertools.count(len(self._strangers) + 1))
            name = next(one for one in numbered if one not in taken and one not in self.reserved)
            self._strangers[identity] = name
        return name

    def _progress(self, leg: Leg, fields: Mapping[str, Any]) -> None:
        leg.sid, leg.kind = fields["sid"], fields["kind"]
        leg.fields = leg_fields(leg.name, fields)
        status = leg.sip_status = fields["attributes"].get("sip.callStatus", "")
        if leg.kind == "sip" and status == "hangup":
            self._says_goodbye(leg)
        elif self.offers and leg.name == MAIN_LEG and leg.status == "absent" and status != "active":
            self._set(leg, "ringing")
            self._tell(leg, "offered", leg.fields)
        elif leg.kind != "sip" or status == "active" or (not status and not leg.dialled):
            offered = self.offers and leg.name == MAIN_LEG and leg.kind != "sip"
            if leg.status in ("absent", "ringing") and not offered:
                self.answer(leg)
        elif status == "ringing" and leg.status == "absent":
            leg.rang = True
            self._set(leg, "ringing")
            self._tell(leg, "ringing", leg.fields)

    def _says_goodbye(self, leg: Leg) -> None:
        """It has hung up, and leaves in a moment, if it does."""
        if leg.on_line:
            self._set(leg, "dropped")
        self._later(leg, HANGUP_GRACE, lambda: self._lingers(leg))

    def _lingers(self, leg: Leg) -> None:
        self._hung_up(leg, None)
        self.lingers(leg)

    def _dropped(self, leg: Leg) -> None:
        leg.dropped_at = _now()
        leg.lost = True
        self._set(leg, "dropped")
        self._tell(leg, "dropped", {"leg": leg.name, "identity": leg.identity})

    def _restored(self, leg: Leg, fields: Mapping[str, Any]) -> None:
        leg.stop()
        leg.lost = False
        leg.sid, leg.kind, leg.fields = fields["sid"], fields["kind"], leg_fields(leg.name, fields)
        leg.sip_status = fields["attributes"].get("sip.callStatus", "")
        self._set(leg, "on_line")
        away = _now() - leg.dropped_at
        self._tell(leg, "restored", {"leg": leg.name, "identity": leg.identity, "away": round(away, 3)})

    def _hung_up(self, leg: Leg, reason: int | None) -> None:
        leg.stop()
        leg.reason, leg.hung_up = reason, True
        leg.lost = leg.was_answered and leg.sip_status != "hangup" and not leg.asked and breaks(reason)
        if leg.answered_at is None and (leg.dialled or leg.name != MAIN_LEG or not self.inbound):
            self._set(leg, "gone")
            if not leg.dialling:  # the dial's result says what became of a leg that was never answered
                self._forget(leg)
            return
        self._set(leg, "gone")
        leg.untold = self._farewell(leg)
        if not leg.dialling:
            self._tell(leg, "hangup", leg.untold)

    def _farewell(self, leg: Leg) -> dict[str, Any]:
        """The payload of its hangup."""
        cause = cause_of_leg(leg, _now())
        if self.dropped_by_us:
            cause = DisconnectCause("caller" if hangs_up(leg, leg.reason) and not leg.asked else "agent", "hung_up")
        if self.cut_off and not leg.reason and leg.sip_status != "hangup":
            cause = DisconnectCause("network", "out_of_reach")
        if leg.answered_at is None:
            cause = DisconnectCause(cause.by, "abandoned")
        data = {"leg": leg.name, "identity": leg.identity, "by": cause.by, "cause": cause.cause}
        return {**data, "disconnect_reason": reason_name(leg.reason)}

    def _forget(self, leg: Leg) -> None:
        """It is nobody: its name is free, and what is still seen of it says nothing."""
        leg.stop()
        if self.legs.get(leg.identity) is leg:
            del self.legs[leg.identity]
        if self._names.get(leg.name) is leg:
            del self._names[leg.name]
            if leg.name == MAIN_LEG and self.status != "down":
                self._far_end("absent")
        self._wake()

    def _later(self, leg: Leg, seconds: float, act: Callable[[], None]) -> None:
        leg.stop()
        leg.timer = asyncio.get_running_loop().call_later(seconds, act)

    def _tell(self, leg: Leg, event: str, data: Mapping[str, Any]) -> None:
        main = event if event.startswith("dtmf.") else f"call.{event}"
        self.post(main if leg.name == MAIN_LEG else f"leg.{leg.name}.{event}", data)

    def _set(self, leg: Leg, status: Status) -> None:
        leg.status = status
        if self._names.get(MAIN_LEG) is leg:
            self._far_end(status)
        self._wake()

    def _far_end(self, status: Status) -> None:
        self.status = status
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def hangs_up(leg: Leg, reason: int | None) -> bool:
    """Whether a telephone itself has hung up that leaves as its room is deleted: for others LiveKit's reasons are a race."""
    return leg.sip_status == "hangup" or (leg.is_telephone and reason == rtc.DisconnectReason.CLIENT_INITIATED)


def _now() -> float:
    return asyncio.get_running_loop().time()
