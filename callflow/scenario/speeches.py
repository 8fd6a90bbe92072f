"""The verbs that speak, ask for keys, or wait until nothing is said any more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from callflow.core.events import EffectEnded
from callflow.core.snapshot import Start
from callflow.core.speaking import REPLY, seconds
from callflow.scenario.keypad import Keypad
from callflow.scenario.live_effects import Effects
from callflow.scenario.model import Ending
from callflow.scenario.voice import Speech, speech_result

HANGS_UP = 0.3
"""Seconds of a `hang_up`, once the goodbye is through."""


class Speeches:
    """What is said in one call."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    def speaks(self, start: Start, ending: Ending) -> None:
        arguments = start.arguments
        if arguments.get("loop"):
            return
        text = ending.result.get("spoken")
        known = text if text is not None else arguments.get("text")
        words = str(known) if known is not None else f"({arguments.get('file') or 'the model speaks'})"
        lasts = ending.after if ending.after is not None else seconds(str(known)) if known is not None else REPLY
        if ending.never:
            self._effects.by_itself[start.id] = self._effects.call.now + lasts
            lasts = float("inf")
        again = int(arguments.get("repeat_if_interrupted") or 0)
        over = partial(_said, start.id, dict(ending.result))
        self._effects.voice.say(
            Speech(
                start.id, words, lasts, arguments.get("to"), arguments.get("interruptible") is not False, over, again
            )
        )

    def asks(self, start: Start, ending: Ending) -> None:
        if ending.never or ending.result or ending.status != "ok" or ending.after is not None:
            self._effects.end_after(start, seconds(str(start.arguments.get("prompt") or "")), ending)
            return
        self._effects.keypads[start.id] = Keypad(
            start, self._effects.voice, self._effects.schedule, lambda: self._effects.call.now
        )

    def hangs_up(self, start: Start, ending: Ending) -> None:
        goodbye = start.arguments.get("goodbye")
        if not goodbye or ending.never:
            self._effects.end_after(start, HANGS_UP, ending)
            return

        def over(now: float, _interrupted: bool, _heard: bool, _text: str) -> None:
            self._effects.end_after(start, HANGS_UP, ending)

        self._effects.voice.say(Speech(start.id, str(goodbye), seconds(str(goodbye)), None, False, over))

    def waits(self, start: Start, ending: Ending) -> None:
        if ending.never or ending.after is not None:
            self._effects.end_after(start, 0.0, ending)
        else:
            self._effects.waiting[start.id] = float(start.arguments.get("tail") or 0.0)

    def look(self) -> None:
        """Nothing is being said any more."""
        for effect in list(self._effects.waiting):
            start, ending = self._effects.running[effect]
            down = "line" in self._effects.call.snapshot.memory.closed or self._effects.call.leg().status == "gone"
            self._effects.end_after(start, 0.0 if down else self._effects.waiting.pop(effect), ending)
            self._effects.waiting.pop(effect, None)

    def interrupts(self, start: Start, ending: Ending) -> None:
        cut = self._effects.voice.interrupt(self._effects.call.now, by_force=True)
        if cut is not None:
            self._effects.schedule.add(self._effects.call.now, lambda _: cut)
        self._effects.end_after(start, 0.0, ending)


def _said(effect: int, more: Mapping[str, Any], now: float, interrupted: bool, heard: bool, text: str) -> EffectEnded:
    return EffectEnded(effect, "ok", {**speech_result(interrupted, heard, text), **more}, None, now)
