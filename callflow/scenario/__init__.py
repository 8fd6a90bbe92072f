"""Scenarios: what the world does in a call and what is expected then, as data, played on the pure core in virtual time."""

from __future__ import annotations

from callflow.scenario.call import Impossible
from callflow.scenario.model import Scenario, Step
from callflow.scenario.playing import Failure, Result, play
from callflow.scenario.reading import Flows, ScenarioFileError, load, read, reads
from callflow.scenario.telling import in_words, story, tell, tell_steps
from callflow.scenario.way import Row, way
from callflow.scenario.writing import from_inputs, write

__all__ = [
    "Failure",
    "Flows",
    "Impossible",
    "Result",
    "Row",
    "Scenario",
    "ScenarioFileError",
    "Step",
    "from_inputs",
    "in_words",
    "load",
    "play",
    "read",
    "reads",
    "story",
    "tell",
    "tell_steps",
    "way",
    "write",
]
