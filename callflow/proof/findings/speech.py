"""What is seen at a step: speech that the flow's own acts cut, a cycle that only the runtime ends."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG, STATE_EVENTS, EffectEnded, Event, Input
from callflow.core.flow import ROOT, Flow, Position
from callflow.core.snapshot import Running, Snapshot, Start, Step
from callflow.core.statechart.lists import action_at
from callflow.core.statechart.structure import inside
from callflow.core.table import table_of
from callflow.core.turn import LIVE
from callflow.proof.explore import Edge, Node
from callflow.proof.finding import Seen, Suspect
from callflow.verify.places import defect


class Watching:
    """Looks at each step as it is taken, and notes what it sees."""

    def __init__(self, flow: Flow, seen: Seen) -> None:
        self.flow = flow
        self.seen = seen

    def __call__(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        self.seen.taken.update(number for move in taken.moves for number in move.transitions)
        if taken.moves:
            self._beaten(before, event, taken, after)
        if taken.entered:
            self.seen.entering.add((id(before), id(after)))
        if any(isinstance(effect, Start) for effect in taken.effects):
            self._cut(before, event, taken, after)
        if any(note.kind == "fault" for note in taken.notes):
            self._fault(before, event, taken, after)

    def _beaten(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        """Rows without a guard that would have taken this as well, had others not been tried before them."""
        first = taken.moves[0]
        name = event.name if isinstance(event, Event) else first.trigger
        if first.trigger != name or name in STATE_EVENTS or not before.snapshot.configuration:
            return
        for rows in configuration_of(table_of(self.flow), before.snapshot.configuration).heard(name).rows:
            for row in rows:
                if row is not None and row.guard is None and not row.supplied and row.id not in first.transitions:
                    self.seen.beaten.setdefault(row.id, (before, Edge(event, after, True), first.transitions))

    def _cut(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        """The line drops, or the session closes, while something is being said."""
        speech = _speaks(taken.snapshot)
        if speech is None or _in_trouble(before, event):
            return
        for effect in taken.effects:
            if not isinstance(effect, Start):
                continue
            verb = verb_of(effect.verb)
            drops = bool(verb.closes & {"line", "session"}) or (
                verb.drops_leg and effect.arguments.get("leg") == MAIN_LEG
            )
            if not drops or verb.lets_speech_end or verb.farewell or verb.forced or verb.parties_end:
                continue
            action, said = action_at(self.flow, effect.source), action_at(self.flow, speech.source)
            if action is None or said is None:
                continue
            self.seen.suspects.append(
                Suspect(
                    defect(
                        "speech-cut", f"`{effect.verb}` cuts what `{speech.verb}` is saying to somebody on the line",
                        action.position if action.position.line > 1 else said.position,
                        "let it end first: `drain`, `wait_for_speech`, or leave `wait: false` out", len(effect.verb),
                    ),
                    before,
                    more=((before, Edge(event, after, True)),),
                )
            )  # fmt: skip

    def _entered(self, taken: Step) -> Position:
        """Where the state is written that was entered last before the call was brought to its ending."""
        entered = [path for path in taken.entered if path != self.flow.ending and not inside(path, self.flow.ending)]
        return self.flow.states[entered[-1] if entered else ROOT].position

    def _fault(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        error = next(str(note.data.get("error", "")) for note in taken.notes if note.kind == "fault")
        if error.startswith("an endless cycle"):
            self.seen.suspects.append(
                Suspect(
                    defect(
                        "endless-cycle", f"{error}: the runtime breaks it off, as a failure",
                        self._entered(taken), "one of the guards has to change on the way round",
                    ),
                    before,
                    more=((before, Edge(event, after, True)),),
                )
            )  # fmt: skip


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


def _speaks(snapshot: Snapshot) -> Running | None:
    """What is being said to somebody on the line, who could hear it to its end."""
    memory = snapshot.memory
    leg = memory.legs.get(MAIN_LEG)
    if memory.phase not in LIVE or leg is None or leg.status != "on_line" or memory.closed & {"session", "line"}:
        return None
    for effect in memory.effects.values():
        verb = verb_of(effect.verb)
        if verb.speech and not effect.stopping and not effect.quiet and not verb.takes_keys:
            return effect
    return None
