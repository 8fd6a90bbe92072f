"""The path of a good call through a flow: what a picture draws as its straight line.

Nothing in a flow file says which path that is. It is looked for: from the initial state to a final one, over what goes
well (answered, a person, done, a tool) rather than what goes wrong or merely passes, and of those the longest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from callflow.core.actions import EVERY_VERB, OUTCOMES, verb_of
from callflow.core.flow import ROOT, Flow, State, TimerRow, Transition
from callflow.core.statechart.action_lists import triggers
from callflow.core.statechart.structure import around, ends_the_call, inside

_RESULTS = [verb for verb in EVERY_VERB.values() if verb.results]
_GOOD_EVENTS = frozenset({"call.answered", "call.restored", "done", *(verb.results[0] for verb in _RESULTS)})
_GOOD_FAMILIES = ("tool.", "app.")
_BAD_EVENTS = frozenset({
    "failed", "session.close", "session.error", "call.dropped", "room.disconnected", "room.reconnecting", "job.shutdown",
    *(f"{verb.family}.*" for verb in _RESULTS if verb.wants_rows),
    *(result for verb in _RESULTS if verb.wants_rows for result in verb.results[1:]),
})  # fmt: skip
_BAD_ENDINGS = (
    ".failed",
    ".no_answer",
    ".no_input",
    ".no_match",
    ".declined",
    ".busy",
    ".invalid",
    ".hangup",
    ".machine-*",
    ".machine-vm",
    ".machine-ivr",
    ".machine-unavailable",
)
_GOOD_OUTCOMES = frozenset({"completed", "transferred"})
_BAD_OUTCOMES = frozenset({*OUTCOMES, "abandoned"}) - _GOOD_OUTCOMES

_BAD: Final = 10
_STEPS: Final = 20_000
"""Bound on the search: a flow of many states has more paths than can be looked at."""


@frozen
class Spine:
    states: frozenset[str]
    transitions: frozenset[int]


def find_spine(flow: Flow) -> Spine:
    best = _Search(flow).best()
    states: set[str] = set()
    for leaf, _transition in best:
        states.update(around(flow.states, leaf))
    states.discard(ROOT)
    return Spine(frozenset(states), frozenset(transition.id for _leaf, transition in best if transition is not None))


_Path = tuple[tuple[str, Transition | None], ...]
"""Each leaf with the transition that left it; None at the end."""


class _Search:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.moves: dict[str, list[tuple[int, Transition, str]]] = {}

    def best(self) -> _Path:
        """Depth first, the happiest transition first, each state once; a path that ends counts before any that does not."""
        if self.flow.root.initial is None:
            return ()
        first = self.leaf(self.flow.root.initial)
        best: tuple[tuple[bool, int, int], _Path] | None = None
        left = _STEPS
        # leaf, cost so far, the path before it
        stack: list[tuple[str, int, _Path]] = [(first, 0, ())]
        while stack and left > 0:
            left -= 1
            leaf, cost, path = stack.pop()
            ends = self.is_end(leaf)
            score = (not ends, cost, -len(path))
            if best is None or score < best[0]:
                best = (score, (*path, (leaf, None)))
            if ends or (best[0][0] is False and cost > best[0][1]):
                continue
            seen = {before for before, _ in path} | {leaf}
            onward = [move for move in self.onward(leaf) if move[2] not in seen]
            # The last one pushed is looked at first.
            stack.extend(
                (target, cost + price, (*path, (leaf, transition))) for price, transition, target in reversed(onward)
            )
        return best[1] if best is not None else ()

    def is_end(self, leaf: str) -> bool:
        return ends_the_call(self.flow.states[leaf])

    def leaf(self, path: str) -> str:
        """The state that is active when `path` is entered, in a parallel state its first region's."""
        for _ in self.flow.states:
            state = self.flow.states[path]
            if state.kind == "history":
                path = state.initial or (self.flow.states[state.parent or ROOT].initial or path)
            elif state.kind == "compound" and state.initial is not None:
                path = state.initial
            elif state.kind == "parallel" and state.children:
                path = state.children[0]
            else:
                break
        return path

    def onward(self, leaf: str) -> list[tuple[int, Transition, str]]:
        """What leads on from a leaf, the best first: its price, the transition, the next leaf."""
        if leaf not in self.moves:
            found = []
            for level in around(self.flow.states, leaf):
                if level == ROOT:
                    continue
                state = self.flow.states[level]
                for transition, pattern, happiness in _transitions(state):
                    if transition.target is None or not self.can(leaf, level, pattern):
                        continue
                    # To leave a box before it is done is second best.
                    target = self.flow.states[transition.target]
                    early = pattern != "done" and self.leaves(leaf, target.path)
                    price = happiness + early + self.outcome_price(state, transition)
                    found.append((price, transition, self.leaf(transition.target)))
            self.moves[leaf] = sorted(found, key=lambda move: move[0])
        return self.moves[leaf]

    def leaves(self, leaf: str, target: str) -> bool:
        """Whether going there leaves a box that stands around the leaf."""
        parent = self.flow.states[leaf].parent
        return parent is not None and not inside(target, parent)

    def can(self, leaf: str, level: str, pattern: str) -> bool:
        final = self.flow.states[leaf].kind == "final"
        if level == leaf:
            return True
        # A state with an inside is done when that is; a final state waits for nothing else.
        return final if pattern == "done" else not final

    def outcome_price(self, state: State, transition: Transition) -> int:
        for action in (*transition.actions, *state.entry):
            named = verb_of(action.verb).given("outcome", action.arguments)
            if named is not None:
                name = str(getattr(named, "source", named))
                if name in _BAD_OUTCOMES or "{{" in name:
                    return _BAD
                return 0 if name in _GOOD_OUTCOMES else 1
        return 0


def _transitions(state: State) -> Iterator[tuple[Transition, str, int]]:
    for row, transition in triggers(state):
        if row is None:
            yield transition, "always", 1
        elif isinstance(row, TimerRow):
            yield transition, row.kind, 2 if row.kind == "after" else _BAD
        else:
            yield transition, row.pattern, _price(row.pattern)


def _price(pattern: str) -> int:
    """What taking this event costs a good call."""
    if pattern in _GOOD_EVENTS or pattern.startswith(_GOOD_FAMILIES):
        return 0
    if pattern in _BAD_EVENTS or pattern.endswith(_BAD_ENDINGS):
        return _BAD
    return 1
