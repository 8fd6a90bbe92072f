"""Words to a far end that has been put through to another telephone."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Input
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.core.statechart.action_lists import writer_at
from callflow.core.statechart.structure import within
from callflow.proof.finding import Seen, Suspect, Suspects
from callflow.proof.findings.speech import begun_words
from callflow.proof.findings.ways import goes_by_itself, result_of, straight_on
from callflow.proof.listening import parties
from callflow.proof.node import Edge, Exploration, Situation
from callflow.verify.places import defect


class PutThrough:
    """The far end has been put through, nobody else is on the line, and the flow goes on to say something: nobody hears it. What its ending
    says to everybody does not count."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.follows = goes_by_itself(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[bool]:
        effect = before.snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
        if effect is None or not isinstance(event, EffectEnded) or effect.leg not in (None, MAIN_LEG):
            return
        verb = verb_of(effect.verb)
        if verb.holds_hang_up and result_of(effect, event) in verb.success and _is_alone(taken.snapshot):
            yield True

    def found(self, exploration: Exploration, seen: Seen[bool]) -> Suspects:
        for _, passage in seen:
            way = straight_on(
                passage,
                lambda edge: bool(self._words(edge)),
                lambda node: not _is_alone(node.snapshot),
                self.follows,
            )
            if way is None:
                continue
            action = self._words(way[-1][1])[0]
            yield Suspect(
                defect(
                    "speech-after-drain", f"`{action.verb}` is begun when the far end has been put through: nobody hears it",
                    action.position, "say it before the `transfer`", len(action.verb),
                ),
                passage[0], more=way,
            )  # fmt: skip

    def _words(self, edge: Edge) -> list[Action]:
        """What is begun to be said, but by the ending itself."""
        ending = self.flow.ending
        lists = (effect.source for effect in edge.taken.effects if isinstance(effect, Start))
        if any(within(writer_at(self.flow, kind, key), ending) for kind, key, _ in lists):
            return []
        return [*begun_words(self.flow, edge.taken, edge.target)]


def _is_alone(snapshot: Snapshot) -> bool:
    """Whether the far end is on the line as far as the flow knows, and nobody else."""
    return parties(snapshot) == [MAIN_LEG]
