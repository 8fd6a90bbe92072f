"""A bound on time is in force in every state: its own, an outer one, or the limit on the whole call at last.

Where that last one is all there is, an event of a person ends the state, or the state ends by itself, or `waits` says why
it may last so long.
"""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.durations import format_duration
from callflow.core.flow import ROOT, Flow, State, TimerRow, Transition
from callflow.core.statechart.descriptors import matches_any
from callflow.core.statechart.reach import closure, sure, targets
from callflow.core.statechart.structure import around, in_ending, inside, inward
from callflow.errors import Defect
from callflow.verify.endings import own_results, self_driven
from callflow.verify.places import defect, named

OF_A_PERSON = (
    "call.hangup",
    "tool.x",
    "dtmf.1",
    "session.user_input_transcribed",
    "session.user_state_changed",
    "leg.x.hangup",
)
"""By a person, or by the model on what a person says."""

ANSWERED = ("call.answered", "dial.answered", "amd.human")


def bounds(flow: Flow) -> Iterator[Defect]:
    unanswered = before_the_answer(flow) if flow.outbound else frozenset()
    for path, state in flow.states.items():
        if path == ROOT or state.children or state.kind in ("final", "history") or in_ending(flow, path):
            continue
        levels = [flow.states[outer] for outer in around(flow.states, path)]
        timers = [timer for outer in levels for timer in outer.timers if _ends(timer)]
        if any(not _of_the_call(timer) for timer in timers) or _ends_by_itself(flow, state):
            continue
        if not timers:
            yield defect(
                "no-time-bound", f"nothing bounds how long {named(path)} may last", state.position,
                "add `after`, here or further out, or `limits: {call: 1h}`", len(state.name),
            )  # fmt: skip
        elif path in unanswered and not any(one.waits for one in levels):
            yield defect(
                "waits-for-nobody", f"only the limit on the whole call bounds {named(path)}, in which nobody is on the line yet",
                state.position, "add `after`, or say with `waits: …` why it may last so long", len(state.name),
            )  # fmt: skip
        elif not _person_ends(levels) and not any(one.waits for one in levels):
            yield defect(
                "waits-for-nobody", f"only the limit on the whole call bounds {named(path)}, and no event of a person ends it",
                state.position, "add `after`, or say with `waits: …` why it may last so long", len(state.name),
            )  # fmt: skip


def never_due(flow: Flow) -> Iterator[Defect]:
    """A timer that is longer than the limit of the call, or of its silence, has its turn never: the call is over by then."""
    limits = {"after": ("call", flow.limits.call), "every": ("call", flow.limits.call),
              "silence": ("silence", flow.limits.silence)}  # fmt: skip
    for path, state in flow.states.items():
        if any(flow.states[outer].must_finish for outer in around(flow.states, path)):
            continue  # the limit is kept until the state is done
        yield from _behind_another(flow, path, state)
        if state.quiet is not None and flow.limits.call is not None and state.quiet.seconds >= flow.limits.call:
            most = format_duration(state.quiet.seconds)
            yield defect(
                "never-due", f"nobody can hear nothing for {most}: `limits: {{call: {format_duration(flow.limits.call)}}}` ends the call first",
                state.quiet.position, "write a shorter time, or leave `quiet` out", len(most),
            )  # fmt: skip
        for timer in state.timers:
            name, limit = limits[timer.kind]
            if limit is None or timer.seconds < limit or _of_the_call(timer):
                continue
            yield defect(
                "never-due", f"`{timer.kind}: {timer.text}` is never due: `limits: {{{name}: {format_duration(limit)}}}` ends the call first",
                timer.position, f"write a shorter time, or a longer limit: `limits: {{{name}: …}}`", len(timer.text),
            )  # fmt: skip


def _behind_another(flow: Flow, path: str, state: State) -> Iterator[Defect]:
    """A timer of a state which another one, that is shorter and leads out of it, always leaves before."""
    for kind in ("after", "silence"):
        timers = [timer for timer in state.timers if timer.kind == kind and not _of_the_call(timer)]
        leaving = [timer for timer in timers if path != ROOT and _leaves(path, timer)]
        first = min(leaving, key=lambda timer: timer.seconds, default=None)
        for timer in timers if first is not None else ():
            if first is not None and timer.seconds > first.seconds:
                yield defect(
                    "never-due", f"`{kind}: {timer.text}` is never due: `{first.text}` of the same state leads out of it before",
                    timer.position, "give that one a `when`, or write a shorter time here", len(timer.text),
                )  # fmt: skip


def _leaves(path: str, timer: TimerRow) -> bool:
    """Whether the row is sure to leave the state that writes it: its target is not inside."""
    return any(
        move.guard is None and move.target is not None and (move.reenter or not inside(move.target, path))
        for move in timer.transitions
    )


def _ends(timer: TimerRow) -> bool:
    """Whether a timer is sure to lead on: `every` and `silence` may not, nor a row with a guard."""
    return timer.kind == "after" and sure(timer.transitions)


def _of_the_call(timer: TimerRow) -> bool:
    """The supplied `limits.call`."""
    return all(move.supplied for move in timer.transitions)


def _ends_by_itself(flow: Flow, state: State) -> bool:
    """Whether the state's own list, whose actions are all bounded, or its task, leads on."""
    if sure(state.always):
        return True
    if state.task is not None:
        return any(move.target is not None for move in self_driven(state))
    results = own_results(state)
    if any(matches_any(row.pattern, results) for row in state.rows):
        return True
    if any(action.timeout is None and not verb_of(action.verb).at_once and action.wait for action in state.entry):
        return any(verb_of(action.verb).parties_end for action in state.entry)
    return any(row.pattern == "done" and any(move.target is not None for move in row.transitions) for row in state.rows)


def _person_ends(levels: list[State]) -> bool:
    return any(
        move.target is not None
        for state in levels
        for row in state.rows
        if row.pattern.startswith(("tool.", "leg.")) or matches_any(row.pattern, OF_A_PERSON)
        for move in row.transitions
    )


def before_the_answer(flow: Flow) -> frozenset[str]:
    """The states in which a call that dials may be before anybody has answered."""

    def onward(path: str) -> Iterator[str]:
        yield from inward(flow.states[path])
        yield from targets(_unanswered(flow.states[path]))

    return closure((ROOT,), onward)


def _unanswered(state: State) -> Iterator[Transition]:
    """The rows of a state for what comes while nobody is on the line."""
    if state.path != ROOT:
        for row in state.rows:
            if not (row.pattern.startswith(("call.", "dtmf.", "tool.", "amd.", "session.")) or row.pattern in ANSWERED):
                yield from row.transitions
        for timer in state.timers:
            if timer.kind != "silence":
                yield from timer.transitions
    yield from state.always
