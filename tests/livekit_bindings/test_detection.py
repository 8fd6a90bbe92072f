"""Who has answered: livekit-agents' own answering machine detection, run by a flow, on virtual time."""

from __future__ import annotations

import pytest
from livekit.agents import Agent, AgentSession

import callflow
from callflow.scenario import reads
from callflow.telephony.network import FarEnd, Wait
from callflow.testing import SimulatedServer, SpelledSTT, SpelledTTS
from callflow.testing.play import Stage
from callflow.testing.scenario import play_in_rooms
from tests.support import raw
from tests.support.phone import calls, outbound
from tests.support.screening import GREETING, calls_ann, model, picks_up, seconds, session, verdicts

SCREENS = """
callflow: 1
name: who
initial: screening
outcomes: [person, unknown]
states:
  screening:
    entry: [{detect_machine: {timeout: 12s}}]
    on: &rows
      amd.human: {target: ending, do: [{say: "Hello, this is Ann."}, {outcome: person}]}
      amd.machine-vm: {target: ending, do: [{say: "Please call Ann back."}, {outcome: voicemail}]}
      amd.machine-*: {target: ending, do: [{outcome: machine}]}
      amd.*: {target: ending, do: [{outcome: unknown}]}
"""

DIALS = """
callflow: 1
name: who
initial: dialing
outcomes: [person, unknown]
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 30s, detect_machine: {timeout: 12s}}}]
    on:
      dial.answered: screening
      dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}
  screening:
    after: {20s: {target: ending, do: [{outcome: timed_out}]}}
    on:
      amd.human: {target: ending, do: [{say: "Hello, this is Ann."}, {outcome: person}]}
      amd.machine-vm: {target: ending, do: [{say: "Please call Ann back."}, {outcome: voicemail}]}
      amd.machine-*: {target: ending, do: [{outcome: machine}]}
      amd.*: {target: ending, do: [{outcome: unknown}]}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


@pytest.fixture(params=["alone", "with the dial"])
def screened(request, server):
    """A call in which it is found out who has answered, by the action alone or as part of a dial."""

    def make(far, who="human", talking=None):
        talking = talking or session(model((), who))
        if request.param == "alone":
            return Stage(callflow.loads(SCREENS), server, calls_in=far, session=talking)
        return outbound(server, far, DIALS, session=talking)

    return make


STAYS = (Wait(30.0),)


async def test_a_person(screened):
    call = screened(picks_up("Hello?", then=STAYS))
    record = await call.play()
    assert (record.outcome, call.heard) == ("person", "Hello, this is Ann.")
    assert record.transcript[0]["text"] == "Hello?"


async def test_a_voicemail_is_spoken_to_once_its_greeting_is_over(screened):
    call = screened(picks_up(*GREETING, then=STAYS), "machine-vm")
    record = await call.play()
    assert (record.outcome, call.heard) == ("voicemail", "Please call Ann back.")
    [verdict] = verdicts(call)
    assert (verdict["reason"], verdict["transcript"], verdict["error"]) == ("llm", " ".join(GREETING), None)


async def test_a_greeting_longer_than_the_limit(screened):
    call = screened(picks_up(*["We are very sorry that nobody is here"] * 12, then=STAYS), "machine-vm")
    record = await call.play()
    assert record.outcome == "unknown"
    [verdict] = verdicts(call)
    assert verdict["reason"] == "detection_timeout"
    assert verdict["transcript"].startswith("We are very sorry")


async def test_somebody_who_says_nothing(screened):
    call = screened(FarEnd(2.0, acts=STAYS))
    record = await call.play()
    assert record.outcome == "unknown"
    assert [verdict["reason"] for verdict in verdicts(call)] == ["no_speech_timeout"]


async def test_somebody_who_hangs_up_is_nobody(screened):
    call = screened(FarEnd(2.0, acts=STAYS, hangs_up=3.0))
    record = await call.play()
    assert record.outcome == "hung_up"
    assert verdicts(call) == []


async def test_a_detector_that_fails(screened):
    call = screened(picks_up("Hello?", then=STAYS), RuntimeError("no such model"))
    record = await call.play()
    assert record.outcome == "unknown"
    [verdict] = verdicts(call)
    assert (verdict["reason"], verdict["transcript"]) == ("error", "Hello?")
    assert verdict["error"] == "RuntimeError: no such model"


async def test_a_detector_that_has_no_model(screened):
    talking = AgentSession(stt=SpelledSTT(), tts=SpelledTTS(), **raw.SPEECH)
    call = screened(picks_up("Hello?", then=STAYS), talking=talking)
    record = await call.play()
    assert record.outcome == "unknown"
    [verdict] = verdicts(call)
    assert "classifier could not be resolved" in verdict["error"]


async def test_the_agent_takes_over_when_it_is_known_who_has_answered_and_knows_what_was_said(server):
    llm = model(["Hello Ada."])
    call = calls_ann(server, picks_up("Hello?", then=STAYS), llm)
    await call.play()
    assert [message.text_content for message in llm.requests[0].messages() if message.role == "user"] == ["Hello?"]


async def test_a_second_detection_takes_the_place_of_the_first(server):
    flow = DIALS.replace(
        "  screening:\n", "  screening:\n    entry: [{wait_for_speech: {}}, {detect_machine: {timeout: 6s}}]\n"
    )
    call = outbound(server, picks_up("One moment", then=STAYS), flow, session=session(model((), "uncertain")))
    record = await call.play()
    assert record.outcome == "unknown"
    assert [verdict["reason"] for verdict in verdicts(call)] == ["detection_timeout"]
    assert record.seconds < 15


class Greets(Agent):
    async def on_enter(self) -> None:
        self.session.say("Good morning, this is Ann.")


@pytest.mark.parametrize(("first", "who"), [(("Hello?",), "human"), (GREETING, "machine-vm")])
async def test_an_agent_greets_nobody_before_it_is_known_who_it_is(server, first, who):
    flow = DIALS.replace('{say: "Hello, this is Ann."}, ', "").replace('{say: "Please call Ann back."}, ', "")
    flow = (
        flow.replace("target: ending, do: [{outcome: person}]", "target: greeted, do: [{outcome: person}]").replace(
            "target: ending, do: [{outcome: voicemail}]", "target: greeted, do: [{outcome: voicemail}]"
        )
        + "  greeted: {after: {5s: ending}}\n"
    )
    far = picks_up(*first, then=STAYS)
    call = outbound(server, far, flow, session=session(model((), who)), agent=Greets(instructions="x"))
    await call.play()
    [active] = [signal.at for signal in calls(call)[0].sent("200") if signal.about == "INVITE"]
    assert call.heard == "Good morning, this is Ann."
    assert call.far_end.heard[0].start > active + 0.4 + seconds(*first)


async def test_a_state_that_is_left_lets_the_agent_speak_at_once(server):
    flow = SCREENS.replace("    on: &rows\n", "    after: {2s: speaking}\n    on: &rows\n") + (
        "  speaking: {entry: [{say: I do not wait.}, {outcome: completed}], on: {done: ending}}\n"
    )
    call = Stage(callflow.loads(flow), server, calls_in=FarEnd(acts=STAYS), session=session(model((), "human")))
    record = await call.play()
    assert (record.outcome, call.heard) == ("completed", "I do not wait.")
    [said] = [effect for effect in record.effects if effect.verb == "say"]
    assert said.seconds < 2
    assert record.seconds < 6


def test_the_agent_takes_over_from_somebody_who_was_away_as_it_came_out_who_it_is():
    flow = callflow.loads(
        DIALS.replace("      amd.*: {target: ending, do: [{outcome: unknown}]}\n", "      amd.*: greeted\n")
        + ("  greeted: {entry: [{generate_reply: Greet Ann.}, {outcome: completed}], on: {done: ending}}\n")
    )
    [scenario], defects = reads(
        """
callflow: 1
flow: x
scenarios:
  a:
    effects: {detect_machine: never, generate_reply: Hello Ann.}
    steps: [{8s: call.dropped}, {18s: call.restored}]
    expect: {outcome: completed, heard: [Hello Ann.]}
""",
        flows=flow,
    )
    assert defects == []
    result = play_in_rooms(scenario)
    assert result.failure is None
    [verdict] = [one.time for one in result.taken if getattr(one.step.event, "name", "") == "amd.uncertain"]
    assert 8 < verdict < 18
