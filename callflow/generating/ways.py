"""The ways to each row of a flow, as the explorer finds them: the shortest ones first."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator

from callflow.core.flow import Flow
from callflow.coverage.things import inventory_of
from callflow.proof.begin import first_steps
from callflow.proof.explore import explore
from callflow.proof.node import Edge, Going, Node, Passage, on_and_on
from callflow.proof.way import Way, way_to

KEPT = 6
"""How many places are kept in which a row is taken."""

LOOKED_AT = 20_000
"""Nodes that are looked at for the next row on a way."""


class Ways:
    """Everything that can happen to a flow's calls, as far as `budget` steps go."""

    def __init__(self, flow: Flow, budget: int, going: Going = on_and_on) -> None:
        self._flow = flow
        self._first = first_steps(flow)
        self._written = frozenset(inventory_of(flow).rows)
        self._passages: dict[int, list[Passage]] = {}  # by row
        found = explore(flow, self._first, budget=budget, going=going)
        self.finished, self.steps = found.finished, found.steps
        for node in found.nodes:  # those that were found first are nearest
            for edge in node.edges:
                for row in self.taken(edge):
                    passages = self._passages.setdefault(row, [])
                    if len(passages) < KEPT:
                        passages.append((node, edge))

    @property
    def rows(self) -> Collection[int]:
        """Those that some call takes."""
        return self._passages.keys()

    def to(self, row: int) -> Iterator[tuple[Passage, ...]]:
        """Where a row is taken."""
        yield from ((one,) for one in self._passages.get(row, ()))

    def on(self, passages: tuple[Passage, ...], rows: Collection[int]) -> tuple[Passage, ...] | None:
        """The same, and on from there to the nearest of these rows; None where none is near."""
        start = passages[-1][1].target.holder
        came: dict[Node, Passage | None] = {start: None}
        todo = deque([start])
        while todo and len(came) < LOOKED_AT:
            node = todo.popleft()
            for edge in node.edges:
                if not self.taken(edge).isdisjoint(rows):
                    return (*passages, *_back(came, node), (node, edge))
                target = edge.target.holder
                if target not in came:
                    came[target] = (node, edge)
                    todo.append(target)
        return None

    def taken(self, edge: Edge) -> frozenset[int]:
        """The author's rows that are taken there."""
        return frozenset(row for move in edge.taken.moves for row in move.transitions) & self._written

    def way(self, passages: tuple[Passage, ...]) -> Way | None:
        """A call that goes this way; None where none was found that does."""
        return way_to(self._flow, self._first, passages[0][0], passages)


def _back(came: dict[Node, Passage | None], node: Node) -> list[Passage]:
    found: list[Passage] = []
    passage: tuple[Node, Edge] | None = came[node]
    while passage is not None:
        found.append(passage)
        passage = came[passage[0]]
    return found[::-1]
