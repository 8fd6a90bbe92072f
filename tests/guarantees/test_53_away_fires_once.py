"""Row 53: "away" fires once only: LiveKit's `user_away_timeout` waits for an edge, and a caller who was away and says
nothing more is never away again (livekit/agents#6883, #6030).

A flow has a ladder of its own. Each rung fires once per silence; speech or a key begins it anew.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from callflow.testing import Caller, Tool
from callflow.testing.play import silent
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING

LADDER = FRONT_DESK.replace(
    "    on:\n",
    """    silence:
      5s: {do: [{say: "Are you still there?"}]}
      12s: {do: [{say: "Hello?"}]}
      25s: {target: ending, do: [{say: "Nobody is there."}, {outcome: timed_out}]}
    on:
""",
)
ASKED, AGAIN, NOBODY = "Are you still there?", "Hello?", "Nobody is there."


async def test_a_flow_climbs_the_ladder_to_its_end(stage, ended):
    call = stage(LADDER, model=[GREETING], caller=silent)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert call.heard.splitlines() == [GREETING, ASKED, AGAIN, NOBODY]
    assert (record.outcome, record.trigger) == ("timed_out", "silence 25s")
    ended(call)


async def test_speech_begins_it_anew_each_time(stage, ended):
    async def caller(who):
        await who.hear()
        for _ in range(3):
            assert await who.hear() == ASKED
            await who.say("yes, one moment")
            await who.hear()
        await who.say("that is all")

    call = stage(LADDER, model=[GREETING, *["Of course."] * 3, Tool("end_call")], caller=caller)
    record = await call.play()
    assert call.heard.splitlines() == [GREETING, *([ASKED, "Of course."] * 3), GOODBYE]
    assert record.outcome == "completed"
    ended(call)


@pytest.mark.parametrize("key", ["1", "*", "#", "a"])
async def test_a_key_begins_it_anew_too_and_stays_private(stage, server, ended, key):
    phone = Caller(
        server,
        "call",
        "sip_caller",
        kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        attributes={"sip.callStatus": "active"},
    )
    phone.join()

    async def presses():
        await phone.hear()
        for _ in range(2):
            await phone.hear()
            phone.press(key)
        await asyncio.sleep(4)
        phone.hang_up()

    pressing = asyncio.ensure_future(presses())
    call = stage(LADDER, model=[GREETING])
    record = await call.play()
    await pressing
    keys = [step.event for step in call.steps if getattr(step.event, "name", "").startswith("dtmf.")]
    name = {"*": "star", "#": "pound"}.get(key, key)
    assert [event.name for event in keys] == [f"dtmf.{name}"] * 2
    assert phone.heard_text.splitlines() == [GREETING, ASKED, ASKED]
    assert record.outcome == "hung_up"
    ended(call)


async def test_a_key_of_another_leg_is_no_key_of_the_callers(stage, server, ended):
    other = Caller(server, "call", "supervisor")

    async def caller(who):
        await who.hear()
        other.join()
        await asyncio.sleep(4)
        other.press("1")
        await asyncio.sleep(4)
        other.hang_up()
        who.hang_up()

    call = stage(LADDER.replace("    on:\n", "    on:\n      dtmf.1: ending\n"), model=[GREETING], caller=caller)
    record = await call.play()
    names = [step.event.name for step in call.steps if "dtmf" in getattr(step.event, "name", "")]
    assert names == ["leg.participant_1.dtmf.1"]
    assert (record.outcome, record.trigger) == ("hung_up", "call.hangup")
    ended(call)
