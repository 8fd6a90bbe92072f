"""Row 77: a transfer cuts the sentence that announces it: the REFER goes out while that is being said
(pipecat-ai/pipecat-examples#257).

In a flow whatever takes somebody away from the conversation, or talks to somebody else, waits for what is being said, for
20 s at most: `transfer`, `consult`, `send_dtmf`, `hold`, `stand_by`, `update_agent`, `hang_up`, a word to one leg.
"""

from __future__ import annotations

import pytest
from livekit.agents import Agent

from callflow.livekit_bindings.private_speech import SAID_WITHIN
from callflow.telephony.network import FarEnd, Hear, PhoneNetwork, Refer, Say, Wait
from callflow.testing import Tool
from tests.guarantees.conftest import GREETING

WORDS = "I am putting you through to sales now, please stay on the line."
LONG = "I am putting you through " + "to somebody who knows " * 30  # takes 34 s

FLOW = """
callflow: 1
name: announce
initial: talking
tools:
  go: {description: The caller wants somebody else.}
states:
  talking:
    entry: [{generate_reply: Greet the caller.}]
    tools: [go]
    on: {tool.go: through}
  through:
    entry: [ACT]
    after: {60s: ending}
    on: {transfer.*: ending, consult.*: ending, done: ending}
"""

CONSULT = '{consult: {to: "+15550100100", trunk: ST_1, briefing: A caller., ringing_timeout: 20s}}'
VERBS = {
    "transfer": '{transfer: {to: "+15550100200", ringing_timeout: 20s}}',
    "transfer to a SIP address": '{transfer: {to: "sip:desk@example.com", ringing_timeout: 5s}}',
    "consult": CONSULT,
    "send_dtmf": '{send_dtmf: "1"}',
    "hold": "hold",
    "stand_by": "stand_by",
    "update_agent": "{update_agent: other}",
    "hang_up": "hang_up",
    "hang_up, the agent alone": "{hang_up: {for: agent}}",
}


def calls_in(notify=200):
    return FarEnd(acts=(Hear(), Say("sales please"), Wait(90)), refer=Refer(notify=notify))


def call_of(stage, verb, words, **parts):
    options = {"agents": {"other": lambda: Agent(instructions="Other.")}} if "update_agent" in verb else {}
    model = [GREETING, [words, Tool("go")], "Hello."]
    network = PhoneNetwork({"+15550100100": FarEnd(rings=1.0)})
    return stage(FLOW.replace("ACT", verb), model=model, calls_in=calls_in(), phone=network, options=options, **parts)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
async def test_what_is_being_said_is_heard_first(stage, ended, verb):
    call = call_of(stage, verb, WORDS)
    await call.play()
    assert call.heard.splitlines()[:2] == [GREETING, WORDS]


@pytest.mark.parametrize("verb", ["transfer", "consult", "hold", "stand_by", "update_agent"])
async def test_it_waits_no_longer_than_that(stage, verb):
    call = call_of(stage, VERBS[verb], LONG)
    record = await call.play()
    said = call.far_end.heard[1]
    assert LONG.startswith(said.text)
    assert SAID_WITHIN - 2 < said.end - said.start < SAID_WITHIN + 2
    assert any("was cut after 20 s" in note for note in record.notes)


async def test_the_ringing_is_not_shorter_for_it(stage, ended):
    words = "I am putting you through " + "to somebody who knows " * 8 + "it"  # takes 10 s
    call = stage(
        FLOW.replace("ACT", '{transfer: {to: "+15550100200", ringing_timeout: 6s}}'),
        model=[GREETING, [words, Tool("go")]],
        calls_in=FarEnd(acts=(Hear(), Say("sales please"), Wait(90)), refer=Refer(notify=None)),
    )
    await call.play()
    results = [getattr(step.event, "result", None) or {} for step in call.steps]
    [failed] = [result for result in results if result.get("result") == "failed"]
    assert call.heard.splitlines()[1] == words
    assert failed["cause"] == "ringing_timeout"
    assert failed["elapsed"] == pytest.approx(6.0, abs=2.6)
    ended(call)
