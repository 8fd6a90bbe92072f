"""Ways through what was found: the shortest one, without anything of a kind; straight on, without anybody's doing anything."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Running, Start, Step
from callflow.proof.finding import drops, is_the_authors
from callflow.proof.node import Edge, Exploration, Node, Passage, Where


def ended_well(event: Input) -> bool:
    """Whether this is an effect that has ended as it should."""
    return isinstance(event, EffectEnded) and event.status == "ok"


def goes_well(node: Where, event: Input) -> bool:
    """The same, or what was cancelled has stopped."""
    return ended_well(event) or (isinstance(event, EffectEnded) and node.snapshot.memory.effects[event.id].stopping)


def goes_by_itself(flow: Flow) -> Callable[[Where, Input], bool]:
    """Whether a call goes on by nobody's doing: as `goes_well`, or by a timer of the author's."""

    def follows(node: Where, event: Input) -> bool:
        if isinstance(event, TimerFired):
            timers = node.snapshot.memory.timers
            return is_the_authors(flow, next(one for one in timers if one.generation == event.generation))
        return goes_well(node, event)

    return follows


def breaks(node: Where, event: Input) -> bool:
    """Whether something fails that no author can do anything about: what changes how a leg or the session stands."""
    if not isinstance(event, EffectEnded) or event.status == "ok":
        return False
    effect = node.snapshot.memory.effects.get(event.id)
    verb = None if effect is None or effect.stopping else verb_of(effect.verb)
    return verb is not None and (
        verb.leg_after is not None or verb.mutes is not None or verb.drops_leg or bool(verb.closes)
    )


def result_of(effect: Running, end: EffectEnded) -> str:
    """The event that the end of what ran becomes; "" for none."""
    verb = verb_of(effect.verb)
    if effect.stopping or end.status == "cancelled":
        return ""
    return verb.result_event(end.result) if end.status == "ok" else verb.error_result(end.status == "timed_out") or ""


def straight_on(
    first: Passage,
    arrived: Callable[[Edge], bool],
    over: Callable[[Node], bool],
    follows: Callable[[Node, Input], bool] = goes_well,
) -> tuple[Passage, ...] | None:
    """The shortest way from a passage to one by which it has `arrived`, by nothing but effects that end as they should, or what
    `follows` says; None where all of them come to where it is `over` before."""
    ways: list[tuple[Passage, ...]] = [(first,)]
    seen: set[Node] = set()
    for way in ways:
        edge = way[-1][1]
        node = edge.target.holder
        if node in seen or over(node):
            continue
        if arrived(edge):
            return way
        seen.add(node)
        ways += [(*way, (node, onward)) for onward in node.edges if follows(node, onward.input)]
    return None


class Without:
    """The shortest ways from a call's beginning on which nothing of a kind happens."""

    def __init__(self, exploration: Exploration, avoided: Callable[[Where, Input], bool]) -> None:
        self._exploration = exploration
        self._avoided = avoided

    @cached_property
    def _last(self) -> dict[Node, Passage | None]:
        """The last passage of the way to each node; looked for when somebody asks for the first one."""
        found: dict[Node, Passage | None] = {node: None for node in self._exploration.nodes if node.parent is None}
        todo = list(found)
        for node in todo:
            for edge in node.edges:
                target = edge.target.holder
                if target not in found and not self._avoided(node, edge.input):
                    found[target] = node, edge
                    todo.append(target)
        return found

    def to(self, node: Node) -> tuple[Node, tuple[Passage, ...]] | None:
        """Where a way to a node begins, and its passages; None where there is none."""
        node = node.holder
        if node not in self._last:
            return None
        found: list[Passage] = []
        while (passage := self._last[node]) is not None:
            found.append(passage)
            node = passage[0]
        return node, tuple(reversed(found))


def dropping_after(
    first: Passage, goes_on: Callable[[Node], bool], counts: Callable[[Step], bool] = lambda _: True
) -> tuple[Start, tuple[Passage, ...]] | None:
    """What drops the line straight after this passage, and the passages to it, the first included; None where something has to
    happen before. `goes_on`: whether the way leads on through a node; `counts`: whether it matters that this step drops it."""
    ways: list[tuple[Passage, ...]] = [(first,)]
    seen: set[Node] = set()
    for way in ways:
        edge = way[-1][1]
        node, effects = edge.target.holder, edge.taken.effects
        effect = next((one for one in effects if isinstance(one, Start) and drops(one)), None)
        if effect is not None and counts(edge.taken):
            return effect, way
        if node not in seen and goes_on(node):
            seen.add(node)
            ways += [(*way, (node, onward)) for onward in node.edges if goes_well(node, onward.input)]
    return None
