"""Telephones that call in: judged at the telephone."""

from __future__ import annotations

import pytest

from callflow.telephony.network import FarEnd, HangUp, Wait
from tests.e2e.crowd import AT_ONCE
from tests.e2e.phone.calling import Inbound, no_leg


async def inbound(line, network, script, *, flow="picks_up", caller="+15550199", **given):
    """An agent in its room, and a telephone that calls it."""
    job = await line.agent("phone:call", flow=f"{flow}.yaml", vars=given)
    await job.note("job", within=40)
    return Inbound(line, network, job, await network.call_in(line.room, script, caller=caller))


@pytest.mark.smoke
async def test_a_call_that_comes_in_is_answered_greeted_and_ended(line, network):
    inward = await inbound(line, network, FarEnd())
    await inward.call.over(within=40)
    record = await inward.record(within=10)
    assert (record["outcome"], record["hung_up_by"]) == ("completed", "agent")
    greeting, goodbye = inward.call.heard.sounds()
    assert greeting.began > inward.call.answered_at
    assert goodbye.seconds == pytest.approx(len("Goodbye, and thank you for your call.") * 0.05, abs=0.3)
    [bye] = inward.call.got("BYE")
    assert bye.at - goodbye.ended < AT_ONCE


async def test_a_caller_hangs_up(line, network):
    inward = await inbound(line, network, FarEnd(acts=(Wait(1.0), HangUp())))
    await inward.call.over(within=40)
    record = await inward.record(within=10)
    assert (record["outcome"], record["hung_up_by"]) == ("hung_up", "caller")


async def test_a_call_that_is_not_wanted_is_refused_and_never_answered(line, network):
    inward = await inbound(line, network, FarEnd(), flow="chooses", caller="+15550166", unwanted="+15550166")
    await inward.call.over(within=40)
    record = await inward.record(within=10)
    assert record["outcome"] == "refused"
    assert (inward.call.answered_at, len(inward.call.got("486"))) == (None, 1)


async def test_a_call_that_is_wanted_is_taken(line, network):
    inward = await inbound(line, network, FarEnd(), flow="chooses", unwanted="+15550166")
    await inward.call.over(within=40)
    record = await inward.record(within=10)
    assert record["outcome"] == "completed"
    assert len(inward.call.heard.sounds(pause=0.8)) == 2
    await no_leg(network, line.room)
