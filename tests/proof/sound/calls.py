"""Random calls on the pure core: at each moment one of the inputs that the table of what can happen allows, at an ordinary time or an
extreme one.

Left out is what a proof takes for granted (docs/explanation/proof.md, "Under which assumptions"), and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG, SENDERS, EffectEnded, Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.inputs import inputs
from callflow.core.lasts import lasts
from callflow.core.macrostep import LIVE
from callflow.core.occurs import AT_FIRST, Facts
from callflow.core.possible import action_of, afterwards, calls_again, leg_is, leg_of, refused
from callflow.core.snapshot import Running, Snapshot, Step
from callflow.core.step import step
from callflow.core.table import table_of
from callflow.core.values.facts import senders
from callflow.proof.node import MICRO, Moment
from callflow.proof.timing import Timing, longest_detection
from callflow.proof.waiting import MANY
from callflow.proof.world import World, is_undone

MOST_STEPS = 80
MOST_SECONDS = 2 * 3600.0
GAP = 60.0
"""Seconds at most until the next thing comes from outside, where nothing else says when."""

RARE = (
    "call.hangup",
    "room.disconnected",
    "session.close",
    "session.error",
    "job.",
    "call.dropped",
    "room.reconnecting",
)


class Moved(NamedTuple):
    """A step of a call: where it stood, what has happened, and what came of it. `facts` are those afterwards."""

    before: Snapshot
    taken: Step
    facts: Facts
    now: float

    @property
    def event(self) -> Input:
        assert self.taken.event is not None
        return self.taken.event


class Call:
    """A call as it goes on; `moved` is all that has happened to it."""

    def __init__(self, flow: Flow, begun: Step) -> None:
        self.flow = flow
        self.begun = begun
        self.moved: list[Moved] = []
        self.snapshot, self.facts, self.now = begun.snapshot, AT_FIRST, begun.snapshot.memory.started
        self._looks: float | None = None
        self._timing = Timing(flow, {})
        self._world = World(flow)

    def take(self, event: Input) -> Moved:
        """Raises AssertionError where this cannot happen."""
        why = refused(self.flow, self.snapshot, self.facts, event)
        assert why is None, why
        before, facts = self.snapshot, afterwards(self.flow, self.snapshot, self.facts, event)
        taken = step(self.flow, before, event)
        self.snapshot, self.facts, self.now = taken.snapshot, facts, event.time
        self._looks = None if "detection" not in facts else self.now if self._looks is None else self._looks
        moved = Moved(before, taken, facts, event.time)
        self.moved.append(moved)
        return moved

    def weight(self, name: str, chances: Chances) -> float:
        """How likely this is, beside other things: calls that end at once show little, nor do those in which nobody cares."""
        if name.startswith(RARE) or name.endswith(".hangup"):
            return chances.rare
        if name.startswith(("tool.", "amd.")) or name.endswith(".answered"):
            return 4.0
        return 1.0 if self._world.matters(self.snapshot.configuration, name) else 0.05

    # -- what can be next ---------------------------------------------------------------------------------------------

    @property
    def over(self) -> Running | None:
        """What ends before anything else: what was cancelled, and what nobody is there for."""
        memory = self.snapshot.memory
        is_over = memory.phase not in LIVE  # nobody hears anything any more
        verbs = [(one, verb_of(one.verb)) for one in memory.effects.values()]
        last = (one for one, verb in verbs if verb.last or (is_over and verb.speech))
        return self._world.over(self.snapshot, self.facts) or next(last, None)

    def latest(self) -> float:
        """By when something happens by itself; `MOST_SECONDS` from now where nothing has to."""
        memory = self.snapshot.memory
        ends = [
            one.started - self._timing.floor(self.snapshot, Moment("effect", one.id)) / MICRO
            for one in memory.effects.values()
        ]
        verdict = [] if self._looks is None else [self._looks + longest_detection(self.flow) / MICRO]
        return min([*(timer.due for timer in memory.timers), *ends, *verdict, self.now + MOST_SECONDS])

    def ways(self) -> list[Input]:
        """What can be next, each as early as it can be."""
        over, until = self.over, self.latest()
        found = inputs(self.flow, self.snapshot, self.facts, self.now)
        if over is not None:
            ends = [
                one
                for one in found
                if isinstance(one, EffectEnded) and one.id == over.id and _stops(over, one, self.snapshot)
            ]
            return [one for one in ends if one.time <= self.now]
        return [one for one in found if one.time <= until + 1e-6 and self._is_meant(one)]

    def _is_meant(self, event: Input) -> bool:
        if isinstance(event, EffectEnded):
            return self._ends(self.snapshot.memory.effects[event.id], event)
        return isinstance(event, TimerFired) or self._comes(event)

    def _ends(self, effect: Running, end: EffectEnded) -> bool:
        verb, legs = verb_of(effect.verb), self.snapshot.memory.legs
        leg = legs.get(effect.leg or MAIN_LEG)
        if (
            verb.calls
            and end.result.get("result") in ("accepted", "answered")
            and leg is not None
            and leg.status == "gone"
        ):
            return False  # whoever has taken a call is there when that is told
        speaks = any(
            verb_of(one.verb).speech and not one.stopping and not one.quiet
            for one in self.snapshot.memory.effects.values()
        )
        if verb.lets_speech_end and end.status == "ok" and speaks:
            return False
        return not verb.parties_end or end.status != "ok"  # it ends as the parties do

    def _comes(self, event: Event) -> bool:
        memory, name = self.snapshot.memory, event.name
        if memory.phase not in LIVE or name == "failed":
            return name == "call.hangup" and "room" in self.facts
        if name.startswith("tool."):
            many = sum(one.kind == "tool" for one in memory.lists.values()) >= MANY
            return not many and not calls_again(self.snapshot, self.facts, name)
        if name.startswith("app."):
            who = event.data.get("sender")
            known = senders(self.flow, name) if who is None else [str(who)]
            there = [leg for leg, one in memory.legs.items() if one.status in ("on_line", "hold")]
            return any(one in there or one in SENDERS for one in known)
        if name.endswith((".offered", ".ringing", ".dropped", ".restored")):
            return self._world.matters(self.snapshot.configuration, name)
        return not name.endswith(".answered") or self._answers(event)

    def _answers(self, answered: Event) -> bool:
        """Whoever is called by the flow comes on the line in no other way; the far end comes back where a row waits for that."""
        name, memory = leg_of(answered), self.snapshot.memory
        if leg_is(self.snapshot, name) == "dialing":
            return True
        if name != MAIN_LEG:
            return self.flow.legs.get(name) is not None
        gone = name in memory.legs and memory.legs[name].status == "gone"
        at = configuration_of(table_of(self.flow), self.snapshot.configuration)
        if at.in_ending or (gone and not at.heard(answered.name).rows):
            return False
        taken = any(verb_of(one.verb).offer == "takes" for one in memory.effects.values())
        return not self.flow.outbound and (self.flow.answer != "manual" or taken)


def _stops(effect: Running, end: EffectEnded, snapshot: Snapshot) -> bool:
    """Whether what ends before anything else ends in this way: what was cancelled has not been done, but for a late answer, and that
    when the one before is off the line."""
    late = verb_of(effect.verb).late
    return (
        not effect.stopping
        or end.status == "cancelled"
        or (late is not None and end.result.get("result") == late.result and not is_undone(snapshot, effect))
    )


class Chances(NamedTuple):
    """How a world is, as long as a call lasts: how often something comes from outside and how often what is rare does, how often
    things end well, and when they happen: as soon as they can be (0), as late as they can be (1), or somewhere between."""

    outside: float
    rare: float
    well: float
    soon: float
    late: float

    @classmethod
    def drawn(cls, dice: random.Random) -> Chances:
        soon = dice.choice((0.0, 0.2, 0.6, 1.0))
        return cls(
            dice.choice((0.1, 0.3, 0.6)), dice.choice((0.0, 0.0, 0.02, 0.2)), dice.choice((0.2, 0.6, 0.95)),
            soon, dice.choice((0.0, 0.3, 1.0)) * (1 - soon),
        )  # fmt: skip


Look = Callable[[Call, Moved], None]
Passes = Callable[[Call, float], None]


def play(call: Call, dice: random.Random, passes: Passes, look: Look, steps: int = MOST_STEPS) -> None:
    """One call to its end, or so many steps of it. `passes` is told of each time until which nothing happens, `look` of each step."""
    chances = Chances.drawn(dice)
    for _ in range(steps):
        if call.snapshot.ended or call.now - call.begun.snapshot.memory.started > MOST_SECONDS:
            return
        event = chosen(call, dice, chances)
        if event is None:
            return
        passes(call, event.time)
        look(call, call.take(event))


def chosen(call: Call, dice: random.Random, chances: Chances) -> Input | None:
    """What happens next, and when."""
    ways = call.ways()
    outside = [one for one in ways if isinstance(one, Event)]
    inside = [one for one in ways if not isinstance(one, Event)]
    if outside and (not inside or dice.random() < chances.outside):
        names = list(dict.fromkeys(one.name for one in outside))
        weights = [call.weight(name, chances) for name in names]
        if sum(weights):
            name = dice.choices(names, weights)[0]
            return timed(call, dice.choice([one for one in outside if one.name == name]), dice, chances)
    if not inside:
        return timed(call, dice.choice(outside), dice, chances) if outside else None
    what = dice.choice(list(dict.fromkeys(map(_which, inside))))
    ends = [one for one in inside if _which(one) == what]
    well = [one for one in ends if isinstance(one, EffectEnded) and one.status == "ok"]
    return timed(call, dice.choice(well if well and dice.random() < chances.well else ends), dice, chances)


def _which(event: Input) -> int:
    return event.id if isinstance(event, EffectEnded) else -1


def timed(call: Call, event: Input, dice: random.Random, chances: Chances) -> Input:
    """The same at a time at which it can be."""
    least, most = max(event.time, call.now), call.latest()
    if isinstance(event, TimerFired) or call.over is not None or most <= least:
        return event
    draw = dice.random()
    if draw < chances.soon:
        return event._replace(time=least)
    if draw < chances.soon + chances.late:
        return event._replace(time=most)
    if isinstance(event, EffectEnded):
        effect = call.snapshot.memory.effects[event.id]
        usual = lasts(effect, action_of(call.flow, effect), event.status, event.result)
        most = min(most, max(effect.started + usual.most, least + 3.0))
    return event._replace(time=dice.uniform(least, min(most, least + GAP)))


def worlds(seed: int) -> Iterator[random.Random]:
    """The dice of one call after another."""
    while True:
        yield random.Random(seed)
        seed += 1
