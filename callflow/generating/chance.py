"""Random calls of a flow: people who do anything that can happen, and a world in which things fail."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import attrs

from callflow.core.actions import verb_of
from callflow.core.events import Event
from callflow.core.flow import Flow
from callflow.core.inputs import inputs
from callflow.core.lasts import Status
from callflow.core.statechart.action_lists import every_action
from callflow.core.verbs.verb import Verb
from callflow.errors import StartError
from callflow.generating.acts import act_of
from callflow.scenario import Scenario, Step
from callflow.scenario.model import Act, Ending, Replies, Speaks
from callflow.scenario.playing import Player

MOST_ACTS = 12
"""Things that people do in one call."""

_PAUSES = (0.0, 0.2, 1.0, 1.0, 2.5, 4.0, 9.0, 20.0, 45.0)
"""Seconds from one to the next."""

_FAULTS, _AGAIN = 0.25, 3
"""How many of the verbs do not end as they do by themselves, and of how many actions of one."""

_WORDS = ("Yes.", "One moment, please.", "No, I do not think so, not today at least.")

_WEIGHTS: Mapping[str, float] = {
    "tool": 6,
    "app": 3,
    "dtmf": 0.4,
    "call": 1,
    "leg": 1,
    "room": 0.3,
    "job": 0.1,
    "session": 0.2,
}
"""How often each kind of event happens: what people do more often than what breaks."""


def random_call(begin: Scenario, chance: random.Random) -> Scenario:
    """A call that begins like that one: what its people do, each thing at its time, each of which can happen then; how actions end.
    Where that one says how they do, or what never may be, its own word holds."""
    effects = begin.effects if begin.effects and begin.never else {**_faults(begin.flow, chance), **begin.effects}
    steps: list[Step] = []
    scenario = attrs.evolve(begin, steps=steps, effects=effects, expect=None, exactly=False, never=None)
    try:
        player = Player(scenario)
    except StartError:
        return begin
    for _ in range(chance.randrange(MOST_ACTS + 1)):
        player.advance(player.call.now + chance.choice(_PAUSES))
        act = None if player.call.snapshot.ended else _act(begin.flow, player, chance)
        if act is None:
            break
        steps.append(Step(act, round(player.call.elapsed + 0.001, 3)))
        if player.do(len(steps) - 1) is not None:
            steps.pop()
    return attrs.evolve(scenario, steps=[*steps], never=begin.never)


def _act(flow: Flow, player: Player, chance: random.Random) -> Act | None:
    """Something that can happen now; none where nothing can."""
    call = player.call
    events = [one for one in inputs(flow, call.snapshot, call.facts, call.now) if isinstance(one, Event)]
    found: list[tuple[Act, float]] = []
    for event in events:
        act = act_of(flow, event)
        if act is not None:
            family = event.name.partition(".")[0]
            found.append((act, _WEIGHTS.get(family, 1.0) / (1 + sum(one.name == event.name for one in events))))
    if call.leg().status == "on_line" and "session" in call.facts:
        found.append((Speaks(chance.choice(_WORDS)), 3.0))
        if "conversation" in call.facts:
            found.append((Replies(chance.choice(_WORDS)), 1.0))
    if not found:
        return None
    return chance.choices([act for act, _ in found], [weight for _, weight in found])[0]


def _faults(flow: Flow, chance: random.Random) -> dict[str, Sequence[Ending]]:
    """How actions end, of some verbs that the flow has."""
    verbs = dict.fromkeys(verb_of(one.verb) for one in every_action(flow))
    slow = [verb for verb in verbs if not (verb.at_once or verb.last or verb.forced or verb.parties_end)]
    return {
        verb.name: [_ending(verb, chance) for _ in range(chance.randrange(1, _AGAIN + 1))]
        for verb in slow
        if chance.random() < (2 if verb.results or verb.asks_outside else 1) * _FAULTS
    }


def _ending(verb: Verb, chance: random.Random) -> Ending:
    if verb.results and chance.random() < 0.7:
        return Ending(result={"result": chance.choice(verb.results).partition(".")[2]})
    ways: tuple[Status, ...] = ("ok", "failed", "timed_out")
    status = chance.choice(ways)
    if "statuses" in verb.roles and status == "ok":
        return Ending(result={"status": chance.choice((200, 200, 404, 500))})
    never = verb.timeout is not None and chance.random() < 0.2  # by its time limit alone
    return Ending(never=True) if never else Ending(status)
