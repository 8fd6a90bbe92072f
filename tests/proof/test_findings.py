"""What the proof finds: each fault with its code and its story, and nothing in the flow with the fault mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import callflow
from callflow.cli import main
from callflow.proof.prove import prove
from callflow.scenario.writing import write_bodies
from callflow.verify import check as verify
from tests.proof.every import CORRECT, FAULTS
from tests.support.play import HEAD
from tests.support.stories import assert_shows

FLOWS = Path(__file__).parents[2] / "flows"


def found(text: str) -> list[tuple[str, tuple[str, ...]]]:
    proof = prove(callflow.loads(HEAD + text, check=False))
    assert proof.finished
    return [(one.defect.code, one.defect.story) for one in proof.findings]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_told_and_its_story_shows_it(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    flow = tmp_path / "flow.yaml"
    flow.write_text(HEAD + fault.wrong, encoding="utf-8")
    proof = prove(callflow.load(flow, check=False))
    assert proof.finished
    (told,) = proof.proved.told  # what follows from it is not told as well
    assert told.defect.code == fault.code
    assert not fault.story or told.defect.story == fault.story
    if any(one.level == "error" for one in verify(callflow.load(flow, check=False))):
        return  # no scenario has a flow that is refused
    file = tmp_path / "flow.scenario.yaml"
    file.write_text(write_bodies(str(flow), [(told.defect.code, told.scenario)], str(tmp_path)), encoding="utf-8")
    assert_shows(file, told.defect.story)


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_found_where_it_is_mended(name: str) -> None:
    assert found(FAULTS[name].right) == []


@pytest.mark.parametrize("name", CORRECT)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    assert found(CORRECT[name]) == []


@pytest.mark.parametrize("name", sorted(path.stem for path in FLOWS.glob("*.yaml")))
def test_every_call_of_a_shipped_flow_is_followed_and_nothing_is_wrong(name: str) -> None:
    proof = prove(callflow.load(FLOWS / f"{name}.yaml"))
    assert proof.finished
    assert proof.doubts == ()
    assert (proof.findings, proof.accepted, proof.needless) == ((), (), ())


def test_the_same_flow_gives_the_same_answer() -> None:
    flow = callflow.load(FLOWS / "outbound.yaml")
    one, other = prove(flow), prove(callflow.load(FLOWS / "outbound.yaml"))
    assert (one.exploration.steps, len(one.exploration.nodes)) == (
        other.exploration.steps,
        len(other.exploration.nodes),
    )


def test_of_what_was_not_finished_no_dead_end_is_told() -> None:
    flow = callflow.load(FLOWS / "outbound.yaml")
    proof = prove(flow, budget=200)
    assert not proof.finished
    assert proof.findings == ()


def test_a_state_that_must_finish_may_outlast_the_limits_of_the_call() -> None:
    flow = callflow.loads(
        f"{HEAD}initial: talking\nstates:\n  talking:\n    must_finish: true\n    initial: inside\n    on: {{done: ending}}\n"
        "    states: {inside: {after: {2h: over}}, over: {final: true}}\n",
        check=False,
    )
    (told,) = [one.defect for one in prove(flow).findings]  # and not that nothing leads on
    assert told.code == "nobody-left"
    assert "for up to 2h" in told.message  # `limits.call` is 1h
    assert told.story[-1].startswith("The call goes on for up to 2h")


def test_what_no_call_shows_is_a_doubt_and_not_swallowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("callflow.proof.prove.way_to", lambda *_: None)
    file = tmp_path / "flow.yaml"
    file.write_text(HEAD + FAULTS["a key that no row takes"].wrong, encoding="utf-8")
    proof = prove(callflow.load(file, check=False))
    assert proof.findings == ()
    assert proof.doubts[0].code == "no-way-on"
    output = CliRunner().invoke(main, ["check", str(file)]).output
    assert f"not proved, though no call was found that shows it: no-way-on in line {proof.doubts[0].line}" in output
