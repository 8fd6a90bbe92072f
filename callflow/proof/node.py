"""What an exploration is made of: nodes, each a set of calls that can go on in the same ways, and what leads from one to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol

from attrs import define, field

from callflow.core.events import Input
from callflow.core.flow import Flow
from callflow.core.occurs import Facts
from callflow.core.snapshot import Memory, Snapshot, Step, Timer
from callflow.proof.zone import Zone

MICRO = 1_000_000
"""Zones are in microseconds."""


class Moment(NamedTuple):
    """What a zone tells of: when the timer of this generation is due, when the effect of this number was started, since when the
    stopwatch of this name runs."""

    kind: Literal["timer", "effect", "watch"]
    number: int = 0
    name: str = ""


class Edge(NamedTuple):
    """What happened to the calls of one node, and which node holds them afterwards."""

    input: Input
    target: Node


@define(eq=False, repr=False)
class Node:
    """Calls that can go on in the same ways: a snapshot, the facts beside it, and a zone of the times at which its timers are due and
    its effects were started. One of these calls is at hand: the snapshot's times are its own, and `now` is its time. What it takes,
    all take, each at its time.

    `counted`: how long each paused silence has lasted, in microseconds, at least and at most. `what`: what of the snapshot matters.
    `began`: when the call began, where rows ask for the time of day. `lasts`: of each stopwatch that runs, the longest, in
    microseconds. `covered_by`: another node that holds these calls and more.
    """

    snapshot: Snapshot
    facts: Facts
    now: float
    moments: tuple[Moment, ...]
    zone: Zone
    counted: dict[str, tuple[int, int]]
    what: bytes = b""
    began: float = 0.0
    parent: Node | None = None
    cause: Input | None = None
    edges: list[Edge] = field(factory=list)
    covered_by: Node | None = None
    lasts: dict[str, int] = field(factory=dict)

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
        return self.covered_by is not None or self.snapshot.ended


Passage = tuple[Node, Edge]
"""A node, and one way on from it."""


class Watch(Protocol):
    """Whoever looks at each step as it is taken."""

    def __call__(self, before: Node, event: Input, taken: Step, after: Node) -> None: ...


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
    """What was found. `left`: how many nodes the budget left unlooked at; none: it is finished."""

    flow: Flow
    nodes: list[Node]
    steps: int
    left: int

    @property
    def finished(self) -> bool:
        return not self.left


def timer_of(memory: Memory, moment: Moment) -> Timer | None:
    """The timer of which a moment tells; None where it is none, or not there."""
    if moment.kind != "timer":
        return None
    return next((one for one in memory.timers if one.generation == moment.number), None)
