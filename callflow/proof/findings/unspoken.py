"""Somebody who is with us for the first time, or back with us, or has chosen: it is their turn, and nobody has said so."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from callflow.core.actions import verb_of
from callflow.core.events import DIGITS, MAIN_LEG, EffectEnded, Event, Input
from callflow.core.flow import Flow
from callflow.core.heard import heard
from callflow.core.possible import leg_of
from callflow.core.snapshot import Running, Snapshot, Step
from callflow.core.statechart.descriptors import matches
from callflow.core.table import table_of
from callflow.proof.finding import (
    Seen,
    Suspect,
    Suspects,
    active_in,
    in_ending,
    is_the_authors,
    leaf_of,
    name_of,
    place_of,
)
from callflow.proof.findings.untold import is_there
from callflow.proof.findings.unused import PERSON
from callflow.proof.findings.ways import straight_on
from callflow.proof.listening import converses, talk, turn
from callflow.proof.node import Edge, Exploration, Node, Situation
from callflow.verify.places import warning

SOON = 10.0
"""Seconds after which a timer that goes on breaks the silence in which nobody speaks first."""

_CALLS = "whoever calls is on the line"
_CHOSEN = "they have pressed"

_THEIRS = ("session.", "tool.", "room.", "call.")
"""Events of whoever speaks themselves, and of the line: no music ends for them, but by them."""


class Unspoken:
    """Somebody has waited, has just come on the line, or has pressed a key; the flow leads straight on to where the model listens to them,
    and nobody has said a word. The model speaks by itself only to whoever has spoken."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = turn(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[str]:
        if is_there(before, taken.snapshot) and not in_ending(self.flow, after):
            why = self._ended(before, event) if isinstance(event, EffectEnded) else self._came(before, event, taken)
            why = why or self._music_ended(before, event, after)
            if why:
                yield why

    def _ended(self, before: Situation, event: EffectEnded) -> str:
        """What somebody has waited for, and that has ended; "" where they have not."""
        effect = before.snapshot.memory.effects[event.id]
        verb = verb_of(effect.verb)
        if effect.stopping or verb.parties_end:
            return ""
        if verb.takes_keys:
            return f"{_CHOSEN} what they were asked for" if event.result.get("result") == "input" else ""
        back = verb.leg_after == "on_line" and _is_on_hold(before.snapshot, effect)
        heard_again = verb.mutes is False and before.snapshot.memory.muted
        asked = verb.asks_outside and not self.turn(before.snapshot, before.facts)
        return f"`{effect.verb}` has ended" if back or heard_again or asked or verb.occupies or verb.calls else ""

    def _came(self, before: Situation, event: Input, taken: Step) -> str:
        """Who has come or gone, or has chosen something that leads on."""
        if not isinstance(event, Event):
            return ""
        if event.name == "call.answered":
            return "" if self.flow.outbound else _CALLS
        if not taken.entered:
            return ""
        if event.name == PERSON:
            return "a person has answered"
        if event.name.startswith("dtmf."):
            return f"{_CHOSEN} a key"
        left = event.name.startswith("leg.") and event.name.endswith(".hangup") and talk(before.snapshot)
        return f"{leg_of(event)} has left" if left and not talk(taken.snapshot) else ""

    def _music_ended(self, before: Situation, event: Input, after: Situation) -> str:
        """That they have heard music and nothing else, and hear nothing any more, though they have not spoken."""
        if isinstance(event, Event) and event.name.startswith(_THEIRS):
            return ""
        if heard(self.flow, before.snapshot, before.facts) != {"music"}:
            return ""
        return "" if heard(self.flow, after.snapshot, after.facts) else "the music has ended"

    def found(self, exploration: Exploration, seen: Seen[str]) -> Suspects:
        for why, passage in seen:
            way = straight_on(passage, partial(self._is_silent, why), self._is_over)
            if way is None:
                continue
            target = way[-1][1].target
            says, hint = f"it is their turn in {name_of(target)}, and nobody says a word first", "in its `entry`"
            after, place = "Nobody speaks until the caller does.", place_of(self.flow, target)
            if not self._converse(target):
                says = f"they are to press keys in {name_of(target)}, and nobody says so"
                hint, after = "in its `entry`, or a `prompt`", "Nobody says that keys are to be pressed."
            yield Suspect(
                warning("nobody-speaks", f"{why}: {says}", place, f"say something first: `say`, or `generate_reply`, {hint}"),
                passage[0], frozenset({leaf_of(target)}), way, after,
            )  # fmt: skip

    def _is_over(self, node: Node) -> bool:
        """Whether somebody speaks to them here, or nobody can."""
        said = "speech" in heard(self.flow, node.snapshot, node.facts)
        return said or in_ending(self.flow, node) or talk(node.snapshot)

    def _is_silent(self, why: str, edge: Edge) -> bool:
        """Whether the model listens to them, or keys are waited for; nothing else is under way, and no timer of the author's goes on soon.
        Who has chosen by a key may know which are next, and who has just come a number that is for keys alone."""
        chosen = why.startswith(_CHOSEN)
        target = edge.target
        snapshot = target.snapshot
        running = [one for one in snapshot.memory.effects.values() if not one.stopping]
        if running and all(verb_of(one.verb).takes_keys for one in running):
            return not chosen
        if running or snapshot.memory.lists or not self.turn(snapshot, target.facts) or self._soon(snapshot):
            return False
        if any(self.flow.states[path].waits for path in active_in(self.flow, target)):
            return False
        return self._converse(target) or (not chosen and why != _CALLS and self._hears_keys(target))

    def _converse(self, target: Node) -> bool:
        """Whether the model talks there with whoever is on the line."""
        return any(converses(self.flow.states[path]) for path in active_in(self.flow, target))

    def _hears_keys(self, target: Node) -> bool:
        """Whether a state that is active there waits for keys, and for nothing that they say."""
        states = [self.flow.states[path] for path in active_in(self.flow, target)]
        rows = [row for state in states for row in state.rows]
        return any(matches(row.pattern, f"dtmf.{key}") for row in rows for key in DIGITS)

    def _soon(self, snapshot: Snapshot) -> bool:
        """Whether a timer of the author's goes on before anybody has waited for long."""
        timers = (one for one in snapshot.memory.timers if is_the_authors(self.flow, one))
        table = table_of(self.flow)
        return any(table.states[one.state].timers[one.row].seconds <= SOON for one in timers)


def _is_on_hold(snapshot: Snapshot, effect: Running) -> bool:
    """Whether this takes the far end off hold."""
    return effect.leg in (None, MAIN_LEG) and snapshot.memory.legs[MAIN_LEG].status == "hold"
