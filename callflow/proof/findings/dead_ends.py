"""Somebody waits, and nothing leads on but that they hang up, or the limits of the whole call."""

from __future__ import annotations

from collections.abc import Mapping

from callflow.core.events import MAIN_LEG, EffectEnded, TimerFired
from callflow.core.flow import Flow, Position
from callflow.core.macrostep import LIVE
from callflow.proof.finding import Suspect, Suspects, active_in, first_of_each, in_ending, is_the_authors, leaf_of
from callflow.proof.findings.ways import Without, breaks
from callflow.proof.graph import leading_to, rounds
from callflow.proof.listening import parties
from callflow.proof.node import Edge, Exploration, Node
from callflow.verify.places import defect, named

_GIVES_UP = ("room.", "session.close", "session.error", "job.", "failed")


def no_way_on(exploration: Exploration) -> Suspects:
    """Nodes from which no way that the author has meant leads to the end: told of where such a call comes to rest; but for those to which
    only what an author can do nothing about leads."""
    flow, nodes = exploration.flow, exploration.nodes
    if not exploration.finished:
        return
    onward = {node: [edge.target.holder for edge in node.edges if _leads_on(flow, node, edge)] for node in nodes}
    backward: dict[Node, list[Node]] = {}
    for node, targets in onward.items():
        for target in targets:
            backward.setdefault(target, []).append(node)
    good = leading_to(
        (node for node in nodes if node.snapshot.memory.phase not in LIVE or in_ending(flow, node)), backward
    )
    stuck = {node for node in nodes if node not in good and node.covered_by is None and _waits(flow, node)}
    groups = [[node] for node in stuck] + rounds(stuck, lambda node: onward[node])
    at_rest = [node for group in groups for node in group if _leads_nowhere(group, onward, stuck)]
    number = {id(node): place for place, node in enumerate(nodes)}
    first = first_of_each(nodes)
    told: set[str] = set()
    working = Without(exploration, breaks)
    for node in sorted(at_rest, key=lambda one: number[id(first(one))]):
        leaf, way = leaf_of(node), working.to(first(node))
        if leaf in told or way is None:
            continue
        told |= {leaf, *(leaf_of(target) for target in onward[node])}
        says, place, hint = _told(flow, leaf)
        yield Suspect(
            defect("no-way-on", f"{says} but that the caller hangs up, or the limits of the whole call", place, hint),
            way[0], frozenset({leaf}), way[1], "Nothing happens any more.",
        )  # fmt: skip


def _told(flow: Flow, leaf: str) -> tuple[str, Position, str]:
    """What is wrong there, where that has to be mended, and how. A final state is mended where its parent's `done` is taken."""
    host = flow.states[leaf].parent
    if flow.states[leaf].kind != "final" or host is None:
        hint = "give it a row for what can happen there, an `after`, or a `silence`"
        return f"from {named(leaf)} nothing leads on", flow.states[leaf].position, hint
    done = [row for row in flow.states[host].rows if row.pattern == "done"]
    place = done[0].position if done else flow.states[host].position
    says = f"{named(host)} is done with {named(leaf)}, and no row takes that: nothing leads on"
    return says, place, f"give {named(host)} a row for `done` that holds then"


def _leads_nowhere(group: list[Node], onward: Mapping[Node, list[Node]], stuck: set[Node]) -> bool:
    """Whether these, and nothing else, are where such a call stays."""
    members = set(group)
    return all(target in members or target not in stuck for node in group for target in onward[node])


def _waits(flow: Flow, node: Node) -> bool:
    """Whether somebody is on the line, and no state says that it waits for something on purpose."""
    main = node.snapshot.memory.legs.get(MAIN_LEG)
    rings = main is not None and main.status == "ringing" and not flow.outbound
    if not (rings or parties(node.snapshot)) or not node.snapshot.configuration or not node.facts >= {"room", "line"}:
        return False
    return not any(flow.states[path].waits for path in active_in(flow, node))


def _leads_on(flow: Flow, node: Node, edge: Edge) -> bool:
    """Whether this is how the author has meant a call to go on: not by a hang-up, a failure or a limit."""
    event = edge.input
    if edge.target.snapshot.configuration == node.snapshot.configuration:
        return True  # time goes by; what a state that must finish has kept leads on when it is done
    if isinstance(event, TimerFired):
        timer = next(one for one in node.snapshot.memory.timers if one.generation == event.generation)
        return is_the_authors(flow, timer)
    if isinstance(event, EffectEnded):
        return event.status in ("ok", "cancelled") or node.snapshot.memory.effects[event.id].stopping
    if event.name.endswith(".hangup"):
        return len(parties(node.snapshot)) > 1
    return not event.name.startswith(_GIVES_UP)
