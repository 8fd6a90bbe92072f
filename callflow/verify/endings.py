"""A hang-up, a lost line and a shutdown end the call, whatever state it is in.

`call.hangup`, `room.disconnected` and `job.shutdown` lead to `ending:` or a final state from every configuration. A state
may delay them by `must_finish`; nobody may hide them: no inner row or pattern, no `ignore`, no region of a parallel state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.flow import ROOT, Flow, Position, Row, State, Transition
from callflow.core.statechart.descriptors import asked
from callflow.core.statechart.reach import closure, driven, targets
from callflow.core.statechart.structure import ancestors, ends_the_call, inward, is_over
from callflow.errors import Defect
from callflow.verify.places import defect, named

ENDS: Mapping[str, str] = {
    "call.hangup": "the far end has hung up",
    "room.disconnected": "the line is lost",
    "job.shutdown": "the job is told to end",
}

SELF_DRIVEN = frozenset({"done", "failed", "task.completed", "task.failed"})
"""Events that come without anybody from outside."""


class Answer(NamedTuple):
    """What one configuration may do about an event: pass it outward, stay where it is, be led to an end, or be led
    somewhere else. `at` is the row that decides."""

    kind: Literal["passes", "stays", "ends", "strays"]
    at: Position | None = None
    length: int = 1
    target: str = ""


PASSES = Answer("passes")
ENDED = Answer("ends")


def endings(flow: Flow) -> Iterator[Defect]:
    """The rule, for each of the three events; and the ending itself comes to an end."""
    ending = flow.states.get(flow.ending)
    before = _before(flow)
    if ending is not None and flow.ending not in _led_to(before, _final_states(flow)):
        yield _never_over(flow, ending)
    over = {path for path in flow.states if is_over(flow, path)}
    led = _led_to(before, over)
    for event, fact in ENDS.items():
        answers = _Answers(flow, event, over, led)
        for answer in sorted(answers.of(flow.root), key=str):
            if answer.kind == "stays" and answer.at is not None:
                yield defect(
                    "hidden-end", f"`{event}` is taken here, and the call goes on although {fact}", answer.at,
                    f"lead it to `{flow.ending}`; to finish something first there is `must_finish`", answer.length,
                )  # fmt: skip
            elif answer.kind == "strays" and answer.at is not None:
                yield defect(
                    "end-leads-nowhere",
                    f"`{event}` leads to {named(answer.target)}, from where the call ends only if somebody outside acts",
                    answer.at, f"add a row for `done`, or `after`, that leads on to `{flow.ending}`", answer.length,
                )  # fmt: skip
            elif answer.kind == "passes":
                hint = f"write `{event}: {{target: {flow.ending}, …}}` at the top level"
                yield defect("unhandled-end", f"nobody is sure to take `{event}`, so that the call goes on although {fact}",
                             flow.root.position, hint)  # fmt: skip


def _never_over(flow: Flow, ending: State) -> Defect:
    leads = [flow.states[move.target] for row in ending.rows for move in row.transitions if move.target is not None]
    instead = next((state for state in leads if ending.supplied and not state.supplied), None)
    if instead is not None:
        return defect(
            "ending-never-over", f"`{instead.name}` is the final state to which the `{flow.ending}` that is supplied leads, and this one is none",
            instead.position, f"give this state another name, or write an `{flow.ending}` of your own", len(instead.name),
        )  # fmt: skip
    return defect(
        "ending-never-over", f"the call never comes from `{flow.ending}` to a final state", ending.position,
        "write `on: {done: …}` in it, with a final state of the top level", len(ending.name),
    )  # fmt: skip


class _Answers:
    """What the configurations inside a state may do about one event."""

    def __init__(self, flow: Flow, event: str, over: set[str], led: frozenset[str]) -> None:
        self.flow = flow
        self.event = event
        self.over = over
        self.led = led

    def of(self, state: State) -> set[Answer]:
        """All answers that are possible while `state` is active, by itself and what is active inside it."""
        flow = self.flow
        if state.path in self.over:
            return {ENDED}
        inner = [flow.states[child] for child in state.children if flow.states[child].kind != "history"]
        if not inner:
            return self._own(state)
        sets = [self.of(child) for child in inner]
        answers = _side_by_side(sets) if state.kind == "parallel" else set().union(*sets)
        if PASSES in answers:
            answers = (answers - {PASSES}) | self._own(state)
        return answers

    def _own(self, state: State) -> set[Answer]:
        """What the state's rows may do, in the order in which they are asked; `passes` if none of them is sure to hold."""
        found: set[Answer] = set()
        for row in asked(state.rows, self.event):
            if row.ignore:
                return found | {Answer("stays", row.position, len(row.pattern))}
            for move in row.transitions:
                found.add(self._answer(row, move))
                if move.guard is None:
                    return found
        return found | {PASSES}

    def _answer(self, row: Row, move: Transition) -> Answer:
        if move.target is None:
            return Answer("stays", row.position, len(row.pattern))
        if move.target in self.led:
            return ENDED
        return Answer("strays", row.position, len(row.pattern), move.target)


def _side_by_side(regions: list[set[Answer]]) -> set[Answer]:
    """The answers of a parallel state: each region is asked, and one that leads somewhere leads all."""
    found = {answer for region in regions for answer in region if answer.kind in ("strays", "ends")}
    quiet = [{answer for answer in region if answer.kind in ("stays", "passes")} for region in regions]
    if all(quiet):
        if any(PASSES in region for region in quiet):
            found.add(PASSES)
        if all(region - {PASSES} for region in quiet):
            found |= set().union(*quiet) - {PASSES}
    return found


def ending_ends(flow: Flow) -> bool:
    """Whether some way leads from the ending to a final state by rows that need nobody outside."""
    return flow.ending in _led_to(_before(flow), _final_states(flow))


def _final_states(flow: Flow) -> set[str]:
    return {path for path, state in flow.states.items() if ends_the_call(state)}


def _before(flow: Flow) -> Mapping[str, list[str]]:
    """For each state those that lead to it by themselves: it is their inside, or a row of theirs, or of a state around them,
    leads to it for what comes without anybody outside."""
    by_rows = {path: list(targets(self_driven(state))) for path, state in flow.states.items()}
    before: dict[str, list[str]] = {}
    for path, state in flow.states.items():
        following = [*inward(state), *by_rows[path]]
        following += (target for outer in ancestors(flow.states, path) if outer != ROOT for target in by_rows[outer])
        for one in following:
            before.setdefault(one, []).append(path)
    return before


def _led_to(before: Mapping[str, list[str]], goals: set[str]) -> frozenset[str]:
    """The goals, and the states from which a call comes to one of them by rows that need nobody outside."""
    return closure(goals, lambda path: before.get(path, ()))


def own_results(state: State) -> frozenset[str]:
    """The events that end the actions of a state's own list."""
    return frozenset(result for action in state.entry for result in verb_of(action.verb).results)


def self_driven(state: State) -> list[Transition]:
    """The rows of a state that come to be taken without anybody outside: also for the results of its own actions."""
    return [move for _, move in driven(state, SELF_DRIVEN | own_results(state))]
