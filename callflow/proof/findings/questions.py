"""Questions that nobody can answer any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event, Input
from callflow.core.expressions.template import Template
from callflow.core.flow import ROOT, Action, Flow
from callflow.core.possible import action_of
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import OF_ROWS, action_at
from callflow.proof.asking import asks
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, from_around, in_ending
from callflow.proof.findings.speech import hears
from callflow.proof.findings.ways import Without, dropping_after, ended_well
from callflow.proof.listening import turn
from callflow.proof.node import Exploration, Node, Passage, Situation, Where
from callflow.verify.places import warning


class Unanswered:
    """Somebody is asked something, and the flow goes straight on to drop the line."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.turn = turn(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        if isinstance(event, EffectEnded) and ended_well(event) and hears(before.snapshot):
            source = before.snapshot.memory.effects[event.id].source
            action = action_at(self.flow, source)
            if action is not None and _asks(action) and not from_around(self.flow, before, source):
                yield action
        for effect in taken.effects:  # a goodbye that asks
            if isinstance(effect, Start) and verb_of(effect.verb).farewell and hears(taken.snapshot):
                action = action_at(self.flow, effect.source)
                if action is not None and _asks(action):
                    yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        answered = Without(exploration, by_a_machine)
        for action, asked in seen:
            way, dropped = answered.to(asked[0]), dropping_after(asked, self._goes_on)
            if way is None or dropped is None or led_on(self.flow, way[1], asked):
                continue
            if not self._was_asked(action, way[1]):
                yield Suspect(
                    warning(
                        "question-then-over", f"`{action.verb}` asks something, and the line drops before anybody can answer",
                        action.position, "wait for the answer: a row for what can be said, and a `silence`", len(action.verb),
                    ),
                    way[0], more=(*way[1], *dropped[1]),
                )  # fmt: skip

    def _was_asked(self, action: Action, way: Sequence[Passage]) -> bool:
        """Whether the same was asked on the way there, and could be answered then."""
        memories = ((node.snapshot.memory, edge.input) for node, edge in way)
        ended = (memory.effects[event.id] for memory, event in memories if isinstance(event, EffectEnded))
        return any(action_of(self.flow, effect) is action for effect in ended)

    def _goes_on(self, node: Node) -> bool:
        """Whether nobody can answer here."""
        return in_ending(self.flow, node) or not self.turn(node.snapshot, node.facts)


def led_on(flow: Flow, way: Sequence[Passage], said: Passage) -> bool:
    """Whether somebody, the line or a timer has led on while this was being said, on the way to its end; or something else has, from
    where the row leads on whose way it is said."""
    node, event = said[0], said[1].input
    effects = node.snapshot.memory.effects
    source = effects[event.id].source if isinstance(event, EffectEnded) and event.id in effects else None
    if source is not None and source[0] in OF_ROWS and _has_left(flow, node, flow.transitions[int(source[1])].target):
        return True
    for before, edge in reversed(way):
        if all(one.source != source for one in before.snapshot.memory.effects.values()):
            return False
        if edge.taken.entered and not isinstance(edge.input, EffectEnded):
            return True
    return False


def _has_left(flow: Flow, node: Node, target: str | None) -> bool:
    """Whether the call is not where a row has led it."""
    if target is None:
        return False
    where = flow.states[target].parent if flow.states[target].kind == "history" else target
    return where is not None and where not in {ROOT, *active_in(flow, node)}


def words(action: Action) -> str:
    """What is said by this, or what the model is told to say; "" where that is not written."""
    verb = verb_of(action.verb)
    if not verb.main or not verb.arguments[verb.main].words or verb.takes_keys:
        return ""
    text = action.arguments.get(verb.main)
    text = text.source if isinstance(text, Template) else text
    return text if isinstance(text, str) else ""


def _asks(action: Action | None) -> bool:
    """Whether it is a question, by its words, or by what the model is told to do."""
    return action is not None and asks(words(action), told=verb_of(action.verb).talks)


def by_a_machine(_: Where, event: Input) -> bool:
    """Whether a machine listens from here on, which answers nothing."""
    return isinstance(event, Event) and event.name.startswith("amd.machine")
