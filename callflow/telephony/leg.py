"""One call between a room and a telephone, as a SIP bridge carries it: see `bridge`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from attrs import define, evolve, field

from callflow.telephony.network import (
    KEYS,
    Act,
    FarEnd,
    HangUp,
    Hear,
    PhoneCall,
    PhoneNetwork,
    Press,
    Say,
    Signal,
    StopRtp,
    Tone,
    Wait,
)
from callflow.telephony.refusals import (
    CLIENT_INITIATED,
    USER_UNAVAILABLE,
    BridgeError,
    refer_timed_out,
    refusal_of,
    refused,
    timed_out,
    unreached,
)
from callflow.telephony.requests import CallIn, CallStatus, Dial, End, Entry, Presence
from callflow.telephony.timing import (
    BYE_GIVEN_UP,
    CANCELLED,
    DIGIT,
    INBOUND_ANSWER,
    LEAVES,
    LINGERS,
    NO_RESPONSE,
    NO_RTP,
    PAUSE,
    RETURNS,
    RINGS_AT_MOST,
    RTP_STOPPED,
    SHORT,
    TRANSFERRED,
)
from callflow.telephony.waiting import fail, first, future, now


class Rooms(Protocol):
    """The rooms of a LiveKit server."""

    async def join(self, entry: Entry, leg: BridgeLeg) -> Presence:
        """Puts a telephone in the room, which is made if there is none; from then on `leg` is told what happens there."""

    def has(self, room: str, identity: str) -> bool:
        """Whether this participant is in the room, whatever it is."""


class Node(Protocol):
    """The bridge, as its legs know it."""

    @property
    def network(self) -> PhoneNetwork: ...

    @property
    def rooms(self) -> Rooms: ...

    @property
    def host(self) -> str: ...

    @property
    def failures(self) -> list[Exception]: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...

    async def die(self) -> None: ...


@define(eq=False)
class BridgeLeg:
    """One call between a room and a telephone, and the participant that it is there.

    `status` is its `sip.callStatus`, `call` what the telephone saw. `entered`, `answered` and `ended` are told as they
    come; `answered` fails with the BridgeError of the dial.
    """

    bridge: Node
    far: FarEnd
    call: PhoneCall
    call_id: str
    room: str
    identity: str
    status: CallStatus = "dialing"
    presence: Presence | None = None
    participant_id: str = ""
    over: bool = False
    entered: asyncio.Future[None] = field(factory=future)
    answered: asyncio.Future[None] = field(factory=future)
    ended: asyncio.Future[End] = field(factory=future)
    _decided: asyncio.Future[None] = field(factory=future)
    _began: float = field(factory=lambda: now())
    _track: asyncio.Event = field(factory=asyncio.Event)
    _wire: float = 0.0  # until when keys are on their way to the telephone
    _timers: list[asyncio.TimerHandle] = field(factory=list)
    _told: asyncio.Future[int] | None = None  # the NOTIFY that a transfer waits for

    # What the room tells.

    def removed(self, reason: int) -> None:
        """Its participant is out of the room, by no will of its own: a DisconnectReason."""
        self.end(End("room", reason))

    def key(self, code: int) -> None:
        """Somebody in the room sends a key, by its code; it is lost while the telephone is not on the line."""
        if self.status != "active" or self.over or not 0 <= code < len(KEYS):
            return
        self._wire = max(self._wire, now()) + DIGIT
        self._timers.append(asyncio.get_running_loop().call_at(self._wire, self._arrives, KEYS[code]))

    def heard_a_track(self) -> None:
        """Somebody else in the room has published a track, or had when it came: a telephone that calls is answered."""
        self._track.set()

    # A call to the telephone.

    async def call_out(self, dial: Dial) -> None:
        attributes = {
            **dial.attributes,
            "sip.callID": self.call_id,
            "sip.callStatus": "dialing",
            "sip.trunkID": dial.trunk,
        }
        if not dial.hide_phone_number:
            attributes |= {"sip.phoneNumber": dial.to, "sip.hostname": self.bridge.host}
            if dial.trunk_number:
                attributes["sip.trunkPhoneNumber"] = dial.trunk_number
        name = dial.name or f"Phone {dial.to}"
        await self._enter(Entry(dial.room, dial.identity, name, dial.metadata, attributes))
        limit = min(dial.ringing_timeout or RINGS_AT_MOST, dial.max_call_duration or math.inf)
        try:
            await self._ring(limit)
        except BridgeError as error:
            await self._failed(error)
            return
        self._say("200", "INVITE")
        self._ask("ACK")
        await self._pick_up(dial.dtmf, dial.max_call_duration)

    async def _ring(self, limit: float) -> None:
        """Until the telephone has answered. Raises BridgeError."""
        far = self.far
        if far.reach in ("refused", "unknown"):
            await self._until(0.06 if far.reach == "refused" else 0.03)
            raise unreached(far.reach)
        self._ask("INVITE")
        if far.reach == "nobody":
            await self._pass(math.inf, min(limit, NO_RESPONSE))
        self._say("100", "INVITE")
        reached = min(far.reached, far.rings)
        await self._pass(reached, limit)
        if far.rings > reached and far.progress is not None:
            self._say(str(far.progress), "INVITE")
            await self._set("ringing")
        await self._pass(far.rings - reached, limit - reached)
        far = self.far  # it may have decided meanwhile
        if not far.answers:
            self._say(str(far.code), "INVITE")
            self._ask("ACK")
            raise refused(far.code, far.phrase)
        if far.reach == "no_codec":
            self._say("200", "INVITE")
            self._ask("ACK")
            self._ask("BYE")
            raise BridgeError("failed_precondition", "common audio codec not found")

    async def _pass(self, seconds: float, limit: float) -> None:
        """Lets the telephone take its time. Raises BridgeError where that is over, or the leg is."""
        within = min(seconds, limit)
        await first(self.ended, self._decided, within=within)
        ended = self.ended.done()
        if not ended and (seconds <= limit or self._decided.done()):
            return
        if ended and self.ended.result().by != "death":
            self._cancel()
            await asyncio.sleep(CANCELLED - RETURNS)
        elif not ended:
            await asyncio.sleep(CANCELLED)
            self._cancel()
        raise timed_out()

    def _cancel(self) -> None:
        """CANCEL, and what the telephone says to it."""
        if self.far.reach == "nobody":
            return
        self._ask("CANCEL")
        code = self.far.on_cancel
        if code is None:
            if self.far.late is not None:
                asyncio.get_running_loop().call_later(
                    self.far.late, self._say, "200", "INVITE"
                )  # also when nobody thinks of it any more
            return
        self._say("200", "CANCEL")
        self._say(str(code), "INVITE")
        self._ask("ACK")
        if code < 300:
            self._ask("BYE")
            self._say("200", "BYE")

    async def _failed(self, error: BridgeError) -> None:
        code = int(error.metadata.get("sip_status_code", 0)) or (self.far.code if not self.far.answers else 0)
        reason = USER_UNAVAILABLE if error.code == "canceled" else refusal_of(code).reason if code else CLIENT_INITIATED
        await asyncio.sleep(RETURNS)
        fail(self.answered, error)
        if self.ended.done() and self.ended.result().by == "death":
            await self._vanish()
            return
        at_once = now() - self._began < SHORT + RETURNS
        await self._until(LINGERS if at_once or self.far.reach in _UNREACHED else LEAVES)
        await self._leave(reason)

    # A call from the telephone.

    async def call_in(self, call: CallIn) -> None:
        attributes = {
            "sip.callID": self.call_id,
            "sip.callStatus": "ringing",
            "sip.trunkID": call.trunk,
            "sip.ruleID": call.rule,
            "sip.trunkPhoneNumber": call.to,
            "sip.phoneNumber": call.number,
            "sip.hostname": self.bridge.host,
            "sip.callIDFull": f"{self.call_id}@{self.bridge.host}",
            "sip.callTag": self.call_id[-6:],
            **call.attributes,
        }
        self.status = "ringing"
        self._say("INVITE")
        self._ask("180", "INVITE")
        await self._enter(Entry(call.room, self.identity, f"Phone {call.number}", "", attributes))
        limit = call.ringing_timeout or RINGS_AT_MOST
        rings = min(self.far.gives_up, limit)
        await first(self._track.wait(), self.ended, within=rings)
        if self.ended.done() and self.ended.result().by == "room":
            self._ask("486", "INVITE")
            self._say("ACK")
            await self._leave(CLIENT_INITIATED)
        elif self.ended.done() and self.ended.result().by == "death":
            await self._vanish()
        elif self._track.is_set() and not self.ended.done():
            await asyncio.sleep(INBOUND_ANSWER)
            self._ask("200", "INVITE")
            self._say("ACK")
            await self._pick_up("", None)
        elif self.ended.done() or self.far.gives_up <= limit:
            self._say("CANCEL")
            self._ask("200", "CANCEL")
            self._ask("487", "INVITE")
            self._say("ACK")
            await self._set("hangup")
            await asyncio.sleep(LEAVES)
            await self._leave(CLIENT_INITIATED)
        else:
            self._ask("486", "INVITE")
            self._say("ACK")
            await self._until(LEAVES)
            await self._leave(USER_UNAVAILABLE)

    # On the line.

    async def _pick_up(self, dtmf: str, limit: float | None) -> None:
        answered = now()
        assert self.presence is not None  # noqa: S101 - it has entered
        await self._set_attributes(
            {"sip.callIDFull": f"{self.call_id}@{self.bridge.host}", "sip.callTag": self.call_id[-6:]}
        )
        if limit is not None:
            self._timers.append(
                asyncio.get_running_loop().call_at(
                    max(self._began + limit, answered), self.end, End("bridge", hangup=True)
                )
            )
        if dtmf:
            await self._set("automation")
            await self._automate(dtmf)
        if not self.ended.done():
            await self.presence.open()
            await self._set("active")
        if not self.answered.done():
            self.answered.set_result(None)
        self._expect_rtp()
        if self.far.hangs_up is not None:
            self._timers.append(asyncio.get_running_loop().call_at(answered + self.far.hangs_up, self.hang_up))
        if self.far.bridge_dies is not None:
            self._timers.append(asyncio.get_running_loop().call_at(answered + self.far.bridge_dies, self._bridge_dies))
        acts = self.bridge.spawn(self._act())
        await asyncio.wait({self.ended})
        acts.cancel()
        await self._hang_up(self.ended.result(), answered)

    async def _automate(self, dtmf: str) -> None:
        for key in dtmf.lower():
            await self._until(PAUSE if key == "w" else DIGIT)
            if key in KEYS and not self.ended.done():
                self._arrives(key)

    def _expect_rtp(self) -> None:
        if not self.far.rtp:
            self._timers.append(asyncio.get_running_loop().call_later(NO_RTP, self.end, End("bridge")))

    async def _act(self) -> None:
        """The telephone does what its script says. Where that cannot be done it hangs up, and the bridge knows why."""
        try:
            for act in self.far.acts:
                await self._do(act)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever runs the script is told
            if not self.ended.done():
                self.bridge.failures.append(error)
                self.hang_up()

    async def _do(self, act: Act) -> None:
        assert self.presence is not None  # noqa: S101 - it is on the line
        match act:
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Say() | Tone():
                await self.presence.sound(act)
            case Hear(quiet, within):
                await first(self.presence.hear(quiet), within=within)
            case Press(digits):
                for digit in digits.lower():
                    await self.presence.press(digit)
                    await asyncio.sleep(0.25)
            case StopRtp():
                await self.presence.silence()
                self._timers.append(asyncio.get_running_loop().call_later(RTP_STOPPED, self.end, End("bridge")))
            case HangUp():
                self.hang_up()

    def decide(self, code: int) -> None:
        """A person at the telephone, which rings: its final response is this code (200: they pick up), and now."""
        if not self._decided.done():
            self.far = evolve(self.far, code=code)
            self._decided.set_result(None)

    def tell(self, code: int) -> None:
        """Its telephone, which calls the target of a transfer, tells what became of that: a final response, in a NOTIFY."""
        if self.over:
            return
        self._say("NOTIFY", str(code))
        self._ask("200", "NOTIFY")
        if self._told is not None and not self._told.done():
            self._told.set_result(code)

    def hang_up(self) -> None:
        """The telephone hangs up: BYE; CANCEL while its own call to us still rings, 603 while ours to it does."""
        if self.call.inbound or self.status in ("automation", "active"):
            self.end(End("telephone", hangup=True))
        else:
            self.decide(603)

    def end(self, end: End) -> None:
        """The first end counts."""
        if not self.ended.done():
            self.ended.set_result(end)

    async def _hang_up(self, end: End, answered: float) -> None:
        if end.by == "telephone":
            self._say("BYE")
            self._ask("200", "BYE")
        elif end.by != "death":  # a dead node says nothing
            self._ask("BYE")
            if self.far.answers_bye:
                self._say("200", "BYE")
        if end.by == "death":
            await self._vanish()
            return
        if end.hangup:
            await self._set("hangup")
        if end.by == "telephone":
            if self.far.ghost:
                self._settle()
                return
            await asyncio.sleep(LINGERS if now() - answered < SHORT else LEAVES)
        elif end.by == "bridge":
            await asyncio.sleep(LEAVES if self.far.answers_bye else BYE_GIVEN_UP)
        await self._leave(end.reason)

    def _bridge_dies(self) -> None:
        self.bridge.spawn(self.bridge.die())

    # A transfer.

    async def transfer(self, to: str, within: float) -> None:
        """See `Bridge.transfer`."""
        await first(asyncio.shield(self.answered), self.ended)
        if self.ended.done() or self.over:
            raise BridgeError("not_found", "participant does not exist")
        refer, loop = self.far.refer, asyncio.get_running_loop()
        deadline = loop.time() + within
        self._ask("REFER", to)
        if refer.bye_after is not None:
            self._timers.append(loop.call_later(refer.bye_after, self.hang_up))
        if refer.status is None:
            await asyncio.sleep(within)
            raise refer_timed_out()
        self._say(str(refer.status), "REFER")
        if refer.status >= 300:
            await asyncio.sleep(RETURNS)
            raise refused(refer.status)
        told = self._told = future()
        self.bridge.spawn(self._referred(to))
        await first(told, self.ended, within=deadline - loop.time())
        if told.done():
            if told.result() >= 300:
                raise refused(told.result())
            self._timers.append(loop.call_later(TRANSFERRED, self.end, End("bridge", hangup=True)))
        elif not self.ended.done():
            raise refer_timed_out()

    async def _referred(self, to: str) -> None:
        """The telephone calls the target, and tells what became of it. A NOTIFY is taken by the transfer that waits when it
        comes, whichever that is."""
        refer = self.far.refer
        code, after = refer.notify, refer.after
        if code == "target":
            number = to.partition(":")[2].partition("@")[0]
            far = self.bridge.network.meet(number)
            self.bridge.network.calls.append(PhoneCall(number, far))
            code, after = far.code, far.rings
        if code is None or math.isinf(after):
            return
        await asyncio.sleep(after)
        self.tell(int(code))

    # Inside.

    async def _enter(self, entry: Entry) -> None:
        try:
            self.presence = await self.bridge.rooms.join(entry, self)
        except BaseException as error:
            fail(self.entered, error)
            raise
        self.participant_id = self.presence.sid
        self.entered.set_result(None)

    async def _set(self, status: CallStatus) -> None:
        if not self.over and not (self.ended.done() and self.ended.result().by == "room"):
            self.status = status
            await self._set_attributes({"sip.callStatus": status})

    async def _set_attributes(self, attributes: Mapping[str, str]) -> None:
        if self.presence is not None:
            await self.presence.set_attributes(attributes)

    async def _leave(self, reason: int) -> None:
        if self.presence is not None:
            await self.presence.leave(reason)
        self._settle()

    async def _vanish(self) -> None:
        if self.presence is not None:
            await self.presence.vanish()
        self._settle()

    def _settle(self) -> None:
        self.over = True
        for timer in self._timers:
            timer.cancel()
        if not self.ended.done():
            self.ended.set_result(End("bridge"))

    async def _until(self, seconds: float) -> bool:
        """Waits; True as soon as the leg has ended."""
        await asyncio.wait({self.ended}, timeout=None if math.isinf(seconds) else seconds)
        return self.ended.done()

    def _arrives(self, key: str) -> None:
        self.call.keys.append((now(), key))

    def _ask(self, message: str, about: str = "") -> None:
        self.call.signals.append(Signal(now(), message, False, about))

    def _say(self, message: str, about: str = "") -> None:
        self.call.signals.append(Signal(now(), message, True, about))


_UNREACHED = ("refused", "unknown")
