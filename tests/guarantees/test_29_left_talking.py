"""Row 29: an agent leaves two people talking, and their call drops (livekit/agents#3597).

Leaving without hanging up is an action of its own, `hang_up: {for: agent}`: the agent's session and job end, the room
stays.
"""

from __future__ import annotations

import asyncio

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
