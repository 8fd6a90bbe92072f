"""The simulated bridge beside calls that were recorded from a real one: the same story, at the same times."""

from __future__ import annotations

import pytest
from attrs import define
from livekit import api, rtc

from callflow.telephony.network import PhoneNetwork
from callflow.testing import SimulatedPhone, SimulatedRoom, SimulatedServer
from tests.support.sip_traces import CASES, Trace, differences, recorded

NUMBER, ROOM = "+15550123456", "line"
TOLERANCE = 0.25
"""Seconds: what a real bridge takes for itself, on a busy machine."""


@define
class SimulatedTelephone:
    phone: SimulatedPhone
    number: str = NUMBER
    trunk: str = "ST_1"

    @property
    def calls(self):
        return self.phone.network.calls


@define
class SimulatedStage:
    """See `tests.support.sip_traces.Stage`."""

    server: SimulatedServer
    phone: SimulatedPhone
    room: rtc.Room
    name: str = ROOM

    @property
    def lk(self) -> api.LiveKitAPI:
        return self.server.api

    async def telephone(self, script):
        self.phone.network.numbers[NUMBER] = script
        return SimulatedTelephone(self.phone)

    async def call_in(self, script):
        await self.phone.call_in(ROOM, script)
        return self.phone.network.calls[-1]

    async def publish(self):
        self.room.simulated_participant.publish("voice", rtc.TrackSource.SOURCE_MICROPHONE)

    def now(self):
        return self.server.loop.time()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_simulated_call_goes_as_a_real_one_went(case):
    async with SimulatedServer() as server:
        room = SimulatedRoom(server, ROOM, "watcher")
        await room.connect("", "")
        phone = SimulatedPhone(server, PhoneNetwork({}))
        try:
            trace = await recorded(case, SimulatedStage(server, phone, room))
        finally:
            await phone.close()
    assert differences(trace, Trace.read(case.name), tolerance=TOLERANCE) == []
