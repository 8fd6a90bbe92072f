"""Row 43: 20 s of dead air after "hello": once it has heard something, the detector's time limit is none
(livekit/agents#6996).

`timeout` is a hard cap, counted from the answer; then it is `amd.uncertain`, for which a flow has a row.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import AMD, Agent

from callflow.telephony.network import FarEnd, Wait
from tests.support.phone import calls, outbound
from tests.support.rawphone import raw_phone
from tests.support.screening import HELLO, model, picks_up, session, verdicts

CHATTER = ["One moment, I am looking for it"] * 40  # somebody talks on and on, and no model can say who it is

FLOW = """
callflow: 1
name: capped
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, detect_machine: {timeout: 12s}}}]
    on: {dial.answered: screening, dial.*: ending}
  screening:
    on: {amd.uncertain: talking, amd.*: ending}
  talking:
    entry: [{say: {text: "Hello Ada, I call for the practice.", interruptible: false}}, {outcome: completed}]
    on: {done: ending}
"""


async def test_by_itself_the_limit_is_none_for_somebody_who_talks():
    took = []

    async def listens(ctx):
        await asyncio.sleep(1)
        talking = session(model(who="uncertain"))
        await talking.start(Agent(instructions="x"), room=ctx.room)
        options = {"participant_identity": "phone", "suppress_compatibility_warning": True}
        async with AMD(talking, detection_options={"timeout": 12.0}, **options) as detector:
            await phone.dial()
            began = asyncio.get_running_loop().time()
            await detector.execute()
            took.append(asyncio.get_running_loop().time() - began)

    async with raw_phone(picks_up(*CHATTER, pause=0.3), after_connect=listens) as phone:
        await asyncio.sleep(40)
        assert took == [] or took[0] > 20


@pytest.mark.parametrize(
    "far", [picks_up(*CHATTER, pause=0.3), FarEnd(2.0, acts=(Wait(60.0),))], ids=["talks on", "says nothing"]
)
async def test_a_flow_goes_on_at_its_limit(server, ended, far):
    call = outbound(server, far, FLOW, session=session(model([HELLO], who="uncertain")))
    await call.play()
    [active] = [signal.at for signal in calls(call)[0].sent("200") if signal.about == "INVITE"]
    [verdict] = verdicts(call)
    assert verdict["category"] == "uncertain"
    assert call.far_end.heard[0].start < active + 13
    assert HELLO in call.heard
    ended(call)
