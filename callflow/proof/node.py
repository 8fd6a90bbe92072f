"""What an exploration is made of: situations, nodes, each a situation at certain times, and what leads from one to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from attrs import define, field

from callflow.core.events import Input
from callflow.core.flow import Flow
from callflow.core.occurs import Facts
from callflow.core.snapshot import Memory, Snapshot, Step, Timer
from callflow.proof.forget import Forgetting
from callflow.proof.shift import Shift, Span
from callflow.proof.zone import Zone

MICRO = 1_000_000
"""Zones are in microseconds."""


class Moment(NamedTuple):
    """What a zone tells of: when the timer of this generation is due, when the effect of this number was started, since when the
    stopwatch of this name runs."""

    kind: Literal["timer", "effect", "watch"]
    number: int = 0
    name: str = ""


@define(eq=False, repr=False)
class Situation:
    """What calls have in common that can go on in the same ways, each at its times: a snapshot, and the facts beside it. The snapshot is
    that of one of these calls, which is at `now`.

    `what`: what of the snapshot matters. `began`: when the call began, where rows ask for the time of day. `moments`: of what zones
    tell here. `floors`, `widest`: how far back each of them can lie, and how far ahead of now (less than 0: behind it), in
    microseconds; `passes`: whether time can go by, or something ends before anything else. `counted`: the silences that are paused,
    and have counted before. `watched`: the stopwatches that run, with their places among the moments. `moves`: what can happen; None
    until that is asked.
    """

    snapshot: Snapshot
    facts: Facts
    now: float
    what: bytes = b""
    began: float = 0.0
    moments: tuple[Moment, ...] = ()
    floors: tuple[int, ...] = ()
    widest: tuple[int, ...] = ()
    passes: bool = False
    counted: tuple[str, ...] = ()
    watched: tuple[tuple[str, int], ...] = ()
    moves: tuple[Move, ...] | None = None


class Outcome(NamedTuple):
    """What comes of a move: the step, the situation in which it leaves a call, and what it makes of the times."""

    taken: Step
    target: Situation
    shift: Shift


@define(eq=False, repr=False)
class Move:
    """What can happen in a situation, while the moment at `place` (0: none) lies no further ahead of now than `most` microseconds; and
    never where one of the bounds at the places of `sooner` is less than the number beside it: something else is due before.
    `after_silence`: only where a silence that is paused has lasted for some time. What comes of it is worked out when it happens
    first."""

    event: Input
    place: int = 0
    most: int = 0
    sooner: tuple[tuple[int, int], ...] = ()
    after_silence: bool = False
    outcome: Outcome | None = None


class Edge(NamedTuple):
    """What happened to the calls of one node, which node holds them afterwards, and the step; one that several nodes take is one."""

    input: Input
    target: Node
    taken: Step


@define(eq=False, repr=False)
class Node:
    """Calls that can go on in the same ways: a situation, and a zone of the times at which its timers are due and its effects were
    started, from when it has come about until something is due. What one of these calls takes, all take, each at its time.

    `counted`: how long each paused silence has lasted, in microseconds, at least and at most, in the order of the situation's.
    `lasts`: of each stopwatch that runs, the longest, in microseconds. `covered_by`: another node that holds these calls and more.
    `parent`, `cause`: from where it was found, and its times come; `nearest`: the last step of the fewest that lead here, at some of
    these times.
    """

    situation: Situation
    zone: Zone
    counted: tuple[Span, ...] = ()
    parent: Node | None = None
    cause: Input | None = None
    edges: list[Edge] = field(factory=list)
    covered_by: Node | None = None
    nearest: Passage | None = None
    lasts: Mapping[str, int] = field(factory=dict)

    @property
    def snapshot(self) -> Snapshot:
        """That of one of these calls."""
        return self.situation.snapshot

    @property
    def facts(self) -> Facts:
        """What is so beside the snapshot."""
        return self.situation.facts

    @property
    def what(self) -> bytes:
        """What of the snapshot matters."""
        return self.situation.what

    @property
    def holder(self) -> Node:
        """The node that holds these calls at last."""
        node = self
        while node.covered_by is not None:
            node = node.covered_by
        return node

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be looked at: another node holds these calls, or they are over."""
        return self.covered_by is not None or self.situation.snapshot.ended


Where = Situation | Node
"""What has a snapshot, and facts beside it."""

Passage = tuple[Node, Edge]
"""A node, and one way on from it."""


class Going(Protocol):
    """Whoever is asked on the way whether to go on, and is told how far it has come."""

    def __call__(self, situations: int, left: int, steps: int) -> bool: ...


def on_and_on(situations: int, left: int, steps: int) -> bool:
    """As far as the budget goes."""
    return True


Stopwatches = Mapping[str, Callable[[Snapshot, Facts], bool]]
"""What is timed: how long each of these is so without a break."""


@define(eq=False, repr=False)
class Exploration:
    """What was found. `left`: how many nodes the budget left unlooked at; none: it is finished. `forgetting`: what is left of a call
    there; `by_the_clock`: whether calls that begin at other times are told apart; `stopwatches`: what was timed."""

    flow: Flow
    nodes: list[Node]
    steps: int
    left: int
    forgetting: Forgetting
    by_the_clock: bool
    stopwatches: Stopwatches

    @property
    def finished(self) -> bool:
        return not self.left


def timer_of(memory: Memory, moment: Moment) -> Timer | None:
    """The timer of which a moment tells; None where it is none, or not there."""
    if moment.kind != "timer":
        return None
    return next((one for one in memory.timers if one.generation == moment.number), None)
