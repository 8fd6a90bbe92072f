"""The events of an AgentSession as `session.*`: one row for each, LiveKit's event -> the catalogue's payload."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from livekit.agents import llm

from callflow.livekit_bindings.plain_data import plain

Payload = Mapping[str, Any]


def _states(event: Any) -> Payload:
    return {"old_state": event.old_state, "new_state": event.new_state}


def _transcribed(event: Any) -> Payload:
    return {
        "transcript": event.transcript,
        "is_final": event.is_final,
        "language": str(event.language or ""),
        "speaker_id": event.speaker_id or "",
    }


def _item(event: Any) -> Payload:
    item = event.item
    if isinstance(item, llm.ChatMessage):
        return {
            "role": item.role,
            "text": item.text_content or "",
            "interrupted": item.interrupted,
            "item_id": item.id,
        }
    return {"role": str(item.type), "text": "", "interrupted": False, "item_id": str(getattr(item, "id", ""))}


def _speech(event: Any) -> Payload:
    return {"user_initiated": event.user_initiated, "source": event.source, "speech_id": event.speech_handle.id}


def _metrics(event: Any) -> Payload:
    return {"type": str(getattr(event.metrics, "type", "")), "label": str(getattr(event.metrics, "label", ""))}


def _tools_executed(event: Any) -> Payload:
    return {"names": [call.name for call in event.function_calls]}


def _tool_update(event: Any) -> Payload:
    update = event.update
    call = getattr(update, "function_call", None)
    return {"name": call.name if call is not None else "", "update": str(update.type)}


def _error(event: Any) -> Payload:
    error = event.error
    cause = getattr(error, "error", error)
    return {
        "error": str(cause) or type(cause).__name__,
        "source": type(event.source).__name__,
        "recoverable": bool(getattr(error, "recoverable", False)),
    }


def _close(event: Any) -> Payload:
    reason = getattr(event.reason, "value", event.reason)
    error = getattr(event.error, "error", event.error)
    return {"reason": str(reason), "error": str(error) if error is not None else "", "by": "system"}


def _debug(event: Any) -> Payload:
    return {"message": json.dumps(plain(getattr(event, "payload", event)), ensure_ascii=False)}


SESSION_EVENTS: Mapping[str, Callable[[Any], Payload]] = {
    "user_state_changed": _states,
    "agent_state_changed": _states,
    "user_input_transcribed": _transcribed,
    "user_transcription_timeout": lambda _: {},
    "conversation_item_added": _item,
    "agent_false_interruption": lambda event: {"resumed": event.resumed},
    "overlapping_speech": lambda event: {"is_interruption": bool(getattr(event, "is_interruption", False))},
    "function_tools_executed": _tools_executed,
    "metrics_collected": _metrics,
    "session_usage_updated": lambda event: {"usage": plain(event.usage)},
    "speech_created": _speech,
    "tool_execution_updated": _tool_update,
    "error": _error,
    "close": _close,
    "debug_message": _debug,
}
