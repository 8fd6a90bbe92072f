"""What one call takes of its flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event
from callflow.core.flow import Action, Flow
from callflow.core.possible import action_of
from callflow.core.snapshot import Start
from callflow.core.statechart.action_lists import action_at
from callflow.coverage.things import VERDICTS, Thing, ending_of, inventory_of
from callflow.scenario import Result
from callflow.scenario.call import Taken


class Took(NamedTuple):
    """What one call took, and of how many steps it was."""

    things: frozenset[Thing]
    steps: int


def took(result: Result) -> Took | None:
    """What a scenario takes that passes; None for one that fails."""
    return Took(taken_by(result.scenario.flow, result.taken), len(result.taken)) if result.passed else None


def taken_by(flow: Flow, steps: Sequence[Taken]) -> frozenset[Thing]:
    """All that a call takes, each once."""
    return frozenset(_taken(flow, steps))


def rows_of(steps: Sequence[Taken]) -> frozenset[int]:
    """The numbers of the transitions that it takes."""
    return frozenset(number for one in steps for move in one.step.moves for number in move.transitions)


def _taken(flow: Flow, steps: Sequence[Taken]) -> Iterator[Thing]:
    known = inventory_of(flow)
    yield from (known.rows[number] for number in rows_of(steps) if number in known.rows)
    detecting: Action | None = None  # what tells who has answered
    for one in steps:
        step, event = one.step, one.step.event
        yield from (known.states[path] for path in step.entered if path in known.states)
        for note in step.notes:
            if note.kind == "guard" and note.data["transition"] in known.guards:
                yield known.guards[note.data["transition"]][bool(note.data["holds"])]
        if one.timer is not None and (one.timer.state, one.timer.row) in known.timers:
            yield known.timers[one.timer.state, one.timer.row]
        for effect in step.effects:
            action = action_at(flow, effect.source) if isinstance(effect, Start) else None
            if action is not None and verb_of(action.verb).given("detection", action.arguments) is not None:
                detecting = action
        if isinstance(event, Event):
            tool = known.tools.get(event.name[5:]) if event.name.startswith("tool.") else None
            if tool is not None:
                yield tool
            if event.name in VERDICTS and detecting is not None and (detecting.position, event.name) in known.results:
                yield known.results[detecting.position, event.name]
        elif isinstance(event, EffectEnded) and one.effect is not None:
            action = action_of(flow, one.effect)
            word = ending_of(one.effect, event.status, event.result)
            if action is not None and (action.position, word) in known.results:
                yield known.results[action.position, word]
