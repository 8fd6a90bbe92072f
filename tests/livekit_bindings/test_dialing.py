"""`dial` and `cancel_dial`, on LiveKit's own client and a simulated server's SIP API: one result for each dial, one
INVITE at most, and nothing that rings on."""

from __future__ import annotations

import asyncio
import math

import aiohttp
import pytest

from callflow.livekit_bindings import vouching
from callflow.telephony.network import FAR_ENDS, FarEnd
from callflow.testing import SimulatedServer
from callflow.testing.server import SECRET, Fault
from tests.support.phone import NUMBER, OUTBOUND, calls, dials, outbound, rings_on, story, told


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


RESULTS = {
    "busy": (FAR_ENDS["busy"], "busy", "busy_here", 486, 0.5),
    "busy everywhere": (FarEnd(1, 600), "busy", "busy_everywhere", 600, 1),
    "early media, then busy": (FAR_ENDS["early_media"], "busy", "busy_here", 486, 3),
    "declined": (FAR_ENDS["declines"], "declined", "decline", 603, 3),
    "no such number": (FAR_ENDS["invalid"], "invalid", "not_found", 404, 0.2),
    "unavailable": (FAR_ENDS["unavailable"], "no_answer", "temporarily_unavailable", 480, 0.5),
    "request timeout": (FarEnd(5, 408), "no_answer", "request_timeout", 408, 5),
    "forbidden": (FarEnd(0.1, 403), "failed", "forbidden", 403, 0.1),
    "a full trunk": (FAR_ENDS["fails"], "failed", "service_unavailable", 503, 0.2),
    "moved": (FarEnd(0.1, 302), "failed", "redirected", 302, 0.1),
    "no credentials": (FarEnd(0.1, 401), "failed", "precondition", None, 0.1),
    "rings for ever": (FAR_ENDS["no_answer"], "no_answer", "ringing_timeout", None, 10),
    "nothing is there": (FAR_ENDS["unreachable"], "no_answer", "no_response", None, 10),
    "connection refused": (FarEnd(reach="refused"), "failed", "precondition", None, 0.06),
    "a trunk without an address": (FarEnd(reach="unknown"), "failed", "trunk_unknown_host", None, 0.03),
    "no codec in common": (FarEnd(1, reach="no_codec"), "failed", "no_common_codec", None, 1),
    "no SIP server": (FAR_ENDS["service_absent"], "failed", "no_sip_server", None, 4.3),
    "a full SIP server": (FAR_ENDS["service_exhausted"], "failed", "sip_server_full", None, 2.1),
    "an API that fails": (FarEnd(service="fails"), "failed", "internal", None, 0),
    "an API that hangs": (FarEnd(service="hangs"), "failed", "server_silent", None, 12),
}


@pytest.mark.parametrize("case", RESULTS)
async def test_a_dial_that_is_not_answered(server, case):
    far, result, cause, code, after = RESULTS[case]
    stage = outbound(server, far)
    record = await stage.play()
    [dial] = dials(stage)
    assert (dial["result"], dial["cause"], dial["sip_status_code"], dial["leg"]) == (result, cause, code, "far_end")
    assert dial["sip_status"] == (far.phrase if code else None)
    assert after <= dial["elapsed"] < after + 0.1
    assert stage.trace == ["dialing", "ending", "closed"]
    assert (record.outcome, record.cause.event, record.notes) == (result, f"dial.{result}", ())
    assert len(calls(stage)) <= 1
    assert not any(rings_on(call) for call in calls(stage))
    assert [name for name in story(stage) if name != "call.ringing"] == [f"dial.{result}"]
    assert server.rooms == {}


async def test_an_answer(server):
    stage = outbound(server, FAR_ENDS["answers"])
    record = await stage.play()
    [call] = calls(stage)
    assert story(stage) == ["call.ringing", "call.answered", "dial.answered"]
    assert call.messages == ["INVITE", "> 100", "> 180", "> 200", "ACK", "BYE", "> 200"]
    assert stage.heard == "Hello there."
    [answered] = told(stage, "call.answered")
    assert (answered["number"], answered["trunk"], answered["kind"]) == (NUMBER, "ST_1", "sip")
    assert answered["identity"].startswith("callflow-far_end-")
    assert answered["attributes"]["callflow.leg"] == "far_end"
    assert (record.hung_up_by, record.participant) == ("agent", answered["identity"])


ALL = OUTBOUND.replace(
    "ringing_timeout: 10s",
    "ringing_timeout: 12500ms, headers: {X-Order: 7}, display_name: Ann, dtmf: 12w#, krisp_enabled: true,"
    ' sip_number: "+15550199300", hide_phone_number: true, play_dialtone: true,'
    " media_encryption: require, max_call_duration: 2m",
)


async def test_everything_that_the_flow_says_is_passed_on(server):
    stage = outbound(server, FAR_ENDS["answers"], ALL)
    await stage.play()
    [call] = calls(stage)
    request = call.request
    assert (request.to, request.trunk, request.room, request.wait) == (NUMBER, "ST_1", "call", True)
    assert (request.ringing_timeout, request.max_call_duration, request.dtmf) == (12.5, 120, "12w#")
    assert (request.headers, request.display_name, request.krisp) == ({"X-Order": "7"}, "Ann", True)
    assert request.media_encryption == "SIP_MEDIA_ENCRYPT_REQUIRE"
    assert (request.trunk_number, request.hide_phone_number, request.play_dialtone) == ("+15550199300", True, True)
    assert (
        vouching.leg_of(SECRET, "call", {"identity": request.identity, "attributes": request.attributes}) == "far_end"
    )
    [dial] = dials(stage)
    assert dial["result"] == "answered"
    assert 6 < dial["elapsed"] < 6.5  # 4 s of ringing, and its keys


RENDERED = """
callflow: 1
name: rendered
vars: {number: {type: phone, default: "+15550199300"}, text: string, case: {type: integer, default: 4711}, vip: {type: boolean, default: true}}
initial: dialing
outcomes: [unsendable]
states:
  dialing:
    entry:
      - dial:
          to: "+15550123456"
          trunk: ST_1
          sip_number: "{{ vars.number }}"
          display_name: "{{ vars.text }}"
          headers: {X-Case: "{{ vars.case }}", X-Vip: "{{ vars.vip }}", X-Text: "says {{ vars.text }}"}
    on:
      dial.answered: talking
      dial.failed: {target: ending, do: [{log: "{{ event.error }}"}, {outcome: unsendable}]}
      dial.*: ending
  talking: {entry: [{say: Hello there.}], on: {done: ending}}
"""


async def test_what_is_rendered_is_sent_as_text(server):
    stage = outbound(server, FAR_ENDS["answers"], RENDERED, vars={"text": "Zoë & Söhne"})
    await stage.play()
    [call] = calls(stage)
    request = call.request
    assert (request.trunk_number, request.display_name) == ("+15550199300", "Zoë & Söhne")
    assert request.headers == {"X-Case": "4711", "X-Vip": "true", "X-Text": "says Zoë & Söhne"}


@pytest.mark.parametrize(
    ("text", "flow", "said"),
    [
        ("a\r\nX-Admin: yes", RENDERED, "display_name cannot be sent: it takes a name of one line"),
        (
            "a\nb",
            RENDERED.replace("display_name:", "x-name:"),
            "the header X-Text cannot be sent: it takes a text of one line",
        ),
        ('Ann" <sip:boss@example.com>', RENDERED, "display_name cannot be sent: it takes a name of one line"),
    ],
)
async def test_nothing_that_is_rendered_adds_to_a_sip_message(server, text, flow, said):
    stage = outbound(server, FAR_ENDS["answers"], flow, vars={"text": text})
    record = await stage.play()
    assert (record.outcome, calls(stage), record.fault) == ("unsendable", [], None)
    [dial] = [effect for effect in record.effects if effect.verb == "dial"]
    assert str(dial.error).startswith(said)


@pytest.mark.parametrize("text", ["1;user=phone", "+1555\r\n", "anonymous"])
@pytest.mark.parametrize("where", ["vars.number", '"+15550123456"'])
async def test_a_number_that_is_rendered_is_one(server, text, where):
    flow = RENDERED.replace(where, '"{{ vars.text }}"' if where.startswith('"') else "vars.text")
    stage = outbound(server, FAR_ENDS["answers"], flow, vars={"text": text})
    record = await stage.play()
    assert (record.outcome, calls(stage), record.fault) == ("unsendable", [], None)
    [why] = [note.data["error"] for step in stage.steps for note in step.notes if note.kind == "failure"]
    assert "takes a phone number" in why


@pytest.mark.parametrize("after", [0.0, 0.001, 0.02, 0.1])
async def test_who_hangs_up_with_the_answer_has_answered(server, after):
    stage = outbound(server, FarEnd(hangs_up=after))
    record = await stage.play()
    assert story(stage) == ["call.ringing", "call.answered", "dial.answered", "call.hangup"]
    assert (record.outcome, record.hung_up_by) == ("hung_up", "caller")
    assert server.rooms == {}


@pytest.mark.parametrize(
    ("far", "by", "cause", "after"),
    [
        (FarEnd(hangs_up=3), "caller", "hung_up", 3),
        (FarEnd(hangs_up=20), "caller", "hung_up", 20),
        (FAR_ENDS["no_sound"], "network", "no_audio", 30),
        (FAR_ENDS["sound_stops"], "network", "no_audio", 20),
        (FAR_ENDS["bridge_dies"], "network", "connection_timeout", 26),
        (FarEnd(hangs_up=3, ghost=True), "caller", "hung_up", 3),
    ],
)
async def test_who_ended_the_call_and_why(server, far, by, cause, after):
    stage = outbound(server, far)
    record = await stage.play()
    [hangup] = told(stage, "call.hangup")
    assert (hangup["by"], hangup["cause"], record.hung_up_by) == (by, cause, by)
    assert len(calls(stage)) == 1
    assert after < record.seconds - 4 < after + 3  # 4 s of ringing


async def test_the_bridges_own_limit_is_ours(server):
    stage = outbound(server, FarEnd(1), OUTBOUND.replace("ringing_timeout", "max_call_duration: 15s, ringing_timeout"))
    record = await stage.play()
    [hangup] = told(stage, "call.hangup")
    assert (hangup["by"], hangup["cause"]) == ("agent", "max_call_duration")
    assert 14.9 < record.seconds < 17.5


async def test_the_bridges_own_limit_while_it_rings(server):
    stage = outbound(
        server, FarEnd(math.inf), OUTBOUND.replace("ringing_timeout", "max_call_duration: 5s, ringing_timeout")
    )
    await stage.play()
    [dial] = dials(stage)
    assert (dial["result"], dial["cause"]) == ("no_answer", "max_call_duration")


# -- giving up

LEAVES = """
callflow: 1
name: leaves
initial: dialing
outcomes: [gave_up]
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_1, ringing_timeout: 30s}}]
    on: {dial.answered: talking, dial.*: ending}
    after: {5s: {target: waiting, do: [{outcome: gave_up}]}}
  waiting:
    entry: [{log: waiting}]
    after: {10s: ending}
  talking: {after: {1m: ending}}
"""


@pytest.mark.parametrize("far", [FarEnd(20), FarEnd(math.inf, on_cancel=200), FarEnd(math.inf, on_cancel=None)])
async def test_leaving_the_state_stops_the_ringing(server, far):
    stage = outbound(server, far, LEAVES)
    record = await stage.play()
    [call] = calls(stage)
    [invite], [cancel] = call.got("INVITE"), call.got("CANCEL")
    assert 4.9 < cancel.at - invite.at < 5.01
    assert stage.trace == ["dialing", "waiting", "ending", "closed"]
    assert story(stage) == ["call.ringing"]
    assert (record.outcome, record.notes) == ("gave_up", ())
    if far.on_cancel == 200:  # it was just picked up
        assert call.messages[-4:] == ["> 200", "ACK", "BYE", "> 200"]


@pytest.mark.parametrize("picked_up", [x / 1000 for x in range(-40, 41, 5)])
async def test_giving_up_crosses_the_answer(server, picked_up):
    """Whatever comes first, the flow is in one state, and the telephone is where the flow is."""
    stage = outbound(server, FarEnd(5 + picked_up), LEAVES)
    await stage.play()
    [call] = calls(stage)
    if "talking" in stage.trace:
        assert story(stage) == ["call.ringing", "call.answered", "dial.answered"]
        assert call.got("BYE")[0].at - call.got("INVITE")[0].at > 60
    else:
        assert "waiting" in stage.trace
        assert "dial.answered" not in story(stage)
        end = (call.got("CANCEL") or call.got("BYE"))[0]
        assert end.at - call.got("INVITE")[0].at < 5.2
    assert server.rooms == {}


AT_ONCE = LEAVES.replace("after: {5s:", "after: {DELAY:")


@pytest.mark.parametrize("delay", ["1ms", "2ms", "3ms", "5ms", "25ms", "30ms", "50ms", "310ms"])
async def test_giving_up_at_once(server, delay):
    stage = outbound(server, FarEnd(3), AT_ONCE.replace("DELAY", delay))
    await stage.play()
    assert not any(rings_on(call) for call in calls(stage))
    assert len(calls(stage)) <= 1
    assert "dial.answered" not in story(stage)
    assert server.rooms == {}


async def test_a_removal_that_fails_is_tried_again(server):
    server.faults["RemoveParticipant"] = [Fault(500), Fault(503, seconds=0.5), Fault(500)]
    stage = outbound(server, FarEnd(20), LEAVES)
    record = await stage.play()
    [call] = calls(stage)
    assert 5 < call.got("CANCEL")[0].at - call.got("INVITE")[0].at < 6
    assert record.notes == ()


CANCELS = OUTBOUND.replace(
    "    on:\n      dial.ans", "    after: {5s: {do: [cancel_dial, {log: cancelled}]}}\n    on:\n      dial.ans"
)


async def test_cancel_dial_ends_the_dial(server):
    stage = outbound(server, FarEnd(20), CANCELS)
    await stage.play()
    [dial] = dials(stage)
    [call] = calls(stage)
    assert (dial["result"], dial["cause"]) == ("no_answer", "cancelled")
    assert call.messages == ["INVITE", "> 100", "> 180", "CANCEL", "> 200", "> 487", "ACK"]
    assert server.rooms == {}


async def test_cancel_dial_leaves_an_answered_call_alone(server):
    flow = OUTBOUND.replace("  talking:\n", "  talking:\n    on: {app.stop: {do: [cancel_dial]}}\n")
    flow = flow.replace("initial:", "events: {app.stop: {}}\ninitial:")
    stage = outbound(server, FarEnd(2, hangs_up=20), flow)
    server.loop.call_later(5, lambda: stage.call.send("app.stop"))
    await stage.play()
    [dial] = dials(stage)
    [call] = calls(stage)
    assert dial["result"] == "answered"
    assert call.sent("BYE")[0].at - call.got("INVITE")[0].at > 20


@pytest.mark.parametrize("at", [0.0, 0.01, 0.02, 0.03, 0.3, 3.99, 4.0, 4.005, 4.01, 4.02, 4.03, 6.0])
async def test_a_call_that_is_cancelled_leaves_nothing_that_rings(server, at):
    stage = outbound(server, FAR_ENDS["answers"])
    server.loop.call_later(at, stage.job.request_shutdown)
    await stage.play()
    await asyncio.sleep(40)
    assert not any(rings_on(call) for call in calls(stage))
    assert server.rooms == {}


# -- the server


LOST: list[asyncio.Future] = []


@pytest.fixture
def cut(monkeypatch):
    """Cuts the connection of the request that dials, so many seconds after it was sent; the call goes on."""

    def arrange(server, seconds, error):
        answer = server.answer

        async def broken(method, body):
            if method != "CreateSIPParticipant":
                return await answer(method, body)
            call = asyncio.ensure_future(answer(method, body))
            LOST.append(call)
            await asyncio.wait({call}, timeout=seconds)
            raise error

        monkeypatch.setattr(type(server), "answer", lambda _, method, body: broken(method, body))

    return arrange


@pytest.fixture
async def lossy(server):
    yield server
    for call in LOST:
        call.cancel()
    if LOST:
        await asyncio.wait(LOST)
    LOST.clear()


@pytest.mark.parametrize("error", [aiohttp.ServerDisconnectedError(), TimeoutError(), ConnectionResetError()])
async def test_a_request_that_is_lost_loses_no_call(lossy, cut, error):
    cut(lossy, 2.0, error)
    stage = outbound(lossy, FAR_ENDS["answers"])
    await stage.play()
    assert story(stage) == ["call.ringing", "call.answered", "dial.answered"]
    assert stage.heard == "Hello there."
    assert len(calls(stage)) == 1


@pytest.mark.parametrize("error", [aiohttp.ServerDisconnectedError(), TimeoutError()])
async def test_a_request_that_is_lost_and_a_refusal_that_only_the_room_tells(lossy, cut, error):
    cut(lossy, 2.0, error)
    stage = outbound(lossy, FAR_ENDS["declines"])
    await stage.play()
    [dial] = dials(stage)
    assert (dial["result"], dial["cause"]) == ("declined", "rejected")
    assert 3 < dial["elapsed"] < 3.1


async def test_a_request_that_is_lost_and_a_telephone_that_rings_on(lossy, cut):
    cut(lossy, 2.0, aiohttp.ServerDisconnectedError())
    stage = outbound(lossy, FarEnd(math.inf, on_cancel=487), OUTBOUND)
    await stage.play()
    [dial] = dials(stage)
    assert dial["result"] == "no_answer"
    assert not any(rings_on(call) for call in calls(stage))


async def test_a_request_that_fails_once_dials_at_most_once(server):
    server.faults["CreateSIPParticipant"] = [Fault(500)]
    stage = outbound(server, FAR_ENDS["answers"])
    await stage.play()
    [dial] = dials(stage)
    assert (dial["result"], dial["cause"]) == ("failed", "internal")
    assert calls(stage) == []


async def test_an_answer_that_the_request_does_not_tell(server):
    server.faults["CreateSIPParticipant"] = [Fault(500, works=True)]
    stage = outbound(server, FAR_ENDS["answers"])
    await stage.play()
    assert story(stage) == ["call.ringing", "call.answered", "dial.answered"]
    assert len(calls(stage)) == 1


async def test_a_server_that_dials_and_hangs_is_asked_to_stop(server):
    """The request never returns, the room tells nothing but that it rings."""
    server.faults["CreateSIPParticipant"] = [Fault(seconds=0.002)]
    stage = outbound(server, FarEnd(math.inf, on_cancel=487))
    await stage.play()
    [dial] = dials(stage)
    assert (dial["result"], dial["cause"]) == ("no_answer", "ringing_timeout")


@pytest.mark.parametrize("first", ["service_absent", "service_exhausted"])
async def test_where_nothing_was_dialled_it_is_tried_again(server, first):
    stage = outbound(server, [FAR_ENDS[first], FAR_ENDS["answers"]])
    await stage.play()
    [dial] = dials(stage)
    assert dial["result"] == "answered"
    assert len([call for call in calls(stage) if call.got("INVITE")]) == 1
    assert stage.heard == "Hello there."


@pytest.fixture
def unsaid(monkeypatch):
    """The room does not say that the telephone is active; the server knows."""
    tell = SimulatedServer.set_attributes

    def set_attributes(self, state, member, attributes):
        if attributes.get("sip.callStatus") == "active":
            for key, value in attributes.items():
                member.info.attributes[key] = value
        else:
            tell(self, state, member, attributes)

    monkeypatch.setattr(SimulatedServer, "set_attributes", set_attributes)


@pytest.mark.parametrize("rings", [0.4, 0.9, 1.5, 6])
async def test_an_answer_that_the_room_does_not_tell(server, unsaid, rings):
    stage = outbound(server, FarEnd(rings))
    await stage.play()
    [dial] = dials(stage)
    assert dial["result"] == "answered"
    assert rings < dial["elapsed"] < rings + 1.5
    assert stage.heard == "Hello there."


# -- several legs

AGAIN = """
callflow: 1
name: again
initial: first
states:
  first:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: talking, dial.*: second}
  second:
    entry: [{dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.answered: talking, dial.*: ending}
  talking:
    entry: [{say: Hello there.}, {dial: {to: "+15550123456", trunk: ST_1}}]
    on: {dial.failed: {do: [{log: "{{ event.error }}"}]}}
    after: {30s: ending}
"""


async def test_a_leg_that_is_on_the_line_is_not_dialled_again(server):
    stage = outbound(server, [FarEnd(0.01, 486, reached=0.01), FAR_ENDS["answers"]], AGAIN)
    await stage.play()
    busy, answered, refused = (
        dials(stage)[0],
        dials(stage)[1],
        [step.event for step in stage.steps if getattr(step.event, "status", "") == "failed"],
    )
    assert (busy["result"], answered["result"]) == ("busy", "answered")
    assert "on the line already" in refused[0].error
    assert len(calls(stage)) == 2
    assert stage.heard == "Hello there."
