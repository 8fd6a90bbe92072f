"""The table of a dial's results: every final code of SIP, every reason to leave, every failure of the API."""

from __future__ import annotations

import aiohttp
import pytest
from livekit import api, rtc

from callflow.core.actions import VERBS
from callflow.livekit_bindings.causes import CAUSES
from callflow.livekit_bindings.dial_results import RANG, RESULTS, Evidence, fields, verdict

NAMES = {name.partition(".")[2] for name in VERBS["dial"].results} - {"answered"}
_R = rtc.DisconnectReason

BUSY = {486, 600}
NO_ANSWER = {408, 480, 487}
DECLINED = {433, 603, 607, 608}
INVALID = {404, 410, 414, 416, 484, 485, 604}


def sip(code, phrase="", twirp="failed_precondition"):
    metadata = {"sip_status_code": str(code), "sip_status": phrase}
    return api.SipCallError(twirp, f"sip status {code}", status=412, metadata=metadata)


def server(code, message="", status=500):
    return api.ServerError(code, message, status=status)


@pytest.mark.parametrize("code", range(400, 700))
def test_every_final_code(code):
    wanted = (
        "busy" if code in BUSY
        else "no_answer" if code in NO_ANSWER
        else "declined" if code in DECLINED
        else "invalid" if code in INVALID
        else "busy" if code >= 600 and code != 606
        else "failed"
    )  # fmt: skip
    for error in (sip(code, "Words", twirp) for twirp in ("canceled", "resource_exhausted", "internal", "not_found")):
        for reason in (None, *_R.values()):
            evidence = Evidence(error, left=reason is not None, reason=reason, rang=True)
            told = fields(evidence, "far_end", 1.5)
            assert told["result"] == wanted
            assert (told["sip_status_code"], told["sip_status"]) == (code, "Words")
            assert told["cause"]
            assert str(code) in told["error"]


@pytest.mark.parametrize("code", range(300, 400))
def test_a_redirection_is_not_followed(code):
    assert verdict(Evidence(sip(code)))[:2] == ("failed", "redirected")


REASONS = {_R.USER_UNAVAILABLE: "no_answer", _R.USER_REJECTED: "declined"}


@pytest.mark.parametrize("reason", _R.values())
@pytest.mark.parametrize("error", [None, aiohttp.ServerDisconnectedError(), server("internal"), server("unavailable")])
def test_every_reason_where_the_api_says_nothing(reason, error):
    found = verdict(Evidence(error, left=True, reason=reason))
    assert found.result == REASONS.get(reason, "failed")
    assert found.result in NAMES
    if error is None:
        known = {_R.USER_UNAVAILABLE, _R.USER_REJECTED}
        assert reason in known or found.cause == CAUSES[reason].cause


CODES = {name: value for name, value in vars(api.TwirpErrorCode).items() if name.isupper()}
BY_CODE = {"canceled": "no_answer", "invalid_argument": "invalid"}


@pytest.mark.parametrize("code", CODES.values())
@pytest.mark.parametrize("rang", [False, True])
def test_every_code_of_the_api(code, rang):
    found = verdict(Evidence(server(code), rang=rang))
    rung = {"deadline_exceeded": "no_answer"} if rang else {}
    assert found.result == {**BY_CODE, **rung}.get(code, "failed")
    assert ("API", code) in RESULTS
    assert found.cause != "canceled"


@pytest.mark.parametrize("code", [*CODES.values(), "a code of next year"])
@pytest.mark.parametrize("reason", [None, *_R.values()])
@pytest.mark.parametrize("rang", [False, True])
def test_whatever_comes_together_there_is_a_result(code, reason, rang):
    told = fields(Evidence(server(code, "words"), left=reason is not None, reason=reason, rang=rang), "human", 2.0)
    assert told["result"] in NAMES
    assert (told["leg"], told["elapsed"], told["error"]) == ("human", 2.0, f"words ({code})")


@pytest.mark.parametrize("reason", ["PARTICIPANT_REMOVED", "ROOM_DELETED"])
def test_somebody_elses_removal_is_no_missing_answer(reason):
    evidence = Evidence(server("canceled", "sip request timed out", 408), left=True, reason=_R.Value(reason), rang=True)
    assert verdict(evidence).result == "failed"


@pytest.mark.parametrize(
    ("evidence", "result", "cause"),
    [
        (Evidence(server("canceled"), rang=True), "no_answer", "ringing_timeout"),
        (Evidence(server("canceled")), "no_answer", "no_response"),
        (Evidence(TimeoutError(), rang=True), "no_answer", "ringing_timeout"),
        (Evidence(TimeoutError()), "failed", "server_silent"),
        (Evidence(aiohttp.ServerTimeoutError()), "failed", "server_silent"),
        (Evidence(aiohttp.ClientConnectionError()), "failed", "server_unreachable"),
        (Evidence(ConnectionRefusedError()), "failed", "server_unreachable"),
        (Evidence(ValueError("what is this")), "failed", "ValueError"),
        (Evidence(server("canceled"), ours="limit"), "no_answer", "max_call_duration"),
        (Evidence(ours="cancelled"), "no_answer", "cancelled"),
        (Evidence(ours="out of time", rang=True), "no_answer", "ringing_timeout"),
        (Evidence(ours="never began"), "failed", "server_silent"),
        (Evidence(server("unavailable", "no response from servers", 503)), "failed", "no_sip_server"),
        (
            Evidence(server("invalid_argument", "lookup sip.example.com: no such host", 400)),
            "failed",
            "trunk_unknown_host",
        ),
    ],
)
def test_what_has_no_sip_code(evidence, result, cause):
    assert verdict(evidence)[:2] == (result, cause)


def test_only_where_nothing_was_dialled_it_may_be_dialled_again():
    assert Evidence(server("unavailable", "no response from servers")).nothing_dialled
    assert Evidence(server("unavailable", "cpu exhausted")).nothing_dialled
    for error in (sip(503, "cpu exhausted"), server("unavailable", "busy"), TimeoutError("cpu exhausted"), None):
        assert not Evidence(error).nothing_dialled


def test_the_table_says_what_it_means():
    assert {row.result for row in RESULTS.values()} == NAMES
    for (kind, key), row in RESULTS.items():
        assert row.meaning.endswith(".")
        assert row.cause.isidentifier()
        assert kind != "SIP" or key[1:] == "xx" or 400 <= int(key) < 700
        assert kind != "room" or key in dict(_R.items())
        assert kind != "API" or key.removesuffix(RANG) in CODES.values()
