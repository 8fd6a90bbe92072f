"""Row 5: the model calls the hang-up tool again and again, and the call stays up: a latch waits for an edge that never
comes.

The hang-up of a flow is a state: idempotent, terminal, watched by timeouts.
"""

from __future__ import annotations

import pytest

from callflow.testing import Tool
from callflow.testing.play import offline_session, talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING

MOVES = (
    FRONT_DESK.replace(
        "  end_call:",
        "  look_up: {description: Look it up.}\n  pay: {description: The caller wants to pay.}\n  end_call:",
    )
    .replace(
        "    on:\n",
        """    on:
      tool.look_up: {do: [{log: looked up}]}
      tool.pay: paying
""",
    )
    .replace("tools: [end_call]", "tools: [end_call, look_up, pay]")
    + """
  paying:
    entry: [{say: "Then let us pay."}, {say: "And now goodbye."}]
    on: {done: ending}
"""
)


@pytest.mark.parametrize("calls", [("pay", "look_up"), ("look_up", "pay"), ("pay", "pay")], ids="-".join)
async def test_a_second_call_of_the_same_reply_gives_the_model_no_turn_over_the_flows_words(stage, ended, calls):
    session = offline_session([GREETING, [Tool(name) for name in calls], "I speak, too."])
    call = stage(MOVES, session=session, caller=talks("let me pay"))
    await call.play()
    assert call.trace == ["talking", "paying", "ending", "closed"]
    assert call.heard == f"{GREETING}\nThen let us pay.\nAnd now goodbye."
    assert len(session.llm.requests) == 2
    ended(call)


@pytest.mark.parametrize(
    "turns",
    [
        [[Tool("end_call"), Tool("end_call"), Tool("end_call")]],
        [Tool("end_call")] * 20,
        [["All right.", Tool("end_call")], Tool("end_call"), Tool("end_call")],
    ],
)
async def test_a_flow_hangs_up_once(stage, server, ended, turns):
    call = stage(model=[GREETING, *turns], caller=talks("bye", "hang up please", "hang up"))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.forced) == ("completed", ())
    assert [effect.verb for effect in record.effects].count("say") == 1
    assert [method for _, method in server.requests].count("DeleteRoom") == 1
    assert call.heard.endswith(GOODBYE)
    ended(call)
