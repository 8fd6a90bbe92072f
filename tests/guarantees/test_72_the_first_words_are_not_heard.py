"""Row 72: the caller's first words on the telephone are not heard: for the first 3 s of the agent's first speech
LiveKit's echo warm-up feeds its STT with silence.

A telephone has no echo. It is off where callflow builds the session; for a session that was passed in, the record says
which line to add.
"""

from __future__ import annotations

import asyncio

from livekit.agents import Agent, AgentSession

import callflow
from callflow.livekit_bindings.models import session_of
from callflow.livekit_bindings.world import AEC_NOTE
from callflow.testing import Caller, ScriptedLLM, SimulatedJob, SimulatedServer, SpelledSTT, SpelledTTS
from callflow.testing.play import Stage

GREETING = "Good morning, this is the dentist's office, what can I do for you today, please?"
WORDS = "I want to come on Monday"
SPEECH = {"vad": None, "turn_handling": {"turn_detection": "stt"}}

FLOW = """
callflow: 1
name: greets
initial: talking
states:
  talking:
    entry: [{say: "GREETING"}]
    on:
      session.user_input_transcribed: {target: ending, when: event.is_final, do: [{outcome: completed}]}
    after: {12s: {target: ending, do: [{outcome: timed_out}]}}
""".replace("GREETING", GREETING)


async def interrupts(caller):
    """Speaks into the greeting, in its first second."""
    while not caller.heard:  # noqa: ASYNC110 - sound reaches an ear, and sets no event
        await asyncio.sleep(0.05)
    await caller.say(WORDS)
    await asyncio.sleep(60)


async def test_by_itself_they_are_lost():
    heard = []
    before = asyncio.all_tasks()
    async with SimulatedServer() as server:

        async def entrypoint(ctx):
            talking = session()
            talking.on("user_input_transcribed", lambda event: heard.append(event.transcript))
            await talking.start(Agent(instructions="x"), room=ctx.room)
            await asyncio.sleep(1)
            talking.say(GREETING)

        job, caller = SimulatedJob(server, entrypoint), Caller(server, "room")
        caller.join()
        job.start()
        speaking = asyncio.ensure_future(interrupts(caller))
        await asyncio.sleep(10)
        assert caller.heard_text == GREETING
        assert WORDS not in heard
        speaking.cancel()
        server.delete_room("room")
        await job.ended()
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
        if left:
            await asyncio.wait(left, timeout=5)


def session(**options):
    return AgentSession(llm=ScriptedLLM(), stt=SpelledSTT(), tts=SpelledTTS(), **SPEECH, **options)


async def test_without_the_warm_up_a_flow_hears_them(server, ended):
    call = Stage(callflow.loads(FLOW), server, caller=interrupts, session=session(aec_warmup_duration=None))
    record = await call.play()
    assert (record.outcome, record.notes) == ("completed", ())
    ended(call)


async def test_a_session_that_was_passed_in_with_it_is_noted(server, ended):
    call = Stage(callflow.loads(FLOW), server, caller=interrupts, session=session())
    record = await call.play()
    assert AEC_NOTE in record.notes
    ended(call)


async def test_a_session_that_callflow_builds_has_none():
    flow = callflow.loads(FLOW + "session: {turn_detection: stt}\n")
    assert session_of(flow).options.aec_warmup_duration is None
