"""Who has answered: livekit-agents' own answering machine detection, run by a flow, on virtual time."""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

import callflow
from callflow.livekit_bindings.verbs import detection
from callflow.testing import Caller, ScriptedLLM, SimulatedServer
from callflow.testing.play import Stage, hangs_up, offline_session, silent

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

GREETING = "This is the voicemail of Ann.", "I am not here right now.", "Please leave a message after the tone."


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


def stage(server, flow=SCREENS, *, who="human", model=(), caller=None, telephony=None, **parts):
    session = offline_session(llm=ScriptedLLM(model, who=who))
    return Stage(
        callflow.loads(flow), server, session=session, caller=caller, options={"telephony": telephony or {}}, **parts
    )


def verdicts(call):
    return [step.event for step in call.steps if getattr(step.event, "name", "").startswith("amd.")] + [
        step.event.result
        for step in call.steps
        if getattr(step.event, "result", {}).get("category") and step.event.status == "ok"
    ]


def says(*sentences, after=0.5, pause=0.4):
    async def script(caller):
        await asyncio.sleep(after)
        for sentence in sentences:
            await caller.say(sentence)
            await asyncio.sleep(pause)
        await caller.hear()

    return script


class Phone:
    """Somebody who is dialled: a telephone that is in the room from the dial on, rings, and is answered."""

    def __init__(self, server, caller, *, rings=4.0, joins_after=0.1, result="answered"):
        self.server, self.caller, self.rings, self.joins_after, self.result = server, caller, rings, joins_after, result
        self.telephone = self.talking = self.stage = None

    async def stop(self):
        if self.talking is not None:
            self.talking.cancel()
            await asyncio.wait({self.talking})

    async def dial(self, world, effect):
        await world.started()
        watching = detection.begin(world, effect.arguments["detect_machine"])
        try:
            self.telephone = Caller(
                self.server,
                world.room_name,
                "callflow-far_end-1",
                kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
                attributes={"callflow.leg": "far_end", "sip.callStatus": "ringing"},
            )
            self.stage.far_end = self.telephone
            await asyncio.sleep(self.joins_after)
            self.telephone.join(listens=False)
            await asyncio.sleep(self.rings)
            if self.result != "answered":
                self.telephone.leave(rtc.DisconnectReason.USER_REJECTED)
                return {"result": self.result, "leg": "far_end", "elapsed": self.rings}
            self.telephone.set_attributes({"sip.callStatus": "active"})
            self.telephone.listen()
            self.talking = asyncio.ensure_future(self.caller(self.telephone))
            await asyncio.sleep(0.02)
            watching.answered()
            watching = None
            return {"result": "answered", "leg": "far_end", "elapsed": self.rings}
        finally:
            if watching is not None:
                watching.cancel()


@pytest.fixture(params=["alone", "with the dial"])
async def screened(request, server):
    """A call in which it is found out who has answered, by the action alone or as part of a dial."""

    phones = []

    def make(caller, who="human", **phone):
        if request.param == "alone":
            return stage(server, SCREENS, who=who, caller=caller)
        far = Phone(server, caller, **phone)
        call = stage(server, DIALS, who=who, telephony={"dial": far.dial})
        far.stage = call
        phones.append(far)
        return call

    yield make
    for far in phones:
        await far.stop()


async def test_a_person(screened):
    call = screened(says("Hello?"))
    record = await call.play()
    assert record.outcome == "person"
    assert call.heard == "Hello, this is Ann."
    assert [message["text"] for message in record.transcript][:1] == ["Hello?"]


async def test_a_voicemail_is_spoken_to_once_its_greeting_is_over(screened):
    call = screened(says(*GREETING), "machine-vm")
    record = await call.play()
    assert record.outcome == "voicemail"
    assert call.heard == "Please call Ann back."


async def test_a_greeting_longer_than_the_limit_is_cut_short_by_the_limit(screened):
    call = screened(says(*(["We are very sorry that nobody is here"] * 12)), "machine-vm")
    record = await call.play()
    assert record.outcome == "unknown"


async def test_somebody_who_says_nothing(screened):
    call = screened(silent)
    record = await call.play()
    assert record.outcome == "unknown"
    [verdict] = verdicts(call)


async def test_somebody_who_hangs_up_is_nobody(screened):
    call = screened(hangs_up(after=3))
    record = await call.play()
    assert record.outcome == "hung_up"
    assert verdicts(call) == []


async def test_a_detector_that_fails(screened):
    call = screened(says("Hello?"), RuntimeError("no such model"))
    record = await call.play()
    assert record.outcome == "unknown"
