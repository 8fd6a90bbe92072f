"""Whatever a scenario says, what happens by itself in it can happen then; nothing breaks, each can be told, and is written as it is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import callflow
from callflow.core.actions import EVERY_VERB
from callflow.core.events import EVENTS
from callflow.core.flow import Flow
from callflow.scenario import Impossible, Scenario, Step, play, reads, story, write
from callflow.scenario.endings import verbs_of
from callflow.scenario.model import Calls, Conditions, Ending, Ends, Occurs, Presses, Replies, Speaks, Waits
from callflow.scenario.playing import Player

ROOT = Path(__file__).parents[2]
FLOWS = sorted((ROOT / "flows").glob("*.yaml"))
OUTSIDE = [
    name
    for name in EVENTS
    if name.partition(".")[0] in ("call", "room", "session", "job", "dtmf")
    and name[5:] not in ("input", "no_input", "no_match")
]
OFTEN = [
    "call.hangup",
    "call.dropped",
    "call.restored",
    "room.reconnecting",
    "room.reconnected",
    "job.shutdown",
    "session.close",
]


def slow(flow: Flow):
    """What the flow does that takes time."""
    return [EVERY_VERB[name] for name in sorted(verbs_of(flow)) if not EVERY_VERB[name].last]


def an_ending(chance: random.Random, verb) -> Ending:
    result = {"result": chance.choice(verb.results).partition(".")[2]} if verb.results else {}
    return chance.choice(
        [
            Ending("failed"),
            Ending("timed_out"),
            Ending(never=True),
            Ending(result=result),
            Ending(result=result, hangs_up=chance.choice([0.02, 5.0]) if verb.calls else None),
        ]
    )


def an_act(chance: random.Random, flow: Flow):
    kind = chance.randrange(9)
    if kind < 2:
        return Occurs(chance.choice([*OFTEN, *OFTEN, *OUTSIDE]))
    if kind == 2 and flow.legs:
        return Occurs(
            f"leg.{chance.choice(list(flow.legs))}.{chance.choice(['answered', 'hangup', 'dtmf.1', 'dropped'])}"
        )
    if kind in (3, 4) and flow.tools:
        tool = chance.choice(list(flow.tools.values()))
        return Calls(((tool.name, dict.fromkeys(tool.parameters, "x")),))
    if kind == 5:
        return chance.choice([Speaks("Hello."), Replies("Well, yes.")])
    if kind == 6:
        return Presses(chance.choice(["1", "12#", "0*"]))
    verb = chance.choice(slow(flow))
    ending = an_ending(chance, verb)
    return Waits(chance.choice([1.0, 40.0])) if ending.never else Ends(verb.name, ending)


def a_scenario(chance: random.Random, flow: Flow) -> Scenario:
    steps, time = [], 0.0
    for _ in range(chance.randrange(8)):
        time += chance.choice([0, 0.25, 2, 7, 31])
        steps.append(Step(an_act(chance, flow), chance.choice(["settled", "now", time])))
    effects = {verb.name: [an_ending(chance, verb)] for verb in slow(flow) if chance.random() < 0.15}
    given = {name: "+15550123456" for name, one in flow.scopes[""].variables.items() if one.required}
    env = dict.fromkeys(flow.env, "+15550100100")
    return Scenario("a", flow, steps, 1_767_605_400.0, given, env, effects=effects, expect=Conditions(ended=True))


@pytest.fixture
def by_itself(monkeypatch):
    """What happened by itself though it cannot."""
    wrong: list[str] = []
    fire = Player.fire

    def watched(self: Player) -> None:
        try:
            fire(self)
        except Impossible as error:
            wrong.append(str(error))
            raise

    monkeypatch.setattr(Player, "fire", watched)
    return wrong


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_what_happens_by_itself_can_happen(path, by_itself):
    flow = callflow.load(path)
    ended = 0
    for seed in range(60):
        scenario = a_scenario(random.Random(seed), flow)
        result = play(scenario)
        assert by_itself == [], f"seed {seed}"
        assert story(flow, result.taken)[0].startswith("0 s: the call begins.")
        [again], defects = reads(write(scenario, folder=path.parent), folder=path.parent)
        assert defects == [], f"seed {seed}"
        assert play(again).inputs == result.inputs, f"seed {seed}"
        ended += result.passed
    assert ended > 5
