"""The scenarios of the shipped flows: each comes out as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflow.scenario import load, play

FILES = sorted((Path(__file__).parents[2] / "flows" / "scenarios").glob("*.scenario.yaml"))
SCENARIOS = [pytest.param(one, id=f"{path.name.partition('.')[0]}-{one.name}") for path in FILES for one in load(path)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_comes_out_as_it_says(scenario):
    assert play(scenario).failure is None
