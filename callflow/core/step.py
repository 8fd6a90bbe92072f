"""The only way in which a call changes: `step(flow, snapshot, input) -> Step`. Pure: it never waits, reads no clock,
draws no random number.

1. Inputs are taken one at a time, each to completion.
2. A step turns (snapshot, input) into (snapshot, effects to start, to cancel, and to forward the input to); an
   effect's end is an input.                                                          forwarding.py
3. Within a step: the transition, then `always`, then `emit`ted and `done` events, then kept ones, until nothing is
   left; after 100 transitions and internal events the flow goes to its `ending:`, the second time to its end.
4. The configuration changes at once, then actions run: exit, `do`, entry.            lists.py
5. `exit` and the `do` of a row with a target are owed.                               lists.py
6. An entry list, and the `do` of a row without one, belong to their state; what the
   model called is carried out all the same.                                          lists.py, tools.py
7. An action's named result is its end.                                               effects.ended
8. `done`: the entry list is through, and the inside has reached a final state.       finishing.through
9. `failed` goes to its state and outward, then to `ending:`.                         selection.select_failed
10. Timers have generations; `silence` counts while nobody speaks.                    clocks.py
11. `must_finish` keeps events that it does not let through.                          selection, _keep
12. Nested, parallel and history states follow W3C SCXML, with XState's difference.   moves.py, selection._optimal
13. A final state of the top level ends the call.                                     moves.end, finishing.wind_up
14. The first `outcome` stays.                                                        immediate.set_outcome
15. A tool returns once its event has been taken.                                     tools.give_back
16, 17. How a call ends whatever happens, and who owns the hang-up: the runtime's and the bindings'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from callflow.core import clocks, effects, forwarding, lists, moves, tools
from callflow.core.actions import verb_of
from callflow.core.configuration import Selected, configuration_of
from callflow.core.events import MAIN_LEG, NO_DATA, EffectEnded, Event, Input, Queued, TimerFired, keep_policy
from callflow.core.expressions import ANY, coerce
from callflow.core.flow import ROOT, Flow
from callflow.core.immediate import set_outcome
from callflow.core.observation import OBSERVED, give_up, observe
from callflow.core.selection import (
    has_outer_row,
    select,
    select_always,
    select_done,
    select_failed,
    select_left,
    select_timer,
)
from callflow.core.snapshot import Leg, Memory, Snapshot, Step, without
from callflow.core.turn import LIVE, Given, Turn
from callflow.errors import StartError

# Most calls begin alike, and share how.
NO_VARS: Mapping[str, Mapping[str, Any]] = {ROOT: NO_DATA}
ON_LINE = {MAIN_LEG: Leg(MAIN_LEG, "on_line")}
ABSENT = {MAIN_LEG: Leg(MAIN_LEG, "absent")}

BUDGET = 100
"""Transitions and internal events that one input may bring about."""

MOST_KEPT = 1000
"""Events that a state that must finish keeps; of what comes beyond only that is kept of which the latest counts."""


def start(
    flow: Flow,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the language's own word
    *,
    time: float = 0.0,
    env: Mapping[str, str] | None = None,
    call: Mapping[str, Any] | None = None,
    waiting: bool = False,
    recorded: Given | None = None,
) -> Step:
    """The first step of a call: the initial state is entered.

    `vars` are the main flow's variables, checked against their types. `time` is in seconds since the epoch. `env`
    holds the environment variables that the flow names. `call` is what the program knows of the call (`id`,
    `direction`, …), to be read as `call.<name>`. With `waiting` the far end is not on the line yet: the initial state
    is entered at `call.answered` (or `call.offered`), and `limits.answer` bounds the wait; without it the far end is
    taken to be on the line, unless the flow dials it. `recorded` is as for `step`.

    Raises StartError with everything that is missing or of the wrong type.
    """
    values = _variables(flow, vars or {}, env or {})
    variables: Mapping[str, Mapping[str, Any]] = {ROOT: values} if values else NO_VARS
    if not vars:
        variables = flow.made.setdefault("defaults", variables)
    on_line = not waiting and not flow.outbound
    memory = Memory(
        started=time,
        vars=variables,
        env={name: (env or {})[name] for name in flow.env} or NO_DATA,
        call=dict(call) if call else NO_DATA,
        legs=ON_LINE if on_line else ABSENT,
        phase="waiting" if waiting else "running",
    )
    turn = Turn(flow, Snapshot((), memory), time, recorded)
    clocks.begin(turn)
    if waiting:
        if flow.limits.answer is not None:
            clocks.arm(turn, "answer", ROOT, 0, time + flow.limits.answer)
        return turn.freeze(None)
    _enter_initial(turn)
    _complete(turn)
    return _finish(turn, None)


def step(flow: Flow, snapshot: Snapshot, event: Input, *, recorded: Given | None = None) -> Step:
    """One input, to completion.

    `recorded` is what replaces the evaluation of guards, and the failures of expressions, when a redacted journal is
    replayed; values are not held to their types then, since some are digests.

    Raises nothing: what goes wrong inside a flow becomes its `failed`, or a note of the step.
    """
    turn = Turn(flow, snapshot, event.time, recorded)
    if isinstance(event, Event):
        if not _happened(turn, event) and not turn.at.always:
            return _finish(turn, event)  # nothing has moved, and nothing can
    elif isinstance(event, EffectEnded):
        _effect_ended(turn, event)
    else:
        _timer_fired(turn, event)
    _complete(turn)
    return _finish(turn, event)


# -- inputs ----------------------------------------------------------------------------------------------------------


def _happened(turn: Turn, event: Event) -> bool:
    """Something that came from outside. False: nobody takes it, and what is under way goes on as it did."""
    if event.name.startswith("tool."):
        _called(turn, event)
        return True
    if turn.phase not in LIVE:
        if not forwarding.forward(turn, event):
            turn.note("dropped", event=event.name, why="the call is over")
        return False
    if event.name.startswith(OBSERVED) and observe(turn, event):
        return False
    if turn.phase == "waiting":
        if event.name in ("call.answered", "call.offered"):
            _enter_initial(turn)
            return True
        if event.name == "room.disconnected" and "line" in turn.closed:  # a line that was lost would have been there
            _nobody_came(turn, event.data)
            return True
    return _take(turn, event)


def _called(turn: Turn, event: Event) -> None:
    """The model has called a tool."""
    if event.offered_in is None:
        event = event._replace(offered_in=turn.at.leaves)
    if tools.called(turn, event):
        return
    forwarding.forward(turn, event)
    if turn.live:
        _take(turn, event)
    else:
        _take_late(turn, event)


def _effect_ended(turn: Turn, end: EffectEnded) -> None:
    effect = turn.effects.get(end.id)
    result = effects.ended(turn, end)
    if result is not None and not turn.live:  # nobody takes it any more, and the list goes on
        if result.event.offered_in is not None:
            _take_late(turn, result.event)
        lists.settle(turn, result, taken=True)
    elif result is not None:
        if result.event.name.startswith(OBSERVED):
            observe(turn, result.event)
        _take_first(turn, result)
    if effect is not None and turn.held and verb_of(effect.verb).holds_hang_up:
        clocks.disarm(turn, "settle", ROOT)
        _return_held(turn)


def _return_held(turn: Turn) -> None:
    held = turn.held
    for event in held:
        turn.held = (event,)  # while it is looked at: it is not held a second time
        observe(turn, event)
        turn.returning += (event,)
    turn.held = ()


def _timer_fired(turn: Turn, fired: TimerFired) -> None:
    timer = next((one for one in turn.timers if one.generation == fired.generation), None)
    if timer is None:
        turn.note("stale", timer=fired.generation)
        return
    clocks.fire(turn, timer)
    if timer.kind == "stop":
        effect = turn.effects.get(timer.row)
        if effect is not None:
            turn.effects = without(turn.effects, timer.row)
            turn.note("never_stopped", effect=effect.id, verb=effect.verb)
    elif timer.kind == "settle":
        _return_held(turn)
    elif timer.kind == "away":
        give_up(turn, timer.row)
    elif timer.kind == "answer":
        _nobody_came(turn, {"within": turn.flow.limits.answer})
    else:
        if not turn.in_ending:  # in there nothing counts as progress: an ending ends
            turn.entered = 0
        row = turn.table.states[timer.state].timers[timer.row]
        _take(turn, Event(f"{timer.kind} {row.text}", {"row": timer.row}, turn.time, state=timer.state))


def _nobody_came(turn: Turn, why: Mapping[str, Any]) -> None:
    if turn.outcome is None and "no_answer" in turn.flow.outcomes:
        set_outcome(turn, "no_answer")
    turn.note("nobody_came", **why)
    _go_to_ending(turn, "the far end never came", fault=False)


# -- one event -------------------------------------------------------------------------------------------------------


def _take(turn: Turn, event: Event) -> bool:
    """Takes the rows of one event. True: somebody handled it, or it is kept."""
    if event.state is None:  # everybody may hear it
        selected = select(turn, event)
    elif event.name == "done":
        turn.has_finished(event.state)  # not again for one that was kept
        selected = select_done(turn, event)
    elif event.name == "failed":
        selected = select_failed(turn, event)
    else:  # a timer
        if event.state != ROOT and event.state not in turn.active:
            return False
        row = turn.table.states[event.state].timers[event.data["row"]]
        selected = select_timer(turn, row, event)
    if selected.rows:
        moves.move(turn, selected.rows, event.name, event)
    elif not selected.ignored:
        return _keep(turn, event, selected) or (event.offered_in is not None and _take_late(turn, event))
    return True


def _take_late(turn: Turn, event: Event) -> bool:
    """Nobody who is active takes what the model called: the rows of the states in which it did, which were left since. Their
    `do` is carried out; where they lead is past."""
    rows = select_left(turn, event)
    for row in rows:
        turn.note("late", event=event.name, transition=row.id)
        lists.add_left(turn, "late", row, event)
    return bool(rows)


def _take_first(turn: Turn, queued: Queued) -> None:
    """An event for which a list may have stopped: what its row does acts, as far as it can, before the list goes on."""
    taken = _take(turn, queued.event)
    if queued.list is not None:
        lists.advance(turn)
    lists.settle(turn, queued, taken)


def _keep(turn: Turn, event: Event, selected: Selected) -> bool:
    """Keeps an event that nobody takes while a state must finish, and for which an outer level has a row (rule 11)."""
    unfinished = turn.at.must_finish and turn.at.must_finish - turn.finished
    if not unfinished or not turn.live:
        return False
    timer = clocks.is_timer(event)
    if timer:
        state = event.state or ROOT
        wanted = selected.barred or any(state in turn.table.states[path].ancestors for path in unfinished)
    elif event.name == "done":  # no other state hears of it: a row of its own waits for another region
        wanted = selected.barred
    else:
        wanted = selected.barred or has_outer_row(turn, event.name)
    if not wanted:
        return False
    policy = ("latest" if event.name.startswith("every ") else "all") if timer else keep_policy(event.name)
    if policy == "never":
        return False
    if policy == "latest":
        row = event.data.get("row") if timer else None  # two rows of a host with a sub-flow may count alike
        turn.kept = tuple(
            [
                one
                for one in turn.kept
                if (one.name, one.state, one.data.get("row") if timer else None) != (event.name, event.state, row)
            ]
        )
    if policy == "all" and len(turn.kept) >= MOST_KEPT:
        turn.note("not_kept", event=event.name)
        return False
    turn.kept = (*turn.kept, event)
    turn.note("kept", event=event.name)
    return True


# -- to completion ---------------------------------------------------------------------------------------------------


def _complete(turn: Turn) -> None:
    """Until nothing is left: lists, `always`, internal events, kept events (rule 3)."""
    while True:
        while turn.returning and not turn.live:  # what the model called, and a state that had to finish has kept
            _take_late(turn, _next(turn))
        lists.advance(turn)
        if turn.phase not in LIVE:
            return
        rows = select_always(turn) if turn.at.always else ()
        while turn.queue and not (rows or turn.queue[0].heard or turn.budget >= BUDGET):
            turn.queue = turn.queue[1:]
            turn.budget += 1
        if not rows and not turn.queue and not turn.returning:
            if not _without_progress(turn):
                return
            continue
        if turn.budget >= BUDGET:
            _break_cycle(turn)
        elif rows:
            moves.move(turn, rows, "", None)
        elif turn.queue:
            queued = turn.queue[0]
            turn.queue = turn.queue[1:]
            turn.budget += 1
            if queued.heard:
                _take_first(turn, queued)
        else:
            _take(turn, _next(turn))


def _next(turn: Turn) -> Event:
    """The next event that was kept."""
    event, *rest = turn.returning
    turn.returning = tuple(rest)
    return event


def _break_cycle(turn: Turn) -> None:
    """An endless cycle: to the ending; from in there, or the second time, to the end."""
    turn.budget = 0
    turn.queue = ()
    turn.faults += 1
    recent = [move for move in turn.moves if move.entered][-8:]
    names = " → ".join(dict.fromkeys(move.entered[-1] for move in recent)) or "events that raise each other"
    error = f"an endless cycle: {BUDGET} transitions and internal events without an input ({names})"
    for one in turn.lists.values():
        if one.stopped:
            turn.change_list(one.at(one.position + 1))
    if turn.faults > 1 or turn.in_ending:
        _go_to_the_end(turn, error)
    else:
        _go_to_ending(turn, error)


def _without_progress(turn: Turn) -> bool:
    """Whether `limits.no_progress` is reached at the end of a step; then the call is on its way to the ending, and from
    an ending that goes round as often again, to the end."""
    most = turn.table.most_entered
    if turn.entered < most and not turn.at.in_ending:
        return False
    bounded = most < math.inf
    if turn.in_ending and not configuration_of(turn.table, turn.before.configuration).in_ending:
        turn.entered = int(min(turn.entered, most)) if bounded else 0
    if turn.entered < (most if not turn.in_ending else 2 * most if bounded else BUDGET):
        return False
    if turn.outcome is None:
        set_outcome(turn, "timed_out")
    error = f"{turn.entered} states were entered without speech heard, a key or a timer"
    if turn.in_ending:
        _go_to_the_end(turn, f"the ending does not end: {error}")
    else:
        _go_to_ending(turn, error, fault=False)
    return True


def _go_to_the_end(turn: Turn, error: str) -> None:
    """Not even the ending is of use: nothing is left but to close what is open."""
    turn.fault = turn.fault or error
    turn.note("fault", error=error)
    moves.enter(turn, (), turn.at.way_out(), "", None)
    lists.leave(turn, (ROOT,), None)
    moves.end(turn, None)


def _go_to_ending(turn: Turn, why: str, *, fault: bool = True) -> None:
    """To the state that `ending:` names, whatever is in force."""
    if fault:
        turn.fault = turn.fault or why
    turn.note("fault" if fault else "limit", error=why)
    if not turn.in_ending:
        moves.move(turn, (turn.table.to_ending[ROOT],), "", None)


def _enter_initial(turn: Turn) -> None:
    moves.enter(turn, (), turn.at.initial_way(turn.history), "", None)


def _finish(turn: Turn, event: Input | None) -> Step:
    if turn.silences:
        clocks.count(turn)
    if turn.out:
        effects.last_words(turn)
    if turn.tools or turn.lists:
        tools.give_back(turn)
    return turn.freeze(event)


def _variables(flow: Flow, given: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    declared = flow.scopes[ROOT].variables
    problems = [f"vars.{name} is not a variable of this flow" for name in given if name not in declared]
    values: dict[str, Any] = {}
    for name, variable in declared.items():
        if name in given:
            try:
                values[name] = given[name] if variable.type is ANY else coerce(variable.type, given[name])
            except ValueError as error:
                why = f"takes {variable.type.phrase}" if variable.pii else str(error)  # which shows the value
                problems.append(f"vars.{name}: {why}")
        elif variable.required:
            problems.append(f"vars.{name} is missing")
        else:
            values[name] = variable.default
    problems += [f"the environment variable {name} is not set" for name in flow.env if name not in env]
    if problems:
        raise StartError(problems)
    return values
