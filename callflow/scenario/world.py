"""How the world goes on by itself: how long each effect takes and how it ends, where a scenario does not say otherwise.

Here a verb is looked up by its name, as in the bindings: what it does to the world is nobody else's to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from callflow.core.actions import Verb, verb_of
from callflow.core.events import EffectEnded, Event
from callflow.core.snapshot import Cancel, Start, Step
from callflow.scenario.call import Call
from callflow.scenario.live_effects import Effects, Later, cancelled
from callflow.scenario.model import Ending, Scenario
from callflow.scenario.speeches import Speeches
from callflow.scenario.telephones import Telephones

LASTS: Mapping[str, float] = {
    "http": 0.5, "python": 0.1, "hold": 0.1, "resume": 0.1, "update_agent": 0.1, "start_recording": 0.1,
}  # fmt: skip
"""Seconds of the verbs that neither speak nor call anybody; all others take none."""

CUT_AFTER = 20.0
"""Seconds after which the rest of that is cut."""


def _takes_away(verb: Verb) -> bool:
    """Whether it takes somebody away, and so begins when what is being said has been said."""
    return verb.occupies or verb.yields or verb.leg_after == "hold" or verb.takes_over == "for good"


class World:
    """All that goes on around one call."""

    def __init__(self, call: Call, scenario: Scenario, later: Later) -> None:
        self.effects = Effects(call, {name: list(endings) for name, endings in scenario.effects.items()}, later)
        self._call = call
        self._behind: list[tuple[Start, Ending]] = []  # what begins when what is being said has been said
        self._speeches = speeches = Speeches(self.effects)
        self.telephones = telephones = Telephones(self.effects)
        self._begins: Mapping[str, Callable[[Start, Ending], None]] = {
            "say": speeches.speaks, "generate_reply": speeches.speaks, "play": speeches.speaks,
            "collect_digits": speeches.asks, "hang_up": speeches.hangs_up, "drain": speeches.waits,
            "wait_for_speech": speeches.waits, "interrupt": speeches.interrupts, "dial": telephones.dials,
            "consult": telephones.consults, "transfer": telephones.transfers, "detect_machine": telephones.listens,
            "send_dtmf": telephones.sends_keys, "stand_by": telephones.stays, "task": telephones.stays,
            "answer": telephones.answers, "remove_participant": telephones.removes,
            "cancel_dial": telephones.stops_ringing,
        }  # fmt: skip

    def follow(self, step: Step) -> None:
        """What comes of a step: effects that begin, that are cancelled, or that hear of something."""
        now, effects = self._call.now, self.effects
        if isinstance(step.event, Event):
            self._happened(step.event, now)
        elif isinstance(step.event, EffectEnded):
            start = effects.started(step.event.id)
            effects.forget(step.event.id)
            effects.schedule.drop(step.event.id)  # of one that was being stopped
            ended = self._call.taken[-1].effect
            if ended is not None:
                self.telephones.ended(step.event, ended, start)
        for effect in step.effects:
            if isinstance(effect, Start):
                self._begin(effect)
            elif isinstance(effect, Cancel):
                self.telephones.cancelled(effect.id)
                effects.forget(effect.id)
                if effect.id in self._call.snapshot.memory.effects:
                    effects.schedule.add(now, partial(cancelled, effect.id), effect.id)
            else:
                self.telephones.forwarded(effect)
        for note in step.notes:
            if note.kind == "given_up":
                self.telephones.given_up(str(note.data["leg"]))
        if step.snapshot.ended:
            effects.schedule.clear()
        else:
            self.look()

    def look(self) -> None:
        """What can go on now."""
        self.effects.voice.look(self._call.now)
        self._speeches.look()
        self._look_behind()
        self.telephones.look()

    def _happened(self, event: Event, now: float) -> None:
        self.telephones.happened(event, now)
        if event.name == "session.user_state_changed" and event.data.get("new_state") == "speaking":
            cut = self.effects.voice.interrupt(now)
            if cut is not None:
                self.effects.schedule.add(now, lambda _: cut)

    def _begin(self, start: Start) -> None:
        ending = self.effects.begins(start)
        if not _takes_away(verb_of(start.verb)) or self.effects.voice.quiet:
            self._goes_on(start, ending)
            return
        self._behind.append((start, ending))
        cut = self.effects.voice.interrupt
        self.effects.schedule.add(self._call.now + CUT_AFTER, lambda now: cut(now, by_force=True), start.id, limit=True)

    def _look_behind(self) -> None:
        while self._behind and self.effects.voice.quiet:
            start, ending = self._behind.pop(0)
            if self.effects.started(start.id) is not None:
                self._goes_on(start, ending)

    def _goes_on(self, start: Start, ending: Ending) -> None:
        begins = self._begins.get(start.verb)
        if ending.status == "timed_out":
            return
        if begins is not None and (ending.status == "ok" or verb_of(start.verb).results):
            begins(start, ending)
        else:
            self.effects.end_after(start, LASTS.get(start.verb, 0.0), ending)
