"""A caller played by a model, and a judge: models on the network, which a server stands in for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livekit.agents import inference

import callflow
from callflow.testing import SimulatedServer
from callflow.testing.judging import Verdict, judge
from callflow.testing.outside import OutsideLLM
from callflow.testing.persona import NOBODY_SPEAKS, Impersonated
from callflow.testing.play import Stage, offline_session
from tests.support.openai_stand_in import Says, standing_in

SMALLEST = callflow.load("flows/smallest.yaml")


def model(address: str, name: str) -> OutsideLLM:
    return OutsideLLM(lambda: inference.LLM(name, base_url=address, api_key="key", api_secret="s" * 32))


def last(request: Mapping[str, Any]) -> str:
    return str(request["messages"][-1].get("content"))


async def called(says: Says, *, turns: int = 10):
    with standing_in(says) as (address, asked):
        agent, caller = model(address, "agent"), model(address, "caller")
        async with SimulatedServer() as server:
            persona = Impersonated(caller, "Ann wants to know when you open.", turns=turns)
            call = Stage(SMALLEST, server, caller=persona, session=offline_session(llm=agent))
            record = await call.play()
        await agent.aclose()
        await caller.aclose()
    return call, record, [one for one in asked if one["model"] == "caller"]


async def test_they_hear_say_and_hang_up():
    def says(request):
        if request["model"] == "agent":
            return "We open at nine." if "When" in last(request) else "Good day."
        return {"hang_up": {}} if "nine" in last(request) else "When do you open?"

    call, record, asked = await called(says)
    assert call.heard == "Good day.\nWe open at nine."
    assert (record.outcome, record.hung_up_by) == ("hung_up", "caller")
    assert "Ann wants to know when you open." in asked[0]["messages"][0]["content"]
    assert [(one["role"], one.get("content")) for one in asked[1]["messages"][1:]] == [
        ("user", "Good day."),
        ("assistant", "When do you open?"),
        ("user", "We open at nine."),
    ]
    assert {tool["function"]["name"] for tool in asked[0]["tools"]} == {"hang_up", "say_nothing", "press_keys"}


async def test_who_never_ends_is_ended():
    _, record, asked = await called(lambda request: f"{request['model']} again.", turns=3)
    assert record.hung_up_by == "caller"
    assert len(asked) == 3


async def test_who_hears_nothing_is_asked_whether_they_stay():
    def says(request):
        if request["model"] == "agent":
            return "Good day."
        return {"hang_up": {}} if last(request) == NOBODY_SPEAKS else {"say_nothing": {}}

    call, record, _ = await called(says)
    assert call.heard == "Good day."
    assert record.hung_up_by == "caller"
    assert record.seconds > 60


async def test_a_call_that_the_agent_ends_is_over_for_them():
    def says(request):
        if request["model"] == "agent":
            return {"end_call": {}} if "Goodbye" in last(request) else "Good day."
        return "Goodbye."

    call, record, asked = await called(says)
    assert call.heard == "Good day.\nGoodbye."
    assert record.outcome == "completed"
    assert len(asked) == 1


async def judged(said: str) -> Verdict:
    with standing_in(lambda _: said) as (address, asked):
        judging = model(address, "judge")
        [verdict] = await judge(judging, ["0 s: the caller hears “Good day.”"], ["Is the agent polite?"])
        await judging.aclose()
    assert "Good day." in asked[0]["messages"][-1]["content"]
    return verdict


async def test_a_judge_says_yes_or_no_and_why():
    assert await judged('{"yes": true, "reason": "It says good day."}') == Verdict(
        "Is the agent polite?", True, "It says good day."
    )
    assert await judged('Well: ```json\n{"yes": false, "reason": "It does not."}\n```') == Verdict(
        "Is the agent polite?", False, "It does not."
    )


async def test_what_is_no_answer_is_a_no():
    for said in ("Yes, very.", '{"yes": "true"}', "{", '["yes"]'):
        verdict = await judged(said)
        assert verdict == Verdict("Is the agent polite?", False, f"the judge gave no answer: {said}")
