"""Scenarios: what the world does in a call and what is expected then, as data, played on the pure core in virtual time."""

from __future__ import annotations

from callflow.scenario.model import Scenario, Step
from callflow.scenario.playing import Failure, Result, play
from callflow.scenario.reading import SUFFIX, Flows, ScenarioFileError, load, read, reads
from callflow.scenario.telling import story, tell

__all__ = [
    "SUFFIX",
    "Failure",
    "Flows",
    "Result",
    "Scenario",
    "ScenarioFileError",
    "Step",
    "load",
    "play",
    "read",
    "reads",
    "story",
    "tell",
]
