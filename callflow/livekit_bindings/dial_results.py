"""What became of a dial that was not answered: one table, from what SIP, LiveKit's API and the room say together.

Only a SIP status is to be trusted. No answer, a network that is silent and a call that we gave up ourselves all look
the same to LiveKit's API (`canceled`), and in the room CLIENT_INITIATED stands for nearly everything; so what we did
comes first, then SIP, and what is vague comes last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import aiohttp
from attrs import frozen
from livekit import api, rtc

from callflow.livekit_bindings.causes import cause_of, reason_name
from callflow.livekit_bindings.retries import reason_of

Kind = Literal["ours", "SIP", "message", "API", "client", "room"]
"""Who says it: we ourselves, SIP's final status, a sentence or the code of LiveKit's API, our own HTTP client, the
DisconnectReason of the leg."""


class Verdict(NamedTuple):
    """`result` is what follows `dial.`; `cause` says why, in a word; `meaning` in a sentence."""

    result: Literal["busy", "no_answer", "declined", "invalid", "failed"]
    cause: str
    meaning: str


_R = rtc.DisconnectReason
_C = api.TwirpErrorCode

RANG = ", it rang"
"""Where the room has shown that the far telephone rang, this follows the API's code."""

RESULTS: Mapping[tuple[Kind, str], Verdict] = {
    ("ours", "cancelled"): Verdict("no_answer", "cancelled", "The flow gave it up: `cancel_dial`."),
    ("ours", "room gone"): Verdict("failed", "room_gone", "The agent's room was gone meanwhile."),
    ("ours", "limit"): Verdict("no_answer", "max_call_duration", "Its `max_call_duration` was over while it rang."),
    ("ours", "out of time"): Verdict("no_answer", "ringing_timeout", "It rang for its `ringing_timeout`, and LiveKit gave no result."),
    ("ours", "never began"): Verdict("failed", "server_silent", "LiveKit gave no result, and the leg was never seen."),
    ("SIP", "3xx"): Verdict("failed", "redirected", "The network names another number, which LiveKit does not follow."),
    ("SIP", "4xx"): Verdict("failed", "bad_request", "A refusal that SIP gives no other meaning than 400."),
    ("SIP", "400"): Verdict("failed", "bad_request", "Bad Request."),
    ("SIP", "401"): Verdict("failed", "unauthorized", "Unauthorized: the trunk's credentials."),
    ("SIP", "402"): Verdict("failed", "payment_required", "Payment Required."),
    ("SIP", "403"): Verdict("failed", "forbidden", "Forbidden: as a rule the carrier does not allow this call."),
    ("SIP", "404"): Verdict("invalid", "not_found", "Not Found: there is no such number."),
    ("SIP", "405"): Verdict("failed", "method_not_allowed", "Method Not Allowed."),
    ("SIP", "406"): Verdict("failed", "not_acceptable", "Not Acceptable."),
    ("SIP", "407"): Verdict("failed", "proxy_authentication", "Proxy Authentication Required: the trunk's credentials."),
    ("SIP", "408"): Verdict("no_answer", "request_timeout", "Request Timeout: the network could not reach the telephone in time."),
    ("SIP", "410"): Verdict("invalid", "gone", "Gone: the number is not in use any more."),
    ("SIP", "414"): Verdict("invalid", "uri_too_long", "Request-URI Too Long."),
    ("SIP", "416"): Verdict("invalid", "uri_scheme", "Unsupported URI Scheme."),
    ("SIP", "423"): Verdict("failed", "interval_too_brief", "Interval Too Brief."),
    ("SIP", "433"): Verdict("declined", "anonymity_disallowed", "Anonymity Disallowed: it takes no calls without a number."),
    ("SIP", "480"): Verdict("no_answer", "temporarily_unavailable", "Temporarily Unavailable: switched off, or nobody answered; some carriers say so of a full network or a refusal: see `elapsed`."),
    ("SIP", "481"): Verdict("failed", "no_transaction", "Call/Transaction Does Not Exist."),
    ("SIP", "482"): Verdict("failed", "loop", "Loop Detected."),
    ("SIP", "483"): Verdict("failed", "too_many_hops", "Too Many Hops."),
    ("SIP", "484"): Verdict("invalid", "address_incomplete", "Address Incomplete: the number is too short."),
    ("SIP", "485"): Verdict("invalid", "ambiguous", "Ambiguous: more than one has this number."),
    ("SIP", "486"): Verdict("busy", "busy_here", "Busy Here."),
    ("SIP", "487"): Verdict("no_answer", "request_terminated", "Request Terminated: the network gave up."),
    ("SIP", "488"): Verdict("failed", "not_acceptable_here", "Not Acceptable Here: no codec or encryption in common."),
    ("SIP", "491"): Verdict("failed", "request_pending", "Request Pending."),
    ("SIP", "493"): Verdict("failed", "undecipherable", "Undecipherable."),
    ("SIP", "5xx"): Verdict("failed", "server_error", "A failure that SIP gives no other meaning than 500."),
    ("SIP", "500"): Verdict("failed", "server_error", "Server Internal Error."),
    ("SIP", "501"): Verdict("failed", "not_implemented", "Not Implemented."),
    ("SIP", "502"): Verdict("failed", "bad_gateway", "Bad Gateway."),
    ("SIP", "503"): Verdict("failed", "service_unavailable", "Service Unavailable: the trunk or the carrier, as a rule full."),
    ("SIP", "504"): Verdict("failed", "server_timeout", "Server Time-out."),
    ("SIP", "505"): Verdict("failed", "version_not_supported", "Version Not Supported."),
    ("SIP", "513"): Verdict("failed", "message_too_large", "Message Too Large."),
    ("SIP", "580"): Verdict("failed", "precondition_failure", "Precondition Failure."),
    ("SIP", "6xx"): Verdict("busy", "busy_everywhere", "A refusal that SIP gives no other meaning than 600."),
    ("SIP", "600"): Verdict("busy", "busy_everywhere", "Busy Everywhere."),
    ("SIP", "603"): Verdict("declined", "decline", "Decline."),
    ("SIP", "604"): Verdict("invalid", "does_not_exist_anywhere", "Does Not Exist Anywhere."),
    ("SIP", "606"): Verdict("failed", "not_acceptable", "Not Acceptable."),
    ("SIP", "607"): Verdict("declined", "unwanted", "Unwanted: taken for spam by the person called."),
    ("SIP", "608"): Verdict("declined", "rejected", "Rejected: taken for spam by the network."),
    ("message", "no response from servers"): Verdict("failed", "no_sip_server", "No SIP server of LiveKit's runs. Nothing was dialled; tried again for 2 s."),
    ("message", "cpu exhausted"): Verdict("failed", "sip_server_full", "LiveKit's SIP server is full. Nothing was dialled; tried again for 2 s."),
    ("message", "common audio codec"): Verdict("failed", "no_common_codec", "The far end has no codec in common with LiveKit."),
    ("message", "no such host"): Verdict("failed", "trunk_unknown_host", "The trunk's host has no address."),
    ("message", "lookup"): Verdict("failed", "trunk_unknown_host", "The trunk's host has no address."),
    ("message", "dns"): Verdict("failed", "trunk_unknown_host", "The trunk's host has no address."),
    ("API", _C.CANCELED + RANG): Verdict("no_answer", "ringing_timeout", "Nobody answered within `ringing_timeout`."),
    ("API", _C.CANCELED): Verdict("no_answer", "no_response", "The network gave no answer: nothing rang, nothing was refused."),
    ("API", _C.DEADLINE_EXCEEDED + RANG): Verdict("no_answer", "ringing_timeout", "Nobody answered within `ringing_timeout`."),
    ("API", _C.DEADLINE_EXCEEDED): Verdict("failed", "server_timeout", "LiveKit's server ran out of time."),
    ("API", _C.INVALID_ARGUMENT): Verdict("invalid", "invalid_argument", "LiveKit cannot dial this: no number, a SIP URI."),
    ("API", _C.NOT_FOUND): Verdict("failed", "unknown_trunk", "There is no such trunk."),
    ("API", _C.PERMISSION_DENIED): Verdict("failed", "not_allowed", "The API key may not dial."),
    ("API", _C.UNAUTHENTICATED): Verdict("failed", "not_allowed", "The API key is not known."),
    ("API", _C.FAILED_PRECONDITION): Verdict("failed", "precondition", "The trunk: its credentials (401 and 407 come without a SIP code), or nobody takes its connection."),
    ("API", _C.RESOURCE_EXHAUSTED): Verdict("failed", "quota", "A limit of the LiveKit project's."),
    ("API", _C.ALREADY_EXISTS): Verdict("failed", "already_exists", "LiveKit's server refuses it as a repetition."),
    ("API", _C.ABORTED): Verdict("failed", "aborted", "LiveKit's server gave it up."),
    ("API", _C.UNAVAILABLE): Verdict("failed", "unavailable", "LiveKit's server cannot do it now."),
    ("API", _C.UNIMPLEMENTED): Verdict("failed", "unimplemented", "LiveKit's server has no telephony."),
    ("API", _C.BAD_ROUTE): Verdict("failed", "unimplemented", "LiveKit's server has no telephony."),
    ("API", _C.MALFORMED): Verdict("failed", "malformed", "LiveKit's server does not understand the request."),
    ("API", _C.OUT_OF_RANGE): Verdict("failed", "out_of_range", "LiveKit's server does not take a value of the request."),
    ("API", _C.INTERNAL): Verdict("failed", "internal", "LiveKit's server has failed."),
    ("API", _C.UNKNOWN): Verdict("failed", "unknown", "LiveKit's server has failed, and says no more."),
    ("API", _C.DATA_LOSS): Verdict("failed", "data_loss", "LiveKit's server has failed."),
    ("client", "timeout" + RANG): Verdict("no_answer", "ringing_timeout", "It rang for its time, and LiveKit gave no result."),
    ("client", "timeout"): Verdict("failed", "server_silent", "LiveKit's server gave no result."),
    ("client", "connection"): Verdict("failed", "server_unreachable", "LiveKit's server could not be reached, or hung up on us."),
    ("room", "PARTICIPANT_REMOVED"): Verdict("failed", "removed", "Somebody else removed the leg while it rang."),
    ("room", "ROOM_DELETED"): Verdict("failed", "room_deleted", "The room was deleted while it rang."),
    ("room", "USER_UNAVAILABLE"): Verdict("no_answer", "unavailable", "Nobody answered, or the telephone is off."),
    ("room", "USER_REJECTED"): Verdict("declined", "rejected", "The far end refused; with no SIP code it may have been busy."),
}  # fmt: skip
"""Every cause of a dial's end that has a meaning of its own. A DisconnectReason that is not here says `failed`, and its
cause is that of a hang-up for this reason; a SIP code, that of the first of its hundred, as SIP wants it; a code of the
API, `failed` under its own name."""

OPERATORS = frozenset({_R.PARTICIPANT_REMOVED, _R.ROOM_DELETED})
"""Done to the leg by somebody at LiveKit's API: the dial's own error (`canceled`) is only its consequence."""

VAGUE = frozenset({_C.UNKNOWN, _C.INTERNAL, _C.UNAVAILABLE, _C.DEADLINE_EXCEEDED, _C.DATA_LOSS})
"""Codes of an API that has failed itself: what the room says of the leg is more."""

NOTHING_DIALLED = ("no response from servers", "cpu exhausted")
"""Refusals before anything was dialled: only these may be tried again without a telephone that rings twice."""


@frozen
class Evidence:
    """What is known of a dial that was not answered. `ours`: how we ourselves ended it; `reason`: LiveKit's, of a leg
    that has left; `rang`: the room has shown it ringing."""

    error: BaseException | None = None
    ours: Literal["", "cancelled", "room gone", "limit", "out of time", "never began"] = ""
    left: bool = False
    reason: int | None = None
    rang: bool = False

    @property
    def sip_status_code(self) -> int | None:
        return self.error.sip_status_code if isinstance(self.error, api.SipCallError) else None

    @property
    def sip_status(self) -> str | None:
        return self.error.sip_status if isinstance(self.error, api.SipCallError) else None

    @property
    def nothing_dialled(self) -> bool:
        message = self.error.message if isinstance(self.error, api.ServerError) else ""
        return self.sip_status_code is None and any(text in message for text in NOTHING_DIALLED)


def verdict(evidence: Evidence) -> Verdict:
    """The result, by the first clue that says something, from the one that is to be trusted most."""
    for kind, key in _clues(evidence):
        if (kind, key) in RESULTS:
            return RESULTS[kind, key]
    if evidence.left:
        return Verdict("failed", cause_of(evidence.reason).cause, f"The leg left: {reason_name(evidence.reason)}.")
    code = evidence.error.code if isinstance(evidence.error, api.ServerError) else type(evidence.error).__name__
    return Verdict("failed", code, "A failure of a kind that is not known.")


def fields(evidence: Evidence, leg: str, elapsed: float) -> dict[str, Any]:
    """The payload of the `dial.*` that this is, without the name of the result's family."""
    found, error = verdict(evidence), evidence.error
    return {
        "result": found.result,
        "leg": leg,
        "sip_status_code": evidence.sip_status_code,
        "sip_status": evidence.sip_status,
        "cause": found.cause,
        "elapsed": elapsed,
        "error": None if error is None else reason_of(error),
    }


def _clues(e: Evidence) -> Iterator[tuple[Kind, str]]:
    if e.ours:
        yield "ours", e.ours
    if e.sip_status_code is not None:
        yield "SIP", str(e.sip_status_code)
        yield "SIP", f"{e.sip_status_code // 100}xx"
    if e.left and e.reason in OPERATORS:
        yield "room", reason_name(e.reason)
    rang = RANG if e.rang else ""
    if isinstance(e.error, api.ServerError):
        message = e.error.message.lower()
        yield from (("message", text) for kind, text in RESULTS if kind == "message" and text in message)
        if e.error.code not in VAGUE:
            yield "API", e.error.code + rang
            yield "API", e.error.code
    if e.left:
        yield "room", reason_name(e.reason)
    if isinstance(e.error, api.ServerError):
        yield "API", e.error.code + rang
        yield "API", e.error.code
    elif isinstance(e.error, TimeoutError):
        yield "client", "timeout" + rang
        yield "client", "timeout"
    elif isinstance(e.error, OSError | aiohttp.ClientError):
        yield "client", "connection"
