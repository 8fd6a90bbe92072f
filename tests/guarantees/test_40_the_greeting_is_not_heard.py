"""Row 40: the greeting is not heard: it is spoken before the caller has subscribed to the agent's track
(livekit/livekit#4378, livekit/sip#339).

A flow's speech begins when it can be heard; where nobody ever subscribes, the wait is bounded by the speech's own time
limit. (How late a subscription comes is the real server's; here it is delayed by hand.)
"""

from __future__ import annotations

import pytest

from callflow.testing import Tool
from callflow.testing.play import silent, talks
from callflow.testing.room import SimulatedRoom
from tests.guarantees.conftest import FRONT_DESK, GOODBYE, GREETING

SAYS = FRONT_DESK.replace("generate_reply: {instructions: Greet the caller and help.}", f'say: "{GREETING}"')


@pytest.fixture
def subscribes(monkeypatch, server):
    """The caller's subscription comes so much later; None: never."""

    def late(seconds):
        listen = SimulatedRoom._listen
        if seconds is None:
            monkeypatch.setattr(SimulatedRoom, "_listen", lambda room: None)
        else:
            monkeypatch.setattr(SimulatedRoom, "_listen", lambda room: server.loop.call_later(seconds, listen, room))

    return late


@pytest.mark.parametrize("seconds", [0.5, 3.0, 10.0])
async def test_a_flow_greets_once_it_is_heard(stage, ended, subscribes, seconds):
    subscribes(seconds)
    call = stage(SAYS, model=[Tool("end_call")], caller=talks("that is all"))
    record = await call.play()
    assert record.outcome == "completed"
    assert call.heard == f"{GREETING}\n{GOODBYE}"
    assert call.far_end.heard[0].start - call.far_end.joined == pytest.approx(seconds, abs=1)
    ended(call)


async def test_a_flow_does_not_wait_for_ever(stage, ended, subscribes):
    subscribes(None)
    call = stage(SAYS, caller=silent)
    record = await call.play()
    assert call.trace == ["talking", "ending", "closed"]
    assert record.outcome == "failed"
    assert call.heard == ""
    assert record.seconds < 85
    ended(call)
