"""`answer: manual`: whoever is to decide over an offered call decides, and nobody speaks before it is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callflow.core.flow import ROOT, Action, Flow, State, Transition, every_transition
from callflow.errors import Defect
from callflow.verify.endings import subtree
from callflow.verify.places import defect, named
from callflow.verify.telephone import NEEDS_SOMEBODY, begins, other_legs


def offered_calls(flow: Flow) -> Iterator[Defect]:
    """The flow takes the call or refuses it, where it is asked at all."""
    decides = [action for action in flow.actions if action.verb in ("answer", "reject")]
    if flow.answer == "manual" and not decides:
        yield defect(
            "never-answered", "with `answer: manual` the flow takes the call or refuses it, and it does neither", flow.root.position,
            "write `answer` where the call is to be taken, or take `answer: manual` out",
        )  # fmt: skip
    for action in decides if flow.answer != "manual" else ():
        yield defect(
            "answered-already", f"`{action.verb}` comes too late: a call is answered before the flow begins", action.position,
            "write `answer: manual` at the top of the file", len(action.verb),
        )  # fmt: skip


def speech_before_the_answer(flow: Flow) -> Iterator[Defect]:
    """What is for the caller stands where the call may have been taken: before that, it waits until its time is out."""
    if flow.answer != "manual" or not any(one.verb in ("answer", "reject") for one in flow.actions):
        return
    takers = {path for path, state in flow.states.items() if _takes(state)}
    if other_legs(flow) or ROOT in takers:
        return
    leaving = [move for move in flow.transitions if move.target is not None and _answers(move.actions)]
    after = _after(flow, takers, leaving)
    for path, state in flow.states.items():
        if path == ROOT or path in after:
            continue
        yield from _too_early(state.entry, path)
        for move in every_transition(state) if path not in takers else ():
            yield from _too_early(move.actions, path)


def _too_early(actions: Iterable[Action], path: str) -> Iterator[Defect]:
    for action in actions:
        if action.verb == "answer":
            return
        if action.verb in NEEDS_SOMEBODY:
            yield defect(
                "nobody-on-the-line", f"`{action.verb}` comes before `answer`: in {named(path)} nobody is on the line yet",
                action.position, "put it behind `answer`, or into a state that comes after it", len(action.verb),
            )  # fmt: skip


def _takes(state: State) -> bool:
    """Whether a call may be taken while the state is active."""
    staying = (move.actions for move in every_transition(state) if move.target is None)
    return any(_answers(actions) for actions in (state.entry, state.exit, *staying))


def _answers(actions: Iterable[Action]) -> bool:
    return any(action.verb == "answer" for action in actions)


def _after(flow: Flow, takers: Iterable[str], leaving: Iterable[Transition]) -> set[str]:
    """The states that a call may enter once it is taken: rather too many than too few."""
    seen: set[str] = set()
    waiting = [target for path in takers for target in _leads_to(flow, path)]
    waiting += [target for move in leaving for target in begins(flow, move.target or "")]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        state = flow.states[path]
        if state.kind == "history" and state.parent is not None:
            waiting += subtree(flow, state.parent)
        waiting += state.children if state.kind == "parallel" else ()
        waiting += [state.initial] if state.initial is not None else ()
        waiting += _leads_to(flow, path)
    return seen


def _leads_to(flow: Flow, path: str) -> Iterator[str]:
    """Where the rows lead that may be taken while a state is active: its own, those around it, and in other regions."""
    around = [path, *flow.ancestors(path)]
    regions = [one for one in around if flow.states[one].kind == "parallel"]
    beside = subtree(flow, regions[-1]) if regions else ()
    for one in (*around, *beside):
        for move in every_transition(flow.states[one]):
            if move.target is not None:
                yield from begins(flow, move.target)
