"""The only way in which a call changes: `step(flow, snapshot, input) -> Step`. Pure: it never waits, reads no clock,
draws no random number.

1. Inputs are taken one at a time, each to completion.
2. A step turns (snapshot, input) into (snapshot, effects to start, to cancel, and to forward the input to); an
   effect's end is an input.                                                          autoforward.py
3. Within a step: the transition, then `always`, then `emit`ted and `done` events, then kept ones, until nothing is
   left; after 100 transitions and internal events the flow goes to its `ending:`, the second time to its end.
4. The configuration changes at once, then actions run: exit, `do`, entry.            sequencer.py
5. `exit` and the `do` of a row with a target are owed.                               sequencer.py
6. An entry list, and the `do` of a row without one, belong to their state; what the
   model called is carried out all the same.                                          sequencer.py, tools.py
7. An action's named result is its end.                                               effects.ended
8. `done`: the entry list is through, and the inside has reached a final state.       completion.through
9. `failed` goes to its state and outward, then to `ending:`.                         selection.select_failed
10. Timers have generations; `silence` counts while nobody speaks.                    clocks.py
11. `must_finish` keeps events that it does not let through.                          selection, _keep
12. Nested, parallel and history states follow W3C SCXML, with XState's difference.   moves.py, selection._optimal
13. A final state of the top level ends the call.                                     moves.end, completion.wind_up
14. The first `outcome` stays.                                                        executable_content.set_outcome
15. A tool returns once its event has been taken.                                     tools.give_back
16, 17. How a call ends whatever happens, and who owns the hang-up: the runtime's and the bindings'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from callflow.core import autoforward, clocks, effects, moves, sequencer, tools
from callflow.core.actions import verb_of
from callflow.core.configuration import Selected, configuration_of
from callflow.core.events import MAIN_LEG, NO_DATA, EffectEnded, Event, Input, Queued, TimerFired, keep_policy
from callflow.core.executable_content import set_outcome
from callflow.core.expressions import ANY, coerce
from callflow.core.flow import ROOT, Flow
from callflow.core.macrostep import LIVE, Given, Macrostep
from callflow.core.observation import give_up, observe, observer_of
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
    macrostep = Macrostep(flow, Snapshot((), memory), time, recorded)
    clocks.begin(macrostep)
    if waiting:
        if flow.limits.answer is not None:
            clocks.arm(macrostep, "answer", ROOT, 0, time + flow.limits.answer)
        return macrostep.freeze(None)
    _enter_initial(macrostep)
    _complete(macrostep)
    return _finish(macrostep, None)


def step(flow: Flow, snapshot: Snapshot, event: Input, *, recorded: Given | None = None) -> Step:
    """One input, to completion.

    `recorded` is what replaces the evaluation of guards, and the failures of expressions, when a redacted journal is
    replayed; values are not held to their types then, since some are digests.

    Raises nothing: what goes wrong inside a flow becomes its `failed`, or a note of the step.
    """
    macrostep = Macrostep(flow, snapshot, event.time, recorded)
    if isinstance(event, Event):
        if not _happened(macrostep, event) and not macrostep.at.always:
            return _finish(macrostep, event)  # nothing has moved, and nothing can
    elif isinstance(event, EffectEnded):
        _effect_ended(macrostep, event)
    else:
        _timer_fired(macrostep, event)
    _complete(macrostep)
    return _finish(macrostep, event)


# -- inputs ----------------------------------------------------------------------------------------------------------


def _happened(macrostep: Macrostep, event: Event) -> bool:
    """Something that came from outside. False: nobody takes it, and what is under way goes on as it did."""
    if event.name.startswith("tool."):
        _called(macrostep, event)
        return True
    if macrostep.phase not in LIVE:
        if not autoforward.forward(macrostep, event):
            macrostep.note("dropped", event=event.name, why="the call is over")
        return False
    observer = observer_of(event.name)
    if observer is not None and observer(macrostep, event):
        return False
    if macrostep.phase == "waiting":
        if event.name in ("call.answered", "call.offered"):
            _enter_initial(macrostep)
            return True
        if (
            event.name == "room.disconnected" and "line" in macrostep.closed
        ):  # a line that was lost would have been there
            _nobody_came(macrostep, event.data)
            return True
    return _take(macrostep, event)


def _called(macrostep: Macrostep, event: Event) -> None:
    """The model has called a tool."""
    if event.offered_in is None:
        event = event._replace(offered_in=macrostep.at.leaves)
    if tools.called(macrostep, event):
        return
    autoforward.forward(macrostep, event)
    if macrostep.live:
        _take(macrostep, event)
    else:
        _take_late(macrostep, event)


def _effect_ended(macrostep: Macrostep, end: EffectEnded) -> None:
    effect = macrostep.effects.get(end.id)
    result = effects.ended(macrostep, end)
    if result is not None and not macrostep.live:  # nobody takes it any more, and the list goes on
        if result.event.offered_in is not None:
            _take_late(macrostep, result.event)
        sequencer.settle(macrostep, result, taken=True)
    elif result is not None:
        observe(macrostep, result.event)
        _take_first(macrostep, result)
    if effect is not None and macrostep.lasting.held and verb_of(effect.verb).holds_hang_up:
        clocks.disarm(macrostep, "settle", ROOT)
        _return_held(macrostep)


def _return_held(macrostep: Macrostep) -> None:
    held = macrostep.held
    for event in held:
        macrostep.held = (event,)  # while it is looked at: it is not held a second time
        observe(macrostep, event)
        macrostep.returning += (event,)
    macrostep.held = ()


def _timer_fired(macrostep: Macrostep, fired: TimerFired) -> None:
    timer = next((one for one in macrostep.timers if one.generation == fired.generation), None)
    if timer is None:
        macrostep.note("stale", timer=fired.generation)
        return
    clocks.fire(macrostep, timer)
    if timer.kind == "stop":
        effect = macrostep.effects.get(timer.row)
        if effect is not None:
            macrostep.effects = without(macrostep.effects, timer.row)
            macrostep.note("never_stopped", effect=effect.id, verb=effect.verb)
    elif timer.kind == "settle":
        _return_held(macrostep)
    elif timer.kind == "away":
        give_up(macrostep, timer.row)
    elif timer.kind == "answer":
        _nobody_came(macrostep, {"within": macrostep.flow.limits.answer})
    else:
        if not macrostep.in_ending:  # in there nothing counts as progress: an ending ends
            macrostep.entered = 0
        row = macrostep.table.states[timer.state].timers[timer.row]
        _take(macrostep, Event(f"{timer.kind} {row.text}", {"row": timer.row}, macrostep.time, state=timer.state))


def _nobody_came(macrostep: Macrostep, why: Mapping[str, Any]) -> None:
    if macrostep.outcome is None and "no_answer" in macrostep.flow.outcomes:
        set_outcome(macrostep, "no_answer")
    macrostep.note("nobody_came", **why)
    _go_to_ending(macrostep, "the far end never came", fault=False)


# -- one event -------------------------------------------------------------------------------------------------------


def _take(macrostep: Macrostep, event: Event) -> bool:
    """Takes the rows of one event. True: somebody handled it, or it is kept."""
    if event.state is None:  # everybody may hear it
        selected = select(macrostep, event)
    elif event.name == "done":
        macrostep.has_finished(event.state)  # not again for one that was kept
        selected = select_done(macrostep, event)
    elif event.name == "failed":
        selected = select_failed(macrostep, event)
    else:  # a timer
        if event.state != ROOT and event.state not in macrostep.active:
            return False
        row = macrostep.table.states[event.state].timers[event.data["row"]]
        selected = select_timer(macrostep, row, event)
    if selected.rows:
        moves.move(macrostep, selected.rows, event.name, event)
    elif not selected.ignored:
        return _keep(macrostep, event, selected) or (event.offered_in is not None and _take_late(macrostep, event))
    return True


def _take_late(macrostep: Macrostep, event: Event) -> bool:
    """Nobody who is active takes what the model called: the rows of the states in which it did, which were left since. Their
    `do` is carried out; where they lead is past."""
    rows = select_left(macrostep, event)
    for row in rows:
        macrostep.note("late", event=event.name, transition=row.id)
        sequencer.add_left(macrostep, "late", row, event)
    return bool(rows)


def _take_first(macrostep: Macrostep, queued: Queued) -> None:
    """An event for which a list may have stopped: what its row does acts, as far as it can, before the list goes on."""
    taken = _take(macrostep, queued.event)
    if queued.list is not None:
        sequencer.advance(macrostep)
    sequencer.settle(macrostep, queued, taken)


def _keep(macrostep: Macrostep, event: Event, selected: Selected) -> bool:
    """Keeps an event that nobody takes while a state must finish, and for which an outer level has a row (rule 11)."""
    unfinished = macrostep.at.must_finish and macrostep.at.must_finish - macrostep.finished
    if not unfinished or not macrostep.live:
        return False
    timer = clocks.is_timer(event)
    if timer:
        state = event.state or ROOT
        wanted = selected.barred or any(state in macrostep.table.states[path].ancestors for path in unfinished)
    elif event.name == "done":  # no other state hears of it: a row of its own waits for another region
        wanted = selected.barred
    else:
        wanted = selected.barred or has_outer_row(macrostep, event.name)
    if not wanted:
        return False
    policy = ("latest" if event.name.startswith("every ") else "all") if timer else keep_policy(event.name)
    if policy == "never":
        return False
    if policy == "latest":
        row = event.data.get("row") if timer else None  # two rows of a host with a sub-flow may count alike
        macrostep.kept = tuple(
            [
                one
                for one in macrostep.kept
                if (one.name, one.state, one.data.get("row") if timer else None) != (event.name, event.state, row)
            ]
        )
    if policy == "all" and len(macrostep.kept) >= MOST_KEPT:
        macrostep.note("not_kept", event=event.name)
        return False
    macrostep.kept = (*macrostep.kept, event)
    macrostep.note("kept", event=event.name)
    return True


# -- to completion ---------------------------------------------------------------------------------------------------


def _complete(macrostep: Macrostep) -> None:
    """Until nothing is left: lists, `always`, internal events, kept events (rule 3)."""
    while True:
        while (
            macrostep.returning and not macrostep.live
        ):  # what the model called, and a state that had to finish has kept
            _take_late(macrostep, _next(macrostep))
        sequencer.advance(macrostep)
        if macrostep.phase not in LIVE:
            return
        rows = select_always(macrostep) if macrostep.at.always else ()
        while macrostep.queue and not (rows or macrostep.queue[0].heard or macrostep.budget >= BUDGET):
            macrostep.queue = macrostep.queue[1:]
            macrostep.budget += 1
        if not rows and not macrostep.queue and not macrostep.returning:
            if not _without_progress(macrostep):
                return
            continue
        if macrostep.budget >= BUDGET:
            _break_cycle(macrostep)
        elif rows:
            moves.move(macrostep, rows, "", None)
        elif macrostep.queue:
            queued = macrostep.queue[0]
            macrostep.queue = macrostep.queue[1:]
            macrostep.budget += 1
            if queued.heard:
                _take_first(macrostep, queued)
        else:
            _take(macrostep, _next(macrostep))


def _next(macrostep: Macrostep) -> Event:
    """The next event that was kept."""
    event, *rest = macrostep.returning
    macrostep.returning = tuple(rest)
    return event


def _break_cycle(macrostep: Macrostep) -> None:
    """An endless cycle: to the ending; from in there, or the second time, to the end."""
    macrostep.budget = 0
    macrostep.queue = ()
    macrostep.faults += 1
    recent = [move for move in macrostep.moves if move.entered][-8:]
    names = " → ".join(dict.fromkeys(move.entered[-1] for move in recent)) or "events that raise each other"
    error = f"an endless cycle: {BUDGET} transitions and internal events without an input ({names})"
    for one in macrostep.lists.values():
        if one.stopped:
            macrostep.change_list(one.at(one.position + 1))
    if macrostep.faults > 1 or macrostep.in_ending:
        _go_to_the_end(macrostep, error)
    else:
        _go_to_ending(macrostep, error)


def _without_progress(macrostep: Macrostep) -> bool:
    """Whether `limits.no_progress` is reached at the end of a step; then the call is on its way to the ending, and from
    an ending that goes round as often again, to the end."""
    most = macrostep.table.most_entered
    if macrostep.entered < most and not macrostep.at.in_ending:
        return False
    bounded = most < math.inf
    if macrostep.in_ending and not configuration_of(macrostep.table, macrostep.before.configuration).in_ending:
        macrostep.entered = int(min(macrostep.entered, most)) if bounded else 0
    if macrostep.entered < (most if not macrostep.in_ending else 2 * most if bounded else BUDGET):
        return False
    if macrostep.outcome is None:
        set_outcome(macrostep, "timed_out")
    error = f"{macrostep.entered} states were entered without speech heard, a key or a timer"
    if macrostep.in_ending:
        _go_to_the_end(macrostep, f"the ending does not end: {error}")
    else:
        _go_to_ending(macrostep, error, fault=False)
    return True


def _go_to_the_end(macrostep: Macrostep, error: str) -> None:
    """Not even the ending is of use: nothing is left but to close what is open."""
    macrostep.fault = macrostep.fault or error
    macrostep.note("fault", error=error)
    moves.enter(macrostep, (), macrostep.at.way_out(), "", None)
    sequencer.leave(macrostep, (ROOT,), None)
    moves.end(macrostep, None)


def _go_to_ending(macrostep: Macrostep, why: str, *, fault: bool = True) -> None:
    """To the state that `ending:` names, whatever is in force."""
    if fault:
        macrostep.fault = macrostep.fault or why
    macrostep.note("fault" if fault else "limit", error=why)
    if not macrostep.in_ending:
        moves.move(macrostep, (macrostep.table.to_ending[ROOT],), "", None)


def _enter_initial(macrostep: Macrostep) -> None:
    moves.enter(macrostep, (), macrostep.at.initial_way(macrostep.history), "", None)


def _finish(macrostep: Macrostep, event: Input | None) -> Step:
    if macrostep.silences:
        clocks.count(macrostep)
    if macrostep.out:
        effects.last_words(macrostep)
    if macrostep.tools or macrostep.lists:
        tools.give_back(macrostep)
    return macrostep.freeze(event)


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
