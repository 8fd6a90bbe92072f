"""The scenarios of the shipped flows: each comes out as it says. What they cover is in tests/coverage."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflow.scenario import load, play

FLOWS = Path(__file__).parents[2] / "flows"
FILES = sorted((FLOWS / "scenarios").glob("*.scenario.yaml"))
SCENARIOS = [pytest.param(one, id=f"{path.name.partition('.')[0]}-{one.name}") for path in FILES for one in load(path)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_comes_out_as_it_says(scenario):
    assert play(scenario).failure is None


def test_every_flow_has_some():
    flows = {path.stem for path in FLOWS.glob("*.yaml")}
    assert {path.name.partition(".")[0] for path in FILES} == flows
