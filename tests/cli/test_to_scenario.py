"""`callflow journal to-scenario`: an incident as a scenario, which passes on the flow of then, and no more once the flow is mended."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from callflow.testing.virtual_time import VirtualTimeLoop
from tests.support.command import command
from tests.support.worlds import FakeWorld, a_call

OF_TODAY = Path(__file__).parents[1] / "journals" / "3"
ALL = sorted(OF_TODAY.glob("*.jsonl"))


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", ALL, ids=[path.stem for path in ALL])
def test_every_recorded_call_is_a_scenario_that_passes(path):
    shutil.copytree(OF_TODAY / "flows", "flows")
    done = command("journal", "to-scenario", str(path), "-o", "a.scenario.yaml")
    assert (done.exit_code, done.stderr) == (0, "")
    text = Path("a.scenario.yaml").read_text(encoding="utf-8")
    assert "flow: flows/" in text
    assert "pii:" not in text
    assert "exactly" not in text
    played = command("test", "a.scenario.yaml")
    assert played.exit_code == 0, played.output
    exactly = command("journal", "to-scenario", str(path), "--exactly", "-o", "b.scenario.yaml")
    assert exactly.exit_code == 0
    assert "exactly: true" in Path("b.scenario.yaml").read_text(encoding="utf-8")
    assert command("test", "b.scenario.yaml").exit_code == 0


OLD = sorted(OF_TODAY.parent.glob("[12]/*.jsonl"))


@pytest.mark.parametrize("path", OLD, ids=[f"{path.parent.name}-{path.stem}" for path in OLD])
def test_journals_of_older_versions_are_scenarios_as_well(path):
    flow = OF_TODAY.parent / "flows" / f"{path.stem}.yaml"
    done = command("journal", "to-scenario", str(path), "--flow", str(flow), "-o", "a.scenario.yaml")
    assert (done.exit_code, done.stderr) == (0, "")
    assert command("test", "a.scenario.yaml").exit_code == 0


FLOW = """
callflow: 1
name: pins
vars:
  pin: {type: string, pii: true}
  number: {type: phone, pii: true}
events:
  app.typed: {pin: {type: string, pii: true}, number: {type: phone, pii: true}}
tools:
  end_call: {description: Done.}
outcomes: [let_in, sent_away]
initial: asking
states:
  asking:
    entry: [{say: "Hello {{ vars.number }}, what is your PIN?"}]
    tools: [end_call]
    on:
      app.typed:
        - {when: GUARD, target: inside}
        - {target: ending, do: [{outcome: sent_away}]}
      tool.end_call: {target: ending, do: [{outcome: completed}]}
  inside:
    entry: [{say: You are in.}]
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{outcome: let_in}]}
"""


def record(guard, pin, typed, number="+15550001111", other="+15550001111"):
    """A call as the journal has it, of a flow with this guard."""
    text = FLOW.replace("GUARD", json.dumps(guard))
    Path("pins.yaml").write_text(text, encoding="utf-8")

    async def play():
        call = a_call(
            FakeWorld(),
            text,
            id="c",
            folder=Path("calls"),
            vars={"pin": pin, "number": number},
        )
        running = asyncio.create_task(call.run())
        await asyncio.sleep(3)
        call.send("app.typed", {"pin": typed, "number": other})
        await asyncio.sleep(3)
        if not call.over:
            await call.tool_called("end_call", {})
        return await running

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        made = runner.run(play())
    assert f'"{typed}"' not in Path("calls/c.jsonl").read_text(encoding="utf-8")
    return made


GUARDS = [
    ("event.pin == vars.pin", "47110815", "47110815"),
    ("event.pin == vars.pin", "47110815", "47110816"),
    ("event.pin != vars.pin", "47110815", "47110816"),
    ("event.pin == '90125'", "47110815", "90125"),
    ("number(event.pin) > 1000", "47110815", "90125"),
    ("number(event.pin) > 100000", "47110815", "90125"),
    ("first(event.pin, 2) == '90'", "47110815", "90125"),
    ("event.number == vars.number and number(event.pin) < 99", "47110815", "17"),
]


@pytest.mark.parametrize(("guard", "pin", "typed"), GUARDS)
def test_what_hangs_on_private_values_takes_the_same_way_by_made_up_ones(guard, pin, typed):
    made = record(guard, pin, typed)
    done = command("journal", "to-scenario", "calls/c.jsonl", "--flow", "pins.yaml", "-o", "c.scenario.yaml")
    assert done.exit_code == 0, done.output
    text = Path("c.scenario.yaml").read_text(encoding="utf-8")
    assert not any(value in text for value in {pin, typed, "+15550001111"} - set(re.findall(r"[0-9]+", guard)))
    assert f"outcome: {made.outcome}" in text
    assert command("test", "c.scenario.yaml").exit_code == 0
    numbers = re.findall(r"\+[0-9]+", text)
    assert len(numbers) == 2
    assert len(set(numbers)) == 1  # the same caller


def test_an_incident_fails_once_its_expectation_is_mended_and_passes_once_the_flow_is():
    record("event.pin == vars.pin", "47110815", "47110815")
    flow = Path("pins.yaml").read_text(encoding="utf-8")
    broken = flow.replace("event.pin == vars.pin", "event.pin != vars.pin")
    Path("pins.yaml").write_text(broken, encoding="utf-8")
    shutil.rmtree("calls")
    record("event.pin != vars.pin", "47110815", "47110815")
    command("journal", "to-scenario", "calls/c.jsonl", "--flow", "pins.yaml", "-o", "c.scenario.yaml")
    assert command("test", "c.scenario.yaml").exit_code == 0
    text = Path("c.scenario.yaml").read_text(encoding="utf-8")
    assert "outcome: sent_away" in text
    expect = text[: text.index("    expect:")] + "    expect: {states: [asking, inside, ...]}\n"
    Path("c.scenario.yaml").write_text(expect, encoding="utf-8")
    assert command("test", "c.scenario.yaml").exit_code == 1
    Path("pins.yaml").write_text(flow, encoding="utf-8")
    assert command("test", "c.scenario.yaml").exit_code == 0


def test_a_flow_that_makes_something_else_of_the_call_is_told():
    shutil.copytree(OF_TODAY / "flows", "flows")
    path = Path("flows/smallest.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace("say: Goodbye.", "say: So long."), encoding="utf-8")
    done = command("journal", "to-scenario", str(OF_TODAY / "smallest-0.jsonl"))
    assert done.exit_code == 1
    assert "smallest-0.jsonl:22: flows/smallest.yaml makes something else of this call from here on" in done.stderr


def test_a_file_that_is_there_already_stays(tmp_path):
    shutil.copytree(OF_TODAY / "flows", "flows")
    Path("a.scenario.yaml").write_text("mine", encoding="utf-8")
    done = command("journal", "to-scenario", str(OF_TODAY / "smallest-0.jsonl"), "-o", "a.scenario.yaml")
    assert done.exit_code == 1
    assert "a.scenario.yaml is there already" in done.stderr
    assert Path("a.scenario.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("kept", [2, 6, 15, 25])
def test_a_call_that_was_cut_short_is_a_scenario_up_to_there(kept):
    shutil.copytree(OF_TODAY / "flows", "flows")
    rows = (OF_TODAY / "smallest-0.jsonl").read_bytes().splitlines(keepends=True)
    Path("cut.jsonl").write_bytes(b"".join(rows[: kept + 1]) + rows[kept + 1][:9])
    done = command("journal", "to-scenario", "cut.jsonl", "-o", "a.scenario.yaml")
    assert done.exit_code == 0, done.output
    assert command("test", "a.scenario.yaml").exit_code == 0


def test_the_scenario_is_printed_where_no_file_is_named(monkeypatch):
    monkeypatch.chdir(OF_TODAY)
    done = command("journal", "to-scenario", "smallest-1.jsonl")
    assert done.exit_code == 0
    assert done.output.startswith("callflow: 1\nflow: flows/smallest.yaml\nscenarios:\n")
