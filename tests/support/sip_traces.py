"""Calls as a SIP bridge makes them, written down: what the API answered, what a participant in the room saw, and which SIP
messages the telephone sent and got, each with its time.

The traces in `tests/e2e/phone/traces` were recorded from livekit-sip 1.9.0 behind livekit-server 1.13.5, with SIPp as the
telephone. The simulated bridge is held to them in virtual time, and so are the telephone networks of the end-to-end tests.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from attrs import define, field, frozen
from livekit import api, rtc

from callflow.telephony.network import FarEnd, HangUp, Press, Refer, StopRtp, Wait
from tests.e2e.phone.far_ends import RINGS_FOR_EVER, picks_up, refuses

TRACES = Path(__file__).parents[1] / "e2e" / "phone" / "traces"
TARGET = "tel:+15550111"
LEG = "leg"

What = Literal["remove", "delete", "transfer", "keys", "publish"]


@frozen
class Case:
    """Somebody dials a telephone with this script, or (`calls_in`) is called by it, and does something so many seconds after it has come
    into the room. `within` bounds a transfer. `watches` is how long one goes on looking after the last of it."""

    name: str
    script: FarEnd
    then: tuple[tuple[float, What], ...] = ()
    ringing: int = 20
    wait: bool = True
    dtmf: str = ""
    limit: int | None = None
    within: int = 3
    watches: float = 3.0
    calls_in: bool = False


def _transfers(name: str, refer: Refer, *, watches: float = 5.0) -> Case:
    return Case(f"transfer_{name}", picks_up(refer=refer), then=((1.5, "transfer"),), watches=watches)


REFUSALS = (302, 400, 401, 403, 404, 408, 410, 480, 484, 486, 487, 488, 500, 502, 503, 504, 600, 603, 604, 607, 608)

CASES: tuple[Case, ...] = (
    *(Case(f"refused_{status}", refuses(status), watches=3.5) for status in REFUSALS),
    *(Case(f"refused_{status}_at_once", refuses(status, rings=0.0), watches=4.0) for status in (302, 486)),
    Case("refused_486_unwaited", refuses(486), wait=False),
    Case("early_media_then_busy", refuses(486, rings=1.0, progress=183)),
    Case("nobody_answers", RINGS_FOR_EVER, ringing=2),
    Case("removed_while_it_rings", RINGS_FOR_EVER, then=((1.0, "remove"),)),
    Case("room_deleted_while_it_rings", RINGS_FOR_EVER, then=((1.0, "delete"),)),
    Case("cancel_crosses_the_answer", picks_up(rings=20, on_cancel=200), then=((1.0, "remove"),)),
    Case("telephone_hangs_up", picks_up(acts=(Wait(1.5), HangUp())), watches=4.0),
    Case("telephone_hangs_up_unwaited", picks_up(acts=(Wait(1.5), HangUp())), wait=False, watches=4.0),
    Case("removed", picks_up(), then=((2.0, "remove"),)),
    Case("room_deleted", picks_up(), then=((2.0, "delete"),)),
    Case("max_call_duration", picks_up(), limit=3, watches=6.0),
    Case("keys_both_ways", picks_up(acts=(Wait(1.0), Press("1#"))), then=((1.5, "keys"),), watches=4.0),
    Case("dialled_on_with_keys", picks_up(), dtmf="1w#", then=((5.0, "remove"),)),
    Case("bye_is_not_answered", picks_up(answers_bye=False), then=((1.5, "remove"),)),
    Case("no_sound", picks_up(rtp=False), watches=33.0),
    Case("sound_stops", picks_up(acts=(Wait(1.0), StopRtp())), watches=20.0),
    _transfers("accepted", Refer(202, 200)),
    _transfers("accepted_and_hung_up", Refer(202, None, bye_after=0.5)),
    _transfers("refused_603", Refer(603)),
    _transfers("refused_405", Refer(405)),
    *(_transfers(f"told_{status}", Refer(202, status)) for status in (480, 486, 503, 603)),
    _transfers("unanswered", Refer(None)),
    _transfers("never_told", Refer(202, None)),
    _transfers("unanswered_and_hung_up", Refer(None, bye_after=0.5)),
    Case(
        "calls_in_and_hangs_up",
        FarEnd(acts=(Wait(1.0), HangUp())),
        then=((0.5, "publish"),),
        watches=3.5,
        calls_in=True,
    ),
    Case("calls_in_and_is_removed", FarEnd(), then=((0.5, "publish"), (1.5, "remove")), calls_in=True),
    Case("calls_in_and_is_removed_while_it_rings", FarEnd(), then=((1.0, "remove"),), calls_in=True),
    Case("calls_in_and_gives_up", FarEnd(gives_up=1.0), watches=3.0, calls_in=True),
)


class Telephone(Protocol):
    number: str
    trunk: str

    @property
    def calls(self) -> Sequence[Any]: ...


class Stage(Protocol):
    """A room that somebody watches, and telephones."""

    name: str
    room: rtc.Room
    lk: api.LiveKitAPI

    async def telephone(self, script: FarEnd) -> Telephone: ...
    async def call_in(self, script: FarEnd) -> Any: ...
    async def publish(self) -> None: ...
    def now(self) -> float:
        """On the clock of the telephones."""
        ...


@define
class Trace:
    """Times are in seconds since the telephone came into the room. `room` has what a participant saw:
    `joined`, `status <sip.callStatus>`, `key <digit>`, `left <reason>`; `telephone`, what it got ("INVITE") and sent
    ("> 486"). `answers` are the API's."""

    case: str
    answers: dict[str, dict[str, Any]] = field(factory=dict)
    room: list[tuple[float, str]] = field(factory=list)
    attributes: dict[str, list[str]] = field(factory=dict)
    telephone: list[tuple[float, str]] = field(factory=list)
    keys: str = ""

    @property
    def events(self) -> tuple[list[str], ...]:
        return [what for _, what in self.room], [what for _, what in self.telephone]

    @property
    def took(self) -> float:
        """The sum of its times: the less, the less the machine had to do."""
        return sum(at for at, _ in (*self.room, *self.telephone))

    def to_json(self) -> str:
        def lines(pairs: Sequence[tuple[float, str]]) -> str:
            return "[" + ",".join(f"\n    {json.dumps(pair)}" for pair in pairs) + "\n  ]"

        answers = ",".join(f"\n    {json.dumps(name)}: {json.dumps(told)}" for name, told in self.answers.items())
        return (
            f'{{\n  "case": {json.dumps(self.case)},\n  "answers": {{{answers}\n  }},\n  "room": {lines(self.room)},\n'
            f'  "attributes": {json.dumps(self.attributes)},\n  "telephone": {lines(self.telephone)},\n'
            f'  "keys": {json.dumps(self.keys)}\n}}\n'
        )

    @classmethod
    def read(cls, case: str) -> Trace:
        raw = json.loads((TRACES / f"{case}.json").read_text())
        return cls(
            case,
            raw["answers"],
            [(at, what) for at, what in raw["room"]],
            raw["attributes"],
            [(at, what) for at, what in raw["telephone"]],
            raw["keys"],
        )


async def recorded(case: Case, stage: Stage) -> Trace:
    """Plays the case."""
    return await _Recorder(case, stage).record()


@define
class _Recorder:
    case: Case
    stage: Stage
    trace: Trace = field(init=False)
    came: asyncio.Event = field(factory=asyncio.Event)
    began: float = 0.0
    identity: str = LEG
    last_status: str = ""

    async def record(self) -> Trace:
        self.trace = Trace(self.case.name)
        room = self.stage.room
        handlers: dict[str, Callable[..., None]] = {
            "participant_connected": self._joined,
            "participant_attributes_changed": self._changed,
            "participant_disconnected": self._left,
            "sip_dtmf_received": lambda key: self._note(f"key {key.digit}"),
        }
        for event, handler in handlers.items():
            room.on(event, handler)
        try:
            if not self.case.calls_in:
                telephone = await self.stage.telephone(self.case.script)
                asked = [self._answer("dial", self._dial(telephone))]
                await self._then(asked)
                await asyncio.sleep(self.case.watches)
                [call] = telephone.calls
            else:
                self.identity = "sip_+15550199"
                call = await self.stage.call_in(self.case.script)
                await self._then([])
                await asyncio.sleep(self.case.watches)
            self.trace.telephone = [
                (self._since(one.at), f"> {one.message}" if one.by_telephone else one.message)
                for one in list(call.signals)
                if one.message not in ("100", "481")  # 481: SIPp repeats a BYE when it is told something twice
            ]
            self.trace.keys = call.digits.lower()
        finally:
            for event, handler in handlers.items():
                room.off(event, handler)
        return self.trace

    async def _then(self, asked: list[Any]) -> None:
        tasks = [asyncio.ensure_future(one) for one in asked]
        await asyncio.wait_for(self.came.wait(), 20)
        for at, what in self.case.then:
            await asyncio.sleep(max(self.began + at - self.stage.now(), 0))
            if what == "transfer":
                tasks.append(asyncio.ensure_future(self._answer("transfer", self._transfer())))
            else:
                await self._do(what)
        if tasks:
            await asyncio.gather(*tasks)

    async def _do(self, what: What) -> None:
        rooms, name = self.stage.lk.room, self.stage.name
        if what == "remove":
            await rooms.remove_participant(api.RoomParticipantIdentity(room=name, identity=self.identity))
        elif what == "delete":
            await rooms.delete_room(api.DeleteRoomRequest(room=name))
        elif what == "publish":
            await self.stage.publish()
        else:
            for code, digit in ((4, "4"), (10, "*")):
                await self.stage.room.local_participant.publish_dtmf(code=code, digit=digit)

    async def _dial(self, telephone: Telephone) -> None:
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=telephone.trunk,
            sip_call_to=telephone.number,
            room_name=self.stage.name,
            sip_number="+15550100",
            participant_identity=LEG,
            wait_until_answered=self.case.wait,
            dtmf=self.case.dtmf,
        )
        request.ringing_timeout.FromSeconds(self.case.ringing)
        if self.case.limit is not None:
            request.max_call_duration.FromSeconds(self.case.limit)
        await self.stage.lk.sip.create_sip_participant(request)

    async def _transfer(self) -> None:
        request = api.TransferSIPParticipantRequest(
            room_name=self.stage.name, participant_identity=self.identity, transfer_to=TARGET
        )
        request.ringing_timeout.FromSeconds(self.case.within)
        await self.stage.lk.sip.transfer_sip_participant(request)

    async def _answer(self, name: str, asked: Any) -> None:
        told: dict[str, Any]
        try:
            await asked
        except api.ServerError as error:
            told = {"error": type(error).__name__, "code": error.code, "http": error.status}
            if isinstance(error, api.SipCallError):
                told |= {"sip_status_code": error.sip_status_code, "sip_status": error.sip_status}
        else:
            told = {"error": None}
        self.trace.answers[name] = {"after": self._since(self.stage.now()), **told}

    def _joined(self, who: rtc.RemoteParticipant) -> None:
        if who.identity == self.identity:
            self.began = self.stage.now()
            self.came.set()
            self._note("joined")
            self.trace.attributes["joined"] = _sip(who.attributes)
            self._status(who)

    def _changed(self, changed: Mapping[str, str], who: rtc.Participant) -> None:
        if who.identity == self.identity:
            self._status(who)
            self.trace.attributes["last"] = _sip(who.attributes)

    def _status(self, who: rtc.Participant) -> None:
        status = who.attributes.get("sip.callStatus", "")
        if status != self.last_status:
            self.last_status = status
            self._note(f"status {status}")

    def _left(self, who: rtc.RemoteParticipant) -> None:
        if who.identity == self.identity:
            self._note(f"left {rtc.DisconnectReason.Name(who.disconnect_reason or 0)}")  # type: ignore[arg-type]

    def _note(self, what: str) -> None:
        self.trace.room.append((self._since(self.stage.now()), what))

    def _since(self, at: float) -> float:
        return round(at - self.began, 2)


def _sip(attributes: Mapping[str, str]) -> list[str]:
    return sorted(name for name in attributes if name.startswith("sip."))


def _first_and_last(trace: Trace) -> dict[str, list[str]]:
    """Who comes in after its last change is not seen to change: it has then what it came with."""
    return {"last": trace.attributes.get("joined", []), **trace.attributes}


SELDOM_SEEN = ("left ROOM_DELETED", "status dialing")


def differences(trace: Trace, from_: Trace, *, tolerance: float) -> list[str]:
    """What is not the same: another order, another word, or a time that is `tolerance` seconds and a tenth away.

    What is not always seen does not count: who has left a room that was deleted, and a status of some milliseconds.
    """
    found = []
    for column in ("room", "telephone"):
        ours, theirs = (
            [one for one in getattr(either, column) if one[1] not in SELDOM_SEEN] for either in (trace, from_)
        )
        if [what for _, what in ours] != [what for _, what in theirs]:
            found.append(f"{column}: {ours}, not {theirs}")
            continue
        found += [
            f"{column}: {what} at {at}, not {wanted}"
            for (at, what), (wanted, _) in zip(ours, theirs, strict=True)
            if not math.isclose(at, wanted, abs_tol=tolerance, rel_tol=0.1)
        ]
    for name, told in from_.answers.items():
        mine = trace.answers.get(name, {})
        if {**mine, "after": 0} != {**told, "after": 0}:
            found.append(f"the {name} is told {mine}, not {told}")
        elif not math.isclose(mine["after"], told["after"], abs_tol=tolerance, rel_tol=0.1):
            found.append(f"the {name} is told after {mine['after']}, not {told['after']}")
    if _first_and_last(trace) != _first_and_last(from_):
        found.append(f"attributes: {trace.attributes}, not {from_.attributes}")
    if trace.keys != from_.keys:
        found.append(f"keys: {trace.keys}, not {from_.keys}")
    return found
