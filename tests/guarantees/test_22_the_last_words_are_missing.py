"""Row 22: the last words of a call are missing from its transcript: what was flushed by the close came too late, or was
cancelled (livekit/agents#6889, #2377).

A flow's transcript is taken after the close: the goodbye is in it, what was cut stands there as far as it was said, and
`wrap_up` has the same.
"""

from __future__ import annotations

from callflow.testing import Tool
from callflow.testing.play import hangs_up, talks
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING

REPORTS = (
    FRONT_DESK
    + """
wrap_up:
  - python: {name: keep, arguments: {last: "{{ call.transcript[len(call.transcript) - 1].text }}"}}
python:
  keep: {parameters: {last: {type: string}}}
"""
)


def said(transcript):
    return [(message["role"], message["text"]) for message in transcript]


async def test_the_goodbye_is_in_the_transcript_and_in_what_wrap_up_gets(stage, ended):
    kept = []

    async def keep(last):
        kept.append(last)

    call = stage(
        REPORTS,
        model=[GREETING, Tool("end_call")],
        caller=talks("that is all"),
        options={"actions": {"keep": keep}},
    )
    record = await call.play()
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    whole = [("assistant", GREETING), ("user", "that is all"), ("assistant", GOODBYE)]
    assert said(record.transcript) == whole
    assert kept == [GOODBYE]
    ended(call)


async def test_what_a_hang_up_cut_is_there_as_far_as_it_was_said(stage, ended):
    story = "It is a long story, and it begins a long time ago, in a small town far away from here."
    call = stage(model=[story], caller=hangs_up(after=2.5))
    record = await call.play()
    [message] = record.transcript
    assert message["interrupted"]
    assert 5 < len(message["text"]) < len(story)
    assert story.startswith(message["text"].rstrip())
    assert record.outcome == "hung_up"
    ended(call)


async def test_what_the_caller_said_last_is_there_also_when_nobody_could_answer_it(stage, ended):
    async def says_and_goes(caller):
        await caller.hear()
        await caller.say("please cancel it")
        caller._server.loop.call_later(1.0, caller.hang_up)

    call = stage(model=[GREETING, "Of course, one moment please."], caller=says_and_goes)
    record = await call.play()
    assert said(record.transcript)[:2] == [("assistant", GREETING), ("user", "please cancel it")]
    assert record.outcome == "hung_up"
    ended(call)
