"""What somebody on the line hears of what a flow does: the sounds of what runs, and the music of a hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, NO_DATA
from callflow.core.flow import Flow
from callflow.core.occurs import Facts, Music
from callflow.core.possible import action_of
from callflow.core.snapshot import Running, Snapshot
from callflow.core.verbs.verb import Sound, Verb


def heard(flow: Flow, snapshot: Snapshot, facts: Facts, leg: str = MAIN_LEG) -> frozenset[Sound]:
    """What this leg hears now; what the model says by itself, and other parties, are not told here. Whoever is not on the line
    hears nothing, and whoever is on hold but what is for them alone."""
    known = snapshot.memory.legs.get(leg)
    if known is None or known.status not in ("on_line", "hold"):
        return frozenset()
    running = [one for one in snapshot.memory.effects.values() if not one.stopping]
    held = on_hold(snapshot, leg)
    music: frozenset[Sound] = frozenset({"music"} if held and Music(leg) in facts else ())
    return music.union(*(verb_of(one.verb).hears(leg, _arguments(flow, one), on_hold=held) for one in running))


def on_hold(snapshot: Snapshot, leg: str = MAIN_LEG) -> bool:
    """Whether this leg is on hold, or is kept there while somebody else is asked."""
    known = snapshot.memory.legs.get(leg)
    if known is not None and known.status == "hold":
        return True
    running = (one for one in snapshot.memory.effects.values() if not one.stopping)
    return leg == MAIN_LEG and any(verb_of(one.verb).holds_far_end for one in running)


def hears(snapshot: Snapshot, verb: Verb, arguments: Mapping[str, Any], leg: str = MAIN_LEG) -> bool:
    """Whether this leg, which is on the line, hears what is said by this verb with these arguments."""
    return "speech" in verb.hears(leg, arguments, on_hold=on_hold(snapshot, leg))


def _arguments(flow: Flow, effect: Running) -> Mapping[str, Any]:
    action = action_of(flow, effect)
    return NO_DATA if action is None else action.arguments
