"""Row 4: the goodbye is cut off, since the call is torn down before its playout ends (livekit/agents#5096).

A flow speaks, waits for the playout within a bound, and hangs up then.
"""

from __future__ import annotations

import pytest

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING
from tests.support import raw

LONG = (
    "Thank you very much for calling us today, it was a pleasure to talk to you, and we are looking forward to seeing"
    " you tomorrow morning at ten. Goodbye, and have a very nice day."
)


async def test_by_itself_a_shutdown_after_the_goodbye_cuts_it():
    async def say_and_go(ctx, session):
        session.say(LONG)
        ctx.shutdown("done")

    async with raw.raw_call(raw.Agent(instructions="x"), after_start=say_and_go) as call:
        await call.job.ended()
        assert call.caller.heard_text == ""


@pytest.mark.parametrize("goodbye", [GOODBYE, LONG])
@pytest.mark.parametrize("delay", [0.0, 0.04, 0.1])
async def test_a_flow_lets_it_be_heard_to_the_last_letter(stage, ended, goodbye, delay):
    flow = FRONT_DESK.replace(GOODBYE, goodbye)

    async def caller(who):
        who._delay = delay
        await talks("that is all, bye")(who)

    call = stage(flow, model=[GREETING, Tool("end_call")], caller=caller)
    await call.play()
    assert call.heard == f"{GREETING}\n{goodbye}"
    assert call.far_end.dead_air < 0.4
    ended(call)
