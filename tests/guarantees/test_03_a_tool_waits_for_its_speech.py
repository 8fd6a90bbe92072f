"""Row 3: `end_call` awaits the speech that called it: "circular wait" RuntimeError (livekit/agents#3056).

The tool of a flow waits for nothing; the hang-up waits for the speech.
"""

from __future__ import annotations

from livekit.agents import Agent, RunContext, function_tool

from callflow.testing import Tool
from callflow.testing.play import talks
from tests.guarantees.conftest import GOODBYE, GREETING
from tests.support import raw

QUIET = """
callflow: 1
name: front-desk
initial: talking
tools: {end_call: {description: The caller is done.}}
states:
  talking:
    entry: [generate_reply]
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{outcome: completed}]}
"""


async def test_by_itself_the_wait_raises():
    raised = []

    class Waits(Agent):
        @function_tool
        async def end_call(self, context: RunContext) -> None:
            """The caller is done."""
            try:
                await context.speech_handle.wait_for_playout()
            except RuntimeError as error:
                raised.append(str(error))

    async with raw.raw_call(Waits(instructions="x"), [[GOODBYE, Tool("end_call")]]) as call:
        await call.caller.say("bye")
        await call.caller.hear()
    assert len(raised) == 1
    assert "circular wait" in raised[0]


async def test_a_flow_waits_for_the_speech_that_called_the_tool(stage, ended):
    call = stage(QUIET, model=[GREETING, [GOODBYE, Tool("end_call")]], caller=talks("that is all, bye"))
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert (record.outcome, record.forced, record.error) == ("completed", (), None)
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    assert call.far_end.dead_air < 0.4
    ended(call)
