"""Rules on lists of actions: what may cut them, what reads them too early, what they leave open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from callflow.core.actions import verb_of
from callflow.core.durations import format_duration
from callflow.core.flow import Action, Flow, State, Transition
from callflow.core.statechart.action_lists import every_list, lists_during
from callflow.core.statechart.reach import endless
from callflow.core.statechart.structure import entered
from callflow.errors import Defect
from callflow.flowfile.nodes import shorten
from callflow.verify.places import defect, named, warning


def must_finish_cut(flow: Flow) -> Iterator[Defect]:
    """No `after` cuts the list of a state that must finish, given the sum of its time limits."""
    for state in flow.states.values():
        if not state.must_finish:
            continue
        longest = longest_time(state.entry)
        for timer in state.timers:
            leaves = any(move.target is not None for move in timer.transitions)
            if timer.kind == "after" and leaves and (longest is None or timer.seconds < longest):
                needs = "has no bound" if longest is None else f"may take {format_duration(longest)}"
                hint = (
                    "give its actions a `timeout`"
                    if longest is None
                    else f"write {format_duration(longest)} or more, or shorten the timeouts"
                )
                yield defect(
                    "after-cuts-must-finish",
                    f"after {timer.text} {named(state.path)} is left, which must finish and whose list {needs}",
                    timer.position, hint, len(timer.text),
                )  # fmt: skip


def longest_time(actions: Iterable[Action]) -> float | None:
    """Seconds that a list may take, each action for all its tries; None where nothing bounds it."""
    total = 0.0
    for action in actions:
        verb = verb_of(action.verb)
        if not action.wait or verb.at_once or verb.last:
            continue
        if action.timeout is None:
            return None
        total += action.timeout * action.tries
        total += sum(action.backoff * 2**number for number in range(action.tries - 1))
    return total


def twice(flow: Flow) -> Iterator[Defect]:
    """The same is written twice, one behind the other: said twice, held twice, ended twice. Keys and sounds may be repeated."""
    for written in every_list(flow):
        for before, action in pairwise(written.actions):
            verb = verb_of(action.verb)
            repeats = verb.yields or (verb.main is not None and verb.arguments[verb.main].sound)
            if (verb.at_once and "outcome" not in verb.roles) or repeats:
                continue
            if before.verb == action.verb and before.arguments == action.arguments:
                yield warning(
                    "action-twice", f"`{action.verb}` stands here twice, one behind the other, with the same arguments",
                    action.position, "take one of them out", len(action.verb),
                )  # fmt: skip


def early_always(flow: Flow) -> Iterator[Defect]:
    """No `always` reads what a list before it sets later: it looks at the variables as they are, also while lists run."""
    early = [state for state in flow.states.values() if state.always]
    if not early:
        return
    entering: dict[str, list[Transition]] = {}
    for move in flow.transitions:
        if move.target is not None:
            for path in entered(flow.states, move.target):
                entering.setdefault(path, []).append(move)
    for state in early:
        late = _late(state, entering.get(state.path, ()))
        for move in state.always:
            if move.guard is None:
                continue
            for name in sorted(
                late & {read.removeprefix("vars.") for read in move.guard.reads if read.startswith("vars.")}
            ):
                yield defect(
                    "always-too-early",
                    f"this row reads `vars.{name}` as soon as {named(state.path)} is entered, and a list sets it only later",
                    move.position, "decide when the list is through: write the row under `on: {done: …}`",
                )  # fmt: skip


def always_round(flow: Flow) -> Iterator[Defect]:
    """No `always` rows without guards lead round in a circle: nothing would ever come between them."""
    for circle in endless(flow.states):
        move = min((move for _, move in circle), key=lambda one: one.id)
        names = " → ".join(flow.states[path].name for path, _ in (*circle, circle[0]))
        yield defect(
            "endless-always", f"these `always` rows lead round for ever: {shorten(names, 100)}",
            move.position, "give one of them a `when`, or wait for an event",
        )  # fmt: skip


def _late(state: State, moves: Iterable[Transition]) -> set[str]:
    """The variables that are set behind something that takes time, on the way into a state or in its entry list."""
    late: set[str] = set()
    held = False
    for move in moves:
        found, waits = _set_late(move.actions, False)
        late |= found
        held = held or waits
    return late | _set_late(state.entry, held)[0]


def _set_late(actions: Iterable[Action], waits: bool) -> tuple[set[str], bool]:
    late: set[str] = set()
    for action in actions:
        verb = verb_of(action.verb)
        if waits:
            late.update(verb.given("variables", action.arguments) or ())
        if action.save_as is not None:
            late.add(action.save_as)
        waits = waits or (action.wait and not verb.at_once)
    return late, waits


def line_left_up(flow: Flow) -> Iterator[Defect]:
    """`shutdown` ends the agent's job and drops nobody: something before it in its list drops the line, or leaves it on
    purpose (`stand_by`, `hang_up: {for: agent}`)."""
    for written in lists_during(flow):
        closed = False
        for action in written.actions:
            verb = verb_of(action.verb)
            closed = closed or "line" in verb.closes or verb.drops_leg
            if verb.last and not closed:
                yield defect(
                    "shutdown-keeps-line", f"`{verb.name}` ends the agent's job, and the far end stays on a line on which nobody is",
                    action.position, "put `delete_room` before it, or write `hang_up` for both", len(verb.name),
                )  # fmt: skip
