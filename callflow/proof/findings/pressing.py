"""Keys that somebody is told to press, and that nothing listens for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG, EffectEnded, Input
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import action_at
from callflow.core.table import table_of
from callflow.proof.asking import keys
from callflow.proof.finding import Seen, Suspect, Suspects, drops, in_ending, name_of
from callflow.proof.findings.questions import by_a_machine, led_on, words
from callflow.proof.findings.speech import hears
from callflow.proof.findings.ways import Without, ended_well, straight_on
from callflow.proof.listening import parties
from callflow.proof.node import Edge, Exploration, Node, Situation
from callflow.verify.places import warning


class Unpressed:
    """Somebody is told to press a key, and once that is said nothing listens for it: the line drops, or the state that did is left."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(
        self, before: Situation, event: Input, taken: Step, after: Situation
    ) -> Iterator[tuple[Action, frozenset[str]]]:
        if isinstance(event, EffectEnded) and ended_well(event) and hears(before.snapshot):
            action = action_at(self.flow, before.snapshot.memory.effects[event.id].source)
            if action is not None and action.arguments.get("to") in (None, MAIN_LEG):
                named = keys(words(action), told=verb_of(action.verb).talks)
                if named:
                    yield action, named

    def found(self, exploration: Exploration, seen: Seen[tuple[Action, frozenset[str]]]) -> Suspects:
        answered = Without(exploration, by_a_machine)
        for (action, named), passage in seen:
            way = answered.to(passage[0])
            on = straight_on(passage, _has_come_to_rest, partial(self._is_over, named))
            if way is None or on is None or led_on(self.flow, way[1], passage):
                continue
            target = on[-1][1].target
            over = in_ending(self.flow, target)
            says = (
                "the line drops before anybody can press it" if over else f"nothing listens for it in {name_of(target)}"
            )
            yield Suspect(
                warning(
                    "question-then-over", f"`{action.verb}` names a key to press, and {says}", action.position,
                    "stay where the rows for keys are: an `after` in place of `done`, or `collect_digits`", len(action.verb),
                ),
                way[0], more=(*way[1], *on), after="" if over else "Nothing listens for a key any more.",
            )  # fmt: skip

    def _is_over(self, named: frozenset[str], node: Node) -> bool:
        """Whether one of these keys is heard here, or nobody is there to press one."""
        snapshot = node.snapshot
        if not hears(snapshot) and not in_ending(self.flow, node):
            return True
        if any(verb_of(one.verb).takes_keys and not one.stopping for one in snapshot.memory.effects.values()):
            return True
        if in_ending(self.flow, node):
            return False
        at = configuration_of(table_of(self.flow), snapshot.configuration)
        families = ["dtmf", *(f"leg.{leg}.dtmf" for leg in parties(snapshot) if leg != MAIN_LEG)]
        rows = (rows for family in families for key in named for rows in at.heard(f"{family}.{key}").rows)
        return any(row is not None for each in rows for row in each)


def _has_come_to_rest(edge: Edge) -> bool:
    """Whether the line drops, or nothing goes on by itself."""
    memory = edge.target.snapshot.memory
    if any(isinstance(one, Start) and drops(one) for one in edge.taken.effects):
        return True
    return not memory.lists and not any(not one.stopping for one in memory.effects.values())
