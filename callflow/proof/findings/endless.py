"""Rounds that nobody drives and that nothing ends."""

from __future__ import annotations

from collections.abc import Sequence

from callflow.core.flow import Flow
from callflow.core.table import table_of
from callflow.core.turn import LIVE
from callflow.proof.explore import Edge, Node
from callflow.proof.finding import Evidence, Suspect, Suspects, by_nobody, first_like, in_ending, place_of
from callflow.proof.graph import rounds
from callflow.verify.places import defect


def endless_rounds(evidence: Evidence) -> Suspects:
    """States that follow each other by timers, failures, results and `done` alone, again and again."""
    flow, nodes, entering = evidence.flow, evidence.exploration.nodes, evidence.seen.entering
    inside = [node for node in nodes if node.snapshot.memory.phase in LIVE and not in_ending(flow, node)]
    told: set[str] = set()
    for group in rounds(inside, lambda node: [edge.target.holder for edge in node.edges if by_nobody(edge.input)]):
        members = set(group)
        ways = [
            (node, edge)
            for node in group
            for edge in node.edges
            if edge.target.holder in members and (id(node), id(edge.target)) in entering and by_nobody(edge.input)
        ]
        places = {leaf for node in group for leaf in node.snapshot.configuration}
        if not ways or _bounded(flow, group) or told & places:
            continue
        told |= places
        order = {id(node): number for number, node in enumerate(nodes)}
        last = min((node for node, _ in ways), key=lambda one: order[id(first_like(nodes, one))])
        node = first_like(nodes, last)
        names = ", ".join(f"`{path}`" for path in flow.states if path in places)
        yield Suspect(
            defect(
                "endless-round", f"the call goes round through {names} without anybody's doing, and nothing ends it",
                place_of(flow, node), "count the rounds (`state.visits`), or bound them by an `after` around",
            ),
            node, frozenset(places), _once_round(last, members, ways), "And so on, round and round.",
        )  # fmt: skip


Leg = tuple[Node, Edge]


def _once_round(start: Node, members: set[Node], ways: Sequence[Leg]) -> tuple[Leg, ...]:
    """From a node back to it, by way of a state that is entered."""
    there = _ways_from(start, members)
    found = []
    for node, edge in ways:
        back = _ways_from(edge.target.holder, members)
        if node in there and start in back:
            found.append((*there[node], (node, edge), *back[start]))
    return min(found, key=len, default=())


def _ways_from(start: Node, members: set[Node]) -> dict[Node, tuple[Leg, ...]]:
    """The shortest ways from a node to the others, where nobody does anything."""
    found: dict[Node, tuple[Leg, ...]] = {start: ()}
    todo = [start]
    for node in todo:
        for edge in node.edges:
            target = edge.target.holder
            if target in members and target not in found and by_nobody(edge.input):
                found[target] = (*found[node], (node, edge))
                todo.append(target)
    return found


def _bounded(flow: Flow, group: Sequence[Node]) -> bool:
    """Whether a timer of the author's own that is not armed anew ends the round."""
    table = table_of(flow)
    common: set[tuple[int, str, int]] | None = None
    for node in group:
        own = {
            (one.generation, one.state, one.row)
            for one in node.snapshot.memory.timers
            if one.kind == "after"
            and not all(row.supplied for row in table.states[one.state].timers[one.row].transitions)
        }
        common = own if common is None else common & own
    return bool(common)
