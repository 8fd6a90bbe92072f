"""Row 45: answering machine detection raises when the far end hangs up: it is closed before it has a result.

For a flow a hang-up is `call.hangup`, whatever runs.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import AMD, Agent

from callflow.telephony.network import FarEnd, Say, Wait
from tests.support.phone import told
from tests.support.rawphone import raw_phone
from tests.support.screening import calls_ann, model, session, verdicts


async def test_by_itself_it_raises():
    raised = []

    async def listens(ctx):
        await asyncio.sleep(1)
        talking = session(model())
        await talking.start(Agent(instructions="x"), room=ctx.room)
        async with AMD(talking, participant_identity="phone", suppress_compatibility_warning=True) as detector:
            await phone.dial()
            try:
                await detector.execute()
            except RuntimeError as error:
                raised.append(str(error))

    async with raw_phone(FarEnd(2.0, hangs_up=1.0), after_connect=listens) as phone:
        await asyncio.sleep(30)
        assert raised == ["amd closed before a result was available"]


@pytest.mark.parametrize("after", [0.02, 0.3, 1.0, 4.0])
async def test_for_a_flow_it_is_a_hang_up(server, ended, after):
    far = FarEnd(2.0, acts=(Wait(0.4), Say("One moment please, I am just getting out of the car")), hangs_up=after)
    call = calls_ann(server, far, model(who="uncertain"))
    record = await call.play()
    assert verdicts(call) == []
    assert len(told(call, "call.hangup")) == 1
    assert record.outcome == "hung_up"
    assert not [effect for effect in record.effects if effect.error]
    ended(call)
