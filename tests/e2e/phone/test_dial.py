"""Calls that agents make: judged at the telephone, and by the record. Each leaves nothing behind."""

from __future__ import annotations

import pytest

from callflow.telephony.network import HangUp, StopRtp, Wait
from tests.e2e.crowd import AT_ONCE
from tests.e2e.phone.calling import calls
from tests.e2e.phone.far_ends import RINGS_FOR_EVER, picks_up, refuses

GOODBYE = "Goodbye, and thank you for your call."
SPOKEN = len(GOODBYE) * 0.05
"""Seconds: what the agent's voice makes of it."""


def assert_said_goodbye(call):
    """Whole, from its first word to its last, and then the line dropped."""
    [greeting, goodbye] = call.heard.sounds(pause=0.8)
    assert goodbye.seconds == pytest.approx(SPOKEN, abs=0.3)
    assert goodbye.hz == pytest.approx(440, abs=10)
    [bye] = call.got("BYE")
    assert 0 < bye.at - goodbye.ended < AT_ONCE
    assert greeting.began > call.answered_at


@pytest.mark.smoke
async def test_the_agent_hangs_up_when_its_goodbye_has_been_heard(line, network):
    out = await calls(line, network, picks_up(rings=1.0))
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=10)
    assert_said_goodbye(call)
    assert (record["outcome"], record["hung_up_by"]) == ("completed", "agent")
    assert out.events() == ["call.ringing", "call.answered", "dial.answered"]


async def test_the_line_drops_before_the_jobs_own_wrap_up(line, network):
    out = await calls(line, network, picks_up(), hook=2.0)
    call = await out.call()
    bye = await call.wait_for("BYE", within=40)
    record = await out.record(within=15)
    assert_said_goodbye(call)
    [began] = out.job.notes("session_end")
    assert bye.at < began["at"] + 0.2
    assert record["outcome"] == "completed"


@pytest.mark.smoke
async def test_the_telephone_hangs_up(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(1.5), HangUp())), given={"stays": True})
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=10)
    assert (record["outcome"], record["hung_up_by"]) == ("hung_up", "caller")
    assert (call.got("BYE"), len(call.sent("BYE"))) == ([], 1)
    assert out.events() == ["call.ringing", "call.answered", "dial.answered", "call.hangup"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (486, "busy"),
        (600, "busy"),
        (603, "declined"),
        (403, "failed"),
        (404, "invalid"),
        (480, "no_answer"),
        (408, "no_answer"),
        (503, "failed"),
        (302, "failed"),
        (401, "failed"),
    ],
)
async def test_a_refusal_is_a_result_of_the_dial(line, network, status, outcome):
    out = await calls(line, network, refuses(status))
    record = await out.record(within=30)
    assert record["outcome"] == outcome
    assert [name for name in out.events() if name != "call.ringing"] == [f"dial.{outcome}"]
    [call] = out.telephone.calls
    assert len(call.got("INVITE")) == 1
    assert call.heard.sounds() == []


async def test_nobody_answers(line, network):
    out = await calls(line, network, RINGS_FOR_EVER)
    call = await out.call()
    record = await out.record(within=30)
    [cancel] = call.got("CANCEL")
    assert cancel.at - call.got("INVITE")[0].at == pytest.approx(5, abs=0.6)
    assert record["outcome"] == "no_answer"
    assert out.events() == ["call.ringing", "dial.no_answer"]


async def test_the_flow_gives_up_while_it_rings(line, network):
    out = await calls(line, network, RINGS_FOR_EVER, flow="impatient")
    call = await out.call()
    record = await out.record(within=30)
    [cancel] = call.got("CANCEL")
    assert cancel.at - call.got("INVITE")[0].at < 2.5
    assert record["outcome"] == "gave_up"
    assert out.events() == ["call.ringing"]


async def test_the_flow_gives_up_at_the_moment_of_the_answer(line, network):
    """The 200 and the CANCEL cross: the telephone, which believes in a call, is hung up on."""
    out = await calls(line, network, picks_up(rings=20, on_cancel=200), flow="impatient")
    call = await out.call()
    record = await out.record(within=30)
    await call.wait_for("BYE", within=2)
    assert record["outcome"] == "gave_up"
    assert call.heard.sounds() == []


async def test_the_telephone_hangs_up_at_once(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(0.01), HangUp())), given={"stays": True})
    await (await out.call()).over(within=40)
    record = await out.record(within=15)
    assert record["outcome"] == "hung_up"
    assert out.events() == ["call.ringing", "call.answered", "dial.answered", "call.hangup"]


async def test_the_telephone_hangs_up_during_the_greeting(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(0.6), HangUp())), given={"stays": True})
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=15)
    assert record["outcome"] == "hung_up"
    assert call.heard.seconds_at(440) < 0.6


async def test_the_telephone_hangs_up_during_the_goodbye(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(3.0), HangUp())))
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=15)
    assert record["outcome"] == "completed"
    assert call.heard.sounds()[-1].seconds < SPOKEN - 0.2


async def test_early_media_and_then_busy(line, network):
    out = await calls(line, network, refuses(486, rings=1.5, progress=183))
    record = await out.record(within=30)
    assert record["outcome"] == "busy"
    assert out.events() == ["call.ringing", "dial.busy"]


async def test_a_telephone_that_never_sends_sound(line, network):
    out = await calls(line, network, picks_up(rtp=False), given={"stays": True})
    call = await out.call()
    bye = await call.wait_for("BYE", within=60)
    assert bye.at - call.answered_at == pytest.approx(30, abs=2)
    record = await out.record(within=15)
    assert record["outcome"] == "hung_up"
    assert record["hung_up_by"] != "agent"


async def test_a_telephone_whose_sound_stops(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(1.0), StopRtp())), given={"stays": True})
    call = await out.call()
    bye = await call.wait_for("BYE", within=60)
    assert bye.at - call.answered_at == pytest.approx(16, abs=2)
    record = await out.record(within=15)
    assert record["outcome"] == "hung_up"


async def test_nobody_answers_the_bye(line, network):
    out = await calls(line, network, picks_up(answers_bye=False))
    call = await out.call()
    await call.wait_for("BYE", within=40)
    record = await out.record(within=10)
    assert_said_goodbye(call)
    assert record["outcome"] == "completed"


async def test_the_telephone_is_shown_what_the_flow_says(line, network):
    out = await calls(line, network, picks_up(acts=(Wait(10.0),)), flow="shows")
    call = await out.call()
    await call.over(within=40)
    record = await out.record(within=10)
    assert (record["outcome"], record["vars"]["hidden"]) == ("completed", True)
    assert dict(call.shown) == {
        "number": "+15550101",
        "name": "Ann Lee",
        "X-Case": "4711",
        "X-From": f"room {line.room}",
    }
    assert call.digits == "12"
