"""`transfer`, live in all but the network: what a telephone makes of a REFER, and what the flow hears of it."""

from __future__ import annotations

from typing import Any

import pytest

import callflow
from callflow.livekit_bindings.verbs.transferring import address
from callflow.telephony.network import FarEnd, PhoneNetwork, Refer
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, silent
from callflow.testing.server import Fault
from tests.support.phone import told

DESK = "+15550100100"

FLOW = """
callflow: 1
name: cold
initial: asking
states:
  asking:
    entry: [{say: One moment please.}, {transfer: {to: "+15550100100", ringing_timeout: 10s}}]
    on:
      transfer.completed: {target: ending, do: [{outcome: transferred}]}
      transfer.failed: back
  back:
    entry: [{say: "Nobody is there."}]
    after: {20s: ending}
"""
AGAIN = FLOW.replace(
    "transfer.failed: back",
    'transfer.failed: again\n  again:\n    entry: [{transfer: {to: "+15550100100", ringing_timeout: 30s}}]\n    on:\n      transfer.completed: {target: ending, do: [{outcome: transferred}]}\n      transfer.failed: back',
)


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


RINGS = FarEnd(rings=3.0)


def cold(server, refer: Refer, desk: FarEnd = RINGS, flow: str = FLOW, **parts: Any) -> Stage:
    network = PhoneNetwork({DESK: desk})
    return Stage(callflow.loads(flow), server, phone=network, calls_in=FarEnd(refer=refer, **parts))


def results(stage):
    """What each transfer brought, in order; exactly one each."""
    ends = [getattr(step.event, "result", None) or {} for step in stage.steps]
    return [end for end in ends if end.get("to") == DESK]


def refers(stage):
    return stage.phone.calls[0].got("REFER")


async def test_handed_over(server):
    stage = cold(server, Refer())
    record = await stage.play()
    [end] = results(stage)
    assert (end["result"], end["cause"], end["sip_status_code"]) == ("completed", "transferred", 200)
    assert 4.0 < end["elapsed"] < 5.0
    assert (record.outcome, record.hung_up_by, record.notes) == ("transferred", "agent", ())
    assert stage.trace == ["asking", "ending", "closed"]
    [hangup] = told(stage, "call.hangup")
    assert (hangup["by"], hangup["cause"]) == ("agent", "transferred")


@pytest.mark.parametrize(
    ("refer", "code", "cause", "after"),
    [
        (Refer(status=603), 603, "decline", 0),
        (Refer(status=405), 405, "method_not_allowed", 0),
        (Refer(notify=486, after=2.0), 486, "busy_here", 2),
        (Refer(notify=480, after=2.0), 480, "temporarily_unavailable", 2),
        (Refer(notify=503, after=1.0), 503, "service_unavailable", 1),
        (Refer(status=None), None, "ringing_timeout", 10),
        (Refer(notify=None), None, "ringing_timeout", 10),
        (Refer(notify=200, after=12.0), None, "ringing_timeout", 10),
    ],
    ids=["603", "405", "busy", "unavailable", "503", "no_answer", "never-tells", "tells-too-late"],
)
async def test_not_handed_over_and_back_in_a_live_conversation(server, refer, code, cause, after):
    stage = cold(server, refer)
    record = await stage.play()
    [end] = results(stage)
    assert (end["result"], end["cause"], end["sip_status_code"]) == ("failed", cause, code)
    assert after <= end["elapsed"] < after + 0.6
    assert stage.trace == ["asking", "back", "ending", "closed"]
    assert stage.far_end.heard_text == "One moment please.\nNobody is there."
    assert len(refers(stage)) == 1
    late = "the bridge may say BYE to far_end up to 5 s late: nobody has answered its transfer in time"
    assert record.notes == ((late,) if cause == "ringing_timeout" else ())


@pytest.mark.parametrize(
    "refer",
    [Refer(notify=None, bye_after=2.0), Refer(status=None, bye_after=2.0), Refer(notify=200, after=9, bye_after=2.0)],
    ids=["after-the-202", "before-any-answer", "before-the-notify"],
)
async def test_a_far_end_that_hangs_up_was_not_handed_over(server, refer):
    stage = cold(server, refer)
    record = await stage.play()
    [end] = results(stage)
    assert (end["result"], end["cause"]) == ("failed", "hung_up")
    assert 2.0 <= end["elapsed"] < 2.6
    [hangup] = told(stage, "call.hangup")
    assert (hangup["by"], hangup["cause"]) == ("caller", "hung_up")
    assert record.outcome == "hung_up"


async def test_our_own_deletion_is_no_success(server):
    flow = FLOW.replace(
        "    on:\n      transfer.completed", "    after: {4s: ending}\n    on:\n      transfer.completed", 1
    )
    stage = cold(server, Refer(notify=None), flow=flow)
    record = await stage.play()
    assert results(stage) == []
    assert record.outcome == "none"
    assert not stage.far_end.on_line


async def test_the_next_waits_until_the_last_is_settled(server):
    """The far end answers the first one after 15 s, by a NOTIFY that names no REFER: it would fail the second."""
    stage = cold(server, Refer(notify=486, after=15.0), flow=AGAIN)
    await stage.play()
    first, second = results(stage)
    assert (first["result"], first["cause"]) == ("failed", "ringing_timeout")
    one, two = refers(stage)
    assert two.at - one.at >= 36
    assert stage.trace == ["asking", "again", "back", "ending", "closed"]
    assert second["result"] == "failed"


async def test_a_refusal_is_settled_at_once(server):
    stage = cold(server, Refer(status=603), flow=AGAIN)
    await stage.play()
    one, two = refers(stage)
    assert two.at - one.at < 0.5


async def test_a_transfer_that_was_given_up_and_is_carried_out_after_all(server):
    flow = FLOW.replace(
        "    on:\n      transfer.completed", "    after: {4s: back}\n    on:\n      transfer.completed", 1
    )
    stage = cold(server, Refer(notify=200, after=6.0), flow=flow)
    record = await stage.play()
    assert results(stage) == []
    assert record.notes == ("the transfer of far_end that was given up was carried out after all",)
    [hangup] = told(stage, "call.hangup")
    assert (hangup["by"], hangup["cause"]) == ("agent", "transferred")


async def test_who_is_no_telephone_is_told_so(server):
    stage = Stage(callflow.loads(FLOW), server, caller=silent)
    await stage.play()
    [end] = results(stage)
    assert (end["result"], end["cause"]) == ("failed", "no_telephone")
    assert stage.far_end.heard_text == "One moment please.\nNobody is there."


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault(500), "internal"),
        (Fault(seconds=60.0), "server_silent"),
        (
            Fault(408, code="canceled", message="transaction failed to complete (0 intermediate responses)"),
            "no_response",
        ),
    ],
    ids=["fails", "hangs", "is cancelled at once"],
)
async def test_an_api_that_fails(server, fault, cause):
    server.faults["TransferSIPParticipant"] = [fault]
    stage = cold(server, Refer())
    await stage.play()
    [end] = results(stage)
    assert (end["result"], end["cause"]) == ("failed", cause)
    assert stage.far_end.heard_text == "One moment please.\nNobody is there."


async def test_the_caller_is_not_asked_whether_they_are_there_meanwhile(server):
    flow = FLOW.replace("    on:\n", "    silence: {3s: {do: [{say: Are you there?}]}}\n    on:\n", 1)
    stage = cold(server, Refer(notify=486, after=8.0), flow=flow)
    await stage.play()
    assert stage.far_end.heard_text == "One moment please.\nNobody is there."


async def test_the_time_spent_on_the_last_is_time_of_the_next(server):
    stage = cold(server, Refer(None), flow=AGAIN)
    await stage.play()
    first, second = results(stage)
    assert (first["cause"], second["cause"]) == ("ringing_timeout", "ringing_timeout")
    assert second["elapsed"] == pytest.approx(30.0, abs=0.3)


async def test_a_next_that_livekit_never_answers_ends_all_the_same(server):
    server.faults["TransferSIPParticipant"] = [Fault(), Fault(seconds=200)]
    stage = cold(server, Refer(None), flow=AGAIN)
    await stage.play()
    assert results(stage)[1]["elapsed"] == pytest.approx(32.0, abs=0.5)


async def test_whoever_hangs_up_while_the_next_waits_is_asked_nothing_more(server):
    stage = cold(server, Refer(None), flow=AGAIN, hangs_up=20.0)
    await stage.play()
    assert [one["cause"] for one in results(stage)] == ["ringing_timeout", "hung_up"]
    assert [method for _, method in server.requests].count("TransferSIPParticipant") == 1


async def test_a_time_out_of_the_far_ends_own_is_settled_at_once(server):
    """SIP's 408 is an answer, LiveKit's `deadline_exceeded` is none."""
    stage = cold(server, Refer(notify=408), flow=AGAIN)
    await stage.play()
    assert [one["sip_status_code"] for one in results(stage)] == [408, 408]
    one, two = refers(stage)
    assert two.at - one.at < 2


async def test_the_actions_own_time_is_all_that_it_rings(server):
    stage = cold(server, Refer(None), flow=FLOW.replace("ringing_timeout: 10s", "ringing_timeout: 20s, timeout: 8s"))
    await stage.play()
    [result] = results(stage)
    assert (result["cause"], result["elapsed"] < 8) == ("ringing_timeout", True)


@pytest.mark.parametrize(
    ("to", "asked"),
    [("+15550100100", "tel:+15550100100"), ("desk@pbx.example", "sip:desk@pbx.example"), ("sips:a@b", "sips:a@b")],
)
def test_how_a_refer_names_whom_to_call(to, asked):
    assert address(to) == asked


async def test_headers_and_the_tone_go_with_the_transfer(server):
    arguments = 'ringing_timeout: 10s, headers: {X-Case: 4711, X-From: "{{ call.number }}"}, play_dialtone: true'
    stage = cold(server, Refer(202), flow=FLOW.replace("ringing_timeout: 10s", arguments))
    await stage.play()
    [request] = stage.phone.calls[0].transfers
    assert (request.to, request.ringing_timeout, request.play_dialtone) == (
        f"tel:{DESK}",
        pytest.approx(10, abs=0.1),
        True,
    )
    assert request.headers == {"X-Case": "4711", "X-From": stage.far_end.leg.call.number}


async def test_a_line_break_is_no_header(server):
    flow = FLOW.replace("ringing_timeout: 10s", 'headers: {X-Text: "{{ vars.text }}"}').replace(
        "initial:", 'vars: {text: {type: string, default: "a\\r\\nX-Admin: yes"}}\ninitial:'
    )
    stage = cold(server, Refer(202), flow=flow)
    record = await stage.play()
    assert refers(stage) == []
    [transfer] = [effect for effect in record.effects if effect.verb == "transfer"]
    assert str(transfer.error).startswith("the header X-Text cannot be sent: it takes a text of one line")
    assert stage.trace[:2] == ["asking", "back"]


@pytest.mark.parametrize(("refer", "late"), [(Refer(notify=None), True), (Refer(603), False), (Refer(202, 486), False)])
async def test_a_bye_that_may_be_late_is_in_the_notes(server, refer, late):
    """An answer that comes after its time keeps a real bridge busy for 5 s."""
    stage = cold(server, refer)
    record = await stage.play()
    assert bool([note for note in record.notes if "BYE to far_end up to 5 s late" in note]) == late
    assert record.line == "dropped"
