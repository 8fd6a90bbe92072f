"""`callflow test --generate`: the fewest scenarios that cover a flow; they pass as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

import callflow
from callflow.coverage import Meter, took
from callflow.generating import generate
from callflow.generating.written import file_of
from callflow.scenario import play, reads
from tests.support.command import command

FLOWS = Path(__file__).parents[2] / "flows"


def covered(text: str, flow) -> tuple[list, tuple[int, int]]:
    """The scenarios of a file, each of which passes, and the rows that they cover."""
    scenarios, defects = reads(text, flows=flow)
    assert defects == []
    meter = Meter()
    for one in scenarios:
        result = play(one)
        assert result.failure is None, one.name
        meter.see(one, took(result))
    return scenarios, meter.coverage().rows


@pytest.mark.parametrize(
    ("name", "most"), [("smallest", 1), ("look-up", 1), ("cold-transfer", 5), ("inbound", 6), ("maximum-duration", 4)]
)
def test_a_flow_is_covered_whole_by_few_that_can_be_read(name, most):
    flow = callflow.load(FLOWS / f"{name}.yaml")
    made = generate(flow)
    assert made.finished
    scenarios, rows = covered(file_of(made.scenarios, FLOWS, "Made."), flow)
    assert rows == made.coverage.rows
    assert rows[0] == rows[1]
    assert made.left == []
    assert len(scenarios) <= most
    assert not any(one.exactly for one in scenarios)
    assert len({one.name for one in scenarios}) == len(scenarios)


def test_what_happens_is_said_as_an_author_would(tmp_path):
    flow = callflow.load(FLOWS / "look-up.yaml")
    text = file_of(generate(flow).scenarios, FLOWS, "Made.")
    assert text.splitlines()[:6] == [
        "# Made.",
        "callflow: 1",
        "flow: look-up.yaml",
        "at: 2026-01-05 09:30 UTC",
        'env: {SHOP_URL: "https://example.com"}',
        "scenarios:",
    ]
    assert "completed after find_order then http then end_call:" in text
    assert "- tool: end_call" in text
    assert "- http: {status: 404, body: something}" in text


ODD = """\
callflow: 1
name: odd
outcomes: [gone]
tools: {go: {description: Go.}, stay: {description: Stay.}}
initial: a
states:
  a:
    entry: [{say: Hello.}]
    tools: [go]
    on:
      done: b
      tool.go: {target: ending, do: [{outcome: gone}]}
  b:
    entry: [{say: Well?}]
    tools: [go]
    on:
      tool.go: {target: ending, when: 1 > 2, do: [{outcome: gone}]}
      app.never: ending
events: {app.never: {}}
"""


def test_of_what_an_event_brings_only_what_makes_a_difference_is_said():
    text = file_of(generate(callflow.load(FLOWS / "outbound.yaml")).scenarios, FLOWS, "Made.")
    assert "      - call.hangup\n" in text
    assert "sip_status_code" not in text


def test_a_tool_that_is_called_in_the_middle_of_a_sentence_is_called_then():
    flow = callflow.loads(ODD, "<odd>", check=False)
    made = generate(flow)
    scenarios, rows = covered(file_of(made.scenarios, ".", "Made."), flow)
    lines = {
        flow.transitions[one].position.line
        for s in scenarios
        for t in play(s).taken
        for m in t.step.moves
        for one in m.transitions
    }
    assert {11, 12} <= lines
    assert [(one.line, one.what) for one in made.left] == [(17, "tool.go")]
    assert rows[1] == 4


def test_a_search_that_is_ended_tells_what_is_left():
    flow = callflow.load(FLOWS / "inbound.yaml")
    made = generate(flow, budget=150)
    assert not made.finished
    assert made.steps >= 150
    assert made.left
    assert {one.what for one in made.left} < {one.thing.what for one in made.coverage.files[0].of("row")}


def test_the_command_writes_a_file_that_passes_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flow = str(FLOWS / "cold-transfer.yaml")
    done = command("test", "--generate", flow, "-o", "made/a.scenario.yaml")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.splitlines() == ["5 scenarios cover 8 of 8 rows"]
    played = command("test", "made", "--min-coverage", "100")
    assert (played.exit_code, played.output.splitlines()[-1]) == (0, "5 passed")
    again = command("test", "--generate", flow, "-o", "made/a.scenario.yaml")
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
    printed, written = (
        command("test", "--generate", flow).stdout,
        Path("made/a.scenario.yaml").read_text(encoding="utf-8"),
    )
    assert printed.splitlines()[4:] == written.splitlines()[4:]


def test_what_cannot_be_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("callflow: 1\nname: bad\ninitial: nowhere\nstates: {a: {}}\n")
    done = command("test", "--generate", "bad.yaml")
    assert (done.exit_code, "bad.yaml:3:10: unknown-target" in done.stderr) == (1, True)
    assert command("test", "--generate", "none.yaml").exit_code == 1
    assert command("test", "--generate", "bad.yaml", "-o", "a.yaml").exit_code == 4
    assert command("test", "-o", "a.scenario.yaml").exit_code == 4
