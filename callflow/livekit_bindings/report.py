"""What a session knows of a call that is over: what was said, what the models used, how long the caller waited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from livekit.agents import AgentSession, llm

from callflow.livekit_bindings.plain_data import plain

LATENCIES = {
    "e2e_latency": "total",
    "transcription_delay": "transcription",
    "end_of_turn_delay": "end_of_turn",
    "llm_node_ttft": "llm",
    "tts_node_ttfb": "tts",
}
"""LiveKit's measurements of a turn -> the record's, in seconds."""


def transcript(session: AgentSession[Any]) -> tuple[Mapping[str, Any], ...]:
    """Every message of the user and the agent, in order."""
    return tuple(
        {
            "role": item.role,
            "text": item.text_content or "",
            "time": item.created_at,
            "interrupted": item.interrupted,
        }
        for item in _messages(session)
        if item.role in ("user", "assistant")
    )


def latencies(session: AgentSession[Any]) -> tuple[Mapping[str, Any], ...]:
    """One mapping for each turn that was measured, of whoever's turn it was."""
    turns = []
    for item in _messages(session):
        metrics: Mapping[str, Any] = item.metrics
        measured = {ours: round(metrics[theirs], 4) for theirs, ours in LATENCIES.items() if theirs in metrics}
        if measured:
            turns.append({"role": item.role, "time": item.created_at, **measured})
    return tuple(turns)


def usage(session: AgentSession[Any]) -> Mapping[str, Any]:
    """What each model used: `provider/model` -> LiveKit's figures that are not zero."""
    used = {}
    for model in session.usage.model_usage:
        figures = plain(model)
        name = "/".join(part for part in (figures.pop("provider", ""), figures.pop("model", "")) if part)
        used[name or "unknown"] = {key: value for key, value in figures.items() if value}
    return used


def _messages(session: AgentSession[Any]) -> Iterator[llm.ChatMessage]:
    for item in session.history.items:
        if isinstance(item, llm.ChatMessage):
            yield item
