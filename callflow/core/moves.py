"""Which states a transition leaves and enters, and the move itself (W3C SCXML, Algorithm for SCXML Interpretation)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from callflow.core import clocks, lists
from callflow.core.content import WITH, forget, outlive
from callflow.core.events import Event
from callflow.core.flow import ROOT, Transition
from callflow.core.snapshot import Microstep
from callflow.core.statechart.structure import ends_the_call, inside, within
from callflow.core.turn import Turn


def exit_set(turn: Turn, row: Transition) -> set[str]:
    """The active states that a row leaves; none without a target."""
    if row.target is None:
        return set()
    domain = turn.table.domain(row)
    return {path for path in turn.active if inside(path, domain)}


def entry_set(turn: Turn, rows: Iterable[Transition]) -> set[str]:
    """The states that rows enter, with default insides, regions and histories (computeEntrySet)."""
    found: set[str] = set()
    for row in rows:
        if row.target is None:
            continue
        domain = turn.table.domain(row)
        _enter_all(turn, _effective(turn, row.target), domain, found)
        if turn.table.states[domain].kind == "parallel":
            _enter_regions(turn, domain, found)
    return found


def initial_set(turn: Turn, path: str) -> set[str]:
    """The states that are entered when nothing inside `path` is active yet."""
    found: set[str] = set()
    _enter_all(turn, _effective(turn, turn.flow.states[path].initial or ROOT), path, found)
    return found


def _enter_all(turn: Turn, targets: Iterable[str], domain: str, found: set[str]) -> None:
    """All targets before what is around them: a region that has a target gets no default."""
    for target in targets:
        _enter_inside(turn, target, found)
    for target in targets:
        _enter_around(turn, target, domain, found)


def _effective(turn: Turn, target: str) -> tuple[str, ...]:
    """The target, or the states that a history state stands for now."""
    state = turn.flow.states[target]
    if state.kind != "history":
        return (target,)
    remembered = turn.history.get(target)
    if remembered:
        return remembered
    return _effective(turn, state.initial or ROOT)


def _enter_inside(turn: Turn, path: str, found: set[str]) -> None:
    found.add(path)
    state = turn.table.states[path]
    if state.kind == "compound":
        _enter_all(turn, _effective(turn, state.state.initial or ROOT), path, found)
    elif state.kind == "parallel":
        _enter_regions(turn, path, found)


def _enter_around(turn: Turn, path: str, domain: str, found: set[str]) -> None:
    for outer in turn.table.states[path].ancestors:
        if outer in (domain, ROOT):
            return
        found.add(outer)
        if turn.table.states[outer].kind == "parallel":
            _enter_regions(turn, outer, found)


def _enter_regions(turn: Turn, path: str, found: set[str]) -> None:
    for region in turn.table.states[path].children:
        if not any(within(other, region) for other in found):
            _enter_inside(turn, region, found)


def move(turn: Turn, rows: tuple[Transition, ...], trigger: str, event: Event | None) -> None:
    """Takes rows: the configuration changes at once; then their lists stand in the sequencer, exit before `do` before entry."""
    leaving: set[str] = set()
    for row in rows:
        leaving |= exit_set(turn, row)
    remember(turn, leaving)
    entering = _entering(turn, rows, leaving)
    enter(turn, rows, leaving, entering, trigger, event)


def _entering(turn: Turn, rows: tuple[Transition, ...], leaving: set[str]) -> set[str]:
    stay = turn.active - leaving
    return {path for path in entry_set(turn, rows) if path not in stay}


def remember(turn: Turn, leaving: set[str]) -> None:
    """What the history states of the states that are left stand for from now on."""
    for path in leaving:
        for history in turn.table.states[path].history:
            deep = turn.flow.states[history].history == "deep"
            left = {state for state in turn.active if inside(state, path)}
            if deep:
                parents = {turn.table.states[state].parent for state in left}
                last = [state for state in left if state not in parents]
            else:
                last = [state for state in left if turn.table.states[state].parent == path]
            turn.history[history] = tuple(sorted(last, key=turn.table.order))


def enter(
    turn: Turn,
    rows: tuple[Transition, ...],
    leaving: set[str],
    entering: set[str],
    trigger: str,
    event: Event | None,
) -> None:
    """The move, given what it leaves and enters."""
    exited = sorted(leaving, key=turn.table.order, reverse=True)
    entered = sorted(entering, key=turn.table.order)
    final = next((path for path in entered if ends_the_call(turn.flow.states[path])), None)
    speech = event.effect if event is not None and event.name.startswith("tool.") else None
    # A row that stays, in a state that another region's row leaves: its list is one of those that are left.
    cut = {row.id for row in rows if row.target is None and (row.source in leaving or final is not None)}
    lists.leave(turn, exited if final is None else (*exited, ROOT), speech)
    for path in exited:
        turn.active.discard(path)
        turn.finished.discard(path)
        turn.drop_done(path)
        clocks.leave(turn, path)
        if turn.flow.states[path].exit:
            lists.owe_exit(turn, path)
        outlive(turn, path, asked=any(row.id in cut and row.scope == path for row in rows))
    for row in rows:
        if row.actions and row.id in cut:
            lists.add_left(turn, "rest", row, event)
        elif row.actions:
            lists.add_do(turn, row, event)
    if not turn.flow.scopes.keys().isdisjoint(exited):  # only now is it known what can ask for their variables
        forget(turn)
    for path in entered:
        turn.active.add(path)
        if path in turn.table.counts_visits:
            turn.visits[path] = turn.visits.get(path, 0) + 1
        if path in turn.flow.scopes:
            variables = turn.flow.scopes[path].variables
            turn.vars[path] = {name: one.default for name, one in variables.items() if not one.required}
            forget(turn)
        turn.add_list("entry", path, path, path, position=WITH if turn.flow.states[path].arguments else 0)
        clocks.enter(turn, path)
    if turn.phase == "waiting" and entered:
        turn.phase = "running"
        clocks.disarm(turn, "answer", ROOT)
    turn.entered += len(entered)
    taken = tuple(row.id for row in rows if row.id >= 0)  # the way to the ending that nobody wrote has no number
    turn.moves.append(Microstep(trigger, taken, tuple(exited), tuple(entered)))
    if final is not None:
        end(turn, final)


def end(turn: Turn, final: str | None) -> None:
    """A final state of the top level is reached: timers stop, no event is taken any more (rule 13). What the model called
    is not forgotten: those events stay, for the rows of the states in which it did."""
    turn.phase = "final"
    turn.final = final
    turn.timers = [timer for timer in turn.timers if timer.kind == "stop"]
    turn.silences.clear()
    lists.let_go_on(turn)
    calls = [event for event in (*turn.returning, *turn.kept) if event.offered_in is not None]
    for event in (*turn.kept, *turn.held):
        if event.offered_in is None:
            turn.note("dropped", event=event.name, why="the call is over")
    turn.returning = deque(calls)
    turn.kept.clear()
    turn.held.clear()
