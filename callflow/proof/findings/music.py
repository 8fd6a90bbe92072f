"""Music that goes on where the model talks with whoever hears it."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import Flow
from callflow.core.possible import action_of
from callflow.core.snapshot import Running
from callflow.core.statechart.structure import within
from callflow.proof.finding import Suspect, Suspects, active_in, in_ending
from callflow.proof.listening import converses, has_silence, parties
from callflow.proof.node import Exploration, Node
from callflow.verify.places import named, warning


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


def _loops(flow: Flow, node: Node) -> Iterator[Running]:
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
