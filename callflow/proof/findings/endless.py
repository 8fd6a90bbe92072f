"""Rounds that nobody drives and that nothing ends."""

from __future__ import annotations

from collections.abc import Sequence

from callflow.core.flow import Flow
from callflow.core.table import table_of
from callflow.core.turn import LIVE
from callflow.proof.explore import Node
from callflow.proof.finding import Evidence, Suspect, Suspects, by_nobody, in_ending, place_of
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
            node
            for node in group
            for edge in node.edges
            if edge.target.holder in members and (id(node), id(edge.target)) in entering and by_nobody(edge.input)
        ]
        places = {leaf for node in group for leaf in node.snapshot.configuration}
        if not ways or _bounded(flow, group) or told & places:
            continue
        told |= places
        order = {id(node): number for number, node in enumerate(nodes)}
        node = min(ways, key=lambda one: order[id(one)])
        names = ", ".join(f"`{path}`" for path in flow.states if path in places)
        yield Suspect(
            defect(
                "endless-round", f"the call goes round through {names} without anybody's doing, and nothing ends it",
                place_of(flow, node), "count the rounds (`state.visits`), or bound them by an `after` around",
            ),
            node, frozenset(places),
        )  # fmt: skip


def _bounded(flow: Flow, group: Sequence[Node]) -> bool:
    """Whether a timer of the author's own that is not armed anew ends the round."""
    table = table_of(flow)
    common: set[tuple[int, str, int]] | None = None
    for node in group:
        own = {
            (one.generation, one.state, one.row)
            for one in node.snapshot.memory.timers
            if one.kind == "after" and not all(row.supplied for row in table.states[one.state].timers[one.row].transitions)
        }
        common = own if common is None else common & own
    return bool(common)
