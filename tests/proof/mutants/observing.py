"""What can be observed of a call, from outside: by those on the line, by who is asked for something, and in the record's outcome.

Two flows are played side by side, many calls of each: what the world does in a call of the one it does in the call of the other, at the
same times (people, failures, how long what runs takes). Where no call shows a difference, and the calls have taken every row of the
author's that the proof comes across, the two are taken to be equal in what can be observed. That is an experiment, and no
proof: a difference is always one, equality is as good as the calls.

Observed are what begins and is asked of whoever is there to hear or do it, with its words, and when; when it is cut; what each party
hears, and whether it is on the line; which tools and instructions the model has while it talks with somebody; the outcome. Not the
names of states, the journal, the order in which what takes no time is done, nor what is closed when nobody is there any more.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple

import callflow
from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import EffectEnded, Event, Input, TimerFired
from callflow.core.flow import ROOT, Flow
from callflow.core.heard import heard
from callflow.core.lasts import lasts, within
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import action_of, afterwards, unfit
from callflow.core.snapshot import Cancel, Running, Start, Step
from callflow.core.table import table_of
from callflow.proof.begin import first_steps
from callflow.proof.explore import explore
from callflow.proof.timing import longest_detection
from callflow.proof.world import World

CALLS, MOST_CALLS = 60, 300
"""Pairs of calls, at least, and at most where some row has not been taken."""

MOST_STEPS = 300
MOST_SECONDS = 2 * 3600.0
AFTER = 30.0
"""Seconds at most by which what runs ends later than it could."""
OFTEN = 4.0
RARE = (
    "call.hangup",
    "call.dropped",
    "room.disconnected",
    "room.reconnecting",
    "session.close",
    "session.error",
    "job.",
)

_THERE = ("dialing", "ringing", "on_line", "hold", "dropped")

Seen = tuple[float, Hashable]


class Ended(NamedTuple):
    """How something that ran has ended, and how many seconds after its start."""

    end: EffectEnded
    after: float


class Part:
    """The world's part in a call: what it does, with dice, and what it has done so far. In a second call it does the same again."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.events: list[tuple[float, Event]] = []
        self.ends: dict[Hashable, Ended] = {}
        self.verdict: Event | None = None


class _Call:
    """One call of a flow in a world."""

    def __init__(self, flow: Flow, begun: Step, part: Part, *, again: bool) -> None:
        self.flow = flow
        self.part = part
        self.again = again
        self.world = World(flow)
        self.snapshot, self.facts, self.now = begun.snapshot, AT_FIRST, begun.snapshot.memory.started
        self.seen: list[Seen] = []
        self.rows: set[int] = set()
        self.names: dict[int, Hashable] = {}  # of what runs
        self.often: dict[Hashable, int] = {}
        self.known: list[Event | EffectEnded] | None = None
        self.dice = random.Random(part.seed)
        self.gap = self.dice.choice((2.0, 8.0, 25.0, 100.0))
        self.likely = self.dice.choice((0.5, 0.9))
        self.rare = self.dice.choice((0.01, 0.1))
        self.next = self.now + self.dice.expovariate(1 / self.gap)
        self.todo = list(part.events) if again else []
        self.stands: Hashable = None
        self.looks = self.now
        self._look(begun)

    def play(self) -> None:
        for _ in range(MOST_STEPS):
            event = (
                None
                if self.snapshot.ended or self.now - self.snapshot.memory.started > MOST_SECONDS
                else self._what_happens()
            )
            if event is None:
                break
            facts, before = self.facts, self.snapshot
            self.facts = afterwards(self.flow, before, facts, event)
            taken = callflow.step(self.flow, before, event)
            self.snapshot, self.now, self.known = taken.snapshot, event.time, None
            self.rows.update(number for move in taken.moves for number in move.transitions)
            self._look(taken)
        self.seen.append((0.0, ("outcome", self.snapshot.memory.outcome)))

    # -- what happens ------------------------------------------------------------------------------------------------

    def _what_happens(self) -> Input | None:
        memory = self.snapshot.memory
        over = self.world.over(self.snapshot, self.facts)
        if over is not None:
            found = next((one for one in self._happens() if isinstance(one, EffectEnded) and one.id == over.id), None)
            if found is not None:
                return found
        ways: list[Input] = []
        if memory.timers:
            ways.append(TimerFired(memory.timers[0].generation, max(self.now, memory.timers[0].due)))
        ways += [end for effect in memory.effects.values() if (end := self._end_of(effect)) is not None]
        first = min(ways, key=lambda one: one.time, default=None)
        if "detection" not in self.facts:
            self.looks = self.now
        elif (verdict := self._verdict(first)) is not None:
            return verdict
        while (event := self._event(first.time if first is not None else self.now + 600.0)) is not None:
            if self._fits(event):
                if not self.again:
                    self.part.events.append((event.time, event))
                return event
        return first

    def _verdict(self, first: Input | None) -> Event | None:
        """Who has answered, where that has to be told before anything else."""
        time = self.looks + longest_detection(self.flow) / 1e6
        if first is not None and first.time < time:
            return None
        told = [one for one in self._happens() if isinstance(one, Event) and one.name.startswith("amd.")]
        if not told:
            return None
        if not self.again:
            self.part.verdict = self.dice.choice(told)
        verdict = self.part.verdict
        return (verdict if verdict is not None and self._fits(verdict) else told[0])._replace(time=time)

    def _event(self, until: float) -> Event | None:
        """The next thing that comes from outside before this time."""
        if self.again:
            return self.todo.pop(0)[1] if self.todo and self.todo[0][0] < until else None
        while self.next < until:
            time, self.next = self.next, self.next + self.dice.expovariate(1 / self.gap)
            found: dict[str, list[Event]] = {}
            for one in self._happens():
                if isinstance(one, Event):
                    found.setdefault(one.name, []).append(one)
            names = list(found)
            weights = [self._weight(name) for name in names]
            if names:
                name = self.dice.choices(names, weights)[0]
                return self.dice.choice(found[name])._replace(time=time)
        return None

    def _weight(self, name: str) -> float:
        """How likely this is, beside other things: calls that end at once show little."""
        if name.startswith(RARE) or name.endswith(".hangup"):
            return self.rare
        return OFTEN if name.startswith(("tool.", "amd.")) or name.endswith(".answered") else 1.0

    def _fits(self, event: Event) -> bool:
        return unfit(self.flow, self.snapshot, self.facts, event) is None

    def _happens(self) -> list[Event | EffectEnded]:
        if self.known is None:
            self.known = [*self.world.happens(self.snapshot, self.facts, self.now)]
        return self.known

    def _end_of(self, effect: Running) -> EffectEnded | None:
        """When and how this ends, as far as that is known now."""
        ways = [one for one in self._happens() if isinstance(one, EffectEnded) and one.id == effect.id]
        which = self.names.get(effect.id), repr(sorted({(one.status, repr(one.result)) for one in ways}))
        if not ways:
            return None
        end = self.part.ends.get(which)
        if end is None or not any(one[1:4] == end.end[1:4] for one in ways):
            end = self._chosen(effect, ways, which)
            self.part.ends.setdefault(which, end)
        return end.end._replace(id=effect.id, time=max(self.now, effect.started + end.after))

    def _chosen(self, effect: Running, ways: list[EffectEnded], which: Hashable) -> Ended:
        dice = random.Random(f"{self.part.seed} {which}")
        good = [one for one in ways if one.status == "ok"]
        if (
            good and verb_of(effect.verb).closes
        ):  # what fails at LiveKit is nothing that an author can do anything about
            ways = good
        end = dice.choice(good if good and dice.random() < self.likely else ways)
        action = action_of(self.flow, effect)
        least = lasts(effect, action, end.status, end.result).least
        most = min(within(effect, action).most, least + AFTER)
        return Ended(end, dice.choice((least, least + (most - least) * dice.random() * 0.3, dice.uniform(least, most))))

    # -- what is observed --------------------------------------------------------------------------------------------

    def _look(self, taken: Step) -> None:
        hears = self._somebody()
        for one in taken.effects:
            if isinstance(one, Start):
                name = one.verb, repr(sorted(one.arguments.items(), key=str))
                count = self.often[name] = self.often.get(name, 0) + 1
                self.names[one.id] = (*name, count)
                if self._shows(one, hears):
                    self.seen.append((round(self.now, 3), name))
            elif isinstance(one, Cancel) and hears and one.id in self.names:
                self.seen.append((round(self.now, 3), ("cut", self.names[one.id][:2])))  # type: ignore[index]
        stands = self._stands(hears)
        if stands != self.stands:
            self.stands = stands
            self.seen.append((round(self.now, 3), stands))

    def _somebody(self) -> bool:
        legs = self.snapshot.memory.legs.values()
        return not legs or (any(leg.status != "gone" for leg in legs) and "line" in self.facts and "room" in self.facts)

    def _shows(self, begun: Start, hears: bool) -> bool:
        verb = verb_of(begun.verb)
        if verb.last or verb.at_once or verb.lets_speech_end or verb.closes:
            return False  # that the line drops is seen when it does
        return hears if verb.speech or verb.needs_somebody else True

    def _stands(self, hears: bool) -> Hashable:
        """How it is for those on the line."""
        memory = self.snapshot.memory
        if not hears or not any(leg.status in _THERE for leg in memory.legs.values()):
            return None
        legs = tuple(
            (name, leg.status, heard(self.flow, self.snapshot, self.facts, name)) for name, leg in memory.legs.items()
        )
        talks: Hashable = None
        if (
            "conversation" in self.facts
            and "speech" not in memory.closed
            and any(leg.status == "on_line" for leg in memory.legs.values())
        ):
            at = configuration_of(table_of(self.flow), self.snapshot.configuration)
            tools = frozenset(name for name in self.flow.tools if at.offering(name) is not None)
            told = tuple(
                text
                for path in self.flow.states
                if path in at.active and (text := self.flow.states[path].instructions) is not None
            )
            talks = tools, repr(told), memory.muted
        return legs, talks


def played(flow: Flow, other: Flow, seed: int) -> tuple[_Call, _Call]:
    """A call of a flow, and one of the other in which the world does the same."""
    part = Part(seed)
    first = first_steps(flow)
    begun = first[seed % len(first)]
    call = _Call(flow, begun, part, again=False)
    call.play()
    memory = begun.snapshot.memory
    same = callflow.start(
        other, {name: value for name, value in memory.vars.get(ROOT, {}).items() if name in other.scopes[ROOT].variables},
        env={name: memory.env.get(name, "https://example.com") for name in other.env}, call=memory.call, time=memory.started,
        waiting=not other.outbound,
    )  # fmt: skip
    again = _Call(other, same, part, again=True)
    again.play()
    return call, again


def difference(flow: Flow, other: Flow, needed: frozenset[int]) -> str | None:
    """What the first call shows that is not alike in two flows; None where none does of so many that those of the first flow have taken
    all the rows that are needed."""
    taken: set[int] = set()
    for seed in range(MOST_CALLS):
        for one, two in ((flow, other), (other, flow)):
            call, again = played(one, two, seed)
            taken |= (call if one is flow else again).rows
            mine, theirs = Counter(call.seen), Counter(again.seen)
            if mine != theirs:
                time, what = min([*(mine - theirs), *(theirs - mine)], key=lambda seen: (seen[0], repr(seen[1])))
                return f"call {seed}, {time:g} s: {what}"
        if seed >= CALLS and needed <= taken:
            return None
    return f"no call has taken {', '.join(_named(flow, number) for number in sorted(needed - taken))}"


def _named(flow: Flow, number: int) -> str:
    row = flow.transitions[number]
    return f"{row.source or 'the top level'} to {row.target} in line {row.position.line}"


def rows_of(flow: Flow) -> frozenset[int]:
    """The author's own rows that some call takes, as the proof explores them."""
    steps = (edge.taken for node in explore(flow, first_steps(flow)).nodes for edge in node.edges)
    taken = {number for step in steps for move in step.moves for number in move.transitions}
    return frozenset(number for number in taken if not flow.transitions[number].supplied)
