"""Rules of the telephone: what LiveKit's servers and the SIP bridge do, whatever a flow would like."""

from __future__ import annotations

from collections.abc import Container, Iterator

from callflow.core.actions import VERBS, verb_of
from callflow.core.durations import format_duration
from callflow.core.events import MAIN_LEG
from callflow.core.flow import Action, Flow, Row, State
from callflow.core.statechart.action_lists import actions_during, calls_far_end, given, triggers
from callflow.core.statechart.descriptors import is_named, is_wild, matches, matches_any
from callflow.core.statechart.reach import closure, sure
from callflow.core.statechart.structure import around, beside, entered, inward, subtree
from callflow.errors import Defect
from callflow.verify.places import defect, named, warning

DEPARTURE = 20.0
"""Seconds after which livekit-server closes a room that its last caller has left (`departure_timeout`)."""

_DIALS = [verb for verb in VERBS.values() if verb.dials]
ANSWERED = ("call.answered", *(result for verb in _DIALS for result in verb.success))
UNANSWERED = tuple(result for verb in _DIALS for result in verb.results if result not in verb.success)


def redial_too_late(flow: Flow) -> Iterator[Defect]:
    """A pause between two dials is shorter than the server keeps a room in which only the agent is left."""
    dialling = {path for path, state in flow.states.items() if dials_far_end(state)}
    alone = _alone(flow, dialling)
    for path in flow.states:
        if path not in alone or path in dialling:
            continue
        for timer in flow.states[path].timers:
            if timer.kind == "silence" or timer.seconds < DEPARTURE:
                continue
            if any(
                move.target is not None and dialling & set(entered(flow.states, move.target))
                for move in timer.transitions
            ):
                yield warning(
                    "redial-too-late",
                    f"from {named(path)} the flow dials again after {timer.text}; the server closes the room "
                    f"{format_duration(DEPARTURE)} after the last one has left it, and the call ends with `line_lost`",
                    timer.position, "dial again sooner, or have the room made with a longer `departure_timeout`",
                    len(timer.text),
                )  # fmt: skip


def nobody_on_the_line(flow: Flow) -> Iterator[Defect]:
    """What is for the far end does not stand before the `dial` that brings it on the line."""
    others = other_legs(flow)
    dialling = [state for state in flow.states.values() if dials_far_end(state) and not others]
    answered = _after_the_answer(flow) if dialling else frozenset()
    for state in dialling:
        if state.path not in answered:
            yield from _too_early(state.entry)
        yield from _while_it_rings(state)


def _after_the_answer(flow: Flow) -> frozenset[str]:
    """The states in which a call may be once somebody has answered."""
    starts = []
    for state in flow.states.values():
        rows = [row for row in state.rows if matches_any(row.pattern, ANSWERED)]
        exact = [row for row in rows if not is_wild(row.pattern)]
        starts += [move.target for row in exact or rows for move in row.transitions if move.target is not None]
    return _reached(flow, starts, everything=True)


def _too_early(actions: tuple[Action, ...]) -> Iterator[Defect]:
    for action in actions:
        verb = verb_of(action.verb)
        if verb.dials:
            return
        if verb.needs_somebody:
            yield defect(
                "nobody-on-the-line", f"`{action.verb}` stands before `dial`: nobody is on the line yet", action.position,
                "put it behind `dial`, or into the state that follows", len(action.verb),
            )  # fmt: skip


def _while_it_rings(state: State) -> Iterator[Defect]:
    """The rows of a state that dials, where its own rows lead away as soon as somebody answers."""
    answered = [row for row in state.rows if matches(row.pattern, "dial.answered")]
    if not any(sure(row.transitions) for row in answered):
        return
    moves = [move for row in state.rows if row.pattern == "call.ringing" for move in row.transitions]
    moves += [move for timer in state.timers if timer.kind != "silence" for move in timer.transitions]
    for move in moves:
        for action in move.actions if move.target is None else ():
            if verb_of(action.verb).needs_somebody:
                yield defect(
                    "nobody-on-the-line", f"`{action.verb}` comes while it rings: nobody is on the line yet", action.position,
                    "put it into the state that follows `dial.answered`", len(action.verb),
                )  # fmt: skip


def digits_to_collect(flow: Flow) -> Iterator[Defect]:
    """`collect_digits` says in one way how many keys it wants."""
    for action in actions_during(flow):
        if not verb_of(action.verb).takes_keys:
            continue
        count, least, most = (action.arguments.get(name) for name in ("count", "min", "max"))
        if count is not None and (least is not None or most is not None):
            what = "`count` says exactly how many keys, and `min` or `max` says something else"
        elif isinstance(least, int) and isinstance(most, int) and least > most:
            what = f"at least {least} keys and at most {most} are no number of keys"
        else:
            continue
        yield defect("unclear-digits", what, action.position, "write `count`, or `min` and `max`", len(action.verb))


def decisions(flow: Flow) -> Iterator[Defect]:
    """A human who is asked by `consult` can say yes, and that is not what says no."""
    for path, state in flow.states.items():
        for action in state.entry:
            ways = [name for name, one in verb_of(action.verb).arguments.items() if one.role == "decision"]
            if not ways:
                continue
            accept, decline = (action.arguments.get(name) or {} for name in ways)
            for how in ("key", "tool"):
                if how in accept and accept[how] == decline.get(how):
                    what = f"the {how} `{accept[how]}` both accepts and declines"
                    yield defect(
                        "never-decided", what, action.position, f"take two of them, one {how} each", len(action.verb)
                    )
            for tool in dict.fromkeys(way["tool"] for way in (accept, decline) if "tool" in way):
                if tool not in _offered_in(flow, path):
                    yield defect(
                        "never-decided", f"the tool `{tool}` decides, and {named(path)} does not offer it: the model cannot call it",
                        action.position, f"write `tools: [{tool}]` into the state", len(action.verb),
                    )  # fmt: skip


def _offered_in(flow: Flow, path: str) -> frozenset[str]:
    """The tools that some state may offer while this one is active: those around it, inside it, and beside it in other
    regions."""
    together = (*around(flow.states, path), *subtree(flow.states, path), *beside(flow.states, path))
    return frozenset(tool for one in together for tool in flow.states[one].tools)


def results_taken(flow: Flow) -> Iterator[Defect]:
    """Each result of a dial, a consultation and a transfer is taken by a row: otherwise it is a failure, and ends the call."""
    for path, state in flow.states.items():
        for action in state.entry:
            verb = verb_of(action.verb)
            if not verb.wants_rows or action.optional:
                continue
            rows = {row.pattern for one in around(flow.states, path) for row in flow.states[one].rows}
            if "failed" in rows:
                continue
            missing = [result for result in verb.results if result not in verb.success and not is_named(result, rows)]
            if missing:
                names = ", ".join(f"`{name}`" for name in missing)
                yield warning(
                    "result-not-taken", f"no row takes {names}: each would end the call as failed", action.position,
                    f"write rows for them, or `{action.verb}.*` for all", len(action.verb),
                )  # fmt: skip


def dials_far_end(state: State) -> bool:
    """Whether a state's entry list brings the far end on the line."""
    return any(calls_far_end(action) for action in state.entry)


def other_legs(flow: Flow) -> bool:
    """Whether the flow may bring somebody else than its far end on the line, who hears what is said then."""
    return any(leg != MAIN_LEG for leg in given(actions_during(flow), "called"))


def _alone(flow: Flow, dialling: set[str]) -> frozenset[str]:
    """The states in which a call may be after a dial that nobody answered."""
    starts = [
        move.target
        for path in dialling
        for row in flow.states[path].rows
        if row.pattern == "failed" or matches_any(row.pattern, UNANSWERED)
        for move in row.transitions
        if move.target is not None
    ]
    return _reached(flow, starts, dialling)


def _reached(flow: Flow, starts: list[str], ends: Container[str] = (), *, everything: bool = False) -> frozenset[str]:
    """The states that rows lead to from `starts`, and not on from `ends`; with `everything` also by rows for what the far
    end does on the line."""

    def onward(path: str) -> Iterator[str]:
        state = flow.states[path]
        yield from inward(state)
        for row, move in triggers(state) if path not in ends else ():
            on_the_line = isinstance(row, Row) and row.pattern.startswith(("call.", "dial.answered"))
            if move.target is not None and (everything or not on_the_line):
                yield move.target

    return closure(starts, onward)
