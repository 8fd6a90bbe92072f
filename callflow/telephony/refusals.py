"""What LiveKit's SIP API says of a call that did not come about: one table for the final codes, and the other failures.

Codes and metadata are as measured on livekit-server 1.13.5 with livekit-sip 1.9.0; codes that were not dialled there
follow livekit-protocol's own table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from callflow.telephony.network import phrase

# DisconnectReasons, as numbers: this part needs no LiveKit.
CLIENT_INITIATED = 1
DUPLICATE_IDENTITY = 2
PARTICIPANT_REMOVED = 4
ROOM_DELETED = 5
USER_UNAVAILABLE = 11
USER_REJECTED = 12

HTTP: Mapping[str, int] = {
    "aborted": 409,
    "canceled": 408,
    "deadline_exceeded": 408,
    "failed_precondition": 412,
    "internal": 500,
    "invalid_argument": 400,
    "not_found": 404,
    "out_of_range": 400,
    "permission_denied": 403,
    "resource_exhausted": 429,
    "unauthenticated": 401,
    "unavailable": 503,
    "unknown": 500,
}
"""The HTTP status of each Twirp code."""


class BridgeError(Exception):
    """A request to the SIP API has failed: `code` (Twirp's), `status` (HTTP's), `message`, `metadata`."""

    def __init__(self, code: str, message: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.metadata = code, message, dict(metadata or {})
        self.status = HTTP[code]


class Refusal(NamedTuple):
    """What a final code becomes: the error's code, and why the participant leaves."""

    code: str
    reason: int


def _all(codes: str, refusal: Refusal) -> dict[int, Refusal]:
    return {int(code): refusal for code in codes.split()}


REFUSALS: Mapping[int, Refusal] = {
    **_all("400 405 406 411 413 414 415 416 420 421 422 423 484 485 488 489 493", Refusal("invalid_argument", USER_REJECTED)),
    **_all("402 403 433 470 603 607 608", Refusal("permission_denied", USER_REJECTED)),
    **_all("428 436 437 438 494", Refusal("unauthenticated", USER_REJECTED)),
    **_all("401 407 409 412 482 483", Refusal("failed_precondition", USER_REJECTED)),
    **_all("404", Refusal("not_found", USER_UNAVAILABLE)),
    **_all("410 481 604", Refusal("not_found", USER_REJECTED)),
    **_all("408", Refusal("deadline_exceeded", USER_UNAVAILABLE)),
    **_all("480", Refusal("resource_exhausted", USER_UNAVAILABLE)),
    **_all("486 600", Refusal("resource_exhausted", USER_REJECTED)),
    **_all("487 491", Refusal("aborted", USER_REJECTED)),
    **_all("606", Refusal("invalid_argument", USER_REJECTED)),
    **_all("301 302", Refusal("not_found", CLIENT_INITIATED)),
    **_all("300 305 380 505 513", Refusal("invalid_argument", CLIENT_INITIATED)),
    **_all("500 501 502 503", Refusal("failed_precondition", CLIENT_INITIATED)),
    **_all("504", Refusal("deadline_exceeded", CLIENT_INITIATED)),
}  # fmt: skip

WITHOUT_CODE = frozenset({401, 407})
"""Where the trunk has no credentials: the error does not tell the SIP code."""


def refusal_of(code: int) -> Refusal:
    """What becomes of a final code of 300 and more."""
    if code in REFUSALS:
        return REFUSALS[code]
    if 500 <= code < 600:
        return Refusal("failed_precondition", CLIENT_INITIATED)
    return Refusal("invalid_argument", CLIENT_INITIATED if code < 400 else USER_REJECTED)


def refused(code: int, words: str = "") -> BridgeError:
    """The error of a dial or a transfer that got this final code."""
    words = words or phrase(code)
    message = f"sip status {code}: {words}"
    if code in WITHOUT_CODE:
        return BridgeError(refusal_of(code).code, "no credentials for the authentication that the far end asks for")
    metadata = {"sip_status_code": str(code), "sip_status": words, "error_details": message}
    return BridgeError(refusal_of(code).code, message, metadata)


def timed_out() -> BridgeError:
    """Nobody answered in time; also a call that was removed while it rang, and one whose CANCEL crossed the answer."""
    return BridgeError("canceled", "sip request timed out")


def unreached(reach: str) -> BridgeError:
    if reach == "refused":
        return BridgeError("failed_precondition", "connection refused")
    return BridgeError("invalid_argument", "no such host")


def refer_timed_out() -> BridgeError:
    return BridgeError("deadline_exceeded", "transfer timed out")
