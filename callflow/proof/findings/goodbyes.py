"""A goodbye after which the call goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Input
from callflow.core.expressions.template import Template
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import action_at
from callflow.proof.finding import Seen, Suspect, Suspects, in_ending, leaf_of
from callflow.proof.findings.speech import hears
from callflow.proof.findings.ways import ended_well, straight_on
from callflow.proof.listening import turn
from callflow.proof.node import Exploration, Node, Passage, Situation
from callflow.verify.places import named, warning

_GOODBYE = re.compile(
    r"\b(good-?bye|bye|(will|shall|'ll) (now )?hang up|auf wieder(hören|sehen)|tsch(ü|ue)ss|au revoir|adi(ó|o)s|hasta luego|arrivederci|tot ziens)\b",
    re.IGNORECASE,
)
"""What is said when a call is over, in some languages."""


class GoodbyeAndOn:
    """Somebody is told goodbye, and the flow leads on to a conversation with them, or to a call to somebody else."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = turn(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        if (
            isinstance(event, EffectEnded)
            and ended_well(event)
            and hears(before.snapshot)
            and not in_ending(self.flow, before)
        ):
            action = action_at(self.flow, before.snapshot.memory.effects[event.id].source)
            if action is not None and _says_goodbye(action):
                yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        for action, passage in seen:
            way = self._on(passage)
            if way is None:
                continue
            leaf = leaf_of(way[-1][1].target)
            yield Suspect(
                warning(
                    "goodbye-and-on", f"`{action.verb}` says goodbye, and the call goes on in {named(leaf)}",
                    action.position, "lead to the ending", len(action.verb),
                ),
                passage[0], frozenset({leaf}), way, "The call goes on.",
            )  # fmt: skip

    def _on(self, first: Passage) -> tuple[Passage, ...] | None:
        """The straight way from a goodbye to where somebody may speak again, or somebody is called; None where the call ends."""
        return straight_on(
            first,
            lambda edge: _calls(edge.taken) or self._listens(edge.target.holder),
            lambda node: in_ending(self.flow, node) or not hears(node.snapshot),
        )

    def _listens(self, node: Node) -> bool:
        """Whether it is their turn, and nothing else is under way."""
        memory = node.snapshot.memory
        leaves = node.snapshot.configuration
        if len(leaves) > 1 and any(self.flow.states[path].kind == "final" for path in leaves):
            return False  # one region is done, and the others go on to the end
        return not memory.lists and not memory.effects and self.turn(node.snapshot, node.facts)


def _calls(taken: Step) -> bool:
    """Whether somebody else is called, or the far end is to talk to them."""
    verbs = (verb_of(one.verb) for one in taken.effects if isinstance(one, Start))
    return any(verb.calls or verb.yields for verb in verbs)


def _says_goodbye(action: Action) -> bool:
    """Whether these are words of goodbye, to whoever is on the line."""
    return action.arguments.get("to") in (None, "far_end") and words_of_goodbye(action)


def words_of_goodbye(action: Action) -> bool:
    """Whether these are words of goodbye, to whomever."""
    if not verb_of(action.verb).speech or verb_of(action.verb).talks:
        return False
    words = action.arguments.get(verb_of(action.verb).main or "")
    text = words.source if isinstance(words, Template) else words
    return isinstance(text, str) and _GOODBYE.search(text) is not None
