"""The events of an rtc.Room as `room.*`: one row for each, what LiveKit hands to a handler -> the catalogue's payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from livekit import rtc

from callflow.livekit_bindings.causes import reason_name

Payload = Mapping[str, Any]

KINDS: Mapping[int, str] = {
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD: "standard",
    rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS: "ingress",
    rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS: "egress",
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP: "sip",
    rtc.ParticipantKind.PARTICIPANT_KIND_AGENT: "agent",
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR: "connector",
}


def participant_fields(participant: Any) -> dict[str, Any]:
    return {
        "identity": participant.identity,
        "sid": participant.sid,
        "kind": KINDS.get(participant.kind, f"kind_{participant.kind}"),
        "name": participant.name,
        "attributes": dict(participant.attributes),
    }


def _left(participant: Any) -> Payload:
    return {**participant_fields(participant), "disconnect_reason": reason_name(participant.disconnect_reason)}


def _publication(publication: Any, identity: str = "") -> dict[str, Any]:
    return {
        "identity": identity,
        "track_sid": publication.sid,
        "track_name": publication.name,
        "track_kind": "video" if publication.kind == rtc.TrackKind.KIND_VIDEO else "audio",
    }


def _published(publication: Any, participant: Any) -> Payload:
    return _publication(publication, participant.identity)


def _subscribed(_track: Any, publication: Any, participant: Any) -> Payload:
    return _publication(publication, participant.identity)


def microphone_fields(participant: Any, publication: Any) -> Payload:
    """The payload of `room.track_muted` and `room.track_unmuted`, but for the leg, which is the line's to say."""
    return {**_publication(publication, participant.identity), "leg": "", "muted": _is_muted(participant)}


def _is_muted(participant: Any) -> bool:
    """Whether every microphone of theirs is muted."""
    microphones = [
        one
        for one in participant.track_publications.values()
        if one.kind == rtc.TrackKind.KIND_AUDIO and one.source != rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO
    ]
    return bool(microphones) and all(one.muted for one in microphones)


def _local(publication: Any, *_: Any) -> Payload:
    return _publication(publication)


def _local_subscribed(track: Any) -> Payload:
    if track is None:
        return _NO_TRACK
    kind = "video" if track.kind == rtc.TrackKind.KIND_VIDEO else "audio"
    return {"identity": "", "track_sid": track.sid, "track_name": track.name, "track_kind": kind}


_NO_TRACK: Payload = {"identity": "", "track_sid": "", "track_name": "", "track_kind": ""}


def _data(packet: Any) -> Payload:
    return {
        "topic": packet.topic or "",
        "identity": _identity(packet.participant),
        "text": packet.data.decode("utf-8", errors="replace"),
    }


def _transcription(segments: Any, participant: Any = None, _publication: Any = None) -> Payload:
    return {"identity": _identity(participant), "text": " ".join(segment.text for segment in segments)}


def _identity(participant: Any) -> str:
    return participant.identity if participant is not None else ""


def _quality(participant: Any, quality: Any) -> Payload:
    name = getattr(quality, "name", str(quality))
    return {"identity": _identity(participant), "quality": name.removeprefix("QUALITY_").lower()}


def _state(state: Any) -> Payload:
    return {"state": str(rtc.ConnectionState.Name(state)).removeprefix("CONN_").lower()}


ROOM_EVENTS: Mapping[str, Callable[..., Payload]] = {
    "participant_connected": participant_fields,
    "participant_disconnected": _left,
    "participant_active": participant_fields,
    "participant_metadata_changed": lambda participant, old, new: {
        **participant_fields(participant),
        "old_metadata": old,
        "metadata": new,
    },
    "participant_name_changed": lambda participant, old, _new=None: {
        **participant_fields(participant),
        "old_name": old,
    },
    "participant_attributes_changed": lambda changed, participant: {
        **participant_fields(participant),
        "changed": dict(changed),
    },
    "participant_permissions_changed": lambda participant, _permissions=None: participant_fields(participant),
    "local_track_published": _local,
    "local_track_unpublished": _local,
    "local_track_subscribed": _local_subscribed,
    "track_published": _published,
    "track_unpublished": _published,
    "track_subscribed": _subscribed,
    "track_unsubscribed": _subscribed,
    "track_subscription_failed": lambda participant, sid, error: {
        "identity": participant.identity,
        "track_sid": sid,
        "error": str(error),
    },
    "track_muted": microphone_fields,
    "track_unmuted": microphone_fields,
    "active_speakers_changed": lambda speakers: {"identities": [speaker.identity for speaker in speakers], "legs": []},
    "room_metadata_changed": lambda old, new: {"old_metadata": old, "metadata": new},
    "connection_quality_changed": _quality,
    "data_received": _data,
    "sip_dtmf_received": lambda key: {"identity": _identity(key.participant), "code": key.code, "digit": key.digit},
    "transcription_received": _transcription,
    "connection_state_changed": _state,
    "connected": dict,
    "disconnected": lambda reason=None: {"reason": reason_name(reason)},
    "reconnecting": dict,
    "reconnected": dict,
    "moved": lambda: {"room": ""},
    "token_refreshed": dict,
}
