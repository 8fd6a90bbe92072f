"""Row 29: an agent leaves two people talking, and their call drops (livekit/agents#3597).

Leaving without hanging up is an action of its own, `hang_up: {for: agent}`: the agent's session and job end, the room
stays. With telephones it is `stand_by`: the agent's job stays, to drop the line when one of the two has left.
"""

from __future__ import annotations

import asyncio

import pytest

from callflow.telephony.network import FarEnd, PhoneNetwork
from callflow.testing import Caller
from callflow.testing.play import silent

HAND_OVER = """
callflow: 1
name: hand-over
initial: waiting
states:
  waiting:
    entry: [{say: Your colleague is on the way.}]
    on: {room.participant_connected: introducing}
  introducing:
    entry: [{say: "Here is your colleague."}]
    on: {done: leaving}
  leaving:
    must_finish: true
    entry: [{outcome: transferred}, {hang_up: {for: agent}}]
    on: {done: left}
  left: {final: true}
"""


async def test_a_flow_leaves_and_the_two_talk_on(stage, server):
    colleague = Caller(server, "call", "colleague")
    server.loop.call_later(5, colleague.join)
    call = stage(HAND_OVER, caller=silent)
    record = await call.play()
    assert call.trace == ["waiting", "introducing", "leaving", "left"]
    assert (record.outcome, record.forced, record.line_dropped) == ("transferred", (), None)
    assert call.heard == "Your colleague is on the way.\nHere is your colleague."
    assert colleague.heard_text == "Here is your colleague."
    await asyncio.sleep(600)
    assert call.far_end.on_line
    assert colleague.on_line
    assert call.far_end.agents == []
    assert [method for _, method in server.requests if method in ("DeleteRoom", "RemoveParticipant")] == []
    assert call.job.over is not None


STANDS_BY = HAND_OVER.replace("{hang_up: {for: agent}}", "stand_by")


@pytest.mark.parametrize("who", ["caller", "colleague"])
async def test_a_flow_stands_by_two_telephones_and_drops_the_line_for_whoever_stays(stage, server, ended, who):
    """Two telephones would stay in the room for as long as they like: the agent is out of the talk, and notices."""
    network = PhoneNetwork({"+15550100100": FarEnd(rings=5.0)})
    flow = STANDS_BY.replace(
        "entry: [{say: Your colleague is on the way.}]\n    on: {room.participant_connected: introducing}",
        'entry: [{dial: {to: "+15550100100", trunk: ST_1, leg: colleague}}]\n    on: {dial.answered: introducing}',
    )
    call = stage(flow, phone=network, calls_in=FarEnd())
    talked = []

    async def talk():
        await asyncio.sleep(900)
        caller, colleague = call.far_end, call.telephones.legs["colleague"]
        assert (call.job.over, call.call.snapshot.configuration) == (None, ("leaving",))
        await caller.say("shall we")
        await colleague.say("yes")
        await asyncio.sleep(1)
        talked.extend(sound.text for sound in [*colleague.heard_from(caller), *caller.heard_from(colleague)])
        {"caller": caller, "colleague": colleague}[who].hang_up()

    talking = asyncio.ensure_future(talk())
    record = await call.play()
    await talking
    assert talked == ["shall we", "yes"]
    assert (record.outcome, record.notes) == ("transferred", ())
    assert call.far_end.heard_text == "Here is your colleague."  # the agent has said nothing since
    assert record.ended - record.started < 910
    ended(call)
