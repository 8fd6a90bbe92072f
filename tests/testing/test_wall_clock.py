"""The wall clock of a simulation: what has a time has the simulation's."""

from __future__ import annotations

import asyncio
import time

import pytest
from livekit.agents import llm

from callflow.testing.clock import wall_clock


async def test_time_and_messages_follow_the_virtual_clock():
    with wall_clock(1_000_000):
        await asyncio.sleep(30)
        conversation = llm.ChatContext.empty()
        conversation.add_message(role="assistant", content="Hello.", created_at=time.time() - 1)
        conversation.add_message(role="user", content="bye")
        conversation.add_message(role="assistant", content="Goodbye.", created_at=time.time() + 1)
        called = llm.FunctionCall(call_id="1", name="end_call", arguments="{}")
    assert [message.text_content for message in conversation.messages()] == ["Hello.", "bye", "Goodbye."]
    assert [item.created_at for item in conversation.items] == [1_000_029, 1_000_030, 1_000_031]
    assert called.created_at == 1_000_030


async def test_the_real_time_is_back_afterwards():
    before = time.time()
    with wall_clock(1_000_000):
        pass
    assert before <= time.time() < before + 5
    message = llm.ChatMessage(role="user", content=["hello"])
    assert message.created_at == pytest.approx(time.time(), abs=5)
