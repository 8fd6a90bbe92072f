"""Silence: how long a person on the line hears nothing while it is not their turn; how long a call goes on without anybody."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from callflow.core.actions import verb_of
from callflow.core.durations import format_duration, told_duration
from callflow.core.events import MAIN_LEG
from callflow.core.flow import ROOT, Flow, Position, Quiet
from callflow.core.lasts import within as within_time
from callflow.core.macrostep import LIVE
from callflow.core.possible import action_of
from callflow.core.snapshot import Running
from callflow.core.statechart.structure import inside, within
from callflow.proof.accepting import accepted_in
from callflow.proof.finding import Suspect, Suspects, active_in, in_ending, leaf_of, name_of, place_of
from callflow.proof.findings.ways import Without, breaks
from callflow.proof.graph import leading_to
from callflow.proof.listening import called, unheard_at_all
from callflow.proof.node import MICRO, Exploration, Node
from callflow.verify.places import defect, named, warning

QUIET, DEAD_AIR, MUSIC, ALONE, NOT_COME, RINGING = "quiet", "dead air", "music", "alone", "not come", "ringing"
"""What is timed, by name (`callflow.proof.listening`)."""

MOST_QUIET = 30.0 + 2.0  # what is out of time takes a moment to stop
MOST_MUSIC = 600.0 + 2.0
MOST_ALONE = 300.0
MOST_RINGING = 5.0


def too_quiet(exploration: Exploration) -> Suspects:
    """Silences that are longer than the limit in force, or than 30 s where the author has set none: each told once, where it
    begins; those that are too long only where that is accepted by themselves."""
    flow = exploration.flow
    limits = _Limits(flow)
    over: dict[tuple[str, bool], list[tuple[Quiet | None, Node]]] = {}
    for node in exploration.nodes:
        silence = _silence(node)
        if silence <= limits.least * MICRO:
            continue
        limit = limits.in_force(node)
        if silence > (MOST_QUIET if limit is None else limit.seconds) * MICRO:
            known = accepted_in(flow, "quiet-too-long", leaf_of(node)) is not None
            over.setdefault((leaf_of(_beginning(node, QUIET, DEAD_AIR)), known), []).append((limit, node))
    if not over:
        return
    working = Without(exploration, breaks)
    for (began, _), suspected in over.items():
        nodes = [one for one in suspected if working.to(one[1]) is not None]
        if not nodes:
            continue
        limit, first = next((one for one in nodes if one[0] is not None), nodes[0])
        lasts = told_duration(max(_silence(node) for _, node in nodes) / MICRO)
        says = f"from {named(began)} on a person hears nothing for up to {lasts}, and it is not their turn"
        place, hint = flow.states[began].position, "say or play something, or lead on sooner"
        start, way = working.to(first) or (first, ())
        yield Suspect(
            warning("quiet-too-long", says, place, hint) if limit is None
            else defect("quiet-too-long", f"{says}: more than `quiet: {format_duration(limit.seconds)}` in {_line(limit, place)} allows", place, hint),
            start, frozenset({began, *(leaf_of(node) for _, node in nodes)}), way, shows=frozenset(leaf_of(node) for _, node in nodes),
            after=f"Whoever is on the line hears nothing for up to {lasts}.",
        )  # fmt: skip


def slow_tools(exploration: Exploration) -> Suspects:
    """Tools for whose `run` the model waits longer than 30 s, and somebody hears nothing."""
    flow = exploration.flow
    condition, told = unheard_at_all(flow), set[str]()
    for node in exploration.nodes:
        for effect in node.snapshot.memory.effects.values():
            kind, tool, _ = effect.source
            if kind != "tool" or effect.stopping or str(tool) in told or in_ending(flow, node):
                continue
            most = within_time(effect, action_of(flow, effect)).most
            if most <= MOST_QUIET or not condition(node.snapshot, node.facts):
                continue
            told.add(str(tool))
            lasts = told_duration(most)
            yield Suspect(
                warning(
                    "quiet-too-long", f"the model waits for `{tool}` for up to {lasts}, and whoever has asked hears nothing",
                    _written(flow, node, effect), "let the tool lead to a state that does the work, and play or say something there",
                ),
                node, after=f"Whoever is on the line hears nothing for up to {lasts}.",
            )  # fmt: skip


def too_much_music(exploration: Exploration) -> Suspects:
    """Music, or a tone, and nothing else for more than ten minutes, told once, where it begins."""
    flow = exploration.flow
    over = [
        node
        for node in exploration.nodes
        if node.lasts.get(MUSIC, 0) > MOST_MUSIC * MICRO and not in_ending(flow, node)
    ]
    if not over:
        return
    working = Without(exploration, breaks)
    told: set[str] = set()
    for node in over:
        way, began = working.to(node), leaf_of(_beginning(node, MUSIC))
        if way is None or began in told:
            continue
        told.add(began)
        lasts = told_duration(max(one.lasts[MUSIC] for one in over) / MICRO)
        yield Suspect(
            warning(
                "waits-too-long", f"from {named(began)} on a person hears nothing but music or a tone for up to {lasts}",
                flow.states[began].position, "bound it with an `after`, `resume` whoever is on hold, or say with `waits:` what for",
            ),
            way[0], frozenset({began, leaf_of(node)}), way[1], after=f"They hear nothing else for up to {lasts}.",
        )  # fmt: skip


def bounds(exploration: Exploration) -> tuple[int, int]:
    """How long somebody hears nothing at most, and it is not their turn, and how long a call goes on after a hang-up, in whole
    seconds."""
    nodes = exploration.nodes
    quiet = max(map(_silence, nodes), default=0)
    alone = max((node.lasts.get(ALONE, 0) for node in nodes), default=0)
    return ceil(quiet / MICRO), ceil(alone / MICRO)


class _Limits:
    """The author's own limits of silence."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.of = {path: state.quiet for path, state in flow.states.items() if state.quiet is not None}
        self.least = min(MOST_QUIET, *(limit.seconds for limit in self.of.values())) if self.of else MOST_QUIET

    def in_force(self, node: Node) -> Quiet | None:
        """The innermost; of regions that have their own, the shortest. In the ending its own."""
        limited = [path for path in (ROOT, *active_in(self.flow, node)) if path in self.of]
        if in_ending(self.flow, node):  # in which what is closed may take its time: its own alone
            limited = [path for path in limited if within(path, self.flow.ending)]
        innermost = [path for path in limited if not any(inside(other, path) for other in limited)]
        return min((self.of[path] for path in innermost), key=lambda limit: limit.seconds, default=None)


def _line(limit: Quiet, told: Position) -> str:
    return f"line {limit.position.line}" if limit.position.file == told.file else limit.position.place


def _silence(node: Node) -> int:
    """How long somebody has heard nothing there, at most, in microseconds."""
    return max(node.lasts.get(QUIET, 0), node.lasts.get(DEAD_AIR, 0))


def _beginning(node: Node, *timed: str) -> Node:
    """Where what is timed there has begun."""
    while node.parent is not None and any(one in node.parent.lasts and one in node.lasts for one in timed):
        node = node.parent
    return node


def nobody_left(exploration: Exploration) -> Suspects:
    """Calls that go on for more than five minutes after the far end has gone, or has not come, and that dial nobody any more, each told
    once, in the state that makes it so long."""
    late = [node for node in exploration.nodes if _is_late(node)]
    dials = _before_a_dial(exploration.nodes) if late and exploration.flow.outbound else set()
    late = [node for node in late if _has_gone(node) or not (in_ending(exploration.flow, node) or node.holder in dials)]
    if not late:
        return
    lasts = told_duration(max(map(_for_nobody, late)) / MICRO)
    told: set[str] = set()
    for node in late:
        if leaf_of(node) not in told and not (node.parent is not None and _is_late(node.parent)):
            told.add(leaf_of(node))
            what = "has gone" if _has_gone(node) else "has not come"
            yield Suspect(
                defect(
                    "nobody-left", f"the far end {what}, and the call goes on in {name_of(node)} for up to {lasts}",
                    place_of(exploration.flow, node), "lead on to `ending`",
                ),
                node, frozenset({leaf_of(node)}), after=f"The call goes on for up to {lasts}, for nobody.",
            )  # fmt: skip


def _is_late(node: Node) -> bool:
    return node.snapshot.memory.phase in LIVE and _for_nobody(node) > MOST_ALONE * MICRO


def _for_nobody(node: Node) -> int:
    return max(node.lasts.get(ALONE, 0), node.lasts.get(NOT_COME, 0))


def _has_gone(node: Node) -> bool:
    return node.snapshot.memory.legs[MAIN_LEG].status == "gone"


def _before_a_dial(nodes: Sequence[Node]) -> set[Node]:
    """Those from which the call comes to dial somebody, by what the flow itself does."""
    backward: dict[Node, list[Node]] = {}
    for node in nodes:
        for edge in node.edges:
            backward.setdefault(edge.target.holder, []).append(node.holder)
    return leading_to((node.holder for node in nodes if _dials(node)), backward)


def _dials(node: Node) -> bool:
    return any(verb_of(one.verb).dials for one in node.snapshot.memory.effects.values())


def rings_for_nobody(exploration: Exploration) -> Suspects:
    """Somebody is being called, and nobody is there to talk to them: each call told once, where it is written."""
    ringing = [node for node in exploration.nodes if node.lasts.get(RINGING, 0) > MOST_RINGING * MICRO]
    told: set[Position] = set()
    for node in ringing:
        calls = called(node.snapshot)
        if calls is not None and (place := _written(exploration.flow, node, calls)) not in told:
            told.add(place)
            lasts = told_duration(max(one.lasts[RINGING] for one in ringing) / MICRO)
            yield Suspect(
                defect(
                    "rings-for-nobody", f"the far end has gone, and the telephone of {calls.leg} rings on for up to {lasts}",
                    place, "begin the call in the `entry` of a state that a hang-up leaves, which cancels it, or end it by `cancel_dial`",
                ),
                node, frozenset({leaf_of(node)}), after=f"It rings for up to {lasts}, for nobody.",
            )  # fmt: skip


def _written(flow: Flow, node: Node, effect: Running) -> Position:
    """Where the action stands for which this runs."""
    action = action_of(flow, effect)
    return place_of(flow, node) if action is None else action.position
