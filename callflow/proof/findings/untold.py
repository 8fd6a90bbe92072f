"""Somebody on the line who is not told: cut off without a word."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input
from callflow.core.flow import Flow, Position
from callflow.core.macrostep import LIVE
from callflow.core.possible import action_of
from callflow.core.snapshot import Snapshot, Step
from callflow.core.verbs.verb import Verb
from callflow.proof.finding import (
    Seen,
    Suspect,
    Suspects,
    in_ending,
    place_of,
)
from callflow.proof.findings.unused import PERSON
from callflow.proof.findings.ways import dropping_after, ended_well, result_of
from callflow.proof.listening import Condition, turn
from callflow.proof.node import Exploration, Node, Passage, Situation
from callflow.verify.places import warning

_SPOKEN = ("session.user_state_changed", "session.user_input_transcribed")


class CutOff:
    """What is asked outside of the call has failed; a person has answered, or has spoken: and the flow goes straight
    on to drop the line, without a word to whoever is on it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = turn(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[str, Position]]:
        if not taken.moves or not is_there(before, taken.snapshot) or in_ending(self.flow, before):
            return
        why, place = self._why(before, event, taken)
        if why and not speaks(taken.snapshot):
            yield why, place

    def _why(self, before: Situation, event: Input, taken: Step) -> tuple[str, Position]:
        """What has happened, where whoever is on the line has to be told of it, and where that is written; "" where it is nothing of that."""
        rows = [self.flow.transitions[number] for number in taken.moves[0].transitions]
        mine = next((row.position for row in rows if not row.supplied), None)
        effect = before.snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
        name = event.name if isinstance(event, Event) else ""
        if effect is not None and isinstance(event, EffectEnded):
            name, failed = result_of(effect, event), event.status in ("failed", "timed_out") and not effect.stopping
            if failed and taken.moves[0].trigger == "failed" and _may_fail(verb_of(effect.verb)):
                if mine is not None:
                    return f"`{effect.verb}` has failed", mine
                action = action_of(self.flow, effect)
                place = place_of(self.flow, before) if action is None else action.position
                return f"`{effect.verb}` has failed, and no row takes that", place
        if mine is None or name not in (PERSON, *_SPOKEN):
            return "", place_of(self.flow, before)
        return "a person has answered" if name == PERSON else "somebody speaks", mine

    def found(self, exploration: Exploration, seen: Seen[tuple[str, Position]]) -> Suspects:
        for (why, place), passage in seen:
            dropped = dropping_after(passage, self._is_silent)
            if dropped is None or self._would_drop_anyway(passage):
                continue
            yield Suspect(
                warning(
                    "cut-off", f"{why}: the line drops, and whoever is on it is told nothing", place,
                    "say what has happened, or lead back to the conversation",
                ),
                passage[0], more=dropped[1], after="Whoever is on the line was told nothing.",
            )  # fmt: skip

    def _would_drop_anyway(self, passage: Passage) -> bool:
        """Whether the line drops as well where what has failed here ends well."""
        node, edge = passage
        if not isinstance(edge.input, EffectEnded) or edge.input.status == "ok":
            return False
        well = (
            one
            for one in node.edges
            if isinstance(one.input, EffectEnded) and ended_well(one.input) and one.input.id == edge.input.id
        )
        return any(dropping_after((node, one), self._is_silent) is not None for one in well)

    def _is_silent(self, node: Node) -> bool:
        return is_silent(self.flow, self.turn, node)


def is_there(before: Situation, snapshot: Snapshot) -> bool:
    """Whether the far end is on the line, and can be spoken to."""
    memory = snapshot.memory
    leg = memory.legs.get(MAIN_LEG)
    if (
        memory.phase not in LIVE
        or leg is None
        or leg.status not in ("on_line", "hold")
        or not before.facts >= {"room", "line"}
    ):
        return False
    return not memory.closed & {"session", "line"}


def is_silent(flow: Flow, turns: Condition, node: Node) -> bool:
    """Whether nothing is said here, nobody talks, and nobody can answer: it is never their turn."""
    if any(verb_of(one.verb).parties_end for one in node.snapshot.memory.effects.values()):
        return False
    return not speaks(node.snapshot) and (in_ending(flow, node) or not turns(node.snapshot, node.facts))


def _may_fail(verb: Verb) -> bool:
    """Whether it asks somebody outside of the call, of whom an author has to expect that they do not answer."""
    return verb.asks_outside or any("recording" in end.occurs.adds for end in verb.ends)


def speaks(snapshot: Snapshot) -> bool:
    """Whether something is being said."""
    return any(verb_of(one.verb).speech and not one.stopping for one in snapshot.memory.effects.values())
