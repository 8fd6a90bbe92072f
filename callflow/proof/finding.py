"""A fault of behaviour: where it stands, and a call that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from attrs import frozen

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import EffectEnded, Input, TimerFired
from callflow.core.flow import ROOT, Flow, Position
from callflow.core.occurs import Facts
from callflow.core.snapshot import Start, Step, Timer
from callflow.core.table import table_of
from callflow.errors import Defect
from callflow.proof.node import Exploration, Node, Passage
from callflow.proof.way import Way
from callflow.verify.places import named


@frozen
class Finding:
    """What is wrong, and a call that shows it."""

    defect: Defect
    way: Way

    @property
    def which(self) -> tuple[str, str, int]:
        """Its kind and its place."""
        return self.defect.code, self.defect.file, self.defect.line


@frozen(eq=False)
class Suspect:
    """What is wrong, and the node at which it shows; `more` is what happens then, to show it. `states`: those of which it is told, so
    that what follows from it is not told as well. `shows`: those in which it is so, where these are others than that of its place."""

    defect: Defect
    node: Node
    states: frozenset[str] = frozenset()
    more: tuple[Passage, ...] = ()
    after: str = ""  # what the story ends with, when nothing happens any more
    shows: frozenset[str] = frozenset()


Suspects = Iterator[Suspect]


class Search(Protocol):
    """One kind of fault: `see` looks at each step as it is taken, `found` tells what was wrong when all were."""

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None: ...

    def found(self, exploration: Exploration) -> Suspects: ...


def leaf_of(node: Node) -> str:
    """The innermost active state, the last of them in the order of the file."""
    return node.snapshot.configuration[-1] if node.snapshot.configuration else ROOT


def place_of(flow: Flow, node: Node) -> Position:
    """Where that state is written."""
    return flow.states[leaf_of(node)].position


def name_of(node: Node) -> str:
    """That state in a sentence."""
    return named(leaf_of(node))


def active_in(flow: Flow, node: Node) -> frozenset[str]:
    """The active states, those around them included, but for the top level."""
    return configuration_of(table_of(flow), node.snapshot.configuration).active


def in_ending(flow: Flow, node: Node) -> bool:
    """Whether the call is in its ending."""
    return configuration_of(table_of(flow), node.snapshot.configuration).in_ending


def by_nobody(event: Input) -> bool:
    """Whether this happens without anybody's doing anything: a timer, an effect's end that is not somebody's answer; a busy line
    declines, too."""
    if isinstance(event, EffectEnded):
        return event.result.get("result") not in ("input", "no_match", "accepted")
    return isinstance(event, TimerFired)


def is_the_authors(flow: Flow, timer: Timer) -> bool:
    """Whether the author has written this timer: it is not supplied, nor the step's own."""
    if timer.kind not in ("after", "every", "silence"):
        return False
    rows = table_of(flow).states[timer.state].timers[timer.row].transitions
    return not all(row.supplied for row in rows)


def first_of_each(nodes: Sequence[Node]) -> Callable[[Node], Node]:
    """For a node the first one of the same snapshot: others hold its calls at other times, and their stories are longer."""
    first: dict[tuple[bytes, Facts], Node] = {}
    for node in nodes:
        first.setdefault((node.what, node.facts), node)
    return lambda node: first[node.what, node.facts]


def drops(effect: Start) -> bool:
    """Whether this drops the line for everybody, and is not one that waits until they have talked."""
    verb = verb_of(effect.verb)
    return "line" in verb.closes and not verb.parties_end and not verb.leaves(effect.arguments)
