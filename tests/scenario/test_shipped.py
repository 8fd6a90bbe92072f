"""The scenarios of the shipped flows: each comes out as it says, and together they take every row."""

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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_every_row_is_taken(path):
    scenarios = load(path)
    flow = scenarios[0].flow
    moves = [move for one in scenarios for taken in play(one).taken for move in taken.step.moves]
    taken = {number for move in moves for number in move.transitions}
    assert [row.position.place for row in flow.transitions if row.id not in taken and not row.supplied] == []


def test_every_flow_has_some():
    flows = {path.stem for path in FLOWS.glob("*.yaml")}
    assert {path.name.partition(".")[0] for path in FILES} == flows
