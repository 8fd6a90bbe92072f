"""Last words: from where on nothing is left of a call but its end, so that what is said is heard whole.

That is in the state that `ending:` names, after a final state of the top level, and in a state that says something and is
done: one that only its own list keeps, and from which its own rows lead on to the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import VERBS
from callflow.core.flow import ROOT, Flow, Row, State, Transition
from callflow.core.statechart.action_lists import triggers
from callflow.core.statechart.reach import sure, targets
from callflow.core.statechart.structure import ancestors, in_ending, is_over

OTHERS = ("failed", "call.", "room.", "job.", "app.")
"""How the patterns of rows begin that tell of a fault, of the line or of a program, and not of what somebody does here."""


def goodbyes(flow: Flow) -> frozenset[str]:
    """The states before the ending of which that is true. They have no inside, no tools and no instructions, stand in no
    region of a parallel state, talk with nobody, and their `done` leads on without a guard."""
    left = {path: set(_onward(flow, state)) for path, state in flow.states.items() if _says_the_last(flow, state)}
    before: dict[str, list[str]] = {}
    for path, onward in left.items():
        for target in onward:
            before.setdefault(target, []).append(path)
    found = [path for path, onward in left.items() if not onward]
    for path in found:  # which grows by those that lead to nothing but what is in it
        for one in before.get(path, ()):
            left[one].discard(path)
            if not left[one]:
                found.append(one)
    return frozenset(found)


def _says_the_last(flow: Flow, state: State) -> bool:
    """Whether what a state does may be a call's last, if nothing else follows it."""
    around = [flow.states[path] for path in ancestors(flow.states, state.path)]
    if state.path == ROOT or state.kind != "atomic" or state.task is not None or in_ending(flow, state.path):
        return False
    if any(one.tools for one in (state, *around)) or any(one.kind == "parallel" for one in around):
        return False
    if any(one.instructions is not None for one in (state, *around) if one.path != ROOT) or _converses(state):
        return False
    done = next((row for row in state.rows if row.pattern == "done" and not row.ignore), None)
    return done is not None and sure(done.transitions)


def _onward(flow: Flow, state: State) -> Iterator[str]:
    """Where its own rows lead, unless the call is over there."""
    return (target for target in targets(_own(state)) if not is_over(flow, target))


def _converses(state: State) -> bool:
    """Whether its entry list asks somebody for something, hands them on, or has the model talk while work is done."""
    verbs = [VERBS[action.verb] for action in state.entry]
    works = any(not (verb.at_once or verb.speech or (verb.lets_speech_end and not verb.closes)) for verb in verbs)
    return any(verb.results or verb.occupies or verb.takes_over or (verb.talks and works) for verb in verbs)


def _own(state: State) -> Iterator[Transition]:
    """The rows for what somebody does here."""
    for row, move in triggers(state):
        if not (isinstance(row, Row) and row.pattern.startswith(OTHERS)):
            yield move
