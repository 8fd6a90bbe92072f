"""Music that goes on where the model talks with whoever hears it, or where they are told something."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.arguments import templates_in
from callflow.core.events import MAIN_LEG, EffectEnded, Input
from callflow.core.flow import Action, Flow
from callflow.core.possible import action_of
from callflow.core.snapshot import Running, Start, Step
from callflow.core.statechart.action_lists import action_at
from callflow.core.statechart.structure import within
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, in_ending, leaf_of
from callflow.proof.findings.speech import says
from callflow.proof.listening import converses, has_silence, parties
from callflow.proof.node import Exploration, Node, Situation, Where
from callflow.verify.places import named, warning


class SaidOver:
    """Music goes on that is not turned down while somebody speaks (`duck`), and what has been waited for is said over it: the answer to a
    request, a text with values in it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        music = {one.id for one in _loops(self.flow, before)} & taken.snapshot.memory.effects.keys()
        if not any(not taken.snapshot.memory.effects[one].stopping for one in music) or any(
            converses(self.flow.states[path]) for path in active_in(self.flow, after)
        ):
            return  # where the model talks is told by `music_goes_on`
        ended = before.snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
        answered = ended is not None and not ended.stopping and verb_of(ended.verb).asks_outside
        for effect in taken.effects:
            action = action_at(self.flow, effect.source) if isinstance(effect, Start) and says(effect.verb) else None
            if action is None or not isinstance(effect, Start) or effect.source[0] != "entry":
                continue
            to_them = verb_of(effect.verb).given("listener", effect.arguments) in (None, MAIN_LEG)
            if to_them and not action.arguments.get("loop") and (answered or _has_values(action)):
                yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        for action, passage in seen:
            yield Suspect(
                warning(
                    "music-goes-on", f"the music goes on at its volume while `{action.verb}` says this",
                    action.position, "say it in a state of its own: leaving this one ends the music; or turn it down by `duck`", len(action.verb),
                ),
                passage[0], frozenset({leaf_of(passage[1].target)}), (passage,), "The music goes on.",
            )  # fmt: skip


def _has_values(action: Action) -> bool:
    """Whether what is said has values in it."""
    return any(not one.constant for one in templates_in(action.arguments.get(verb_of(action.verb).main or "")))


def music_goes_on(exploration: Exploration) -> Suspects:
    """Music that is not turned down while somebody speaks (`duck`), and that pauses a `silence` of the author's as long as its state is
    active: nobody finds out that the caller says nothing."""
    flow = exploration.flow
    for node in exploration.nodes:
        for effect in _loops(flow, node):
            action, found = action_of(flow, effect), _pauses(flow, node, effect)
            if action is None or found is None:
                continue
            state, says = found
            yield Suspect(
                warning(
                    "music-goes-on", says, action.position,
                    "begin it in a state that waits, so that leaving it ends it; `duck` lets it go on behind a voice", len(action.verb),
                ),
                node, frozenset({state}), after="The music goes on.",
            )  # fmt: skip
            return


def _pauses(flow: Flow, node: Node, effect: Running) -> tuple[str, str] | None:
    """The state in which this should not play, and why."""
    active = active_in(flow, node)
    kind, where, _ = effect.source
    begun = str(where) if kind == "entry" else None
    silences = [path for path in active if has_silence(flow.states[path])]
    talking = next((path for path in active if silences and converses(flow.states[path])), None)
    if talking is not None and (begun is None or not within(begun, talking)):
        return (
            talking,
            f"this goes on in {named(talking)}, where the model talks with whoever hears it, and no `silence` counts meanwhile",
        )
    never = next((path for path in silences if begun is not None and within(path, begun)), None)
    return (
        None
        if never is None
        else (never, f"no `silence` of {named(never)} ever counts: this plays as long as that is active")
    )


def _loops(flow: Flow, node: Where) -> Iterator[Running]:
    """The music that the far end hears beside us."""
    if len(parties(node.snapshot)) != 1 or in_ending(flow, node):
        return
    for effect in node.snapshot.memory.effects.values():
        action = action_of(flow, effect)
        if (
            action is not None
            and action.arguments.get("loop")
            and action.arguments.get("duck") is None
            and not effect.stopping
        ):
            yield effect
