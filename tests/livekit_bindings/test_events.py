"""LiveKit's events against the catalogue: every one of them, with the payload that the catalogue promises."""

from __future__ import annotations

import typing
from types import SimpleNamespace

import pytest
from livekit import rtc
from livekit.agents import llm
from livekit.agents.metrics import AgentSessionUsage
from livekit.agents.voice import events as voice
from livekit.agents.voice.speech_handle import SpeechHandle
from livekit.rtc import room as rtc_room

from callflow.core.events import EVENTS
from callflow.core.expressions import accepts
from callflow.livekit_bindings.causes import BY, CAUSES, cause_of, reason_name
from callflow.livekit_bindings.room_events import ROOM_EVENTS
from callflow.livekit_bindings.session_events import SESSION_EVENTS

PARTICIPANT = SimpleNamespace(
    identity="ann",
    sid="PA_1",
    kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    name="Ann",
    attributes={"sip.phoneNumber": "+15551234567"},
    disconnect_reason=rtc.DisconnectReason.CLIENT_INITIATED,
    track_publications={},
)
PUBLICATION = SimpleNamespace(sid="TR_1", name="microphone", kind=rtc.TrackKind.KIND_AUDIO)
CALL = llm.FunctionCall(call_id="1", name="look_up", arguments="{}")
OUTPUT = llm.FunctionCallOutput(call_id="1", name="look_up", output="", is_error=False)


def speech():
    return SpeechHandle.create()


SESSION = {
    "user_state_changed": lambda: voice.UserStateChangedEvent(old_state="listening", new_state="speaking"),
    "agent_state_changed": lambda: voice.AgentStateChangedEvent(old_state="idle", new_state="thinking"),
    "user_input_transcribed": lambda: voice.UserInputTranscribedEvent(transcript="hi", is_final=True),
    "user_transcription_timeout": lambda: voice.UserTranscriptionTimeoutEvent(
        speech_duration=1, vad_speech_started_at=2
    ),
    "conversation_item_added": lambda: voice.ConversationItemAddedEvent(
        item=llm.ChatMessage(role="user", content=["hi"])
    ),
    "agent_false_interruption": lambda: voice.AgentFalseInterruptionEvent(resumed=True),
    "overlapping_speech": lambda: SimpleNamespace(is_interruption=True),
    "function_tools_executed": lambda: voice.FunctionToolsExecutedEvent(
        function_calls=[CALL], function_call_outputs=[OUTPUT]
    ),
    "metrics_collected": lambda: SimpleNamespace(metrics=SimpleNamespace(type="llm_metrics", label="scripted")),
    "session_usage_updated": lambda: voice.SessionUsageUpdatedEvent(usage=AgentSessionUsage(model_usage=[])),
    "speech_created": lambda: voice.SpeechCreatedEvent(user_initiated=True, source="say", speech_handle=speech()),
    "tool_execution_updated": lambda: voice.ToolExecutionUpdatedEvent(update=voice.ToolCallStarted(function_call=CALL)),
    "error": lambda: voice.ErrorEvent(
        error=llm.LLMError(timestamp=0, label="x", error=ValueError("no"), recoverable=False), source="x"
    ),
    "close": lambda: voice.CloseEvent(reason=voice.CloseReason.USER_INITIATED),
    "debug_message": lambda: SimpleNamespace(payload={"a": 1}),
}

ROOM = {
    "participant_connected": (PARTICIPANT,),
    "participant_disconnected": (PARTICIPANT,),
    "participant_active": (PARTICIPANT,),
    "participant_metadata_changed": (PARTICIPANT, "old", "new"),
    "participant_name_changed": (PARTICIPANT, "old", "new"),
    "participant_attributes_changed": ({"a": "b"}, PARTICIPANT),
    "participant_permissions_changed": (PARTICIPANT, None),
    "local_track_published": (PUBLICATION, None),
    "local_track_unpublished": (PUBLICATION,),
    "local_track_subscribed": (PUBLICATION,),
    "track_published": (PUBLICATION, PARTICIPANT),
    "track_unpublished": (PUBLICATION, PARTICIPANT),
    "track_subscribed": (None, PUBLICATION, PARTICIPANT),
    "track_unsubscribed": (None, PUBLICATION, PARTICIPANT),
    "track_subscription_failed": (PARTICIPANT, "TR_1", "no"),
    "track_muted": (PARTICIPANT, PUBLICATION),
    "track_unmuted": (PARTICIPANT, PUBLICATION),
    "active_speakers_changed": ([PARTICIPANT],),
    "room_metadata_changed": ("old", "new"),
    "connection_quality_changed": (PARTICIPANT, rtc.ConnectionQuality.QUALITY_GOOD),
    "data_received": (SimpleNamespace(topic="x", data=b"hi", participant=None),),
    "sip_dtmf_received": (SimpleNamespace(code=1, digit="1", participant=PARTICIPANT),),
    "transcription_received": ([SimpleNamespace(text="hi")], PARTICIPANT, None),
    "connection_state_changed": (rtc.ConnectionState.CONN_CONNECTED,),
    "connected": (),
    "disconnected": (rtc.DisconnectReason.ROOM_DELETED,),
    "reconnecting": (),
    "reconnected": (),
    "moved": (),
    "token_refreshed": (),
}


def of(family):
    return {name.partition(".")[2] for name in EVENTS if name.startswith(f"{family}.")}


def test_every_event_of_a_session_has_its_row():
    assert set(SESSION_EVENTS) == set(typing.get_args(voice.EventTypes)) == of("session") == set(SESSION)


def test_every_event_of_a_room_has_its_row():
    livekit = set(typing.get_args(rtc_room.EventTypes))
    new = livekit - of("room")
    assert set(ROOM_EVENTS) == of("room") == set(ROOM)
    # What LiveKit has beyond the language's list: encryption and data tracks, which no call is decided by.
    assert {name for name in new if not name.startswith(("e2ee", "data_track", "participant_encryption"))} <= {
        "local_track_republished",
        "room_updated",
    }


@pytest.mark.parametrize("name", sorted(SESSION))
async def test_a_session_events_payload_is_what_the_catalogue_says(name):
    check(f"session.{name}", SESSION_EVENTS[name](SESSION[name]()))


@pytest.mark.parametrize("name", sorted(ROOM))
def test_a_room_events_payload_is_what_the_catalogue_says(name):
    data = ROOM_EVENTS[name](*ROOM[name])
    check(f"room.{name}", {"room": "x"} if name == "moved" else data)


def check(name, data):
    record = EVENTS[name].record
    assert set(data) == set(record.fields)
    assert accepts(record, data), data


def test_every_reason_for_a_disconnect_has_its_cause():
    assert set(CAUSES) == set(rtc.DisconnectReason.values())
    assert {cause.by for cause in CAUSES.values()} <= set(BY)
    assert reason_name(None) == "UNKNOWN_REASON"
    assert cause_of(None) == cause_of(0)
    assert cause_of(999) == ("unknown", "reason_999")
