"""`callflow test`: what it prints, and its exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import command

ROOT = Path(__file__).parents[2]

SCENARIOS = """
callflow: 1
flow: {flow}
scenarios:
  the caller is done:
    steps: [tool: end_call]
    expect: {{outcome: completed}}
  the caller hangs up:
    steps:
      - 4s: call.hangup
    expect: {{outcome: {outcome}}}
"""


def scenario(folder: Path, outcome: str = "hung_up", name: str = "a") -> Path:
    path = folder / f"{name}.scenario.yaml"
    path.write_text(SCENARIOS.format(flow=ROOT / "flows/smallest.yaml", outcome=outcome), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_shipped_scenarios_pass(monkeypatch):
    monkeypatch.chdir(ROOT)
    done = command("test", "flows")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "flows/scenarios/smallest.scenario.yaml ....." in done.output
    assert done.output.splitlines()[-1].endswith(" passed")


def test_a_failure_is_a_story_with_what_was_expected_and_what_was_seen(tmp_path):
    path = scenario(tmp_path, "completed")
    done = command("test", str(path))
    assert done.exit_code == 1
    assert done.output.splitlines()[0] == f"{path} .F"
    assert done.output.splitlines()[3:] == [
        f"{path}:11:13: not as expected",
        "  outcome",
        "    expected completed",
        "    seen     hung_up",
        "    0 s: the call begins. In talking. The model speaks (Greet the caller and help.).",
        "    4 s: the caller hangs up. In ending. Outcome: hung_up. The line drops. In closed. The call is over.",
        "",
        "1 failed, 1 passed",
    ]


def test_a_file_with_defects_is_not_played_and_the_others_are(tmp_path):
    scenario(tmp_path, "hungup", "wrong")
    scenario(tmp_path)
    done = command("test")
    assert done.exit_code == 2
    assert "a.scenario.yaml .." in done.output
    assert 'did you mean "hung_up"?' in done.output
    assert done.output.splitlines()[-1] == "2 passed, 1 defect"


def test_a_flow_that_must_not_run_is_not_played(tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "callflow: 1\nname: bad\ninitial: a\nstates: {a: {on: {call.hangup: {do: [{log: no}]}}}}\n", encoding="utf-8"
    )
    (tmp_path / "a.scenario.yaml").write_text(
        "callflow: 1\nflow: bad.yaml\nscenarios: {a: {steps: [call.hangup]}}\n", encoding="utf-8"
    )
    done = command("test")
    assert done.exit_code == 2
    assert "hidden-end" in done.output


def test_only_those_of_a_name(tmp_path):
    scenario(tmp_path, "completed")
    done = command("test", "-k", "DONE")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "1 passed")
    done = command("test", "-v", "-k", "done")
    assert "    3 s: the model calls end_call." in done.output


def test_nothing_to_play(tmp_path):
    done = command("test")
    assert (done.exit_code, done.output.strip()) == (5, "no scenarios")
    assert command("test", "nowhere.scenario.yaml").exit_code == 2


def test_check_reads_them_too(tmp_path):
    scenario(tmp_path, "hungup", "wrong")
    scenario(tmp_path)
    done = command("check", str(ROOT / "flows/smallest.yaml"), "a.scenario.yaml", "wrong.scenario.yaml")
    assert done.exit_code == 1
    assert "a.scenario.yaml: read 2 scenarios, no defect" in done.output
    assert 'did you mean "hung_up"?' in done.output
    assert command("check", "a.scenario.yaml").exit_code == 0


def test_a_call_without_end_is_told_where_it_stands(tmp_path):
    (tmp_path / "round.yaml").write_text(
        "callflow: 1\nname: round\nlimits: {call: 720h, silence: 720h}\ninitial: a\n"
        "states: {a: {every: {1s: {do: [{log: tick}]}}, waits: for a test}}\n",
        encoding="utf-8",
    )
    (tmp_path / "round.scenario.yaml").write_text(
        "callflow: 1\nflow: round.yaml\nscenarios: {a: {expect: {ended: true}}}\n", encoding="utf-8"
    )
    done = command("test")
    assert done.exit_code == 1
    assert "10,000 inputs, and the call has not ended: it is in a" in done.output
    assert len(done.output.splitlines()) < 80
