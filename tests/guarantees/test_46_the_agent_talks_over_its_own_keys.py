"""Row 46: the agent talks over the keys that it sends: its tool's result invokes the model again (livekit/agents#5397).

`send_dtmf` takes its time, the agent is silent meanwhile, and the turn is the other side's.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, function_tool

import callflow
from callflow.core.verbs.limits import ON_THE_WIRE
from callflow.telephony.network import FarEnd, HangUp, Hear, Say, Wait
from callflow.testing import ScriptedLLM, Tool
from callflow.testing.play import Stage, offline_session
from tests.support import raw

ASKS = "Please enter your account number."
TALKS_ON = "I have entered the account number for you."
ON_THE_WAY = "One moment."

FLOW = """
callflow: 1
name: enters
initial: talking
tools:
  press: {description: Keys to press., parameters: {keys: string}}
states:
  talking:
    tools: [press]
    on:
      tool.press: {do: [{send_dtmf: "{{ event.keys }}"}]}
"""

MENU = FarEnd(acts=(Wait(0.5), Say(ASKS), Wait(6.0), Say("Thank you."), Hear(), Wait(1.0), HangUp()))


async def test_by_itself_the_model_talks_while_the_keys_are_on_the_wire():
    pressed = []

    class Enters(Agent):
        @function_tool
        async def press(self, keys: str) -> str:
            """Keys to press."""
            room = call.job.room
            for key in keys:
                await room.local_participant.publish_dtmf(code=int(key), digit=key)
            pressed.append((call.now, keys))
            return "pressed"

    async with raw.raw_call(Enters(instructions="x"), [Tool("press", {"keys": "471100"}), TALKS_ON]) as call:
        await call.caller.say(ASKS)
        await asyncio.sleep(10)
        [(at, keys)] = pressed
        [spoken] = call.job.room.voice.speeches
        assert spoken[0].start < at + len(keys) * ON_THE_WIRE


@pytest.mark.parametrize("before", [[], [ON_THE_WAY]], ids=["silent", "after a word"])
async def test_a_flow_sends_its_keys_and_listens(server, ended, before):
    model = ScriptedLLM([[*before, Tool("press", {"keys": "471100"})], "You are welcome."])
    call = Stage(callflow.loads(FLOW), server, calls_in=MENU, session=offline_session(llm=model))
    record = await call.play()
    keys = call.far_end.call.keys
    assert "".join(key for _, key in keys) == "471100"
    [effect] = [effect for effect in record.effects if effect.verb == "send_dtmf"]
    assert effect.seconds >= 6 * ON_THE_WIRE
    assert call.heard.splitlines() == [*before, "You are welcome."]
    on_the_wire = (keys[0][0], keys[-1][0] + ON_THE_WIRE)
    for sound in call.far_end.heard:
        assert sound.end <= on_the_wire[0] + 0.1 or sound.start >= on_the_wire[1]
    assert len(model.requests) == 2
    ended(call)
