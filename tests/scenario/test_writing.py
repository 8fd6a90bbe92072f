"""What is written is read as it was; and a call's inputs, written as a scenario, are taken again, each of them, at its time."""

from __future__ import annotations

import random
from pathlib import Path
from textwrap import dedent

import pytest

import callflow
from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.inputs import inputs
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import afterwards
from callflow.scenario import Impossible, from_inputs, load, play, reads, tell, write

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
FILES = sorted((Path(__file__).parents[2] / "flows" / "scenarios").glob("*.scenario.yaml"))
VARS = {"phone_number": "+15550123456"}


def begin(flow):
    given = {name: VARS[name] for name, one in flow.scopes[""].variables.items() if one.required}
    return {"vars": given, "env": dict.fromkeys(flow.env, "+15550100100")}


def random_call(flow, seed: int, length: int = 25):
    """Inputs of one call, each of which can happen then."""
    chance = random.Random(seed)
    told = begin(flow)
    snapshot = callflow.start(flow, told["vars"], env=told["env"]).snapshot
    facts, now, taken = AT_FIRST, 0.0, []
    for _ in range(length):
        now += chance.choice((0, 0.5, 2.25, 7))
        following = [*inputs(flow, snapshot, facts, now)]
        if snapshot.ended or not following:
            break
        of_effects = [one for one in following if isinstance(one, EffectEnded | TimerFired)]
        event = chance.choice(of_effects if of_effects and chance.random() < 0.6 else following)
        now = max(now, event.time)
        facts = afterwards(flow, snapshot, facts, event)
        snapshot = callflow.step(flow, snapshot, event).snapshot
        taken.append(event)
    return taken


def near(event):
    """An input with its time to the millisecond."""
    return event._replace(time=round(event.time, 3))


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_call_s_inputs_are_taken_again(path):
    flow = callflow.load(path)
    for seed in range(20):
        taken = random_call(flow, seed)
        written = write(from_inputs(flow, taken, name=f"call {seed}", **begin(flow)), folder=path.parent)
        [scenario], defects = reads(written, folder=path.parent)
        assert defects == []
        result = play(scenario)
        assert result.failure is None
        assert [near(one) for one in result.inputs] == [near(one) for one in taken]
        assert len(tell(flow, taken, **begin(flow))) > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_what_is_written_is_read_as_it_was(path):
    scenarios = load(path)
    again, defects = reads(write(scenarios, folder=path.parent), folder=path.parent)
    assert defects == []
    assert [one.name for one in again] == [one.name for one in scenarios]
    assert write(again, folder=path.parent) == write(scenarios, folder=path.parent)
    for before, after in zip(scenarios, again, strict=True):
        assert play(after).inputs == play(before).inputs
        assert play(after).failure is None


def test_it_is_short_and_in_the_words_of_the_language():
    flow = callflow.load("flows/smallest.yaml")
    taken = [Event("call.dropped", {"leg": "far_end"}, 4.0), EffectEnded(1, "failed", {}, "failed", 5.5)]
    assert write(from_inputs(flow, taken, name="a reply that fails"), folder="flows/scenarios") == dedent("""\
        callflow: 1
        flow: ../smallest.yaml
        scenarios:
          a reply that fails:
            at: 1970-01-01 00:00 UTC
            exactly: true
            steps:
              - 4s: {call.dropped: {leg: far_end}}
              - 5500ms: {generate_reply: failed}
              - expect: {state: ending}
    """)


def test_an_input_that_cannot_happen_is_refused():
    flow = callflow.load("flows/smallest.yaml")
    with pytest.raises(Impossible, match="comes only where"):
        from_inputs(flow, [Event("call.answered", {}, 1.0)])
    with pytest.raises(Impossible, match="there is no effect 7"):
        from_inputs(flow, [EffectEnded(7, "ok", {}, None, 1.0)])


def test_what_cannot_be_written_is_refused():
    flow = callflow.load("flows/smallest.yaml")
    with pytest.raises(ValueError, match="half of a letter"):
        write(from_inputs(flow, [], name="\ud800"))
    with pytest.raises(ValueError, match="one flow"):
        write(
            [
                from_inputs(flow, []),
                from_inputs(callflow.load("flows/inbound.yaml"), [], **begin(callflow.load("flows/inbound.yaml"))),
            ]
        )
