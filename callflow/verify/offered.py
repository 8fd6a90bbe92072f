"""`answer: manual`: whoever is to decide over an offered call decides, and nobody speaks before it is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callflow.core.actions import verb_of
from callflow.core.flow import ROOT, Action, Flow, State, Transition
from callflow.core.statechart.action_lists import actions_during, transitions
from callflow.core.statechart.reach import closure, targets
from callflow.core.statechart.structure import around, beside, entered, inward, subtree
from callflow.errors import Defect
from callflow.verify.places import defect, named
from callflow.verify.telephone import other_legs


def offered_calls(flow: Flow) -> Iterator[Defect]:
    """The flow takes the call or refuses it, where it is asked at all."""
    decides = [action for action in actions_during(flow) if verb_of(action.verb).offer is not None]
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
    if flow.answer != "manual" or all(verb_of(one.verb).offer is None for one in actions_during(flow)):
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
        for move in transitions(state) if path not in takers else ():
            yield from _too_early(move.actions, path)


def _too_early(actions: Iterable[Action], path: str) -> Iterator[Defect]:
    for action in actions:
        if verb_of(action.verb).offer == "takes":
            return
        if verb_of(action.verb).needs_somebody:
            yield defect(
                "nobody-on-the-line", f"`{action.verb}` comes before `answer`: in {named(path)} nobody is on the line yet",
                action.position, "put it behind `answer`, or into a state that comes after it", len(action.verb),
            )  # fmt: skip


def _takes(state: State) -> bool:
    """Whether a call may be taken while the state is active."""
    staying = (move.actions for move in transitions(state) if move.target is None)
    return any(_answers(actions) for actions in (state.entry, state.exit, *staying))


def _answers(actions: Iterable[Action]) -> bool:
    return any(verb_of(action.verb).offer == "takes" for action in actions)


def _after(flow: Flow, takers: Iterable[str], leaving: Iterable[Transition]) -> frozenset[str]:
    """The states that a call may enter once it is taken: rather too many than too few."""
    regions: set[str] = set()  # parallel states of which all that stands inside has been asked
    starts = [target for path in takers for target in _leads_to(flow, path, regions)]
    starts += [target for move in leaving for target in entered(flow.states, move.target or "")]

    def onward(path: str) -> Iterator[str]:
        state = flow.states[path]
        if state.kind == "history" and state.parent is not None:
            yield from subtree(flow.states, state.parent)
        yield from inward(state)
        yield from _leads_to(flow, path, regions)

    return closure(starts, onward)


def _leads_to(flow: Flow, path: str, regions: set[str]) -> Iterator[str]:
    """Where the rows lead that may be taken while a state is active: its own, those around it, and, once for all of them, in
    other regions."""
    outermost = next(beside(flow.states, path), None)
    others = () if outermost is None or outermost in regions else beside(flow.states, path)
    if outermost is not None:
        regions.add(outermost)
    for one in (*around(flow.states, path), *others):
        for target in targets(transitions(flow.states[one])):
            yield from entered(flow.states, target)
