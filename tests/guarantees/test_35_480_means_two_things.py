"""Row 35: 480 means that somebody declined, or that the network is full, as the carrier likes (livekit/sip#468, #481).

A flow is told the code, the words and how long it took, and may try again.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import api

from callflow.telephony.network import FarEnd
from callflow.testing import SimulatedServer
from tests.support.phone import calls, dials, outbound
from tests.support.rawphone import raw_phone

FULL, DECLINED = FarEnd(0.2, 480, "No Circuit Available"), FarEnd(9, 480)

TRIES_AGAIN = """
callflow: 1
name: tries-again
vars: {tries: {type: integer, default: 0}}
initial: dialing
states:
  dialing:
    entry:
      - set: {tries: "{{ vars.tries + 1 }}"}
      - dial: {to: "+15550123456", trunk: ST_1}
    on:
      dial.answered: talking
      dial.no_answer:
        - {when: event.sip_status_code == 480 and event.elapsed < 2s and vars.tries < 3, target: pause}
        - {target: ending, do: [{outcome: no_answer}]}
      dial.*: ending
  pause: {after: {5s: dialing}}
  talking: {after: {10s: ending}}
"""


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


async def test_by_itself_both_are_one_error_and_one_reason():
    seen = []
    for far in (FULL, DECLINED):
        async with raw_phone(far) as phone:
            phone.job.room.on("participant_disconnected", lambda who: seen.append(who.disconnect_reason))
            with pytest.raises(api.SipCallError) as raised:
                await phone.dial()
            assert raised.value.code == "resource_exhausted"
            await asyncio.sleep(1)
    assert len(set(seen)) == 1


async def test_a_full_network_is_tried_again(server):
    stage = outbound(server, [FULL, FULL, FarEnd(2)], TRIES_AGAIN)
    await stage.play()
    results = [(dial["result"], dial.get("sip_status")) for dial in dials(stage)]
    assert results[:2] == [("no_answer", "No Circuit Available")] * 2
    assert results[2][0] == "answered"
    assert len(calls(stage)) == 3


async def test_somebody_who_declines_is_left_in_peace(server):
    stage = outbound(server, [DECLINED, FarEnd(2)], TRIES_AGAIN)
    record = await stage.play()
    assert len(calls(stage)) == 1
    assert record.outcome == "no_answer"
