"""Parties who were brought together, and are dropped by that."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import EffectEnded, Event, Input
from callflow.core.flow import Action, Flow
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.lists import action_at
from callflow.proof.finding import Suspect, Suspects, in_ending, place_of
from callflow.proof.findings.ways import Dropping, Without, ended_well
from callflow.proof.listening import parties, talk
from callflow.proof.node import Edge, Exploration, Node, Passage
from callflow.verify.places import defect


class Dropped:
    """Somebody has accepted, or answered, to talk to whoever is on the line, and the flow goes straight on to drop the line."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.dropping = Dropping()
        self.joined: list[Passage] = []

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        if not talk(taken.snapshot):
            return
        self.dropping.see(before, taken, after)
        if isinstance(event, EffectEnded) and ended_well(event) and not in_ending(self.flow, before):
            calls = verb_of(before.snapshot.memory.effects[event.id].verb).calls
            if calls and event.result.get("result") in ("accepted", "answered"):
                self.joined.append((before, Edge(event, after)))

    def found(self, exploration: Exploration) -> Suspects:
        for joined in self.joined:
            dropped = self.dropping.after(joined, lambda node: talk(node.snapshot))
            if dropped is None:
                continue
            effect, way = dropped
            action = action_at(self.flow, effect.source)
            place = place_of(self.flow, joined[0]) if action is None else action.position
            if place.file != self.flow.file:
                place = place_of(self.flow, joined[0])
            yield Suspect(
                defect(
                    "dropped-together", f"two people have just been brought together, and `{effect.verb}` drops them both",
                    place, "leave them the line: `stand_by`, or `hang_up` with `for: agent`",
                ),
                joined[0], more=way,
            )  # fmt: skip


class Lone:
    """A state is entered that leaves the line to those who are on it, and there is but one: their line drops at once."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.entered: list[Passage] = []
        self.begun: dict[tuple[int, int], Start] = {}

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        for effect in taken.effects:
            if isinstance(effect, Start) and verb_of(effect.verb).parties_end:
                self.begun.setdefault((id(before), id(after)), effect)
        if taken.entered and len(parties(before.snapshot)) == 1 and _is_a_way(before, event):
            self.entered.append((before, Edge(event, after)))

    def found(self, exploration: Exploration) -> Suspects:
        together = Without(exploration, _parts)
        for passage in self.entered:
            before, way = together.to(passage[0]), self._straight(passage)
            if before is None or way is None:
                continue
            last, edge = way[-1]
            effect = self.begun[id(last), id(edge.target)]
            action = action_at(self.flow, effect.source)
            if action is None:
                continue
            yield Suspect(
                defect(
                    "stands-by-for-one", f"`{effect.verb}` leaves the line to those who are on it, and there is but one: it drops at once",
                    action.position, "lead here when somebody else has answered or accepted", len(action.verb),
                ),
                before[0], more=(*before[1], *way),
            )  # fmt: skip

    def _straight(self, first: Passage) -> tuple[Passage, ...] | None:
        """The passages to where it begins, of what ends well and nothing else; None where it does not."""
        ways: list[tuple[Passage, ...]] = [(first,)]
        seen: set[Node] = set()
        for way in ways:
            before, edge = way[-1]
            if (id(before), id(edge.target)) in self.begun:
                return way
            node = edge.target.holder
            if node not in seen:
                seen.add(node)
                ways += [(*way, (node, onward)) for onward in node.edges if _goes_on(onward.input)]
        return None


def _parts(_: Node, event: Input) -> bool:
    """Whether somebody leaves: that they do so just before is nobody's fault."""
    return isinstance(event, Event) and event.name.endswith(".hangup")


def _leaves(_: Node, event: Input) -> bool:
    """Whether somebody hangs up: who was two may be one then, in an instant that no flow can rule out."""
    return isinstance(event, Event) and event.name.endswith(".hangup")


def _goes_on(event: Input) -> bool:
    """Whether this is but the end of something that nobody else has a part in."""
    return isinstance(event, EffectEnded) and event.status == "ok" and not event.result.get("result")


def _is_a_way(node: Node, event: Input) -> bool:
    """Whether nobody has just left, or come."""
    if isinstance(event, Event):
        return event.name.startswith(("tool.", "dtmf.", "app."))
    if isinstance(event, EffectEnded):
        return event.status == "ok" and not verb_of(node.snapshot.memory.effects[event.id].verb).calls
    return True


class LeftAlone:
    """The agent leaves the line on purpose, and one party is left, with nobody to talk to and nobody to drop the line."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.left: list[tuple[Action, Passage]] = []

    def see(self, before: Node, event: Input, taken: Step, after: Node) -> None:
        if len(parties(taken.snapshot)) != 1 or "line" not in before.facts or _others_come(before, event):
            return
        for effect in taken.effects:
            action = action_at(self.flow, effect.source) if isinstance(effect, Start) else None
            if action is not None and isinstance(effect, Start) and verb_of(effect.verb).leaves(effect.arguments):
                self.left.append((action, (before, Edge(event, after))))

    def found(self, exploration: Exploration) -> Suspects:
        among_us = Without(exploration, _others_come) if self.left else None
        for action, passage in self.left:
            way = among_us.to(passage[0]) if among_us is not None else None
            if way is None:
                continue
            yield Suspect(
                defect(
                    "left-alone", f"`{action.verb}` takes the agent out, and one person is left on the line, alone",
                    action.position, "drop the line for everybody, or leave it only once two are on it", len(action.verb),
                ),
                way[0], more=(*way[1], passage), after="Whoever is on the line is alone, and nobody drops it.",
            )  # fmt: skip


def _others_come(_: Node, event: Input) -> bool:
    """Whether somebody has come of whom the flow knows no more than that: they may talk."""
    return isinstance(event, Event) and event.name == "room.participant_connected"
