"""Whether a call is one of those that a proof has followed: its situation is known, and its times lie in the zone of a node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from callflow.core.configuration import configuration_of
from callflow.core.events import EffectEnded, Event
from callflow.core.key import key
from callflow.core.macrostep import LIVE
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.snapshot import Memory, Snapshot, Timer
from callflow.core.table import table_of
from callflow.proof.node import MICRO, Exploration, Node
from callflow.proof.prove import Proof
from callflow.proof.timing import Timing
from callflow.proof.world import World
from callflow.proof.zone import size_of
from tests.proof.sound.calls import Call, Moved

ABOUT = 1_000
"""Microseconds by which times may lie outside of a zone: they are sums of floats."""

_VOICES = dict.fromkeys(("caller_speaks", "agent_busy", "others_speak", "muted", "caller_muted", "cut_off"), False)


class Known:
    """What an exploration has followed."""

    def __init__(self, proof: Proof) -> None:
        self.exploration: Exploration = proof.exploration
        self.table = table_of(self.exploration.flow)
        self.nodes: dict[object, list[Node]] = defaultdict(list)
        self.loosely: dict[object, list[Node]] = defaultdict(list)
        for node in self.exploration.nodes:
            if node.covered_by is None:
                situation = node.situation
                self.nodes[situation.what, situation.facts, situation.began].append(node)
                self.loosely[self.loose(situation.snapshot, situation.facts, situation.now), situation.began].append(
                    node
                )
        self.rows = {
            number
            for node in self.exploration.nodes
            for move in node.situation.moves or ()
            if move.outcome is not None
            for microstep in move.outcome.taken.moves
            for number in microstep.transitions
        }
        self.world = World(self.exploration.flow)
        self.timing = Timing(self.exploration.flow, self.exploration.stopwatches)
        self.stopwatches = self.timing.stopwatches

    def loose(self, snapshot: Snapshot, facts: Facts, now: float) -> object:
        """What matters of a call beside silences, who speaks, and that we are away for a moment; in the ending also beside what is
        closed: by that it ends sooner, and no other way."""
        memory = snapshot.memory
        changed: dict[str, Any] = {"silences": {}, "timers": tuple(_timers(memory, exact=False)), **_VOICES}
        if configuration_of(self.table, snapshot.configuration).in_ending:
            changed |= {"legs": {}, "closed": frozenset(), "closing": frozenset()}
            facts = frozenset()
        if memory.phase not in LIVE:  # only what runs goes on
            changed |= {"vars": {}, "legs": {}, "closed": frozenset(), "closing": frozenset(), "outcome": None}
            facts = frozenset()
        return key(snapshot._replace(memory=memory._replace(**changed)), now).what, facts - {"away"}


class Held:
    """Follows one call through an exploration. `problem`: what it has done first that was not followed. `beyond`: more has piled up than a
    proof tells apart, or `limits.no_progress` has ended a round, which a proof tells of; it is followed no more."""

    def __init__(self, known: Known, call: Call) -> None:
        self.known = known
        self.problem: str | None = None
        self.loosely = 0
        self.beyond = False
        self.steps = 0
        self.since: dict[str, float] = {}
        started = call.begun.snapshot.memory.started
        self.began = started if known.exploration.by_the_clock else 0.0
        self.nodes: list[Node] = []
        self._stand(call, started)
        self._is_held(call, started, "at the beginning")

    def passes(self, call: Call, until: float) -> None:
        """Time goes by until then, and nothing happens."""
        if self._follows and not call.snapshot.ended:
            self._is_held(call, until, f"waiting until {until - call.begun.snapshot.memory.started:.3f} s")

    def look(self, call: Call, moved: Moved) -> None:
        """A step was taken."""
        if not self._follows:
            return
        self.steps += 1
        started = call.begun.snapshot.memory.started
        before, facts = self.nodes, self.facts
        self._stand(call, moved.now)
        self.loosely += self.facts != facts and not self._matters(moved)
        self.beyond = len(self.left.memory.lists) < len(call.snapshot.memory.lists) or goes_round(call, moved)
        if self.beyond:
            return
        self._is_held(call, moved.now, f"after {told(moved)} at {moved.now - started:.3f} s")
        news = {row for move in moved.taken.moves for row in move.transitions} - self.known.rows
        if self.problem is None and news:
            self.problem = f"rows {sorted(news)} are taken by {told(moved)}, and were taken by no call"
        if self.problem is None and moved.taken.moves and not self._leads(before):
            self.problem = f"{told(moved)} at {moved.now - started:.3f} s leads where nothing was seen to lead"

    @property
    def _follows(self) -> bool:
        return self.problem is None and not self.beyond

    def _matters(self, moved: Moved) -> bool:
        """Whether a proof follows this; what changes nothing but what is closed, and is heard by nobody, it leaves out."""
        event = moved.event
        return not isinstance(event, Event) or self.known.world.matters(moved.before.configuration, event.name)

    # -- where it stands ------------------------------------------------------------------------------------------------

    def _stand(self, call: Call, now: float) -> None:
        forgetting = self.known.exploration.forgetting
        self.facts: Facts = forgetting.facts(call.snapshot, call.facts)
        self.left = forgetting.snapshot(call.snapshot)
        runs = {name for name, holds in self.known.stopwatches.items() if holds(self.left, self.facts)}
        self.since = {name: self.since.get(name, now) for name in runs}
        self.found = self.known.nodes.get((key(self.left, now).what, self.facts, self.began), [])
        self.alike = self.known.loosely.get((self.known.loose(self.left, self.facts, now), self.began), [])
        self.loosely += not self.found

    def _is_held(self, call: Call, now: float, when: str) -> None:
        """A silence that has once been paused by who speaks, or by a microphone that was off, may lie otherwise from then on."""
        self.nodes = [node for node in self.found if self._outside(node, now, exact=True) is None]
        if self.loosely or not self.found:
            self.nodes += [node for node in self.alike if self._outside(node, now, exact=False) is None]
        where = _where(self.left, self.facts)
        if not self.found and not self.alike:
            self.problem = f"{when}: no call stands in {where}"
        elif not self.nodes:
            why = self._outside((self.found or self.alike)[0], now, exact=bool(self.found))
            self.problem = f"{when}: its times are in none of the zones of {where}: {why}"

    def _outside(self, node: Node, now: float, *, exact: bool) -> str | None:
        """Why a node does not hold this call now; None where it does."""
        times = self._times(node, now, exact=exact)
        size = size_of(node.zone)
        for i, one in enumerate(times):
            for j, other in enumerate(times):
                if one is not None and other is not None and one - other > node.zone[i * size + j] + ABOUT:
                    names = ["now", *node.situation.moments]
                    return f"{names[i]} {one} - {names[j]} {other} > {node.zone[i * size + j]}"
        if exact:
            for path, (least, most) in zip(node.situation.counted, node.counted, strict=True):
                counted = self.left.memory.silences[path].counted * MICRO
                if counted + ABOUT >= self.known.timing.longest_silence(path):
                    continue  # all its rows have fired: it matters no more how long it goes on
                if not least - ABOUT <= counted <= most + ABOUT:
                    return f"the silence of {path} has lasted {counted}, and not {least} to {most}"
        return None

    def _times(self, node: Node, now: float, *, exact: bool) -> list[float | None]:
        """The times of this call by the moments of a node, in microseconds from now; None: of this nothing is compared."""
        like, mine = node.snapshot.memory, self.left.memory
        timers = dict(zip([one.generation for one in _timers(like, exact)], _timers(mine, exact), strict=True))
        effects = dict(zip(like.effects, mine.effects.values(), strict=True))
        times: list[float | None] = [0.0]
        for moment in node.situation.moments:
            at: float | None = None
            if moment.kind == "timer" and moment.number in timers:
                at = timers[moment.number].due
            elif moment.kind == "effect":
                at = effects[moment.number].started
            elif moment.kind == "watch":
                at = self.since.get(moment.name, now)
            times.append(None if at is None else (at - now) * MICRO)
        return times

    def _leads(self, before: list[Node]) -> bool:
        """Whether some edge leads from where it stood to where it stands."""
        here = {id(node.situation) for node in self.nodes}
        return any(id(edge.target.situation) in here for node in before for edge in node.edges)


def _timers(memory: Memory, exact: bool) -> Iterator[Timer]:
    return (one for one in memory.timers if exact or one.kind != "silence")


def goes_round(call: Call, moved: Moved) -> bool:
    """Whether this step has come to the most states that may be entered by nobody's doing."""
    return moved.before.entered + len(moved.taken.entered) >= table_of(call.flow).most_entered


def told(moved: Moved) -> str:
    """What has happened, in a few words."""
    event = moved.event
    if isinstance(event, Event):
        return f"{event.name} {dict(event.data)}"
    if isinstance(event, EffectEnded):
        effect = moved.before.memory.effects[event.id]
        return f"{effect.verb} {event.status} {event.result.get('result', '')}"
    timer = next(one for one in moved.before.memory.timers if one.generation == event.generation)
    return f"{timer.kind} {timer.row} of {timer.state or 'the top level'}"


def _where(snapshot: Snapshot, facts: Facts) -> str:
    memory = snapshot.memory
    runs = [f"{one.verb}{' stopping' if one.stopping else ''}" for one in memory.effects.values()]
    legs = {name: leg.status for name, leg in memory.legs.items()}
    lacks = sorted(map(str, AT_FIRST - facts)), sorted(map(str, facts - AT_FIRST))
    lists = [(one.kind, one.key, one.position) for one in memory.lists.values()]
    timers = [(one.kind, one.state, one.row) for one in memory.timers]
    return f"{snapshot.configuration} ({memory.phase}), legs {legs}, runs {runs}, lists {lists}, timers {timers}, facts {lacks}, kept {[one.name for one in memory.kept]}"
