"""Last words that are cut since the flow goes on while they are being said."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Input
from callflow.core.flow import Flow
from callflow.core.lasts import lasts
from callflow.core.possible import action_of
from callflow.core.snapshot import Cancel, Running, Step
from callflow.core.statechart.action_lists import Source, action_at
from callflow.proof.finding import Seen, Suspect, Suspects, by_nobody, in_ending
from callflow.proof.findings.speech import hears, says, usual
from callflow.proof.findings.untold import is_silent, speaks
from callflow.proof.findings.ways import dropping_after
from callflow.proof.listening import turn
from callflow.proof.node import Exploration, Situation
from callflow.verify.places import defect

OF_WORDS = 2.0
"""Seconds that words take which nobody knows: those of the model, a sound."""


class LastWords:
    """Something is being said, and its state is left since something else has ended that its flow has begun meanwhile: the words are cut,
    and the line drops, before anything more is said. Words that are cut each time are told as such."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = turn(flow)
        self.whole: set[Source] = set()

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Source]:
        if not isinstance(event, EffectEnded):
            return
        running = before.snapshot.memory.effects
        ended = running[event.id]
        if ended.stopping or verb_of(ended.verb).parties_end:
            return
        if says(ended.verb) and event.status == "ok" and event.result.get("interrupted") is not True:
            self.whole.add(ended.source)
        if (
            in_ending(self.flow, before)
            or not by_nobody(event)
            or not taken.moves
            or taken.moves[0].trigger == "failed"
            or speaks(taken.snapshot)
        ):
            return
        cut = (running[one.id] for one in taken.effects if isinstance(one, Cancel) and one.id in running)
        for speech in cut if hears(before.snapshot) else ():
            if says(speech.verb) and not speech.quiet and self._may_be_sooner(ended, event, speech):
                yield speech.source

    def _may_be_sooner(self, ended: Running, end: EffectEnded, speech: Running) -> bool:
        """Whether this may have ended before a usual voice has said it."""
        action = action_at(self.flow, speech.source)
        if action is None or action.arguments.get("loop"):
            return False
        if end.status != "ok" and verb_of(ended.verb).results:  # an error, of which its result tells
            return False
        least = lasts(ended, action_of(self.flow, ended), end.status, end.result).least
        return least < (usual(action) or OF_WORDS)

    def found(self, exploration: Exploration, seen: Seen[Source]) -> Suspects:
        for source, passage in seen:
            dropped = dropping_after(passage, lambda node: is_silent(self.flow, self.turn, node))
            action = action_at(self.flow, source)
            if action is None or dropped is None or source not in self.whole:
                continue
            yield Suspect(
                defect(
                    "speech-cut", f"what `{action.verb}` says is cut, since the flow goes on meanwhile, and the line drops",
                    action.position, "let the list wait for it: leave `wait: false` out, or `wait_for_speech`", len(action.verb),
                ),
                passage[0], more=dropped[1],
            )  # fmt: skip
