"""The `session:` block of a flow as an AgentSession: an agent with no Python at all."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import Any

from livekit.agents import AgentSession, inference

from callflow.core.flow import Flow
from callflow.errors import BindError

CLASSES = {"stt": "STT", "llm": "LLM", "tts": "TTS", "vad": "VAD"}
"""The class that a plugin calls its model of this kind, unless `class:` says otherwise."""

TURN_HANDLING: Mapping[str, tuple[str, ...]] = {
    "turn_detection": ("turn_detection",),
    "min_endpointing_delay": ("endpointing", "min_delay"),
    "max_endpointing_delay": ("endpointing", "max_delay"),
    "allow_interruptions": ("interruption", "enabled"),
    "discard_audio_if_uninterruptible": ("interruption", "discard_audio_if_uninterruptible"),
    "min_interruption_duration": ("interruption", "min_duration"),
    "min_interruption_words": ("interruption", "min_words"),
    "false_interruption_timeout": ("interruption", "false_interruption_timeout"),
    "resume_false_interruption": ("interruption", "resume_false_interruption"),
    "preemptive_generation": ("preemptive_generation", "enabled"),
}
"""Options that LiveKit now takes inside `turn_handling`, by the names that they had before."""


def session_of(flow: Flow) -> AgentSession[Any]:
    """A new session with the models and options of the flow's `session:`, echo warm-up off unless it says otherwise.

    Raises BindError with every model that cannot be had.
    """
    options: dict[str, Any] = {"aec_warmup_duration": None}
    turn_handling: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in flow.session.items():
        if name in CLASSES:
            try:
                options[name] = model(name, value)
            except BindError as error:
                wrong += error.problems
        elif name in TURN_HANDLING:
            *outer, key = TURN_HANDLING[name]
            functools.reduce(lambda at, part: at.setdefault(part, {}), outer, turn_handling)[key] = value
        elif not name.startswith("x-"):
            options[name] = value
    if turn_handling:
        options["turn_handling"] = turn_handling
    if wrong:
        raise BindError(wrong)
    try:
        return AgentSession(**options)
    except Exception as error:
        raise BindError([f"the session cannot be made: {error}"]) from error


def problems(flow: Flow) -> list[str]:
    """What is missing of the plugins that the flow's models come from; nothing is made, and nobody is called."""
    wrong: list[str] = []
    for kind, value in flow.session.items():
        if kind in CLASSES and not isinstance(value, str):
            try:
                _class(kind, value)
            except BindError as error:
                wrong += error.problems
    return wrong


def model(kind: str, value: Any) -> Any:
    """One model: a name that LiveKit Inference knows, or a plugin's class with its options. Raises BindError."""
    if isinstance(value, str):
        return inference.VAD(model=value) if kind == "vad" else value  # type: ignore[arg-type]
    options = {name: option for name, option in value.items() if name not in ("plugin", "class")}
    try:
        return _class(kind, value)(**options)
    except BindError:
        raise
    except Exception as error:
        raise BindError([f"{kind}: the model of {value['plugin']} cannot be made: {error}"]) from error


def _class(kind: str, value: Mapping[str, Any]) -> Any:
    plugin, name = value["plugin"], value.get("class", CLASSES[kind])
    try:
        found: Any = importlib.import_module(f"livekit.plugins.{plugin}")
    except ModuleNotFoundError as error:
        package = f"livekit-plugins-{plugin.replace('_', '-')}"
        raise BindError([f"{kind}: the plugin {plugin} is not installed: pip install {package}"]) from error
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise BindError([f"{kind}: livekit.plugins.{plugin} has no {name}"])
    return found
