"""Speech that the flow cuts by its own acts, while whoever hears it is on the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event, Input, TimerFired
from callflow.core.expressions.template import Template, split
from callflow.core.flow import Action, Flow
from callflow.core.macrostep import LIVE
from callflow.core.possible import action_of
from callflow.core.snapshot import Cancel, Running, Snapshot, Start, Step
from callflow.core.speaking import seconds
from callflow.core.statechart.action_lists import Source, action_at
from callflow.core.statechart.structure import within
from callflow.core.table import table_of
from callflow.proof.finding import Seen, Suspect, Suspects, by_nobody, from_around
from callflow.proof.findings.ways import Without
from callflow.proof.node import Exploration, Passage, Situation, Where
from callflow.verify.places import defect


class Cut:
    """The line drops, or the session closes, while something is being said."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.trouble = _trouble(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[Action, Action]]:
        starts = [effect for effect in taken.effects if isinstance(effect, Start)]
        begun = {effect.id for effect in starts}
        closing = [effect for effect in starts if _closes(effect) or self._interrupts(effect, taken.snapshot, begun)]
        speech = _speaks(taken.snapshot) if closing else None
        if speech is None or self.trouble(before, event):
            return
        action, said = action_at(self.flow, closing[0].source), action_at(self.flow, speech.source)
        if action is not None and said is not None:
            yield action, said

    def _interrupts(self, effect: Start, snapshot: Snapshot, begun: set[int]) -> bool:
        """Whether this cuts what the flow has just begun to say, or its last words."""
        if not verb_of(effect.verb).cuts_speech:
            return False
        speech = _speaks(snapshot)
        last = configuration_of(table_of(self.flow), snapshot.configuration).in_ending
        return speech is not None and (last or speech.id in begun)

    def found(self, exploration: Exploration, seen: Seen[tuple[Action, Action]]) -> Suspects:
        untroubled = Without(exploration, self.trouble)
        for (action, said), passage in seen:
            way = untroubled.to(passage[0])
            if way is None:
                continue
            position = action.position if action.position.file == self.flow.file else said.position
            yield Suspect(
                defect(
                    "speech-cut", f"`{action.verb}` cuts what `{said.verb}` is saying to somebody on the line",
                    position, "let it end first: `drain`, `wait_for_speech`, or leave `wait: false` out", len(action.verb),
                ),
                way[0], more=(*way[1], passage),
            )  # fmt: skip


class Mute:
    """Words for somebody on the line that are begun when the flow itself has ended the conversation: nobody hears them."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.trouble = _trouble(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        memory = taken.snapshot.memory
        leg = memory.legs.get(MAIN_LEG)
        ended = "speech" in memory.closed and "line" not in memory.closed
        if ended and leg is not None and leg.status == "on_line" and not self.trouble(before, event):
            yield from begun_words(self.flow, taken, after)

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        untroubled = Without(exploration, self.trouble)
        for action, where in seen:
            way = untroubled.to(where[0])
            if way is None:
                continue
            yield Suspect(
                defect(
                    "speech-after-drain", f"`{action.verb}` is begun when the conversation has been ended: nobody hears it",
                    action.position, "say it first: `drain` and `aclose` end the conversation", len(action.verb),
                ),
                way[0], more=(*way[1], where), after="Nobody hears it.",
            )  # fmt: skip


class NeverWhole:
    """Speech that is cut each time, since its state is left, by nobody's doing, before it can have been heard; or before a usual voice
    has said it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.whole: set[Source] = set()

    def see(
        self, before: Situation, event: Input, taken: Step, after: Situation
    ) -> Iterator[tuple[Source, tuple[float, float] | None]]:
        running = before.snapshot.memory.effects
        if isinstance(event, EffectEnded) and event.status == "ok":
            ended = running[event.id]
            if not ended.stopping and verb_of(ended.verb).speech and event.result.get("interrupted") is not True:
                self.whole.add(ended.source)
        begun = {effect.id: effect.source for effect in taken.effects if isinstance(effect, Start)}
        for effect in taken.effects:
            if isinstance(effect, Cancel) and hears(taken.snapshot) and (by_nobody(event) or effect.id in begun):
                short = None
                if effect.id in running and isinstance(event, TimerFired):
                    short = self._short(before.snapshot, event, running[effect.id])
                yield begun.get(effect.id) or running[effect.id].source, short

    def _short(self, snapshot: Snapshot, event: TimerFired, speech: Running) -> tuple[float, float] | None:
        """How long a usual voice takes for it, and after how long it is cut by an `after` of the state that says it, or of one around it,
        where that is sooner."""
        timer = next(one for one in snapshot.memory.timers if one.generation == event.generation)
        kind, state, _ = speech.source
        if timer.kind != "after" or kind != "entry" or not within(str(state), timer.state):
            return None
        least, after = (
            usual(action_at(self.flow, speech.source)),
            self.flow.states[timer.state].timers[timer.row].seconds,
        )
        return (least, after) if least > after else None

    def found(self, exploration: Exploration, seen: Seen[tuple[Source, tuple[float, float] | None]]) -> Suspects:
        if not exploration.finished:
            return
        cut: dict[Source, Passage] = {}
        too_short: dict[Source, tuple[Passage, float, float]] = {}
        for (source, short), where in seen:
            cut.setdefault(source, where)
            if short is not None:
                too_short.setdefault(source, (where, *short))
        for source, where in cut.items():
            if source not in self.whole and source not in too_short:
                yield from self._suspect(
                    source, where, "what `{}` says here is cut each time: the state is left before it can be heard"
                )
        for source, (where, least, after) in too_short.items():
            yield from self._suspect(
                source,
                where,
                f"what `{{}}` says here takes some {least:.0f} s, and the state is left after {after:g} s",
            )

    def _suspect(self, source: Source, where: Passage, message: str) -> Suspects:
        action = action_at(self.flow, source)
        if action is None or not says(action.verb) or action.arguments.get("loop"):
            return
        yield Suspect(
            defect(
                "never-heard-out", message.format(action.verb), action.position,
                "let the list wait for it (leave `wait: false` out), or stay longer", len(action.verb),
            ),
            where[0], more=(where,),
        )  # fmt: skip


def usual(action: Action | None) -> float:
    """How many seconds a usual voice takes for it, at least; 0 where nobody knows its words."""
    text = None if action is None else action.arguments.get("text")
    if isinstance(text, Template):
        text = "".join(part for part in split(text.source, []) if isinstance(part, str))
    return seconds(text) if isinstance(text, str) else 0.0


def begun_words(flow: Flow, taken: Step, after: Where) -> Iterator[Action]:
    """The actions with which this step begins to say something, but for what goes on and on, and what holds in every state."""
    for effect in taken.effects:
        action = action_at(flow, effect.source) if isinstance(effect, Start) and says(effect.verb) else None
        if action is None or not isinstance(effect, Start) or from_around(flow, after, effect.source):
            continue
        if not action.arguments.get("loop"):
            yield action


def says(verb: str) -> bool:
    return verb_of(verb).speech and not verb_of(verb).takes_keys


def _closes(effect: Start) -> bool:
    """Whether this drops the line or closes the session, whatever is being said."""
    verb = verb_of(effect.verb)
    if verb.lets_speech_end or verb.farewell or verb.forced or verb.parties_end:
        return False
    return bool(verb.closes & {"line", "session", "speech"}) or (
        verb.drops_leg and effect.arguments.get("leg") == MAIN_LEG
    )


def _trouble(flow: Flow) -> Callable[[Where, Input], bool]:
    """Whether something fails about which an author can do nothing: the room, the session, their closing in its usual time."""

    def is_trouble(node: Where, event: Input) -> bool:
        if isinstance(event, Event):
            return event.name.startswith(("room.", "session.close", "job."))
        effect = node.snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
        if effect is None or not isinstance(event, EffectEnded) or event.status == "ok":
            return False
        verb, action = verb_of(effect.verb), action_of(flow, effect)
        hurried = action is not None and (action.timeout or 0.0) < (verb.timeout or 0.0)
        return bool(verb.closes) and not hurried

    return is_trouble


def hears(snapshot: Snapshot) -> bool:
    """Whether somebody is on the line who could hear us."""
    memory = snapshot.memory
    leg = memory.legs.get(MAIN_LEG)
    if memory.phase not in LIVE or leg is None or leg.status != "on_line":
        return False
    return not memory.closed & {"session", "line"}


def _speaks(snapshot: Snapshot) -> Running | None:
    """What is being said to somebody on the line, who could hear it to its end."""
    if not hears(snapshot):
        return None
    for effect in snapshot.memory.effects.values():
        if says(effect.verb) and not effect.stopping and not effect.quiet:
            return effect
    return None
