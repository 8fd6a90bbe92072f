"""A caller who waits in silence: the limit on silence must leave them the time that the author gave the wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callflow.core.actions import verb_of
from callflow.core.durations import format_duration
from callflow.core.flow import ROOT, Action, Flow, State, TimerRow
from callflow.core.statechart.action_lists import actions_during
from callflow.core.statechart.structure import ancestors, around, in_ending, is_over
from callflow.core.verbs.verb import Verb
from callflow.errors import Defect
from callflow.verify.bounds import ANSWERED, before_the_answer
from callflow.verify.places import named, warning

ANSWERS = ("tool.", "dtmf.", "session.user_", "amd.", "call.answered", "call.offered")
"""How those begin with which the caller is listened to, or is not on the line yet."""


def silent_waits(flow: Flow) -> Iterator[Defect]:
    """A warning for an `after` before which the silence of the wait has ended the call, without a word."""
    unanswered = before_the_answer(flow) if flow.outbound else frozenset()
    if any(_is_unheard(verb_of(action.verb)) for action in actions_during(flow)):
        return
    before: dict[str | None, list[Action]] = {}
    for move in flow.transitions:
        before.setdefault(move.target, []).extend(move.actions)
    for path, state in flow.states.items():
        if path in unanswered or not _waits(flow, state, before.get(path, ())):
            continue
        ends = [
            timer
            for outer in ancestors(flow.states, path)
            for timer in flow.states[outer].timers
            if timer.kind == "silence"
        ]
        if not ends or any(_speaks(timer) for timer in (*ends, *state.timers) if timer.kind == "silence"):
            continue
        limit = min((timer for timer in ends if _ends(flow, timer)), key=lambda one: one.seconds, default=None)
        if limit is None:
            continue
        for timer in state.timers:
            if timer.kind == "after" and timer.seconds > limit.seconds and _is_more(flow, timer):
                yield warning(
                    "silent-wait",
                    f"whoever waits in {named(path)} is cut off after {format_duration(limit.seconds)} of silence, before "
                    f"`after: {timer.text}` has its turn",
                    timer.position, "play music to them (`play` with `loop: true`), or make the silence longer than the wait",
                    len(timer.text),
                )  # fmt: skip


def _waits(flow: Flow, state: State, before: Iterable[Action]) -> bool:
    """Whether this is a state in which the caller has nothing to say and nothing to listen to; `before` is what is done on the
    ways into it."""
    levels = [flow.states[path] for path in around(flow.states, state.path)]
    if state.kind != "atomic" or state.path == ROOT or state.task is not None or in_ending(flow, state.path):
        return False
    if any(one.must_finish or one.tools or one.kind == "parallel" for one in levels):
        return False
    if any(_occupies(action) for action in (*before, *(action for one in levels for action in one.entry))):
        return False
    if any(one.instructions is not None for one in levels if one.path != ROOT):
        return False  # the model talks
    patterns = [row.pattern for one in levels if one.path != ROOT for row in one.rows]
    patterns += [row.pattern for row in flow.states[ROOT].rows if not row.pattern.startswith("call.")]
    if any(pattern.startswith(ANSWERS) or pattern in ANSWERED for pattern in patterns):
        return False
    awaited = [pattern.startswith("app.") or _comes(pattern) for pattern in patterns]
    legs = [pattern for pattern in patterns if pattern.startswith("leg.") and not _comes(pattern)]
    return not legs and (bool(state.waits) or any(awaited))


def _comes(pattern: str) -> bool:
    """Whether somebody is on the line from then on, and not yet."""
    return pattern.startswith("leg.") and pattern.endswith(".answered")


def _is_unheard(verb: Verb) -> bool:
    """Whether the caller is not heard by it, in the states after it as well: no silence counts."""
    return verb.offer == "takes" or verb.leg_after == "hold" or verb.mutes is True


def _occupies(action: Action) -> bool:
    verb = verb_of(action.verb)
    return verb.talks or verb.takes_over is not None or verb.occupies or bool(action.arguments.get("loop"))


def _speaks(timer: TimerRow) -> bool:
    return any(verb_of(action.verb).speech for move in timer.transitions for action in move.actions)


def _ends(flow: Flow, timer: TimerRow) -> bool:
    """Whether it is sure to end the call."""
    target = next((move.target for move in timer.transitions if move.guard is None), None)
    return target is not None and is_over(flow, target)


def _is_more(flow: Flow, timer: TimerRow) -> bool:
    """Whether it does more than the silence does: ends the call."""
    return any(move.actions or move.target is None or not is_over(flow, move.target) for move in timer.transitions)
