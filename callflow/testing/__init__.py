"""For the tests of those who write flows: calls of real sessions without a server, a key, a network, or waiting.

A `SimulatedServer` has rooms, a `SimulatedJob` runs an entrypoint in one of them as a worker would, a `Caller` talks to
it; `ScriptedLLM`, `SpelledTTS` and `SpelledSTT` are models that need nobody. On a `VirtualTimeLoop` (of
`callflow.simulate.clock`) a minute of silence takes a millisecond.
"""

from __future__ import annotations

from callflow.testing.audio import Sound
from callflow.testing.caller import Caller
from callflow.testing.job import SimulatedJob, SimulatedJobContext
from callflow.testing.models import Pause, ScriptedLLM, ToneSTT, ToneTTS, Tool
from callflow.testing.room import SimulatedRoom
from callflow.testing.server import Fault, SimulatedServer
from callflow.testing.spelling import SpelledSTT, SpelledTTS

__all__ = [
    "Caller",
    "Fault",
    "Pause",
    "ScriptedLLM",
    "SimulatedJob",
    "SimulatedJobContext",
    "SimulatedRoom",
    "SimulatedServer",
    "Sound",
    "SpelledSTT",
    "SpelledTTS",
    "ToneSTT",
    "ToneTTS",
    "Tool",
]
