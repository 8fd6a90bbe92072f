"""Telephones that are picked up by somebody, or something: by hand with LiveKit's own detection, and by flows/voicemail.yaml."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from livekit.agents import AgentSession

from callflow.core.events import Event
from callflow.core.speaking import LETTER
from callflow.telephony.network import FarEnd, Say, Wait
from callflow.testing import ScriptedLLM, SimulatedServer, SpelledSTT, SpelledTTS, Tool
from callflow.testing.play import Stage
from tests.support import raw
from tests.support.phone import NUMBER, outbound

VOICEMAIL = Path(__file__).parents[2] / "flows" / "voicemail.yaml"

HELLO = "Hello Ada, I call for the practice."
MESSAGE = "Hello, this is the practice, with a reminder of your appointment. Please call us back."
WHO_CALLS = "This is the practice, with a reminder of an appointment."

GREETING = (
    "You have reached the voicemail of Ann Miller.",
    "I cannot come to the phone.",
    "Leave a message after the tone.",
)
SCREENS = "Please state your name and why you are calling."


def who(transcript: str) -> str:
    """What a good model makes of what was heard."""
    words = transcript.lower()
    if "leave a message" in words or "voicemail" in words:
        return "machine-vm"
    if "press one" in words or "state your name" in words:
        return "machine-ivr"
    return "human" if "hello" in words else "uncertain"


def picks_up(*sentences: str, after: float = 0.4, pause: float = 0.4, then: Sequence[Any] = ()) -> FarEnd:
    """A telephone that is picked up after 2 s; `after` the answer these sentences are heard there."""
    said = [act for sentence in sentences for act in (Say(sentence), Wait(pause))]
    return FarEnd(2.0, acts=(Wait(after), *said, *then))


def seconds(*sentences: str, pause: float = 0.4) -> float:
    """How long these are said by `picks_up`, to the last word."""
    return sum(len(one) * LETTER for one in sentences) + (len(sentences) - 1) * pause


def model(turns: Sequence[Any] = (HELLO, Tool("end_call")), who: Callable[[str], str] | str = who) -> ScriptedLLM:
    return ScriptedLLM(turns, who=who)


def session(llm: ScriptedLLM) -> AgentSession[Any]:
    return AgentSession(llm=llm, stt=SpelledSTT(), tts=SpelledTTS(), **raw.SPEECH)


def calls_ann(server: SimulatedServer, far: FarEnd, llm: ScriptedLLM | None = None, **parts: Any) -> Stage:
    """A call of flows/voicemail.yaml."""
    os.environ.setdefault("SIP_OUTBOUND_TRUNK_ID", "ST_1")
    flow = VOICEMAIL.read_text(encoding="utf-8")
    variables = {"phone_number": NUMBER, "customer_name": "Ada"}
    return outbound(server, far, flow, session=session(llm or model()), vars=variables, **parts)


def verdicts(stage: Stage) -> list[Mapping[str, Any]]:
    """The payloads of `amd.*`, in order, of a dial's detection and of the action's."""
    found = []
    for step in stage.steps:
        if isinstance(step.event, Event) and step.event.name.startswith("amd."):
            found.append(step.event.data)
        elif "category" in getattr(step.event, "result", ()):
            found.append(step.event.result)  # type: ignore[union-attr]
    return found
