"""`callflow test --random`: random calls are held to what must be so in each, and the first that is not is cut down."""

from __future__ import annotations

from pathlib import Path

import pytest

import callflow
from callflow.generating.rules import examine
from callflow.generating.shrinking import shrunk
from callflow.generating.trying import beginnings_of, try_calls
from callflow.scenario import play, reads
from callflow.scenario.model import Calls
from callflow.scenario.writing import body_of
from tests.support.command import command

FLOWS = Path(__file__).parents[2] / "flows"

SHOP = """\
callflow: 1
name: shop
env: [SHOP]
tools: {look: {description: Look up.}, end_call: {description: End.}}
initial: talking
states:
  talking:
    entry: [{say: Hello.}]
    tools: [look, end_call]
    on:
      tool.look: looking
      tool.end_call: {target: ending, do: [{outcome: completed}]}
  looking:
    entry: [{http: {url: "{{ env.SHOP }}", timeout: 90s}}]
    on: {done: talking, failed: talking}
"""

ENDLESS = """\
callflow: 1
name: endless
standard: false
ending: bye
tools: {end_call: {description: End.}}
initial: talking
states:
  talking:
    entry: [{say: Hello.}]
    tools: [end_call]
    on: {tool.end_call: bye, call.hangup: waiting}
  waiting: {waits: for nobody}
  bye:
    entry: [delete_room, aclose, shutdown]
    on: {done: over}
  over: {final: true}
"""


@pytest.mark.parametrize("name", ["inbound", "keypad-menu", "voicemail", "warm-transfer", "hand-over"])
def test_the_shipped_flows_stand(name):
    flow = callflow.load(FLOWS / f"{name}.yaml")
    tried = try_calls(beginnings_of(flow), 40, seed=5)
    assert (tried.calls, tried.broken) == (40, None)
    assert tried.inputs > 300


def test_the_same_seed_makes_the_same_calls():
    flow = callflow.load(FLOWS / "inbound.yaml")
    one, again, other = (try_calls(beginnings_of(flow), 15, seed) for seed in (1, 1, 2))
    assert one == again
    assert one.inputs != other.inputs


def test_a_silence_is_found_and_cut_down_to_a_scenario_that_fails():
    flow = callflow.loads(SHOP, "<shop>")
    tried = try_calls(beginnings_of(flow), 200, seed=0)
    assert tried.broken is not None
    assert tried.scenario is not None
    assert tried.broken.rule == "quiet"
    assert [type(one.act).__name__ for one in tried.scenario.steps] == ["Calls", "Expects"]
    assert set(tried.scenario.effects) == {"http"}
    text = "callflow: 1\nflow: x\nscenarios:\n  a:\n" + "".join(
        f"    {line}\n" for line in body_of(tried.scenario).split("\n")
    )
    [again], defects = reads(text, flows=flow)
    assert defects == []
    assert not play(again).passed
    [mended], _ = reads(text, flows=callflow.loads(SHOP.replace("timeout: 90s", "timeout: 9s"), "<shop>"))
    assert play(mended).passed


def test_a_call_that_never_ends_is_found():
    flow = callflow.loads(ENDLESS, "<endless>", check=False)
    tried = try_calls(beginnings_of(flow), 50, seed=0)
    assert tried.broken is not None
    assert tried.scenario is not None
    assert tried.broken.rule == "ends"
    assert len(tried.scenario.steps) <= 1
    assert not play(tried.scenario).passed


def test_what_a_scenario_says_never_may_be_holds_in_random_calls_too():
    flow = callflow.loads(SHOP, "<shop>")
    never = """\
callflow: 1
flow: x
env: {SHOP: "https://shop.example.com"}
scenarios:
  a: {never: {state: looking}}
"""
    scenarios, defects = reads(never, flows=flow)
    assert defects == []
    tried = try_calls(scenarios, 50, seed=0)
    assert tried.broken is not None
    assert tried.scenario is not None
    assert tried.broken.rule == "never"
    assert [one.act for one in tried.scenario.steps] == [Calls((("look", {}),))]
    assert not play(tried.scenario).passed


def test_what_is_raised_is_told(monkeypatch):
    flow = callflow.loads(SHOP, "<shop>")
    from callflow.scenario import call

    step = call.step

    def breaks(flow, snapshot, entry):
        if getattr(entry, "name", "") == "tool.look":
            raise ZeroDivisionError("by zero")
        return step(flow, snapshot, entry)

    monkeypatch.setattr(call, "step", breaks)
    [begin] = beginnings_of(flow)
    scenarios, _defects = reads(
        "callflow: 1\nflow: x\nenv: {SHOP: s}\nscenarios: {a: {steps: [{1s: {tool: look}}]}}\n", flows=flow
    )
    broken = examine(scenarios[0]).broken
    assert broken is not None
    assert (broken.rule, broken.told) == ("raises nothing", "ZeroDivisionError is raised: by zero")
    assert examine(begin).broken is None


def test_only_what_is_needed_is_left():
    flow = callflow.loads(SHOP, "<shop>")
    scenarios, defects = reads(
        "callflow: 1\nflow: x\nenv: {SHOP: s}\nscenarios:\n  a:\n    effects: {http: [failed, timed_out], say: failed}\n"
        "    steps: [{1s: {caller: Yes.}}, {2300ms: {tool: look}}, {3500ms: {caller: No.}}, {9s: {tool: look}}, {200s: call.hangup}]\n",
        flows=flow,
    )  # fmt: skip
    assert defects == []
    short = shrunk(scenarios[0], lambda one: any(isinstance(step.act, Calls) for step in one.steps))
    assert [(step.act, step.when) for step in short.steps] in (
        [(Calls((("look", {}),)), 2.0)],
        [(Calls((("look", {}),)), 9.0)],
    )
    assert short.effects == {}


def test_the_command_tells_and_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("shop.yaml").write_text(SHOP, encoding="utf-8")
    done = command("test", "--random", "200", "shop.yaml", "-o", "found.scenario.yaml")
    assert done.exit_code == 1
    assert "hears nothing for 1m 30s, and it is not their turn" in done.output.splitlines()[0]
    assert "    0 s: the call begins. In talking." in done.output
    assert command("test", "found.scenario.yaml").exit_code == 1
    Path("shop.yaml").write_text(SHOP.replace("90s", "9s"), encoding="utf-8")
    assert command("test", "found.scenario.yaml").exit_code == 0
    well = command("test", "--random", "20", "--seed", "4", "shop.yaml")
    assert well.exit_code == 0
    assert "20 random calls" in well.output
    assert "(seed 4)" in well.output
    begun = command("test", "--random", "5", "found.scenario.yaml")
    assert (begun.exit_code, begun.output.startswith("shop.yaml: 5 random calls")) == (0, True)


def test_wrong_usage_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments in (["--seed", "1"], ["--random", "0"], ["--random", "1", "--generate", "a.yaml"], ["--random", "1"]):
        assert command("test", *arguments).exit_code == 4
    assert command("test", "--random", "1", "none.yaml").exit_code == 1
