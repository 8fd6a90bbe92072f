"""`session:`, the models and options of an AgentSession, by the names that livekit-agents 1.8 gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, TEXT, ListOf, Type
from callflow.flowfile.declarations import literal
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar
from callflow.flowfile.part import Part
from callflow.flowfile.report import join, plain_data

MODELS: Final[Mapping[str, str]] = {
    "stt": "Speech to text.",
    "llm": "The language model, or a realtime model.",
    "tts": "Text to speech.",
    "vad": "Voice activity detection.",
}
"""A model's name as LiveKit Inference knows it (`openai/gpt-4o-mini`), or `{plugin: …, class: …, …}` with the options of
the plugin's class."""

OPTIONS: Final[Mapping[str, tuple[Type, str]]] = {
    "turn_detection": (TEXT, "By what a turn ends: stt, vad, realtime_llm, manual."),
    "allow_interruptions": (BOOLEAN, "Whether the caller may interrupt."),
    "discard_audio_if_uninterruptible": (
        BOOLEAN,
        "Whether what is said into speech that cannot be interrupted is lost.",
    ),
    "min_interruption_duration": (DURATION, "How long speech must be to interrupt."),
    "min_interruption_words": (INTEGER, "How many words it takes to interrupt."),
    "min_endpointing_delay": (DURATION, "How long a pause ends a turn, at least."),
    "max_endpointing_delay": (DURATION, "How long a pause ends a turn, at most."),
    "false_interruption_timeout": (DURATION, "How long without words until an interruption counts as false."),
    "resume_false_interruption": (BOOLEAN, "Whether speech goes on after a false interruption."),
    "max_tool_steps": (INTEGER, "How many tool calls one turn may chain."),
    "min_consecutive_speech_delay": (DURATION, "The pause between two speeches."),
    "use_tts_aligned_transcript": (BOOLEAN, "Whether transcripts follow the voice."),
    "tts_text_transforms": (ListOf(TEXT), "What is done to a text before it is spoken."),
    "aec_warmup_duration": (DURATION, "How long echo cancellation warms up."),
    "ivr_detection": (BOOLEAN, "Whether menus at the far end are recognised."),
    "user_away_timeout": (DURATION, "How long a silent caller counts as away."),
    "transcription_timeout": (DURATION, "How long to wait for a transcript."),
    "session_close_transcript_timeout": (DURATION, "How long a close waits for the last transcript."),
    "preemptive_generation": (BOOLEAN, "Whether the model begins before the turn has ended."),
}
"""Options with their types. Durations are written with their unit; the session gets seconds."""


def session(part: Part, node: Node | None) -> dict[str, Any]:
    """The models and options of `session:`, durations in seconds."""
    hint = f"write {{llm: {node.text}}}" if isinstance(node, Scalar) and node.text else ""
    mapping = part.mapping(node, "session", "`session`", hint)
    found: dict[str, Any] = {}
    if mapping is not None:
        part.unknown_keys(mapping, "session", {*MODELS, *OPTIONS}, [*MODELS, *OPTIONS], "`session`")
    for name, (_, value) in mapping.entries.items() if mapping else ():
        path = join("session", name)
        if name in MODELS:
            found[name] = _model(part, value, path, name)
        elif name in OPTIONS:
            found[name] = literal(part, OPTIONS[name][0], value, path, f"`{name}`")
    return found


def _model(part: Part, node: Node, path: str, name: str) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.value
    if isinstance(node, MappingNode):
        if "plugin" not in node.entries:
            part.defect(
                "missing-key",
                f"`{name}` needs a `plugin`",
                node,
                path,
                "write `{plugin: openai, model: …}`, or a model's name",
            )
        else:
            part.text(node.get("plugin"), join(path, "plugin"), "`plugin`")
        return plain_data(node)
    part.wrong_kind(node, path, f"`{name}` takes a model's name, or `{{plugin: …}}` with its options")
    return None
