"""What is said, one thing after the other: to whom, for how long, and how much of it is heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from attrs import define

from callflow.core.events import MAIN_LEG, Input
from callflow.core.speaking import spoken
from callflow.scenario.call import Call, Heard
from callflow.scenario.schedule import Schedule

_VOICE = "voice"

Over = Callable[[float, bool, bool, str], Input | None]
"""What comes of a speech's end, given the time, whether it was interrupted, whether it was heard, and the words."""


@define(eq=False)
class Speech:
    """Something to say. `of` is the number of its effect, None for what the model says by itself."""

    of: int | None
    text: str
    seconds: float
    to: str | None
    interruptible: bool
    over: Over
    again: int = 0  # how often it is said once more where it was interrupted
    began: float | None = None
    legs: tuple[str, ...] = ()  # who hears it


class Voice:
    """The queue of what is said: LiveKit says one thing at a time."""

    def __init__(self, call: Call, schedule: Schedule) -> None:
        self._call = call
        self._schedule = schedule
        self._queue: list[Speech] = []
        self.talked_over = False  # by words of the far end's, which go on

    @property
    def quiet(self) -> bool:
        return not self._queue

    @property
    def speaking(self) -> bool:
        """Whether something is being heard now."""
        return bool(self._queue) and self._queue[0].began is not None

    def say(self, speech: Speech) -> None:
        self._queue.append(speech)

    def look(self, now: float) -> None:
        """Begins what can be heard now, lets it wait where it cannot be yet, and ends what nobody will hear."""
        while self._queue:
            first = self._queue[0]
            stands = self._stands(first)
            if stands == "gone":
                self._queue.pop(0)
                self._schedule.drop(_VOICE)
                self._note(first, now, cut=True)
                self._schedule.add(now, lambda at, one=first: one.over(at, False, False, ""), first.of)  # type: ignore[misc]
                continue
            if stands == "waits" and first.began is not None:  # it is said from its start when they are back
                self._schedule.drop(_VOICE)
                self._note(first, now, cut=True)
                first.began = None
            elif stands == "plays" and first.began is None:
                first.began, first.legs = now, self._hearers(first)
                if (
                    first.interruptible and self.talked_over
                ):  # LiveKit cuts what it says to somebody who goes on speaking
                    self._schedule.add(now, self.interrupt, _VOICE)
                else:
                    self._schedule.add(now + first.seconds, self._ends, _VOICE)
            return

    def interrupt(self, now: float, *, by_force: bool = False) -> Input | None:
        """Somebody speaks, or the flow cuts what is being said."""
        first = self._queue[0] if self._queue else None
        if first is None or first.began is None or not (first.interruptible or by_force):
            return None
        said = spoken(first.text, now - first.began)
        self._schedule.drop(_VOICE)
        self._note(first, now, cut=True)
        if first.again and not by_force:
            first.again -= 1
            first.began = None
            return None
        self._queue.pop(0)
        return first.over(now, True, True, said)

    def drop(self, now: float) -> None:
        """Nothing that the model says by itself is heard any more."""
        for speech in [one for one in self._queue if one.of is None]:
            self._remove(speech, now)

    def cut(self, of: int, now: float) -> None:
        """Its effect was cancelled, or has ended otherwise."""
        for speech in [one for one in self._queue if one.of == of]:
            self._remove(speech, now)

    def _remove(self, speech: Speech, now: float) -> None:
        if speech.began is not None:
            self._schedule.drop(_VOICE)
            self._note(speech, now, cut=True)
        self._queue.remove(speech)

    def _ends(self, now: float) -> Input | None:
        speech = self._queue.pop(0)
        self._note(speech, now, cut=False)
        return speech.over(now, False, True, speech.text)

    def _note(self, speech: Speech, now: float, *, cut: bool) -> None:
        if speech.began is None:
            return
        text = spoken(speech.text, now - speech.began) if cut else speech.text
        if text or not cut:
            self._call.heard.append(Heard(speech.began, now, text, speech.legs, cut))

    def _hearers(self, speech: Speech) -> tuple[str, ...]:
        if speech.to is not None:
            return (speech.to,)
        legs = self._call.snapshot.memory.legs
        return tuple(name for name, leg in legs.items() if leg.status == "on_line")

    def _stands(self, speech: Speech) -> Literal["plays", "waits", "gone"]:
        memory = self._call.snapshot.memory
        leg = self._call.leg(speech.to or MAIN_LEG).status
        if "line" in memory.closed or leg == "gone" or "session" not in self._call.facts:
            return "gone"
        if memory.cut_off or "detection" in self._call.facts or leg in ("absent", "dialing", "ringing", "dropped"):
            return "waits"
        return "plays"


def speech_result(interrupted: bool, heard: bool, text: str) -> dict[str, Any]:
    """What an action that speaks has to say of its end."""
    return {"interrupted": interrupted, "spoken": text, "heard": heard}
