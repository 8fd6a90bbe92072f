"""Row 27: a drop of a few seconds ends the call (livekit/agents#2759, livekit/livekit#4271).

A flow waits for a far end that has vanished, `reconnect_grace` long, and goes on where it was. (A server notices a
network that is gone after 21 s only, and who is back before that has been replaced, for no reason given.)
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING

BACK = FRONT_DESK.replace("    on:\n", '    on:\n      call.restored: {do: [{say: "There you are again."}]}\n')


def vanishes(seconds, *, seen):
    """Is gone for so long; `seen`: the server has noticed, and says so without a reason."""

    async def script(caller):
        await caller.hear()
        if seen:
            caller.leave(rtc.DisconnectReason.UNKNOWN_REASON)
        else:
            caller.vanish()
        await asyncio.sleep(seconds)
        caller.join()
        await talks("that is all")(caller)

    return script


@pytest.mark.parametrize("seen", [False, True], ids=["unseen", "seen"])
@pytest.mark.parametrize("seconds", [0.5, 3, 10])
async def test_a_flow_goes_on(stage, ended, seconds, seen):
    call = stage(BACK, model=[GREETING, Tool("end_call")], caller=vanishes(seconds, seen=seen))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.hung_up_by) == ("completed", "agent")
    assert call.heard == f"{GREETING}\nThere you are again.\n{GOODBYE}"
    events = [step.event for step in call.steps if getattr(step.event, "name", "") == "call.restored"]
    assert len(events) == 1
    if seen:
        assert events[0].data["away"] == pytest.approx(seconds, abs=0.1)
    ended(call)


async def test_what_was_cut_is_said_again(stage, ended):
    async def caller(who):
        await asyncio.sleep(1.5)
        who.leave(rtc.DisconnectReason.UNKNOWN_REASON)
        await asyncio.sleep(3)
        who.join()
        await who.hear()
        who.hang_up()

    call = stage(
        FRONT_DESK.replace("generate_reply: {instructions: Greet the caller and help.}", f'say: "{GREETING}"'),
        caller=caller,
    )
    record = await call.play()
    assert call.heard.endswith(GREETING)
    assert record.outcome == "hung_up"
    ended(call)


async def test_who_is_away_for_longer_has_hung_up(stage, ended):
    call = stage(BACK, model=[GREETING], caller=vanishes(40, seen=True))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.cause.event) == ("hung_up", "call.hangup")
    assert record.seconds < 20
    assert call.job.over is not None
