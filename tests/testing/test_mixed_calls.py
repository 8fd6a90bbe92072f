"""Many calls of one flow at once, to telephones that do everything: nothing of them is left, neither here nor there."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from attrs import evolve

import callflow
from callflow.telephony.network import FAR_ENDS, PhoneNetwork
from callflow.testing import SimulatedServer, Tool
from callflow.testing.play import Stage, hangs_up, silent, talks

FLOW = Path(__file__).parents[2] / "flows" / "outbound.yaml"
NUMBER = "+15550123456"
WORDS = {
    *("completed", "abandoned", "hung_up", "voicemail", "machine"),
    *("busy", "no_answer", "declined", "invalid", "failed", "line_lost"),
}


def far_end(chance):
    """One of all, with times of its own."""
    name = chance.choice(sorted(FAR_ENDS))
    chosen = FAR_ENDS[name]
    if chance.random() < 0.3:
        chosen = evolve(chosen, rings=chance.uniform(0.0, 35.0))
    if chance.random() < 0.2:
        chosen = evolve(chosen, hangs_up=chance.choice([0.0, 0.02, 0.3, 1.0, 5.0, 20.0]))
    return name, chosen


def caller(chance):
    return chance.choice([talks("Yes.", "Bye."), silent, hangs_up(after=chance.uniform(0.0, 20.0))])


async def one(flow, server, number, chance):
    await asyncio.sleep(chance.uniform(0.0, 60.0))
    name, far = far_end(chance)
    stage = Stage(
        flow,
        server,
        ["Hello, can you come?", "Wonderful.", Tool("end_call")],
        caller(chance),
        phone=PhoneNetwork({NUMBER: far}),
        vars={"phone_number": NUMBER},
        room=f"call-{number}",
    )
    if chance.random() < 0.1:
        server.loop.call_later(chance.uniform(0.0, 30.0), server.delete_room, stage.room)
    await stage.play()
    return name, stage


def ended(call):
    """Whether the telephone knows that the call is over, or can never be told (a dead node, a crossing, nobody there)."""
    finals = [one.message for one in call.signals if one.about == "INVITE" and int(one.message) >= 300]
    return bool(finals or call.got("BYE") or call.sent("BYE") or call.got("CANCEL"))


@pytest.mark.parametrize("seed", range(2))
async def test_a_hundred_calls_at_once(monkeypatch, seed):
    monkeypatch.setenv("SIP_OUTBOUND_TRUNK_ID", "ST_test")
    flow = callflow.load(FLOW)
    chance = random.Random(seed)
    async with SimulatedServer() as server:
        chances = [random.Random(chance.random()) for _ in range(100)]
        calls = await asyncio.gather(*(one(flow, server, n, own) for n, own in enumerate(chances)))
        await asyncio.sleep(60)
        assert server.rooms == {}
        for name, stage in calls:
            assert stage.record is not None
            assert stage.record.outcome in WORDS, (name, stage.record)
            assert stage.job.over is not None
            assert all(leg.over or leg.ended.done() for leg in stage.telephones.bridge.legs.values()), (
                name,
                stage.record,
            )
            invites = [signal for call in stage.telephones.network.calls for signal in call.got("INVITE")]
            assert len(invites) <= 1, (name, stage.record)
            for call in stage.telephones.network.calls:
                assert ended(call) or name in ("bridge_dies", "unreachable"), (name, call.messages, stage.record)
