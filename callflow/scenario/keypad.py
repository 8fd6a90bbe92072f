"""The keys that a caller is asked for: `collect_digits`, as `livekit_bindings/verbs/keys.py` carries it out."""

from __future__ import annotations

import math
from collections.abc import Callable

from callflow.core.events import KEYS, EffectEnded, Input
from callflow.core.snapshot import Start
from callflow.core.speaking import seconds
from callflow.scenario.schedule import Schedule
from callflow.scenario.voice import Speech, Voice

_SIGNS = {name: sign for sign, name in KEYS.items()}


def keys_of(effect: int) -> tuple[str, int]:
    """To what the time for a key belongs."""
    return "keys", effect


class Keypad:
    """One effect that collects keys, try by try."""

    def __init__(self, start: Start, voice: Voice, schedule: Schedule, now: Callable[[], float]) -> None:
        self._start, self._voice, self._schedule, self._now = start, voice, schedule, now
        arguments = start.arguments
        count, least, most = arguments.get("count"), arguments.get("min"), arguments.get("max")
        self._least: int = next((n for n in (count, least) if n is not None), 1)
        self._most: float = next((n for n in (count, most) if n is not None), math.inf)
        self._terminator = str(arguments.get("terminator") or "").lower()
        self._barge_in = bool(arguments.get("barge_in", True))
        self._tries = max(int(arguments.get("tries") or 1), 1)
        self._number = 0
        self._prompted = False  # whether the prompt of this try is over
        self._over: str | None = None  # the result, while the prompt is said to its end
        self._ended_by = "count"
        self._digits = ""
        self._try()

    def press(self, key: str) -> None:
        """The far end presses a key, by its sign or its name."""
        sign = _SIGNS.get(key, key).lower()
        if self._over is not None:
            return
        if self._barge_in and not self._prompted:
            self._voice.cut(self._start.id, self._now())
            self._prompted = True
        if sign == self._terminator:
            self._end("terminator")
            return
        self._digits += sign
        if len(self._digits) >= self._most:
            self._end("count")
        elif self._prompted:
            self._await()

    def _try(self) -> None:
        self._number += 1
        self._digits, self._prompted, self._over = "", False, None
        arguments = self._start.arguments
        prompt = arguments.get("prompt")
        if self._number > 1:
            prompt = arguments.get("retry_prompt") or prompt
        if not prompt:
            self._prompted = True
            self._await()
            return
        interruptible = self._barge_in and arguments.get("interruptible") is not False
        text = str(prompt)
        self._voice.say(Speech(self._start.id, text, seconds(text), None, interruptible, self._prompt_over))

    def _prompt_over(self, _now: float, _interrupted: bool, heard: bool, _text: str) -> Input | None:
        if not heard:
            return EffectEnded(self._start.id, "failed", {}, "nobody is on the line", _now)
        self._prompted = True
        if self._over is not None:
            self._schedule.add(_now, self._give, self._start.id)
        else:
            self._await()
        return None

    def _await(self) -> None:
        """Time for the next key."""
        name = "between_digits" if self._digits else "first_digit"
        patience = float(self._start.arguments[name])
        self._schedule.drop(keys_of(self._start.id))
        self._schedule.add(self._now() + patience, lambda _: self._end("time"), keys_of(self._start.id), limit=True)

    def _end(self, by: str) -> None:
        self._ended_by = by
        self._schedule.drop(keys_of(self._start.id))
        enough = by == "count" or (len(self._digits) >= self._least and (self._digits or by == "terminator"))
        result = "input" if enough else "no_match" if self._digits or by == "terminator" else "no_input"
        if result != "input" and self._number < self._tries:
            self._voice.cut(self._start.id, self._now())
            self._try()
            return
        self._over = result
        if self._prompted:
            self._schedule.add(self._now(), self._give, self._start.id)

    def _give(self, now: float) -> Input:
        told = {"digits": self._digits, "tries": self._number, "ended_by": self._ended_by}
        return EffectEnded(self._start.id, "ok", {"result": self._over, **told}, None, now)
