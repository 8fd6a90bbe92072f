"""send_dtmf, collect_digits: the keys of a telephone, both ways.

Keys come over the room one by one, and say whose they are. Those of the main leg that are for `collect_digits` the step
forwards to it. Keys that we send go to every telephone in the room: LiveKit has no other way.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any, Protocol

from callflow.core.actions import verb_of
from callflow.core.events import Event
from callflow.core.snapshot import Running, Start
from callflow.core.verbs.limits import ON_THE_WIRE, PAUSE
from callflow.errors import EffectError
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.private_speech import all_is_said
from callflow.livekit_bindings.verbs import speech

CODES: Mapping[str, int] = {key: code for code, key in enumerate("0123456789*#abcd")}
"""As RFC 4733 has them: a key that is sent with another code is lost."""

LOOK = 0.1
"""Seconds between two looks whether the caller's time goes by: somebody may begin to speak to them."""


class Given(speech.Given, Protocol):
    """What these verbs are given."""

    def forwarded(self, effect: int) -> asyncio.Queue[Event]: ...


async def send_dtmf(world: Given, effect: Start) -> Mapping[str, Any]:
    """Sends the keys once the far end is on the line (those sent while it rings are lost) and we have said what we are
    saying; ends when they are on the wire, and the agent says nothing meanwhile."""
    keys = str(effect.arguments["digits"]).lower()
    if wrong := sorted(set(keys) - CODES.keys() - {"w", " "}):
        raise EffectError(f"there are no keys {' '.join(wrong)}: 0-9, a-d, *, # and w, a pause, are sent")
    if not await world.can_be_heard():
        raise EffectError("nobody is on the line")
    telephones = [leg for leg in world.line.parties() if leg.is_telephone]
    if len(telephones) > 1:
        world.note("keys were sent while several telephones were on the line: LiveKit sends them to every one")
    await all_is_said(world, tail=0.0)
    with livekit_internals.speech_held(world.session):
        for key in keys:
            if key in CODES:
                await world.ctx.room.local_participant.publish_dtmf(code=CODES[key], digit=key.upper())
            await asyncio.sleep({"w": PAUSE, " ": 0.0}.get(key, ON_THE_WIRE))
    return {}


async def collect_digits(world: Given, effect: Start) -> Mapping[str, Any]:
    """Asks, and takes the keys that are forwarded until there are enough, the terminator comes, or no further one does.

    The result: `input`, `no_input` (no key came) or `no_match` (too few, or only the terminator), of the last try;
    `digits`, without the terminator; `tries`; what has `ended_by` it. Raises EffectError when nobody is on the line any more,
    and where keys are being collected already.
    """
    if any(one.id < effect.id and _collects(one) for one in world.call.snapshot.memory.effects.values()):
        raise EffectError("keys are being collected already")
    arguments = effect.arguments
    first, again = arguments.get("prompt"), arguments.get("retry_prompt")
    result, number, one = "no_input", 0, _Try(world, effect)
    for number in range(1, max(int(arguments.get("tries") or 1), 1) + 1):
        one = _Try(world, effect)
        result = await one.run(first if number == 1 else again or first)
        if result == "input":
            break
    return {"result": result, "digits": one.digits, "tries": number, "ended_by": one.ended_by}


def _collects(one: Running) -> bool:
    return verb_of(one.verb).takes_keys and not one.stopping


class _Try:
    """One try. `least` and `most` keys are wanted; times are in seconds."""

    def __init__(self, world: Given, effect: Start) -> None:
        self._world, self._effect = world, effect
        self._keys = world.forwarded(effect.id)
        arguments = effect.arguments
        count, least, most = arguments.get("count"), arguments.get("min"), arguments.get("max")
        self.least: int = next((number for number in (count, least) if number is not None), 1)
        self.most: float = next((number for number in (count, most) if number is not None), math.inf)
        self.terminator = str(arguments.get("terminator") or "").lower()
        self.barge_in = bool(arguments.get("barge_in", True))
        self.first_digit = float(arguments["first_digit"])
        self.between_digits = float(arguments["between_digits"])
        self.digits = ""
        self.ended_by = "count"
        self._prompt: asyncio.Task[Mapping[str, Any]] | None = None

    async def run(self, prompt: str | None) -> str:
        if not await self._world.can_be_heard():
            raise EffectError("nobody is on the line")
        if prompt:
            by_voice = self.barge_in and self._effect.arguments.get("interruptible") is not False
            words = {"text": prompt, "interruptible": by_voice}
            saying = speech.say(self._world, self._effect._replace(arguments=words))
            self._prompt = asyncio.ensure_future(saying)
        try:
            while len(self.digits) < self.most:
                key = await self._next()
                if key is None or key == self.terminator:
                    self.ended_by = "time" if key is None else "terminator"
                    return self._over(terminated=key is not None)
                self.digits += key
            return "input"
        except BaseException:
            self.barge_in = True  # nobody waits for these words any more
            raise
        finally:
            await self._end_prompt(cut=self.barge_in)

    def _over(self, *, terminated: bool) -> str:
        if len(self.digits) >= self.least and (self.digits or terminated):
            return "input"
        return "no_match" if self.digits or terminated else "no_input"

    async def _next(self) -> str | None:
        """The next key; None when there was time for one and none came. While the prompt is said, or anything else, and
        while the far end is away, no time goes by."""
        patience = self.between_digits if self.digits else self.first_digit
        coming = asyncio.ensure_future(self._keys.get())
        try:
            until = _now() + patience
            while not coming.done() and _now() < until:
                if self._time_goes_by:
                    await asyncio.wait({coming}, timeout=min(until - _now(), LOOK))
                else:
                    await self._pause(coming)
                    until = _now() + patience
            if not coming.done():
                return None
            if self.barge_in:
                await self._end_prompt(cut=True)
            return str(coming.result().data["digit"]).lower()
        finally:
            coming.cancel()

    @property
    def _time_goes_by(self) -> bool:
        """Whether a caller who presses no key counts as one who does not want to."""
        prompted = self._prompt is None or self._prompt.done()
        return prompted and self._world.line.hears and livekit_internals.is_silent(self._world.session)

    async def _pause(self, coming: asyncio.Task[Event]) -> None:
        """Returns when what keeps the time from going by has ended, or a key comes."""
        if self._prompt is not None and not self._prompt.done():
            await asyncio.wait({coming, self._prompt}, return_when=asyncio.FIRST_COMPLETED)
            if self._prompt.done():
                self._prompt.result()
            return
        there = self._world.line.hears
        pause = asyncio.ensure_future(
            livekit_internals.speech_is_out(self._world.session) if there else self._back_on_the_line()
        )
        try:
            await asyncio.wait({coming, pause}, return_when=asyncio.FIRST_COMPLETED)
            if pause.done():
                pause.result()
        finally:
            pause.cancel()
            await asyncio.wait({pause})

    async def _back_on_the_line(self) -> None:
        if not await self._world.line.heard():
            raise EffectError("nobody is on the line any more")

    async def _end_prompt(self, *, cut: bool) -> None:
        if self._prompt is None:
            return
        try:
            if not cut:
                await asyncio.wait({self._prompt})
        finally:
            self._prompt.cancel()
            await asyncio.gather(self._prompt, return_exceptions=True)


def _now() -> float:
    return asyncio.get_running_loop().time()
