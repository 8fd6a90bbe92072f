"""What an author has accepted: `accept: {code: reason}`, on a state or for the whole flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callflow.core.flow import ROOT, Acceptance, Flow, Position, State
from callflow.core.statechart.structure import around
from callflow.errors import Defect
from callflow.proof.finding import Suspect, active_in
from callflow.verify.places import named, warning


def accepted_in(flow: Flow, code: str, path: str) -> Acceptance | None:
    """The innermost acceptance of a code in a state and around it."""
    levels = (flow.states[outer] for outer in around(flow.states, path))
    return next((one for state in levels for one in state.accept if one.code == code), None)


class Accepting:
    """Whether what is found is accepted where it stands, or around that; and what was accepted for nothing."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.used: set[Position] = set()
        self._any = any(state.accept for state in flow.states.values())

    def of(self, suspect: Suspect) -> Acceptance | None:
        """The innermost acceptance of it; None where it is not accepted in one of its places."""
        if not self._any:
            return None
        found = self._of_all(suspect, self._at(suspect)) or self._of_all(suspect, suspect.shows)
        self.used.update(one.position for one in found)
        return found[0] if found else None

    def for_nothing(self) -> Iterator[Defect]:
        """A warning for each acceptance that nothing has needed. A file that is used twice needs it once."""
        told: set[Position] = set()
        for path, state in self.flow.states.items():
            for one in state.accept:
                if one.position not in self.used | told:
                    told.add(one.position)
                    yield warning(
                        "accepted-for-nothing", f"`{one.code}` is accepted in {named(path)}, and no call comes to it",
                        one.position, "take it out", len(one.code),
                    )  # fmt: skip

    def _of_all(self, suspect: Suspect, paths: Iterable[str]) -> list[Acceptance]:
        """Those of the innermost in each of these states; none where one of them has none."""
        found = [accepted_in(self.flow, suspect.defect.code, path) for path in sorted(paths)]
        return [one for one in found if one is not None] if None not in found else []

    def _at(self, suspect: Suspect) -> list[str]:
        """The states in which the place is written that is told: more than one where a file is used twice, and the call may be in
        any of them."""
        depth = {path: self._depth(state, suspect.defect) for path, state in self.flow.states.items()}
        deepest = max(depth.values())
        places = [path for path, one in depth.items() if one == deepest] if deepest >= 0 else [ROOT]
        nodes = suspect.node, *(node for node, _ in suspect.more), *(edge.target for _, edge in suspect.more)
        active = frozenset().union(*(active_in(self.flow, node) for node in nodes))
        return [path for path in places if path in active] or places

    def _depth(self, state: State, defect: Defect) -> int:
        """How far in the file a state is written that has the place of the defect in it; -1 where it has not."""
        within = [
            place for place in self._written(state) if place.file == defect.file and _holds(place.path, defect.path)
        ]
        return max((len(place.path) for place in within), default=-1)

    def _written(self, state: State) -> Iterator[Position]:
        yield state.position
        if state.subflow is not None:
            yield Position(self.flow.scopes[state.subflow].file)


def _holds(outer: str, path: str) -> bool:
    return not outer or path == outer or path.startswith((f"{outer}.", f"{outer}["))
