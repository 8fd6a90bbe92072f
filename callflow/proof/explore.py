"""Breadth first over a flow's own step, until nothing new is found (forward reachability of timed automata: Alur and Dill 1994;
Daws and Tripakis 1998 on inclusion).

A node is a set of calls that can go on in the same ways: a snapshot, the facts beside it, and a zone of the times at which its
timers are due and its effects were started. One of these calls is at hand, its snapshot's times are its own; what it takes, all
take, each at its time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple, Protocol

from attrs import define, field

from callflow.core.actions import EVERY_VERB, verb_of
from callflow.core.clocks import rank
from callflow.core.events import NO_DATA, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.key import key
from callflow.core.lasts import lasts, within
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.possible import action_of, afterwards
from callflow.core.snapshot import Memory, Snapshot, Step, Timer
from callflow.core.statechart.lists import actions_during, given
from callflow.core.step import step
from callflow.core.table import Table, table_of
from callflow.core.values.representatives import representatives_of
from callflow.core.verbs.limits import STOPS, any_time
from callflow.proof.forget import canonical, forgetting, knowing
from callflow.proof.world import World
from callflow.proof.zone import NEVER, NOW, Zone, at_most, example, includes, later, widened, with_moments

MICRO = 1_000_000

_TAKES_TIME = frozenset(
    verb.name for verb in EVERY_VERB.values() if any(end.lasts is not any_time for end in verb.ends)
)
_OWN = {"stop": 5 * MICRO, "settle": 5 * MICRO, "answer": 3600 * MICRO, "away": 3600 * MICRO}
WIDEN = 3
"""How many zones of one snapshot are told apart before those that grow are taken to grow for ever, as far as timers go."""
WIDEN_ALL = 16
"""The same for how long effects have run, and for what is timed."""

Moment = tuple[object, ...]
"""What a moment of a zone is: ("timer", its generation), ("effect", its id), ("quiet",)."""


class Edge(NamedTuple):
    """What happened to the calls of one node, and which node holds them afterwards. `known`: that was found before."""

    input: Input
    target: Node
    known: bool


@define(eq=False, repr=False)
class Node:
    """Calls that can go on in the same ways. `now` is the time of the one at hand, and `moments` are what the zone tells of.
    `counted`: how long each paused silence has lasted, in microseconds, at least and at most."""

    snapshot: Snapshot
    facts: Facts
    now: float
    moments: tuple[Moment, ...]
    zone: Zone
    counted: dict[str, tuple[int, int]]
    what: bytes = b""  # what of the snapshot matters
    began: float = 0.0  # when the call began, where rows ask for the time of day
    parent: Node | None = None
    cause: Input | None = None
    edges: list[Edge] = field(factory=list)
    covered_by: Node | None = None  # another node that holds these calls and more
    lasts: dict[str, int] = field(factory=dict)  # of each stopwatch that runs, the longest, in microseconds

    @property
    def holder(self) -> Node:
        """The node that holds these calls at last."""
        node = self
        while node.covered_by is not None:
            node = node.covered_by
        return node


class Watch(Protocol):
    """Whoever looks at each step as it is taken."""

    def __call__(self, before: Node, event: Input, taken: Step, after: Node) -> None: ...


Stopwatches = Mapping[str, Callable[[Snapshot, Facts], bool]]
"""What is timed: how long each of these is so without a break."""


@define(eq=False, repr=False)
class Exploration:
    """What was found. `left`: the nodes that the budget left unlooked at; none: it is finished."""

    flow: Flow
    nodes: list[Node]
    steps: int
    left: int

    @property
    def finished(self) -> bool:
        return not self.left


def explore(
    flow: Flow,
    first: Sequence[Step],
    *,
    budget: int = 50_000,
    watches: Sequence[Watch] = (),
    stopwatches: Stopwatches = NO_DATA,
) -> Exploration:
    """Every call that can come of these first steps, as far as `budget` steps go."""
    return _Explorer(flow, watches, stopwatches).run(first, budget)


class _Explorer:
    def __init__(self, flow: Flow, watches: Sequence[Watch], stopwatches: Stopwatches) -> None:
        self.stopwatches: Stopwatches = {**stopwatches, "detection": _looks}
        self.bounds = {"detection": _longest_detection(flow)}
        limit = flow.limits.call
        self.longest = NEVER if limit is None else round(limit * MICRO)
        self.flow = flow
        self.table: Table = table_of(flow)
        self.world = World(flow)
        self.forget = forgetting(flow)
        self.know = knowing(flow)
        self.watches = watches
        self.by_the_clock = bool(representatives_of(flow).by_the_clock)
        self.mosts: dict[tuple[str, str | int, int], int] = {}
        self.seen: dict[tuple[object, ...], list[Node]] = {}
        self.times: Counter[tuple[object, ...]] = Counter()
        self.nodes: list[Node] = []
        self.steps = 0
        self.ranks: dict[tuple[str, str, int], tuple[int, int, int, int]] = {}

    def run(self, first: Sequence[Step], budget: int) -> Exploration:
        todo: deque[Node] = deque()
        for one in first:
            snapshot = self.forget(one.snapshot)
            began = one.snapshot.memory.started
            start = Node(one.snapshot, AT_FIRST, began, (), NOW, {}, began=began if self.by_the_clock else 0.0)
            node = self._node(start, NOW, start.moments, snapshot, AT_FIRST, start.now, None)
            todo.append(self._add(node)[0])
        while todo and self.steps < budget:
            node = todo.popleft()
            if node.covered_by is not None or node.snapshot.ended:
                continue
            for event, before, zone in self._moves(node):
                taken = step(self.flow, before, event)
                self.steps += 1
                facts = self.know(taken.snapshot, afterwards(self.flow, before, node.facts, event))
                after = self._node(node, zone, node.moments, self.forget(taken.snapshot), facts, event.time, event)
                found, known = self._add(after)
                if not known:
                    todo.append(found)
                node.edges.append(Edge(event, found, known))
                for watch in self.watches:
                    watch(node, event, taken, found)
        return Exploration(self.flow, self.nodes, self.steps, len(todo))

    # -- what can happen to a node ---------------------------------------------------------------------------------

    def _moves(self, node: Node) -> Iterator[tuple[Input, Snapshot, Zone]]:
        """Each thing that can happen, the call at hand at that time, and the zone then."""
        over = self.world.over(node.snapshot, node.facts)
        if over is not None:  # it ends before anything else
            for event in self.world.happens(node.snapshot, node.facts, node.now):
                if isinstance(event, EffectEnded) and event.id == over.id:
                    yield event, node.snapshot, node.zone
            return
        zone = later(node.zone, [self._floor(node, moment) for moment in node.moments])
        if zone is None:
            return
        for place, moment in enumerate(node.moments, 1):
            if moment[0] == "watch":
                node.lasts[str(moment[1])] = zone[place]
        yield from self._timers(node, zone)
        for event in self.world.happens(node.snapshot, node.facts, node.now):
            if isinstance(event, Event):
                yield event, node.snapshot, zone
            else:
                yield from self._end(node, zone, event)

    def _timers(self, node: Node, zone: Zone) -> Iterator[tuple[Input, Snapshot, Zone]]:
        for place, moment in enumerate(node.moments, 1):
            if moment[0] == "timer" and (due := self._first(node, zone, place)) is not None:
                before, now = self._at(node, due, place, 0)
                yield TimerFired(int(str(moment[1])), now), before, due

    def _end(self, node: Node, zone: Zone, end: EffectEnded) -> Iterator[tuple[Input, Snapshot, Zone]]:
        least, place = self._least(node.snapshot.memory, end), self._place(node, end.id)
        if place is None or not least:
            yield end, node.snapshot, zone
        elif (when := at_most(zone, place, -least)) is not None:
            before, now = self._at(node, when, place, -least)
            yield end._replace(time=now), before, when

    def _floor(self, node: Node, moment: Moment) -> int:
        """How far back a moment can lie: a timer is not overdue, and no effect outlasts its time limit."""
        if moment[0] == "timer":
            return 0
        if moment[0] == "effect":
            return -self._most(node.snapshot.memory, int(str(moment[1])))
        return -min(self.longest, self.bounds.get(str(moment[1]), NEVER))

    def _widest(self, node: Node, moment: Moment) -> int:
        timer = _timer(node.snapshot.memory, moment)
        if timer is None:
            return self._floor(node, moment)
        if timer.kind in _OWN:
            return _OWN[timer.kind]
        return round(self.table.states[timer.state].timers[timer.row].seconds * MICRO)

    def _most(self, memory: Memory, effect: int) -> int:
        running = memory.effects[effect]
        known = self.mosts.get(running.source)
        if known is None:
            most = within(running, action_of(self.flow, running)).most
            if verb_of(running.verb).last:  # nothing waits for it
                most = 0.0
            known = self.mosts[running.source] = NEVER if most == inf else round(most * MICRO)
        return known

    def _is_timed(self, memory: Memory, effect: int) -> bool:
        """Whether it matters when an effect has begun: it takes some time, or cannot take longer than another."""
        return self._most(memory, effect) < NEVER or verb_of(memory.effects[effect].verb).name in _TAKES_TIME

    def _least(self, memory: Memory, end: EffectEnded) -> int:
        effect = memory.effects[end.id]
        least = lasts(effect, action_of(self.flow, effect), end.status, end.result).least
        return round(least * MICRO)

    def _place(self, node: Node, effect: int) -> int | None:
        moment: Moment = ("effect", effect)
        return node.moments.index(moment) + 1 if moment in node.moments else None

    def _first(self, node: Node, zone: Zone, place: int) -> Zone | None:
        """The zone in which this timer is the next one; None where another one always comes first."""
        size = len(node.moments) + 1
        mine = self._rank(node, place)
        for other, moment in enumerate(node.moments, 1):
            apart = zone[other * size + place]
            if (
                other != place
                and moment[0] == "timer"
                and (apart < 0 or (apart == 0 and self._rank(node, other) < mine))
            ):
                return None
        return at_most(zone, place, 0)

    def _rank(self, node: Node, place: int) -> tuple[int, int, int, int]:
        generation = node.moments[place - 1][1]
        timer = next(one for one in node.snapshot.memory.timers if one.generation == generation)
        which = timer[1:4]
        known = self.ranks.get(which)
        if known is None:
            known = self.ranks[which] = rank(self.table, timer)
        return known

    def _at(self, node: Node, zone: Zone, place: int, time: int) -> tuple[Snapshot, float]:
        """A call of the node at the time at which a moment lies so far from now: the one at hand, if it gets there."""
        memory = node.snapshot.memory
        moment = node.moments[place - 1]
        if moment[0] == "timer":
            now = next(one.due for one in memory.timers if one.generation == moment[1])
        else:
            now = max(node.now, memory.effects[int(str(moment[1]))].started - time / MICRO)
        if all(one.due >= now - 1e-9 for one in memory.timers) and all(
            one.started + self._most(memory, one.id) / MICRO >= now - 1e-9 for one in memory.effects.values()
        ):
            return node.snapshot, now
        return _moved(node, zone), node.now

    # -- what comes of it ------------------------------------------------------------------------------------------

    def _node(
        self, before: Node, zone: Zone, moments: tuple[Moment, ...], snapshot: Snapshot, facts: Facts, now: float,
        cause: Input | None,
    ) -> Node:  # fmt: skip
        memory = canonical(snapshot.memory)
        if memory is not snapshot.memory:
            snapshot = snapshot._replace(memory=memory)
        known = {moment: place for place, moment in enumerate(moments, 1)}
        wanted: list[Moment] = []
        kept: list[int] = []
        new: list[tuple[int, int]] = []
        fresh: list[Moment] = []
        counted = self._counted(before, zone, memory, now)
        for timer in memory.timers:
            moment: Moment = ("timer", timer.generation)
            place = known.get(moment)
            if place is not None:
                kept.append(place)
                wanted.append(moment)
            else:
                fresh.append(moment)
                new.append(self._due(before, timer, now))
        for effect in memory.effects.values():
            if not self._is_timed(memory, effect.id):
                continue
            moment = ("effect", effect.id)
            place = known.get(moment)
            if place is not None:
                kept.append(place)
                wanted.append(moment)
            else:
                fresh.append(moment)
                began = round((effect.started - now) * MICRO)
                new.append((began, began))
        for name, condition in self.stopwatches.items():
            if condition(snapshot, facts):
                moment = ("watch", name)
                place = known.get(moment)
                if place is not None:
                    kept.append(place)
                    wanted.append(moment)
                else:
                    fresh.append(moment)
                    new.append((0, 0))
        zone = with_moments(zone, kept, new)
        order = (*wanted, *fresh)
        zone, order = _sorted(zone, order, memory)
        what = key(snapshot, now).what
        parent = before if cause is not None else None
        return Node(snapshot, facts, now, order, zone, counted, what, before.began, parent, cause)

    def _due(self, before: Node, timer: Timer, now: float) -> tuple[int, int]:
        due = round((timer.due - now) * MICRO)
        if timer.kind != "silence" or timer.state not in before.counted:
            return due, due
        seconds = round(self.table.states[timer.state].timers[timer.row].seconds * MICRO)
        least, most = before.counted[timer.state]
        return max(seconds - most, 0), max(seconds - least, 0)

    def _counted(self, before: Node, zone: Zone, memory: Memory, now: float) -> dict[str, tuple[int, int]]:
        """How long each silence that is paused has lasted."""
        found: dict[str, tuple[int, int]] = {}
        for path, silence in memory.silences.items():
            if silence.since is not None:
                continue
            earlier = before.snapshot.memory.silences.get(path)
            if not silence.counted:
                found[path] = (0, 0)
            elif earlier is not None and earlier.since is None and path in before.counted:
                found[path] = before.counted[path]
            else:
                found[path] = self._lasted(before, zone, path, silence.counted)
        return found

    def _lasted(self, before: Node, zone: Zone, path: str, counted: float) -> tuple[int, int]:
        """How long a silence has lasted that pauses now, by when its next row would have been due."""
        size = len(before.moments) + 1
        for place, moment in enumerate(before.moments, 1):
            timer = _timer(before.snapshot.memory, moment)
            if timer is not None and timer.kind == "silence" and timer.state == path:
                seconds = round(self.table.states[path].timers[timer.row].seconds * MICRO)
                return seconds - zone[place * size], seconds + zone[place]
        exact = round(counted * MICRO)
        return exact, exact

    def _add(self, node: Node) -> tuple[Node, bool]:
        """The node that holds these calls, and whether it was known."""
        timed = tuple(moment for moment in node.moments if moment[0] == "watch")
        which = (node.what, node.facts, timed, tuple(node.counted), node.began)
        others = self.seen.setdefault(which, [])
        for other in others:
            if includes(other.zone, node.zone) and _within(node.counted, other.counted):
                return other, True
        self.times[which] += 1
        if self.times[which] > WIDEN:
            self._widen(node, others[-1], all_of_it=self.times[which] > WIDEN_ALL)
        for other in others:
            if includes(node.zone, other.zone) and _within(other.counted, node.counted):
                other.covered_by = node
        others[:] = [other for other in others if other.covered_by is None]
        others.append(node)
        self.nodes.append(node)
        return node, False

    def _widen(self, node: Node, last: Node, *, all_of_it: bool) -> None:
        """One snapshot's zones grow and grow: what has grown since the last one will go on to."""
        hull = tuple(map(max, node.zone, last.zone))
        widest = [self._widest(node, moment) for moment in node.moments]
        which = [all_of_it or moment[0] == "timer" for moment in node.moments]
        node.zone = widened(hull, last.zone, widest, which)
        for path, (least, most) in node.counted.items():
            before = last.counted[path]
            longest = max((timer.seconds for timer in self.table.states[path].silences), default=0)
            node.counted[path] = (
                before[0] if before[0] <= least else 0,
                before[1] if before[1] >= most else round(longest * MICRO),
            )


def _looks(_: Snapshot, facts: Facts) -> bool:
    return "detection" in facts


def _longest_detection(flow: Flow) -> int:
    """How long a look at who has answered takes at most."""
    looks = [ways.get("timeout") for ways in given(actions_during(flow), "detection") if isinstance(ways, Mapping)]
    longest = max(
        (one for one in looks if isinstance(one, int | float)), default=verb_of("detect_machine").timeout or 0.0
    )
    return round((longest + STOPS) * MICRO)


def _within(inner: dict[str, tuple[int, int]], outer: dict[str, tuple[int, int]]) -> bool:
    return all(outer[path][0] <= least and most <= outer[path][1] for path, (least, most) in inner.items())


def _timer(memory: Memory, moment: Moment) -> Timer | None:
    if moment[0] != "timer":
        return None
    return next((one for one in memory.timers if one.generation == moment[1]), None)


def _sorted(zone: Zone, moments: tuple[Moment, ...], memory: Memory) -> tuple[Zone, tuple[Moment, ...]]:
    """The moments in the order in which the snapshot has them."""
    places = {moment: place for place, moment in enumerate(moments, 1)}
    order: list[Moment] = [("timer", timer.generation) for timer in memory.timers]
    order += [("effect", effect) for effect in memory.effects if ("effect", effect) in places]
    order += sorted((moment for moment in moments if moment[0] == "watch"), key=str)
    if tuple(order) == moments:
        return zone, moments
    return with_moments(zone, [places[moment] for moment in order], ()), tuple(order)


def _moved(node: Node, zone: Zone) -> Snapshot:
    """Another call of the node: with the times that the zone has as an example, from now."""
    memory = node.snapshot.memory
    times = dict(zip(node.moments, example(zone), strict=True))
    timers = []
    silences = dict(memory.silences)
    for timer in memory.timers:
        due = node.now + times[("timer", timer.generation)] / MICRO
        if timer.kind == "silence":
            one = silences[timer.state]
            if one.since is not None:
                silences[timer.state] = one._replace(since=one.since + due - timer.due)
        timers.append(timer._replace(due=due))
    effects = {
        number: effect._replace(started=node.now + times[("effect", number)] / MICRO)
        if ("effect", number) in times
        else effect
        for number, effect in memory.effects.items()
    }
    moved = memory._replace(timers=tuple(timers), silences=silences, effects=effects)
    return node.snapshot._replace(memory=moved)
