"""Rules of the telephone: what LiveKit's servers and the SIP bridge do, whatever a flow would like."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.durations import format_duration
from callflow.core.events import matches
from callflow.core.flow import ROOT, Action, Flow, State
from callflow.errors import Defect
from callflow.verify.places import named, warning

DEPARTURE = 20.0
"""Seconds after which livekit-server closes a room that its last caller has left (`departure_timeout`)."""

UNANSWERED = ("dial.busy", "dial.no_answer", "dial.declined", "dial.invalid", "dial.failed")


def redial_too_late(flow: Flow) -> Iterator[Defect]:
    """A pause between two dials is shorter than the server keeps a room in which only the agent is left."""
    dialling = {path for path, state in flow.states.items() if dial_in(state, main=True)}
    alone = _alone(flow, dialling)
    for path in flow.states:
        if path not in alone or path in dialling:
            continue
        for timer in flow.states[path].timers:
            if timer.kind == "silence" or timer.seconds < DEPARTURE:
                continue
            if any(move.target is not None and dialling & set(begins(flow, move.target)) for move in timer.transitions):
                yield warning(
                    "redial-too-late",
                    f"from {named(path)} the flow dials again after {timer.text}; the server closes the room "
                    f"{format_duration(DEPARTURE)} after the last one has left it, and the call ends with `line_lost`",
                    timer.position, "dial again sooner, or have the room made with a longer `departure_timeout`",
                    len(timer.text),
                )  # fmt: skip


def dial_in(state: State, *, main: bool = False) -> Action | None:
    """The dial in a state's entry list; with `main` only that of the far end."""
    return next(
        (one for one in state.entry if one.verb == "dial" and not (main and one.arguments.get("leg") != "far_end")),
        None,
    )


def begins(flow: Flow, target: str) -> Iterator[str]:
    """The states that a target enters as far as it names them: itself, those around it, and where it begins."""
    yield target
    yield from (path for path in flow.ancestors(target) if path != ROOT)
    inner = flow.states[target].initial
    while inner is not None:
        yield inner
        inner = flow.states[inner].initial


def _alone(flow: Flow, dialling: set[str]) -> frozenset[str]:
    """The states in which a call may be after a dial that nobody answered."""
    seen: set[str] = set()
    waiting = [
        move.target
        for path in dialling
        for row in flow.states[path].rows
        if row.pattern == "failed" or any(matches(row.pattern, one) for one in UNANSWERED)
        for move in row.transitions
        if move.target is not None
    ]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        state = flow.states[path]
        if state.initial is not None:
            waiting.append(state.initial)
        if state.kind == "parallel":
            waiting += state.children
        if path in dialling:
            continue
        moves = [
            move
            for row in state.rows
            if not row.pattern.startswith(("call.", "dial.answered"))
            for move in row.transitions
        ]
        moves += [move for timer in state.timers for move in timer.transitions] + list(state.always)
        waiting += [move.target for move in moves if move.target is not None]
    return frozenset(seen)
