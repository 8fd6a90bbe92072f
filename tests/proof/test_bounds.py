"""What a proof takes is bounded by its budget, whatever the flow: no step is taken twice, and nothing is left out by that."""

from __future__ import annotations

from pathlib import Path

import pytest

import callflow
from callflow.core.events import Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Snapshot, Step
from callflow.core.step import step
from callflow.proof.begin import first_steps
from callflow.proof.explore import explore
from callflow.proof.prove import prove
from tests.core.oracle.generate import PART, Dice, flow_text
from tests.support.play import HEAD

FLOWS = Path(__file__).parents[2] / "flows"
MOST_MOVES = 300
"""So many things can happen to one node of these flows at most."""


def random_flow(seed: int, folder: Path) -> Flow:
    text, _, part = flow_text(Dice.seeded(seed)).partition(PART)
    (folder / "part.yaml").write_text(part)
    return callflow.loads(text, folder=folder, check=False)


@pytest.mark.parametrize("seed", range(12))
def test_any_flow_is_followed_as_far_as_the_budget_goes(seed: int, tmp_path: Path) -> None:
    flow = random_flow(seed, tmp_path)
    proof = prove(flow, budget=300)
    explored = proof.exploration
    assert explored.steps < 300 + MOST_MOVES
    assert proof.finished or explored.steps >= 300
    assert len(explored.nodes) <= explored.steps + len(first_steps(flow))
    assert all(finding.defect.story for finding in proof.findings)
    again = prove(random_flow(seed, tmp_path), budget=300)
    assert [one.defect for one in again.findings] == [one.defect for one in proof.findings]


def test_a_flow_of_a_thousand_states_ends_with_the_budget() -> None:
    states = "\n".join(
        f"  s{n}: {{entry: [{{say: Hello.}}], on: {{dtmf.1: s{n + 1}, dtmf.2: s{n // 2}}}, after: {{{30 + n % 50}s: s{n + 1}}}}}"
        for n in range(1000)
    )
    flow = callflow.loads(f"{HEAD}initial: s0\nstates:\n{states}\n  s1000: {{after: {{5s: ending}}}}\n", check=False)
    proof = prove(flow, budget=2_000)
    assert not proof.finished
    assert proof.exploration.steps < 2_000 + MOST_MOVES


def test_a_step_is_taken_once_however_often_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[int, Input]] = []

    def counted(flow: Flow, snapshot: Snapshot, event: Input) -> Step:
        taken.append((id(snapshot), event))
        return step(flow, snapshot, event)

    monkeypatch.setattr("callflow.proof.situations.step", counted)
    flow = callflow.load(FLOWS / "hand-over.yaml")
    explored = explore(flow, first_steps(flow))
    assert explored.finished
    assert len({(number, repr(event)) for number, event in taken}) == len(taken) < explored.steps / 1.5
    at_hand = {id(node.situation): node.situation for node in explored.nodes}
    assert len(at_hand) < len(explored.nodes)
    for node in explored.nodes:  # each leads where its own step would
        for event, target, _ in node.edges:
            assert step(flow, node.snapshot, event).snapshot.configuration == target.snapshot.configuration
