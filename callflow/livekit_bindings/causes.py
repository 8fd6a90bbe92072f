"""Who ended the line, and why: one table for every `DisconnectReason` of LiveKit.

`by` is one of BY. What the flow itself did beats this table: a room that the flow deleted was hung up by the agent,
whatever reason LiveKit gives (the reasons of a deleted room are a race). A telephone's leg is told by more than its
reason: CLIENT_INITIATED stands there for nearly everything that ends one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from livekit import rtc

from callflow.livekit_bindings.legs import Leg

BY = ("caller", "agent", "operator", "network", "server", "unknown")
"""Who hung up. `operator`: somebody at LiveKit's API, who removed the participant or deleted the room."""

_Reason = rtc.DisconnectReason


class DisconnectCause(NamedTuple):
    by: str
    cause: str


CAUSES: Mapping[int, DisconnectCause] = {
    _Reason.UNKNOWN_REASON: DisconnectCause("unknown", "vanished"),
    _Reason.CLIENT_INITIATED: DisconnectCause("caller", "hung_up"),
    _Reason.DUPLICATE_IDENTITY: DisconnectCause("caller", "replaced"),
    _Reason.SERVER_SHUTDOWN: DisconnectCause("server", "server_shutdown"),
    _Reason.PARTICIPANT_REMOVED: DisconnectCause("operator", "removed"),
    _Reason.ROOM_DELETED: DisconnectCause("operator", "room_deleted"),
    _Reason.STATE_MISMATCH: DisconnectCause("network", "state_mismatch"),
    _Reason.JOIN_FAILURE: DisconnectCause("network", "join_failure"),
    _Reason.MIGRATION: DisconnectCause("server", "migration"),
    _Reason.SIGNAL_CLOSE: DisconnectCause("network", "signal_closed"),
    _Reason.ROOM_CLOSED: DisconnectCause("server", "room_closed"),
    _Reason.USER_UNAVAILABLE: DisconnectCause("caller", "unavailable"),
    _Reason.USER_REJECTED: DisconnectCause("caller", "rejected"),
    _Reason.SIP_TRUNK_FAILURE: DisconnectCause("network", "trunk_failure"),
    _Reason.CONNECTION_TIMEOUT: DisconnectCause("network", "connection_timeout"),
    _Reason.MEDIA_FAILURE: DisconnectCause("network", "media_failure"),
    _Reason.AGENT_ERROR: DisconnectCause("agent", "agent_error"),
}


OUT_OF_SIGHT = frozenset(reason for reason, cause in CAUSES.items() if cause.by in ("network", "server", "unknown")) - {
    _Reason.ROOM_CLOSED,
    _Reason.SIP_TRUNK_FAILURE,
}
"""Reasons of a connection that has broken: LiveKit sees nothing of it any more, and whoever was on it may come back."""


def breaks(reason: int | None) -> bool:
    """Whether a connection has broken rather than ended."""
    return (reason or _Reason.UNKNOWN_REASON) in OUT_OF_SIGHT


def reason_name(reason: int | None) -> str:
    """LiveKit's own name of a reason; None, which is how UNKNOWN_REASON reaches Python, is "UNKNOWN_REASON"."""
    try:
        return str(_Reason.Name(cast(Any, reason or _Reason.UNKNOWN_REASON)))
    except ValueError:  # a newer server
        return f"REASON_{reason}"


def cause_of(reason: int | None) -> DisconnectCause:
    """Who ended it and why, as far as the reason alone tells."""
    return CAUSES.get(reason or _Reason.UNKNOWN_REASON, DisconnectCause("unknown", reason_name(reason).lower()))


NO_AUDIO = 14.5
"""Seconds after which a bridge hangs up for want of the far end's audio: 30.0 s where none ever came, 15.0 s after it
stopped."""


def cause_of_leg(leg: Leg, now: float) -> DisconnectCause:
    """Who ended this leg and why, by what was asked of it, its last `sip.callStatus` and the time.

    `hangup` is set for a far end's BYE, the bridge's own limit and a finished transfer, and never for a leg that was
    removed, that lost its audio, or whose bridge has died.
    """
    if leg.asked == "leave":
        return DisconnectCause("agent", "hung_up")
    if not leg.is_telephone or leg.reason not in (None, 0, _Reason.CLIENT_INITIATED):
        return cause_of(leg.reason)
    if leg.sip_status == "hangup":
        if leg.asked == "transfer":
            return DisconnectCause("agent", "transferred")
        if leg.limit is not None and now - leg.since >= leg.limit:
            return DisconnectCause("agent", "max_call_duration")
        return DisconnectCause("caller", "hung_up")
    if not leg.reason:
        return cause_of(leg.reason)
    if leg.answered_at is not None and now - leg.answered_at >= NO_AUDIO:
        return DisconnectCause("network", "no_audio")
    return cause_of(leg.reason)
