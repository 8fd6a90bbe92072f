"""The real telephone network: livekit-sip between the server and SIPp, all of them programs of their own.

What a telephone saw is what SIPp wrote down, and the packets that came to its port.
"""

from __future__ import annotations

import itertools
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define, field
from livekit import api

from callflow.telephony.network import FarEnd, Signal
from tests.e2e.namespace import ADDRESS
from tests.e2e.phone import rtp, scenario, sipp
from tests.e2e.phone.livekit_sip import Bridge, livekit_sip
from tests.e2e.phone.network import PhoneCall, Telephone, until
from tests.e2e.processes import stop
from tests.e2e.server import LiveKitServer
from tests.e2e.servers.telephony import Programs, programs

FIRST_PORT = 5100
LOOKS = 0.005
"""Seconds between two looks into SIPp's logs."""
ENDS = ("BYE", "CANCEL")
KEPT = 24
"""Telephones: of more, those go whose calls are long over."""
LONG = 10.0
"""Seconds."""

_up: list[Real] = []


@define(eq=False)
class SippTelephone:
    """One SIPp: a telephone that is called (`scripts`), or one that calls. `number` is its own."""

    number: str
    scripts: tuple[FarEnd, ...]
    process: sipp.Sipp
    sounds: rtp.Sounds
    line: rtp.Line
    trunk: str = ""
    calls: list[PhoneCall] = field(factory=list)
    _by_id: dict[str, tuple[PhoneCall, FarEnd]] = field(factory=dict)
    _streams: dict[str, rtp.Stream] = field(factory=dict)
    _answered: set[str] = field(factory=set)
    _met: set[tuple[object, ...]] = field(factory=set)

    @property
    def is_done(self) -> bool:
        """Whether it had all the calls that it has scripts for, and the last of them is long over."""
        last = max((call.signals[-1].at for call in self.calls if call.signals), default=math.inf)
        over = all(any(one.message in ENDS or one.message[0] in "3456" for one in call.signals) for call in self.calls)
        return len(self.calls) >= len(self.scripts) and over and time.monotonic() - last > LONG

    def look(self) -> None:
        """Writes down what is new in SIPp's log, and lets the sound follow."""
        for message in self.process.messages():
            call_id = message.header("Call-ID")
            known = (call_id, *message.same)
            if known in self._met:
                continue  # sent again: the other side has not answered
            self._met.add(known)
            if message.method == "INVITE" and message.status is None:
                script = self.scripts[min(len(self.calls), len(self.scripts) - 1)]
                self._by_id[call_id] = PhoneCall(self.number, script, shown=shown(message)), script
                self.calls.append(self._by_id[call_id][0])
            if call_id in self._by_id:
                self._follow(call_id, message)

    def _follow(self, call_id: str, message: sipp.Message) -> None:
        call, script = self._by_id[call_id]
        remote = message.sound_goes_to()
        if remote is not None and not message.by_telephone:
            self._streams[call_id] = self.sounds.connect(self.line, call, remote)
        stream = self._streams.get(call_id)
        if stream is not None and message.by_telephone and message.status == 183:
            self.sounds.speak(stream, rtp.sound(425))
        elif stream is not None and message.method == "ACK" and call_id in self._answered and script.rtp:
            self.sounds.speak(stream, rtp.performed(script.acts, call.heard))
        elif stream is not None and (message.method == "BYE" or (message.status or 0) >= 300):
            self.sounds.hush(stream)
        if (message.method, message.status) == ("INVITE", 200):
            self._answered.add(call_id)
        call.signals.append(
            Signal(message.at, str(message.status or message.method), message.by_telephone, about(message))
        )


def shown(invite: sipp.Message) -> dict[str, str]:
    """See `PhoneCall.shown`."""
    caller = re.match(r'(?:"?(.*?)"?\s*)?<sips?:([^@>;]+)', invite.header("From"))
    name, number = (caller[1] or "", caller[2]) if caller else ("", "")
    ours = re.findall(r"^(X-[\w-]+)\s*:\s*(.*?)\s*$", invite.text, re.MULTILINE)
    return {"name": name, "number": number, **dict(ours)}


def about(message: sipp.Message) -> str:
    if message.status is not None:
        return message.method
    if message.method == "REFER":
        return message.header("Refer-To").strip("<>")
    words = message.body.split()
    return words[1] if message.method == "NOTIFY" and len(words) > 1 else ""


@define(eq=False)
class Real:
    """See `tests.e2e.phone.network.Network`."""

    programs: Programs
    server: LiveKitServer
    folder: Path
    bridge: Bridge = field(repr=False)
    first_port: int = FIRST_PORT
    name: str = "real"
    sounds: rtp.Sounds = field(factory=lambda: rtp.Sounds(ADDRESS))
    _telephones: list[SippTelephone] = field(factory=list)
    _ports: Iterator[int] = field(init=False)
    _ended: threading.Event = field(factory=threading.Event)

    def __attrs_post_init__(self) -> None:
        self._ports = itertools.count(self.first_port)

    @contextmanager
    def up(self) -> Iterator[None]:
        """Its sounds and its looks into the logs run."""
        looking = threading.Thread(target=self._look, name="sipp-logs", daemon=True)
        self.sounds.start()
        looking.start()
        try:
            yield
        finally:
            self._ended.set()
            looking.join()
            self.sounds.stop()
            for telephone in self._telephones:
                stop(telephone.process.process, within=0.2)

    async def telephone(self, *scripts: FarEnd) -> Telephone:
        self._clear_away()
        place, line = self._place()
        process = sipp.started(
            self.programs.sipp, self.folder / f"sipp-{place.port}", scenario.called(scripts, place), place
        )
        telephone = SippTelephone(f"+1555{place.port:07}", scripts, process, self.sounds, line)
        async with self.server.api() as lk:
            trunk = await lk.sip.create_outbound_trunk(
                api.CreateSIPOutboundTrunkRequest(
                    trunk=api.SIPOutboundTrunkInfo(
                        name=telephone.number,
                        address=f"{place.host}:{place.port}",
                        transport=api.SIPTransport.SIP_TRANSPORT_UDP,
                        numbers=["+15550100", "+15550101"],
                    )
                )
            )
        telephone.trunk = trunk.sip_trunk_id
        self._telephones.append(telephone)
        return telephone

    async def call_in(self, room: str, far: FarEnd, *, caller: str = "+15550199") -> PhoneCall:
        place, line = self._place()
        number = f"+1555{place.port:07}"
        async with self.server.api() as lk:
            trunk = await lk.sip.create_inbound_trunk(
                api.CreateSIPInboundTrunkRequest(trunk=api.SIPInboundTrunkInfo(name=number, numbers=[number]))
            )
            rule = api.SIPDispatchRule(dispatch_rule_direct=api.SIPDispatchRuleDirect(room_name=room))
            await lk.sip.create_dispatch_rule(
                api.CreateSIPDispatchRuleRequest(
                    dispatch_rule=api.SIPDispatchRuleInfo(name=number, trunk_ids=[trunk.sip_trunk_id], rule=rule)
                )
            )
        text = scenario.calling(far, place, number=number, caller=caller)
        folder = self.folder / f"sipp-{place.port}"
        process = sipp.started(self.programs.sipp, folder, text, place, "-m", "1", f"{ADDRESS}:{self.bridge.sip}")
        telephone = SippTelephone(caller, (far,), process, self.sounds, line)
        self._telephones.append(telephone)
        await until(lambda: telephone.calls, within=10, what=lambda: f"SIPp to call; {process.said()}")
        return telephone.calls[0]

    async def kill_bridge(self) -> None:
        self.bridge.kill()

    async def left(self) -> list[str]:
        async with self.server.api() as lk:
            rooms = (await lk.room.list_rooms(api.ListRoomsRequest())).rooms
            left = []
            for room in rooms:
                there = await lk.room.list_participants(api.ListParticipantsRequest(room=room.name))
                left += [
                    f"{one.identity} in {room.name}"
                    for one in there.participants
                    if one.kind == api.ParticipantInfo.Kind.SIP
                ]
        return left

    def _clear_away(self) -> None:
        """Ends the SIPps of telephones that nobody calls any more: each takes its part of the machine."""
        running = [one for one in self._telephones if one.process.process.poll() is None]
        for telephone in running[: max(len(running) - KEPT, 0)]:
            if telephone.is_done:
                stop(telephone.process.process, within=0.2)

    def _place(self) -> tuple[scenario.Place, rtp.Line]:
        line = self.sounds.line()
        return scenario.Place(ADDRESS, next(self._ports), line.port), line

    def _look(self) -> None:
        while not self._ended.wait(LOOKS):
            for telephone in list(self._telephones):
                telephone.look()


@contextmanager
def running(request: pytest.FixtureRequest) -> Iterator[Real]:
    """With the server of this pytest process. Raises `Missing`."""
    found = programs()
    server: LiveKitServer = request.getfixturevalue("server")
    folder = request.getfixturevalue("tmp_path_factory").mktemp("phone")
    redis: int = request.getfixturevalue("redis")
    with livekit_sip(found.bridge, folder, url=server.url, redis=redis, sip=5060, rtp="10000-14000") as bridge:
        network = Real(found, server, folder, bridge)
        with network.up():
            _up.append(network)
            try:
                yield network
            finally:
                _up.remove(network)


@contextmanager
def own(request: pytest.FixtureRequest) -> Iterator[Real]:
    """One whose bridge may be killed: a new one takes its place. A second bridge beside it would get some of the calls."""
    if not _up:
        with running(request) as network:
            yield network
        return
    network = _up[-1]
    try:
        yield network
    finally:
        if not network.bridge.lives:
            network.bridge.start()
