"""On and on by a flow's own step, until nothing new is found (forward reachability of timed automata: Alur and Dill 1994; Daws and
Tripakis 1998 on inclusion). The situation that was found first comes first, also with times that are found later: what follows would
have to be looked at again (Bourdoncle 1993 on such orders)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import product

from attrs import define, field

from callflow.core.events import NO_DATA, Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.proof import BUDGET
from callflow.proof.node import Edge, Exploration, Going, Node, Passage, Situation, Stopwatches, on_and_on
from callflow.proof.shift import Shift, Span, Times
from callflow.proof.situations import Situations
from callflow.proof.zone import NOW, at_most, includes, later, widened

WIDEN = 2
"""How many zones of one situation are told apart before those that grow are taken to grow for ever, as far as timers go."""

WIDEN_ALL = 32
"""The same for how long effects have run, and for what is timed."""


def explore(
    flow: Flow,
    first: Sequence[Step],
    *,
    budget: int = BUDGET,
    stopwatches: Stopwatches = NO_DATA,
    going: Going = on_and_on,
) -> Exploration:
    """Every call that can come of these first steps, as far as `budget` steps go, and as long as it is to be `going`."""
    return _Explorer(flow, stopwatches).run(first, budget, going)


@define(eq=False)
class _Place:
    """The nodes of one situation: by all times that were seen, those that no other holds, and how many there were."""

    order: int
    known: dict[Times, Node] = field(factory=dict)
    nodes: list[Node] = field(factory=list)
    number: int = 0


class _Explorer:
    def __init__(self, flow: Flow, stopwatches: Stopwatches) -> None:
        self.flow = flow
        self.situations = Situations(flow, stopwatches)
        self.stopwatches = stopwatches
        self.places: dict[Situation, _Place] = {}
        self.nodes: list[Node] = []
        self.todo: list[tuple[int, int, Node]] = []
        self.steps = 0

    def run(self, first: Sequence[Step], budget: int, going: Going) -> Exploration:
        for one in first:
            outcome = self.situations.first(one)
            times = outcome.shift.times(NOW, ())
            if times is not None:
                self._come(outcome.target, times)
        while self.todo and self.steps < budget and going(len(self.nodes), len(self.todo), self.steps):
            node = heappop(self.todo)[2]
            if not node.is_done:
                self._go_on(node)
        left = sum(not node.is_done for *_, node in self.todo)
        nodes, at = _nearest_first(self.nodes), self.situations
        return Exploration(self.flow, nodes, self.steps, left, at.forgetting, at.by_the_clock, self.stopwatches)

    def _go_on(self, node: Node) -> None:
        """Takes every step that calls of a node can take."""
        situation, zone, counted = node.situation, node.zone, node.counted
        made: dict[tuple[Shift, int, int], Times | None] = {}
        for move in self.situations.moves(situation):
            if move.sooner and any(zone[place] < least for place, least in move.sooner):
                continue
            if move.after_silence and not any(most for _, most in counted):
                continue
            when = zone if move.place == 0 else at_most(zone, move.place, move.most)
            if when is None:
                continue
            self.steps += 1
            outcome = move.outcome or self.situations.outcome(situation, move)
            which = outcome.shift, move.place, move.most
            if which not in made:
                made[which] = outcome.shift.times(when, counted)
            times = made[which]
            if times is None:
                continue
            found = self._come(outcome.target, times, node, move.event)
            node.edges.append(Edge(move.event, found, outcome.taken))

    def _come(self, target: Situation, times: Times, parent: Node | None = None, cause: Input | None = None) -> Node:
        """The node that holds the calls of a situation at these times: one that was known, or a new one."""
        place = self.places.get(target)
        if place is None:
            place = self.places[target] = _Place(len(self.places))
        found = place.known.get(times)
        if found is None:
            found = next((other for other in place.nodes if _holds(other, times)), None)
            if found is None:
                found = self._new(place, Node(target, *times, parent, cause))
            place.known[times] = found
        return found

    def _new(self, place: _Place, node: Node) -> Node:
        place.number += 1
        if place.number > WIDEN:
            self._widen(node, place.nodes[-1], all_of_it=place.number > WIDEN_ALL)
        node.lasts = {name: node.zone[at] for name, at in node.situation.watched}
        for other in place.nodes:
            if _holds(node, (other.zone, other.counted)):
                other.covered_by = node
        place.nodes = [*(other for other in place.nodes if other.covered_by is None), node]
        self.nodes.append(node)
        heappush(self.todo, (place.order, len(self.nodes), node))
        return node

    def _widen(self, node: Node, last: Node, *, all_of_it: bool) -> None:
        """One situation's zones grow and grow: what has grown since the last one will go on to. At first that is not so of what is
        timed, nor of how long effects have run."""
        at = node.situation
        kinds = ("now", *(moment.kind for moment in at.moments))
        pairs = [*product(kinds, kinds)]
        untimed = [all_of_it or "watch" not in pair for pair in pairs]
        soon = [all_of_it or ("timer" in pair and "watch" not in pair) for pair in pairs]
        hull = tuple(
            max(now, before) if joined else now
            for now, before, joined in zip(node.zone, last.zone, untimed, strict=True)
        )
        wide = widened(hull, last.zone, at.widest, soon)
        node.zone = (later(wide, at.floors) if at.passes else None) or wide
        node.counted = tuple(
            _grown(before, now, self.situations.longest_silence(path))
            for path, before, now in zip(at.counted, last.counted, node.counted, strict=True)
        )


def _nearest_first(nodes: Iterable[Node]) -> list[Node]:
    """The nodes in the order of how many steps lead to them at least; each is told the last of the fewest, also of those that lead to
    some of its calls alone."""
    first = [node for node in nodes if node.parent is None]
    for node, passage in _shortest(first, lambda edge: (edge.target, edge.target.holder)).items():
        node.nearest = passage
    return [*_shortest(first, lambda edge: (edge.target,))]


def _shortest(first: Iterable[Node], led_to: Callable[[Edge], Iterable[Node]]) -> dict[Node, Passage | None]:
    """The nodes to which steps lead, the nearest first, each with the last of these steps."""
    found: dict[Node, Passage | None] = dict.fromkeys(first)
    todo = deque(found)
    while todo:
        node = todo.popleft()
        for edge in node.edges:
            for target in led_to(edge):
                if target not in found:
                    found[target] = node, edge
                    todo.append(target)
    return found


def _grown(before: Span, now: Span, longest: int) -> Span:
    """What a length of time comes to that grows and grows."""
    return before[0] if before[0] <= now[0] else 0, before[1] if before[1] >= now[1] else longest


def _holds(outer: Node, times: Times) -> bool:
    """Whether a node holds all calls that its situation has at these times."""
    zone, counted = times
    return includes(outer.zone, zone) and all(
        span[0] <= least and most <= span[1] for span, (least, most) in zip(outer.counted, counted, strict=True)
    )
