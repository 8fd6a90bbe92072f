"""Breadth first over a flow's own step, until nothing new is found (forward reachability of timed automata: Alur and Dill 1994;
Daws and Tripakis 1998 on inclusion)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterator, Sequence

from callflow.core.events import NO_DATA, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.key import key
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.possible import afterwards
from callflow.core.snapshot import Snapshot, Step
from callflow.core.step import step
from callflow.core.values.representatives import representatives_of
from callflow.proof import BUDGET
from callflow.proof.forget import Forgetting, canonical
from callflow.proof.node import Edge, Exploration, Going, Moment, Node, Stopwatches, Watch, on_and_on
from callflow.proof.timing import Timing
from callflow.proof.world import World
from callflow.proof.zone import NOW, Zone, at_most, includes, later, widened

WIDEN = 3
"""How many zones of one snapshot are told apart before those that grow are taken to grow for ever, as far as timers go."""

WIDEN_ALL = 16
"""The same for how long effects have run, and for what is timed."""

Move = tuple[Input, Snapshot, Zone]
"""What can happen to a node: the call at hand at that time, and the zone then."""


def explore(
    flow: Flow,
    first: Sequence[Step],
    *,
    budget: int = BUDGET,
    watches: Sequence[Watch] = (),
    stopwatches: Stopwatches = NO_DATA,
    going: Going = on_and_on,
) -> Exploration:
    """Every call that can come of these first steps, as far as `budget` steps go, and as long as it is to be `going`."""
    return _Explorer(flow, watches, stopwatches).run(first, budget, going)


class _Explorer:
    def __init__(self, flow: Flow, watches: Sequence[Watch], stopwatches: Stopwatches) -> None:
        self.flow = flow
        self.timing = Timing(flow, stopwatches)
        self.world = World(flow)
        self.forgetting = Forgetting(flow)
        self.watches = watches
        self.by_the_clock = bool(representatives_of(flow).by_the_clock)
        self.seen: dict[Hashable, list[Node]] = {}
        self.times: Counter[Hashable] = Counter()
        self.nodes: list[Node] = []
        self.steps = 0

    def run(self, first: Sequence[Step], budget: int, going: Going) -> Exploration:
        todo = deque(self._first(one) for one in first)
        while todo and self.steps < budget and going(len(self.nodes), len(todo), self.steps):
            node = todo.popleft()
            for event, before, zone in () if node.is_done else self._moves(node):
                taken = step(self.flow, before, event)
                self.steps += 1
                facts = afterwards(self.flow, before, node.facts, event)
                after = self._node(node, zone, taken.snapshot, facts, event.time)
                after.parent, after.cause = node, event
                found = self._add(after)
                if found is after:
                    todo.append(found)
                node.edges.append(Edge(event, found))
                for watch in self.watches:
                    watch(node, event, taken, found)
        return Exploration(self.flow, self.nodes, self.steps, sum(not node.is_done for node in todo))

    def _first(self, begun: Step) -> Node:
        now = begun.snapshot.memory.started
        nothing = Node(begun.snapshot, AT_FIRST, now, (), NOW, {}, began=now if self.by_the_clock else 0.0)
        return self._add(self._node(nothing, NOW, begun.snapshot, AT_FIRST, now))

    # -- what can happen to a node -----------------------------------------------------------------------------------

    def _moves(self, node: Node) -> Iterator[Move]:
        over = self.world.over(node.snapshot, node.facts)
        if over is not None:  # it ends before anything else
            for event in self.world.happens(node.snapshot, node.facts, node.now):
                if isinstance(event, EffectEnded) and event.id == over.id:
                    yield event, node.snapshot, node.zone
            return
        zone = later(node.zone, [self.timing.floor(node, moment) for moment in node.moments])
        if zone is None:
            return
        for place, moment in enumerate(node.moments, 1):
            if moment.kind == "watch":
                node.lasts[moment.name] = zone[place]
        yield from self._timers(node, zone)
        for event in self.world.happens(node.snapshot, node.facts, node.now):
            if isinstance(event, Event):
                yield event, node.snapshot, zone
            else:
                yield from self._end(node, zone, event)

    def _timers(self, node: Node, zone: Zone) -> Iterator[Move]:
        for place, moment in enumerate(node.moments, 1):
            if moment.kind != "timer" or self.timing.always_later(node, zone, place):
                continue
            due = at_most(zone, place, 0)
            if due is not None:
                before, now = self.timing.at(node, due, moment, 0)
                yield TimerFired(moment.number, now), before, due

    def _end(self, node: Node, zone: Zone, end: EffectEnded) -> Iterator[Move]:
        moment = Moment("effect", end.id)
        least = self.timing.least(node.snapshot.memory.effects[end.id], end)
        if moment not in node.moments or not least:
            yield end, node.snapshot, zone
            return
        when = at_most(zone, node.moments.index(moment) + 1, -least)
        if when is not None:
            before, now = self.timing.at(node, when, moment, least)
            yield end._replace(time=now), before, when

    # -- what comes of it --------------------------------------------------------------------------------------------

    def _node(self, before: Node, zone: Zone, snapshot: Snapshot, facts: Facts, now: float) -> Node:
        facts = self.forgetting.facts(snapshot, facts)
        snapshot = canonical(self.forgetting.snapshot(snapshot))
        moments, zone, counted = self.timing.after(before, zone, snapshot, facts, now)
        return Node(snapshot, facts, now, moments, zone, counted, key(snapshot, now).what, before.began)

    def _add(self, node: Node) -> Node:
        """The node that holds these calls: one that was known, or this."""
        timed = tuple(moment for moment in node.moments if moment.kind == "watch")
        which = (node.what, node.facts, timed, tuple(node.counted), node.began)
        others = self.seen.setdefault(which, [])
        for other in others:
            if _holds(other, node):
                return other
        self.times[which] += 1
        if self.times[which] > WIDEN:
            self._widen(node, others[-1], all_of_it=self.times[which] > WIDEN_ALL)
        for other in others:
            if _holds(node, other):
                other.covered_by = node
        others[:] = [*(other for other in others if other.covered_by is None), node]
        self.nodes.append(node)
        return node

    def _widen(self, node: Node, last: Node, *, all_of_it: bool) -> None:
        """One snapshot's zones grow and grow: what has grown since the last one will go on to."""
        hull = tuple(map(max, node.zone, last.zone))
        widest = [self.timing.widest(node, moment) for moment in node.moments]
        which = [all_of_it or moment.kind == "timer" for moment in node.moments]
        node.zone = widened(hull, last.zone, widest, which)
        for path, (least, most) in node.counted.items():
            before = last.counted[path]
            node.counted[path] = (
                before[0] if before[0] <= least else 0,
                before[1] if before[1] >= most else self.timing.longest_silence(path),
            )


def _holds(outer: Node, inner: Node) -> bool:
    """Whether all calls of one node are calls of another, of the same snapshot."""
    return includes(outer.zone, inner.zone) and all(
        outer.counted[path][0] <= least and most <= outer.counted[path][1]
        for path, (least, most) in inner.counted.items()
    )
