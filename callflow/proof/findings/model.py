"""What the model says by itself, cut as the line drops: it is nobody's action, and only what waits for speech lets it end."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import Event, Input, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.core.statechart.action_lists import action_at
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, is_the_authors
from callflow.proof.findings.speech import hears
from callflow.proof.findings.ways import dropping_after
from callflow.proof.listening import converses
from callflow.proof.node import Exploration, Node, Situation
from callflow.verify.places import defect


class ModelCut:
    """A state in which the model talks is left, and the flow goes straight on to drop the line."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[bool]:
        goes = taken.exited and hears(before.snapshot) and "conversation" in before.facts
        if goes and self._is_meant(before, event) and self._talks(before):
            yield True

    def found(self, exploration: Exploration, seen: Seen[bool]) -> Suspects:
        for _, left in seen:
            dropped = dropping_after(left, _nothing_is_said)
            if dropped is None:
                continue
            effect, way = dropped
            action = action_at(self.flow, effect.source)
            if action is None or action.position.file != self.flow.file or verb_of(effect.verb).farewell:
                continue
            yield Suspect(
                defect(
                    "speech-cut", f"`{effect.verb}` cuts what the model may be saying to somebody on the line",
                    action.position, "let it end first: `drain`", len(action.verb),
                ),
                left[0], more=way, after="If the model was speaking, it is cut.",
            )  # fmt: skip

    def _talks(self, at: Situation) -> bool:
        return any(converses(self.flow.states[path]) for path in active_in(self.flow, at))

    def _is_meant(self, at: Situation, event: Input) -> bool:
        """Whether it is the author's own way on, and comes while the model may be speaking: a silence does not."""
        if isinstance(event, TimerFired):
            timer = next(one for one in at.snapshot.memory.timers if one.generation == event.generation)
            return timer.kind != "silence" and is_the_authors(self.flow, timer)
        return isinstance(event, Event) and event.name.startswith(("tool.", "dtmf.", "app."))


def _nothing_is_said(node: Node) -> bool:
    """Whether nothing runs that lets speech end, or waits for it."""
    running = (verb_of(one.verb) for one in node.snapshot.memory.effects.values() if not one.stopping)
    return not any(one.speech or one.lets_speech_end for one in running)
