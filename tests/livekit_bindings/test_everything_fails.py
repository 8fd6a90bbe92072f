"""A call of which nothing works ends all the same: once, in bounded time, with its record, its job told to end."""

from __future__ import annotations

import asyncio

import pytest

from callflow.testing import Fault, Pause, SpelledTTS

FLOW = """
    callflow: 1
    name: faulty
    initial: talking
    python: {look_up: {}}
    states:
      talking:
        entry:
          - say: {text: Hello., optional: true}
          - generate_reply: {instructions: Go on., optional: true}
          - python: {name: look_up, optional: true}
          - say: Really.
        on: {done: {target: ending, do: [{outcome: completed}]}}
        after: {3m: {target: ending, do: [{outcome: timed_out}]}}
"""


async def forever(*_, **__):
    await asyncio.sleep(10_000)


async def broken(*_, **__):
    raise ZeroDivisionError("broken")


class Hanging(SpelledTTS):
    async def _wait(self):
        await asyncio.sleep(10_000)

    def synthesize(self, text, **options):
        raise ConnectionError("no voice")


@pytest.mark.parametrize("how", [forever, broken])
@pytest.mark.parametrize("what", ["api", "session", "python", "everything"])
async def test_a_call_of_which_nothing_works_ends_in_order(stage, how, what):
    def session():
        made = stage.new_session(tts=Hanging() if what == "everything" else SpelledTTS())
        if what in ("session", "everything"):
            made.aclose = made.drain = how
        return made

    if what in ("api", "everything"):
        faults = [Fault(500) if how is broken else Fault(seconds=3600)] * 50
        stage.server.faults |= {"DeleteRoom": [*faults], "RemoveParticipant": [*faults]}
    turns = [Pause(3600) if how is forever else ValueError("broken")] * 50 if what == "everything" else ["All right."]
    stage.begin(FLOW, turns, session=session, actions={"look_up": how})
    record = await stage.call_ended_within(300)
    assert record.outcome in ("completed", "failed", "timed_out")
    assert stage.call.over
    assert stage.job.reason is not None
    assert stage.job.over is not None or await stage.ended()
    if what in ("session", "python"):
        assert not stage.caller.on_line
    else:
        assert any("could not be dropped" in note for note in record.notes)


async def test_a_flow_that_hears_nothing_but_errors_from_the_room_still_ends_at_its_limit(stage):
    flow = """
    callflow: 1
    name: limits
    limits: {call: 30s}
    initial: talking
    states: {talking: {waits: for nothing, entry: [{say: Hello.}]}}
    """
    record = await stage.play(flow)
    assert record.outcome == "timed_out"
    assert stage.caller.left - stage.caller.joined < 32
