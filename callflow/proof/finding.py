"""A fault of behaviour: where it stands, and a call that shows it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from attrs import frozen

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import EffectEnded, Input, TimerFired
from callflow.core.flow import ROOT, Flow, Position
from callflow.core.occurs import Facts
from callflow.core.snapshot import Start, Step, Timer
from callflow.core.statechart.action_lists import Source
from callflow.core.table import table_of
from callflow.errors import Defect
from callflow.proof.node import Exploration, Node, Passage, Situation, Where
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


_What = TypeVar("_What")
_Key = TypeVar("_Key", bound=Hashable)

Seen = Sequence[tuple[_What, Passage]]
"""What was noticed of steps, with each passage on which such a step was taken, in the order in which these were found."""


class Search(Protocol[_What]):
    """One kind of fault: made for a flow, asked once for each step that calls of a situation can take, and then, once, for what is wrong.

    `see` yields what it notices of a step, whatever `found` wants to know of it; from how many nodes, and at which times, the step is
    taken makes no difference to it. `found` is given each of that with each passage on which it is so, the shortest way first. What
    hangs on how a call has come to a node, or goes on from it, is asked there. A fault that stands in what was found, and in no step,
    is a function of the exploration alone (`callflow.proof.prove.LOOKS`).
    """

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[_What]: ...

    def found(self, exploration: Exploration, seen: Seen[_What]) -> Suspects: ...


def noticed(exploration: Exploration, searches: Sequence[Search[Any]]) -> list[Seen[Any]]:
    """What each of these searches sees in what was found."""
    seen: list[list[tuple[Any, Passage]]] = [[] for _ in searches]
    known: dict[int, list[tuple[list[tuple[Any, Passage]], Any]]] = {}
    for node in exploration.nodes:
        for edge in node.edges:
            told = known.get(id(edge.taken))
            if told is None:
                what = node.situation, edge.input, edge.taken, edge.target.situation
                told = known[id(edge.taken)] = [
                    (where, one) for where, search in zip(seen, searches, strict=True) for one in search.see(*what)
                ]
            if told:
                passage = node, edge
                for where, one in told:
                    where.append((one, passage))
    return [*seen]


def first_seen(seen: Seen[_Key]) -> dict[_Key, Passage]:
    """Of all that was noticed the first passage."""
    found: dict[_Key, Passage] = {}
    for what, passage in seen:
        found.setdefault(what, passage)
    return found


def leaf_of(at: Where) -> str:
    """The innermost active state, the last of them in the order of the file."""
    return at.snapshot.configuration[-1] if at.snapshot.configuration else ROOT


def place_of(flow: Flow, at: Where) -> Position:
    """Where that state is written."""
    return flow.states[leaf_of(at)].position


def name_of(at: Where) -> str:
    """That state in a sentence."""
    return named(leaf_of(at))


def active_in(flow: Flow, at: Where) -> frozenset[str]:
    """The active states, those around them included, but for the top level."""
    return configuration_of(table_of(flow), at.snapshot.configuration).active


def from_around(flow: Flow, at: Where, source: Source) -> bool:
    """Whether it is the ending, and a row around it has begun this there: what holds in every state, whoever hears it."""
    kind, key, _ = source
    return kind == "stay" and flow.transitions[int(key)].source == ROOT and in_ending(flow, at)


def in_ending(flow: Flow, at: Where) -> bool:
    """Whether the call is in its ending."""
    return configuration_of(table_of(flow), at.snapshot.configuration).in_ending


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
