"""Speech that the flow cuts by its own acts, while whoever hears it is on the line."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input
from callflow.core.flow import Flow
from callflow.core.snapshot import Cancel, Running, Snapshot, Start, Step
from callflow.core.statechart.lists import Source, action_at
from callflow.core.turn import LIVE
from callflow.proof.finding import Suspect, Suspects, by_nobody
from callflow.proof.node import Edge, Exploration, Node
from callflow.verify.places import defect


class Cut:
    """The line drops, or the session closes, while something is being said."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.suspects: list[Suspect] = []

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        closing = [effect for effect in taken.effects if isinstance(effect, Start) and _closes(effect)]
        speech = _speaks(taken.snapshot) if closing else None
        if speech is None or _in_trouble(before, event):
            return
        action, said = action_at(self.flow, closing[0].source), action_at(self.flow, speech.source)
        if action is None or said is None:
            return
        position = action.position if action.position.file == self.flow.file else said.position
        self.suspects.append(
            Suspect(
                defect(
                    "speech-cut", f"`{action.verb}` cuts what `{speech.verb}` is saying to somebody on the line",
                    position, "let it end first: `drain`, `wait_for_speech`, or leave `wait: false` out", len(action.verb),
                ),
                before, more=((before, Edge(event, after)),),
            )
        )  # fmt: skip

    def found(self, exploration: Exploration) -> Suspects:
        yield from self.suspects


class NeverWhole:
    """Speech that is cut each time, since its state is left, by nobody's doing, before it can have been heard."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.whole: set[Source] = set()
        self.cut: dict[Source, tuple[Node, Edge]] = {}

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        running = before.snapshot.memory.effects
        if isinstance(event, EffectEnded):
            ended = running[event.id]
            if not ended.stopping and verb_of(ended.verb).speech and event.result.get("interrupted") is not True:
                self.whole.add(ended.source)
        begun = {effect.id: effect.source for effect in taken.effects if isinstance(effect, Start)}
        for effect in taken.effects:
            if isinstance(effect, Cancel) and _hears(taken.snapshot):
                source = begun.get(effect.id) or running[effect.id].source
                if by_nobody(event) or effect.id in begun:
                    self.cut.setdefault(source, (before, Edge(event, after)))
                else:
                    self.whole.add(source)  # somebody has brought that about, who need not have

    def found(self, exploration: Exploration) -> Suspects:
        for source, (node, edge) in self.cut.items() if exploration.finished else ():
            action = action_at(self.flow, source)
            if action is None or source in self.whole or not _says(action.verb) or action.arguments.get("loop"):
                continue
            yield Suspect(
                defect(
                    "never-heard-out", f"what `{action.verb}` says here is cut each time: the state is left before it can be heard",
                    action.position, "let the list wait for it (leave `wait: false` out), or stay longer", len(action.verb),
                ),
                node, more=((node, edge),),
            )  # fmt: skip


def _says(verb: str) -> bool:
    return verb_of(verb).speech and not verb_of(verb).takes_keys


def _closes(effect: Start) -> bool:
    """Whether this drops the line or closes the session, whatever is being said."""
    verb = verb_of(effect.verb)
    if verb.lets_speech_end or verb.farewell or verb.forced or verb.parties_end:
        return False
    return bool(verb.closes & {"line", "session"}) or (verb.drops_leg and effect.arguments.get("leg") == MAIN_LEG)


def _in_trouble(node: Node, event: Input | None) -> bool:
    """Whether something failed on the way there that an author can do nothing about: the room, the session, their closing."""
    while event is not None:
        if isinstance(event, EffectEnded):
            effect = node.snapshot.memory.effects.get(event.id)
            if event.status != "ok" and effect is not None and verb_of(effect.verb).closes:
                return True
        elif isinstance(event, Event) and event.name.startswith(("room.", "session.close")):
            return True
        if node.parent is None:
            return False
        node, event = node.parent, node.cause
    return False


def _hears(snapshot: Snapshot) -> bool:
    """Whether somebody is on the line who could hear us."""
    memory = snapshot.memory
    leg = memory.legs.get(MAIN_LEG)
    if memory.phase not in LIVE or leg is None or leg.status != "on_line":
        return False
    return not memory.closed & {"session", "line"}


def _speaks(snapshot: Snapshot) -> Running | None:
    """What is being said to somebody on the line, who could hear it to its end."""
    if not _hears(snapshot):
        return None
    for effect in snapshot.memory.effects.values():
        if _says(effect.verb) and not effect.stopping and not effect.quiet:
            return effect
    return None
