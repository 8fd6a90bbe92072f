"""Silence: how long a person on the line hears nothing while it is not their turn; how long a call goes on without anybody."""

from __future__ import annotations

from callflow.core.flow import Flow, Position
from callflow.core.possible import action_of
from callflow.core.snapshot import Running
from callflow.proof.finding import Suspect, Suspects, in_ending, leaf_of, name_of, place_of
from callflow.proof.listening import called
from callflow.proof.node import MICRO, Exploration, Node
from callflow.verify.places import defect, named, warning

QUIET, ALONE, RINGING = "quiet", "alone", "ringing"
"""What is timed, by name (`callflow.proof.listening`)."""

MOST_QUIET = 30.0 + 2.0  # what is out of time takes a moment to stop
MOST_ALONE = 180.0
MOST_RINGING = 5.0


def too_quiet(exploration: Exploration) -> Suspects:
    """Silences of more than 30 s, each told once, where it begins."""
    first: dict[str, Node] = {}
    longest: dict[str, int] = {}
    also: dict[str, set[str]] = {}
    for node in exploration.nodes:
        if node.lasts.get(QUIET, 0) <= MOST_QUIET * MICRO or in_ending(exploration.flow, node):
            continue
        began = leaf_of(_beginning(node))
        first.setdefault(began, node)
        longest[began] = max(longest.get(began, 0), node.lasts[QUIET])
        also.setdefault(began, set()).add(leaf_of(node))
    for began, node in first.items():
        lasts = _shown(longest[began] / MICRO)
        yield Suspect(
            warning(
                "quiet-too-long", f"from {named(began)} on a person hears nothing for up to {lasts}, and it is not their turn",
                exploration.flow.states[began].position, "say or play something, or lead on sooner",
            ),
            node, frozenset({began, *also[began]}), after=f"Whoever is on the line hears nothing for up to {lasts}.",
        )  # fmt: skip


def _beginning(node: Node) -> Node:
    """Where what is timed there has begun."""
    while node.parent is not None and QUIET in node.parent.lasts:
        node = node.parent
    return node


def nobody_left(exploration: Exploration) -> Suspects:
    """A call that goes on for more than three minutes after the far end has gone."""
    late = [node for node in exploration.nodes if node.lasts.get(ALONE, 0) > MOST_ALONE * MICRO]
    if late:
        lasts = _shown(max(node.lasts[ALONE] for node in late) / MICRO)
        yield Suspect(
            defect(
                "nobody-left", f"the far end has gone, and the call goes on in {name_of(late[0])} for up to {lasts}",
                place_of(exploration.flow, late[0]), "lead on to `ending`",
            ),
            late[0], frozenset({leaf_of(late[0])}), after=f"The call goes on for up to {lasts}, for nobody.",
        )  # fmt: skip


def rings_for_nobody(exploration: Exploration) -> Suspects:
    """Somebody is being called, and nobody is there to talk to them."""
    for node in exploration.nodes:
        if node.lasts.get(RINGING, 0) > MOST_RINGING * MICRO:
            calls = called(node.snapshot)
            if calls is None:
                continue
            lasts = _shown(max(one.lasts.get(RINGING, 0) for one in exploration.nodes) / MICRO)
            yield Suspect(
                defect(
                    "rings-for-nobody", f"the far end has gone, and the telephone of {calls.leg} rings on for up to {lasts}",
                    _written(exploration.flow, node, calls), "put the call into the `entry` of a state, so that leaving it cancels the call",
                ),
                node, frozenset({leaf_of(node)}), after=f"It rings for up to {lasts}, for nobody.",
            )  # fmt: skip
            return


def _written(flow: Flow, node: Node, effect: Running) -> Position:
    """Where the action stands for which this runs."""
    action = action_of(flow, effect)
    return place_of(flow, node) if action is None else action.position


def _shown(seconds: float) -> str:
    """A length of time, to the second: 54s, 10m 42s, 1h."""
    whole = round(seconds)
    parts = (whole // 3600, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
