"""Texts and values that cannot be worked out in some calls, of which nobody takes that: whoever is on the line is dropped for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from callflow.core.actions import EVERY_VERB
from callflow.core.arguments import templates_in
from callflow.core.events import Input
from callflow.core.flow import Action, Flow, Position, Row, State, Transition
from callflow.core.snapshot import Note, Step
from callflow.core.statechart.action_lists import task_of, triggers
from callflow.core.statechart.structure import ends_the_call, within
from callflow.core.values.facts import is_own
from callflow.proof.finding import Seen, Suspect, Suspects, in_ending
from callflow.proof.findings.untold import is_silent, is_there, speaks
from callflow.proof.findings.ways import dropping_after
from callflow.proof.listening import turn
from callflow.proof.node import Exploration, Situation
from callflow.verify.places import warning

_OF_ANOTHER_TYPE = re.compile(
    r" has no (field|items)\b| does not take | takes .+, not |is due, and there is | cannot be written into | have no order"
)
"""What a value is told to be that has another type than it is read by."""


class _Failing(NamedTuple):
    """An action that cannot begin: which, and why."""

    verb: str
    why: str
    position: Position


class Unwritten:
    """A text reads what is not there, or asks for a number where there is none: its action fails, no row takes that, and the line drops
    without a word to whoever is on it.

    What is read of a value that nobody has declared, an answer over HTTP say, is taken to be of the type that it is read by where it is
    there.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = turn(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[_Failing]:
        broken = {str(one.data["error"]) for one in taken.notes if one.kind == "broke"}
        if not broken or not is_there(before, taken.snapshot) or in_ending(self.flow, before) or speaks(taken.snapshot):
            return
        for note in taken.notes:
            if note.kind == "failure" and not note.data["optional"]:
                error = next((one for one in broken if one in str(note.data["error"])), None)
                if error is not None and not _OF_ANOTHER_TYPE.search(error):
                    yield from self._failing(note, error)

    def _failing(self, note: Note, error: str) -> Iterator[_Failing]:
        """The action of which a failure was noted; none where the call would end there all the same."""
        state = self.flow.states[note.data["state"]]
        verb = str(note.data["action"])
        if verb not in EVERY_VERB:  # what a sub-flow is given
            yield _Failing(verb, error, state.position)
            return
        for source, actions, one in _candidates(state, verb, error):
            speaks_on = any(EVERY_VERB[action.verb].speech for action in actions)
            if not self._is_undeclared(one.event, source) and (speaks_on or not self._ends(one.goes)):
                yield _Failing(verb, _reason(source, error), actions[0].position)
            return

    def _is_undeclared(self, event: str, source: str) -> bool:
        """Whether the text reads what the program's own tasks and tools give: it is there, whatever it is."""
        own = event.startswith("task.") or (event.startswith("tool.") and is_own(self.flow, event.partition(".")[2]))
        return own and "event." in source

    def _ends(self, goes: list[Transition]) -> bool:
        """Whether the call ends by each of these."""
        targets = [move.target for move in goes]
        return bool(targets) and all(
            one is not None and (within(one, self.flow.ending) or ends_the_call(self.flow.states[one]))
            for one in targets
        )

    def found(self, exploration: Exploration, seen: Seen[_Failing]) -> Suspects:
        for (verb, why, place), passage in seen:
            dropped = dropping_after(passage, lambda node: is_silent(self.flow, self.turn, node))
            if dropped is None:
                continue
            yield Suspect(
                warning(
                    "cut-off", f"`{verb}` fails ({why}), and no row takes that: the line drops, and whoever is on it is told nothing", place,
                    "read it where it is there: a guard with `is_set`, `default(…)`, or a row for `failed`", len(verb),
                ),
                passage[0], more=dropped[1], after="Whoever is on the line was told nothing.",
            )  # fmt: skip


class _List(NamedTuple):
    """A list of a state, the event on which it stands, and the rows by which a call goes on once it is through."""

    actions: tuple[Action, ...]
    event: str
    goes: list[Transition]


def _lists(state: State) -> Iterator[_List]:
    done = [move for row in state.rows if row.pattern == "done" for move in row.transitions]
    yield _List(state.entry, "", done)
    yield _List(task_of(state), "", [])
    yield _List(state.exit, "", [])
    for row, move in triggers(state):
        yield _List(move.actions, row.pattern if isinstance(row, Row) else "", [move])


def _candidates(state: State, verb: str, error: str) -> Iterator[tuple[str, tuple[Action, ...], _List]]:
    """The texts of a state that can have failed so, each with its action and those that follow, and their list."""
    for one in _lists(state):
        for number, action in enumerate(one.actions):
            source = _source(action, error) if action.verb == verb else None
            if source is not None:
                yield source, one.actions[number:], one


def _source(action: Action, error: str) -> str | None:
    """The text of an action that could not be worked out with this error, or means nothing there; None where it has none such."""
    templates = [one.source for one in templates_in(action.arguments) if not one.constant]
    found = next((one for one in templates if error.startswith(f"{one}: ")), None)
    if found is None and templates and error.partition(".")[0] == action.verb:
        return templates[0]
    return found


def _reason(source: str, error: str) -> str:
    """Why, in the middle of a sentence."""
    why = error.removeprefix(f"{source}: ")
    return f"{source.strip('{} ')} has no value" if why == "there is no value" else why
