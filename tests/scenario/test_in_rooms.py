"""The scenarios of the shipped flows with real sessions in simulated rooms: the same states, effects, words, outcome, cause as on the
pure core. Those of the docs are held to it in tests/docs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from callflow.scenario import load, play
from callflow.testing.scenario import play_in_rooms
from tests.support.alike import agrees

FLOWS = Path(__file__).parents[2] / "flows"
FILES = sorted((FLOWS / "scenarios").glob("*.scenario.yaml"))
EACH = 1 if os.environ.get("CALLFLOW_ROOMS") else 6
"""Every so many of them; all with CALLFLOW_ROOMS set."""
SHIPPED = [pytest.param(one, id=f"{path.name.partition('.')[0]}-{one.name}") for path in FILES for one in load(path)]


@pytest.mark.parametrize("scenario", SHIPPED[::EACH])
def test_the_scenarios_of_the_shipped_flows(scenario):
    agrees(play(scenario), play_in_rooms(scenario))
