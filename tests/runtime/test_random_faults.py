"""The flows to copy, each under random faults at random times: every call ends once, closed and recorded, and its journal
replays to the same steps."""

from __future__ import annotations

import asyncio
import json
import random
from functools import cache
from pathlib import Path

import pytest

import callflow
from callflow.core.flow import Flow
from callflow.journal import read_journal, replay
from tests.support.worlds import FakeWorld, a_call, crash, fail, hang, odd, ok, slow_to_stop, swallow

FLOWS = sorted(Path("flows").glob("*.yaml"))
GIVEN = {"phone": "+15551234567", "text": "Ann", "integer": 3, "number": 1.5, "boolean": True, "duration": 5.0}

EVENTS = (
    ("session.user_state_changed", {"old_state": "listening", "new_state": "speaking"}),
    ("session.user_state_changed", {"old_state": "speaking", "new_state": "listening"}),
    ("session.user_input_transcribed", {"transcript": "hello", "is_final": True}),
    ("session.agent_state_changed", {"old_state": "listening", "new_state": "thinking"}),
    ("session.agent_state_changed", {"old_state": "thinking", "new_state": "listening"}),
    ("session.error", {"error": "the model is gone", "source": "llm", "recoverable": False}),
    ("session.close", {"reason": "error", "error": "gone"}),
    ("room.disconnected", {"reason": "ROOM_DELETED"}),
    ("room.participant_connected", {"identity": "x"}),
    ("call.dropped", {"leg": "far_end"}),
    ("call.restored", {"leg": "far_end"}),
    ("call.hangup", {"leg": "far_end", "by": "caller"}),
    ("job.shutdown", {"reason": "somebody"}),
    ("dtmf.1", {"digit": "1"}),
    ("dtmf.pound", {"digit": "#"}),
    ("amd.human", {"category": "human"}),
    ("amd.machine-vm", {"category": "machine-vm"}),
)


@cache
def _load(path: Path) -> Flow:
    return callflow.load(path, check=False)


async def named_result(world, effect):
    """What verbs with result events return: one of them, or nonsense."""
    await asyncio.sleep(world.chance.uniform(0, 5))
    results = {
        "dial": "answered busy no_answer failed",
        "detect_machine": "human machine-vm uncertain",
        "transfer": "completed failed",
    }
    words = results.get(effect.verb, "").split()
    return {"result": world.chance.choice(words)} if words else await ok(world, effect)


ACTS = (ok, ok, ok, named_result, named_result, fail, crash, hang, swallow, slow_to_stop, odd)


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
@pytest.mark.parametrize("block", range(4))
async def test_under_random_faults(path, block, tmp_path):
    for seed in range(block * 12, block * 12 + 12):
        await _one(path, seed, tmp_path)


async def _one(path: Path, seed: int, folder: Path) -> None:
    chance = random.Random(f"{path.name} {seed}")
    flow = _load(path)
    world = FakeWorld(answers=not flow.outbound and chance.random() < 0.9)
    world.chance = chance
    verbs = (
        "say",
        "generate_reply",
        "play",
        "dial",
        "drain",
        "delete_room",
        "aclose",
        "hang_up",
        "stand_by",
        "close",
        "http",
        "python",
        "update_agent",
        "transfer",
        "detect_machine",
        "remove_participant",
        "task",
        "send_data",
        "interrupt",
    )
    world.acts = {verb: chance.choice(ACTS) for verb in verbs}
    world.breaks = {name for name in ("settle", "hurry", "facts") if chance.random() < 0.1}
    world.hangs = {name for name in ("open", "close") if chance.random() < 0.1}
    variables = {name: GIVEN.get(one.type.name, []) for name, one in flow.scopes[""].variables.items() if one.required}
    call = a_call(
        world, flow, id=f"{path.stem}-{seed}", vars=variables, env=dict.fromkeys(flow.env, "ST_1"), folder=folder
    )
    running = asyncio.create_task(call.run())
    steps = call.steps()
    cancelled = await _disturb(chance, call, world, flow, running)
    try:
        record = await asyncio.wait_for(asyncio.shield(running), 8000)
    except asyncio.CancelledError:
        assert cancelled
        record = call.record
    assert record is not None
    assert world.did.count("finish") == 1
    assert world.did[-1] == "finish"
    assert record.outcome in flow.outcomes
    assert record.error is None or "was told to end" in record.error, record.error
    left_on_purpose = any(one.verb in ("hang_up", "stand_by") for one in record.effects)
    if "close" not in world.hangs and not left_on_purpose and record.error is None:
        assert not world.line_up or "line" in call.snapshot.memory.closed
    json.dumps(record.to_json())
    taken = [step async for step in steps]
    journal = read_journal(folder / f"{path.stem}-{seed}.jsonl")
    assert len(journal.lines) == len(taken) == record.steps
    again = replay(flow, journal)
    assert [step.snapshot.configuration for step in again] == [step.snapshot.configuration for step in taken]
    assert again[-1].snapshot.outcome == taken[-1].snapshot.outcome
    world.let_go.set()
    await asyncio.sleep(4)


async def _disturb(chance, call, world, flow, running) -> bool:
    cancelled = False
    tools = sorted(flow.tools)
    for _ in range(chance.randrange(12)):
        await asyncio.sleep(chance.choice((0, 0.1, 1, 5, 20)))
        if running.done():
            break
        what = chance.random()
        if what < 0.1:
            call.job_ends("told", worker=chance.random() < 0.5)
        elif what < 0.15:
            await call.hang_up(chance.choice((None, "Bye.")))
        elif what < 0.2:
            cancelled = True
            running.cancel()
        elif what < 0.5 and tools:
            waiting = asyncio.ensure_future(call.tool_called(chance.choice(tools), {}))
            await asyncio.sleep(0)
            if chance.random() < 0.2:
                waiting.cancel()
        else:
            name, data = chance.choice(EVENTS)
            call.post(name, data)
    return cancelled
