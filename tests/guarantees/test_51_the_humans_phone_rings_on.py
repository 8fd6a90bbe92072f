"""Row 51: the caller leaves during a warm transfer, and the human's telephone rings on, or is answered into nothing
(livekit/agents-js#2008).

In a flow the human's leg belongs to the `consult`: whoever leaves, or whatever the flow does, it is gone.
"""

from __future__ import annotations

import asyncio
import math

import pytest

from callflow.telephony.network import FarEnd, HangUp, Wait
from tests.livekit_bindings.test_consulting import HUMAN, human_of, results, warm
from tests.support.phone import rings_on
from tests.support.rawphone import raw_phone


async def test_by_itself_the_telephone_rings_on_when_the_caller_has_gone():
    async with raw_phone({"+1": FarEnd(1, hangs_up=5.0), HUMAN: FarEnd(20)}) as raw:
        await raw.dial("+1")
        raw.dial(HUMAN, participant_identity="human")
        await asyncio.sleep(60)
        assert raw.seen() == {"human": "active"}


def leaves(*, after):
    async def caller(one):
        await asyncio.sleep(after)
        one.hang_up()

    return caller


@pytest.mark.parametrize("after", [2.0, 3.0, 5.0, 8.0])
@pytest.mark.parametrize("human", [FarEnd(math.inf), FarEnd(rings=2.0, acts=(Wait(90),))], ids=["rings", "listens"])
async def test_a_flow_drops_the_human_when_the_caller_leaves(server, human, after):
    stage = warm(server, human, caller=leaves(after=after))
    record = await stage.play()
    assert (record.outcome, record.notes) == ("hung_up", ())
    assert not any(rings_on(call) for call in stage.phone.calls)
    assert server.rooms == {}


async def test_a_flow_takes_the_caller_off_hold_when_the_human_leaves(server):
    stage = warm(server, FarEnd(rings=2.0, acts=(Wait(1.0), HangUp())))
    await stage.play()
    assert results(stage) == ["declined"]
    assert stage.far_end.heard_text == "One moment please.\nNobody is free."
    assert not human_of(stage).on_line
