"""A model on the network, asked from a simulation: through LiveKit's own client, from a server that stands in for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from livekit.agents import APIError, inference, llm

import callflow
from callflow.testing import SimulatedServer
from callflow.testing.outside import THINKS, OutsideLLM
from callflow.testing.play import Stage, offline_session, talks
from tests.support.openai_stand_in import standing_in


def at(address: str) -> Callable[[], llm.LLM]:
    return lambda: inference.LLM("openai/gpt-4.1-mini", base_url=address, api_key="key", api_secret="s" * 32)


async def test_the_call_goes_on_as_if_the_model_had_taken_no_longer_than_it_takes_to_think():
    def says(request):
        time.sleep(0.2)
        return {"end_call": {}} if "That is all." in str(request["messages"]) else "Good day, what can I do for you?"

    with standing_in(says) as (address, asked):
        model = OutsideLLM(at(address))
        async with SimulatedServer() as server:
            flow = callflow.load("flows/smallest.yaml")
            call = Stage(flow, server, caller=talks("That is all."), session=offline_session(llm=model))
            record = await call.play()
        await model.aclose()
    assert call.heard == "Good day, what can I do for you?\nGoodbye."
    assert (record.outcome, call.trace) == ("completed", ["talking", "ending", "closed"])
    assert [tool["function"]["name"] for tool in asked[0]["tools"]] == ["end_call"]
    assert record.seconds == pytest.approx(52 * 0.05 + 2 * THINKS + 3.6, abs=0.5)  # the rest: ends of turns, the drain


async def test_time_stands_still_while_it_is_asked():
    with standing_in(lambda _: "Yes.") as (address, _):
        model = OutsideLLM(at(address))
        loop = asyncio.get_running_loop()
        ticks: list[float] = []
        ticking = asyncio.create_task(_tick(ticks))
        before = loop.time()
        [*chunks] = await model.answer(llm.ChatContext.empty(), [])
        assert loop.time() == before
        assert "".join(chunk.delta.content or "" for chunk in chunks if chunk.delta) == "Yes."
        ticking.cancel()
        await model.aclose()
    assert len(ticks) <= 1


async def _tick(ticks: list[float]) -> None:
    while True:
        await asyncio.sleep(0.01)
        ticks.append(asyncio.get_running_loop().time())


async def test_a_refusal_is_told_once_its_retries_are_over():
    with standing_in(lambda _: 401) as (address, asked):
        model = OutsideLLM(at(address))
        with pytest.raises(APIError):
            await model.answer(llm.ChatContext.empty(), [])
        await model.aclose()
    assert len(asked) == 1


async def test_closing_twice_is_closing_once():
    model = OutsideLLM(at("http://127.0.0.1:9/v1"))
    await model.aclose()
    await model.aclose()


async def test_who_waits_for_an_answer_can_be_stopped():
    with standing_in(lambda _: "Too late.") as (address, _):
        model = OutsideLLM(at(address))
        asking = asyncio.create_task(model.answer(llm.ChatContext.empty(), []))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await model.aclose()
