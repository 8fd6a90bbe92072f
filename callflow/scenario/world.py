"""How the world goes on by itself: how long each effect takes and how it ends, where a scenario does not say otherwise.

Here a verb is looked up by its name, as in the bindings: what it does to the world is nobody else's to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from callflow.core.actions import Verb, verb_of
from callflow.core.events import EffectEnded, Event
from callflow.core.snapshot import Cancel, Start, Step
from callflow.runtime.running_effect import is_speech, unspoken
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


_SAID: Mapping[str, Callable[[Speeches, Start, Ending], None]] = {
    "say": Speeches.speaks, "generate_reply": Speeches.speaks, "play": Speeches.speaks, "collect_digits": Speeches.asks,
    "hang_up": Speeches.hangs_up, "drain": Speeches.waits, "wait_for_speech": Speeches.waits, "interrupt": Speeches.interrupts,
}  # fmt: skip

_BY_TELEPHONE: Mapping[str, Callable[[Telephones, Start, Ending], None]] = {
    "dial": Telephones.dials, "consult": Telephones.consults, "transfer": Telephones.transfers,
    "detect_machine": Telephones.listens, "send_dtmf": Telephones.sends_keys, "stand_by": Telephones.stays,
    "task": Telephones.stays, "answer": Telephones.answers, "remove_participant": Telephones.removes,
    "cancel_dial": Telephones.stops_ringing,
}  # fmt: skip


class World:
    """All that goes on around one call."""

    def __init__(self, call: Call, scenario: Scenario, later: Later) -> None:
        self.effects = Effects(call, {name: list(endings) for name, endings in scenario.effects.items()}, later)
        self._call = call
        self._hurried = False  # the worker closes: nobody waits for speech any more
        self._behind: list[tuple[Start, Ending]] = []  # what begins when what is being said has been said
        self._speeches = Speeches(self.effects)
        self.telephones = Telephones(self.effects)

    def follow(self, step: Step) -> None:
        """What comes of a step: effects that begin, that are cancelled, or that hear of something."""
        now, effects = self._call.now, self.effects
        if isinstance(step.event, Event):
            self._happened(step.event, now)
        elif isinstance(step.event, EffectEnded):
            start = effects.started(step.event.id)
            if start is not None:
                effects.forget(step.event.id)
            else:  # one that was being stopped
                effects.schedule.drop(step.event.id)
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
        voice = self.effects.voice
        if not voice.quiet:
            voice.look(self._call.now)
        if voice.quiet:
            if self.effects.waiting:
                self._speeches.look()
            if self._behind:
                self._look_behind()
        self.telephones.look()

    def _happened(self, event: Event, now: float) -> None:
        self.telephones.happened(event, now)
        if event.name == "job.shutdown":
            self._hurries(now)
        if event.name == "session.user_state_changed" and event.data.get("new_state") == "speaking":
            cut = self.effects.voice.interrupt(now)
            if cut is not None:
                self.effects.schedule.add(now, lambda _: cut)

    def _hurries(self, now: float) -> None:
        """As the runtime does where the worker closes: what is being said is dropped, and so is what is yet to be said."""
        self._hurried = True
        self.effects.voice.drop(now)
        for start, _ in [one for one in self.effects.running.values() if is_speech(one[0].verb)]:
            self.effects.drop(start.id)
            self._unspoken(start, now)

    def _unspoken(self, start: Start, now: float) -> None:
        status, result, error = unspoken(start.verb)
        self.effects.schedule.add(now, lambda at: EffectEnded(start.id, status, result, error, at), start.id)

    def _begin(self, start: Start) -> None:
        ending = self.effects.begins(start)
        if self._hurried and is_speech(start.verb):
            self._unspoken(start, self._call.now)
            return
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
        verb = start.verb
        if ending.status == "timed_out":
            return
        theirs = ending.status == "ok" or verb_of(verb).results
        if theirs and verb in _SAID:
            _SAID[verb](self._speeches, start, ending)
        elif theirs and verb in _BY_TELEPHONE:
            _BY_TELEPHONE[verb](self.telephones, start, ending)
        else:
            self.effects.end_after(start, LASTS.get(verb, 0.0), ending)
