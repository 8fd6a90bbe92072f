"""Machines that somebody talks with who can only listen, or not even that."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.events import EffectEnded, Event, Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, in_ending, leaf_of
from callflow.proof.findings.ways import result_of, straight_on
from callflow.proof.listening import converses, turn
from callflow.proof.node import Exploration, Passage, Situation, Where
from callflow.verify.places import named, warning

_DEAF = ("amd.machine-vm", "amd.machine-unavailable")
"""What answers nothing: a voicemail records, an announcement says that nobody can be reached."""


class Answering:
    """A voicemail or an announcement has answered, and the flow leads straight on to a conversation with it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = turn(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[str]:
        effect = before.snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
        name = event.name if isinstance(event, Event) else ""
        if effect is not None and isinstance(event, EffectEnded):
            name = result_of(effect, event)
        if name in _DEAF and taken.moves and not self._talks(before):
            yield name

    def found(self, exploration: Exploration, seen: Seen[str]) -> Suspects:
        for name, passage in seen:
            way = self._on(passage)
            if way is None:
                continue
            leaf = leaf_of(way[-1][1].target)
            yield Suspect(
                warning(
                    "talks-to-machine", f"after `{name}` the call leads on to {named(leaf)}, where the model talks with whoever hears it: a machine",
                    self.flow.states[leaf].position, f"give `{name}` a row of its own: leave a message, or hang up",
                ),
                passage[0], frozenset({leaf}), way, "The model talks with a machine.",
            )  # fmt: skip

    def _on(self, first: Passage) -> tuple[Passage, ...] | None:
        """The straight way to where the model talks with it."""
        return straight_on(first, lambda edge: self._talks(edge.target.holder), lambda node: in_ending(self.flow, node))

    def _talks(self, at: Where) -> bool:
        """Whether the model talks with them, and waits for what they say."""
        states = [self.flow.states[path] for path in active_in(self.flow, at)]
        waits = any(state.tools or state.instructions is not None for state in states)
        return waits and any(map(converses, states)) and self.turn(at.snapshot, at.facts)
