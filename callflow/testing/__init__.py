"""For the tests of those who write flows: calls of real sessions without a server, a key, a network, or waiting.

>>> async with SimulatedServer() as server:
...     call = Stage(flow, server, model=["Good day.", Tool("end_call")], caller=talks("That is all."))
...     record = await call.play()
>>> record.outcome, call.trace, call.heard
('completed', ['talking', 'ending', 'closed'], 'Good day.\\nGoodbye.')

A `SimulatedServer` has rooms and LiveKit's API, a `SimulatedJob` runs any entrypoint in one of them as a worker would, a
`Caller` talks to it, a `SimulatedPhone` is its telephone network, with the telephones of `callflow.telephony.network`.
`ScriptedLLM`, `SpelledTTS` and `SpelledSTT` are models that need nobody. On a `VirtualTimeLoop` (of
`callflow.testing.virtual_time`) a minute of silence takes a millisecond; everything here runs on an ordinary event loop too, and
then takes its time.

AgentSession, RoomIO, the job's life and the API's client are LiveKit's own, and so are its VAD and its turn detector,
which hear voices only (`models.voice`): a session that is to hear spelled speech or tones takes `vad=None,
turn_handling={"turn_detection": "stt"}`, as `offline_session` does. There is no video and no second server.
"""

from __future__ import annotations

from callflow.testing.audio import Sound
from callflow.testing.caller import Caller
from callflow.testing.fakes import Asked
from callflow.testing.job import SimulatedJob, SimulatedJobContext
from callflow.testing.models import Pause, ScriptedLLM, ToneSTT, ToneTTS, Tool
from callflow.testing.phone import SimulatedPhone, Telephone
from callflow.testing.play import Script, Stage, hangs_up, offline_session, played, silent, talks
from callflow.testing.room import SimulatedRoom
from callflow.testing.server import Fault, SimulatedServer
from callflow.testing.spelling import SpelledSTT, SpelledTTS
from callflow.testing.text import TextCall, text_call

__all__ = [
    "Asked",
    "Caller",
    "Fault",
    "Pause",
    "Script",
    "ScriptedLLM",
    "SimulatedJob",
    "SimulatedJobContext",
    "SimulatedPhone",
    "SimulatedRoom",
    "SimulatedServer",
    "Sound",
    "SpelledSTT",
    "SpelledTTS",
    "Stage",
    "Telephone",
    "TextCall",
    "ToneSTT",
    "ToneTTS",
    "Tool",
    "hangs_up",
    "offline_session",
    "played",
    "silent",
    "talks",
    "text_call",
]
