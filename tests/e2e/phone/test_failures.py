"""Telephone networks that break in the middle of calls."""

from __future__ import annotations

import time

from tests.e2e import aftermath
from tests.e2e.phone.calling import calls
from tests.e2e.phone.far_ends import picks_up
from tests.e2e.phone.network import until

NOTICED = 40
"""Seconds: LiveKit gives a bridge up after some 21 s."""


async def test_the_bridge_dies_in_the_middle_of_a_call(line, own_network):
    out = await calls(line, own_network, picks_up(), given={"stays": True})
    await until(lambda: line.jobs and out.answered, within=40, what=lambda: "an answer")
    died = time.monotonic()
    await own_network.kill_bridge()
    record = await aftermath.one_record(line, out.job, within=NOTICED)
    assert 15 < time.monotonic() - died < NOTICED
    assert record["outcome"] == "hung_up"
    assert record["cause"]["event"] == "call.hangup"
    assert record["hung_up_by"] == "network"
    assert out.events()[-1] == "call.hangup"
