"""say, generate_reply, play: speech that waits for somebody who hears it, ends with its playout, and says how it went.

Late speech, after a drain or a close, is a result ("not heard"), never an exception into the void.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from livekit import rtc
from livekit.agents.utils.audio import audio_frames_from_file
from livekit.agents.voice import SpeechHandle

from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings import livekit_internals, private_speech
from callflow.livekit_bindings.private_speech import Audience, privately
from callflow.livekit_bindings.turns import Turns
from callflow.livekit_bindings.verbs import background

Result = Mapping[str, Any]

INTERRUPT_WITHIN = 0.8
"""Seconds that a speech which was cut by force gets to be quiet."""

HANDS_BACK = 0.05
"""Seconds between two looks whether somebody who hands the conversation on has done so."""

SAMPLE_RATE = 24_000
"""Of RoomIO's audio output."""


class Given(private_speech.Given, background.Given, Protocol):
    """What these verbs are given."""

    @property
    def failures(self) -> int: ...

    @property
    def last_failure(self) -> str: ...

    @property
    def spoke(self) -> int: ...

    @property
    def speeches(self) -> dict[str, int]: ...

    @property
    def conversation_over(self) -> bool: ...

    @property
    def turns(self) -> Turns: ...


def unheard(why: str) -> Result:
    return {"interrupted": False, "spoken": "", "heard": False, "note": why}


async def say(world: Given, effect: Start) -> Result:
    arguments = effect.arguments
    # Half a surrogate pair, as JSON from elsewhere may hold it, cannot be spoken: LiveKit's own parts fail on it.
    text = arguments["text"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    interruptible = _interruptible(arguments)
    again = arguments.get("repeat_if_interrupted") or 0
    while True:
        before = world.spoke
        result = await speak(world, effect, lambda: world.session.say(text, allow_interruptions=interruptible))
        silent = result["heard"] and not (result["spoken"] or result["interrupted"]) and world.spoke == before
        if silent and text.strip():
            raise EffectError("nothing of it was spoken: the TTS has failed")
        if not (result["interrupted"] and result["heard"]) or again == 0:
            return result
        again -= 1
        # Said into the caller's own words, or before the answer to them, it would be cut at once.
        await livekit_internals.idle(world.session)


async def generate_reply(world: Given, effect: Start) -> Result:
    arguments = effect.arguments
    options: dict[str, Any] = {"allow_interruptions": _interruptible(arguments)}
    if arguments.get("instructions"):
        options["instructions"] = arguments["instructions"]
    if arguments.get("user_input"):
        options["user_input"] = arguments["user_input"]
    return await speak(world, effect, lambda: world.session.generate_reply(**options))


async def play(world: Given, effect: Start) -> Result:
    arguments = effect.arguments
    file = world.path_of(arguments["file"])
    if not file.is_file():
        raise EffectError(f"there is no sound {file}")
    if arguments.get("loop"):
        return await background.loop(world, file, arguments.get("duck"), to=arguments.get("to"))

    def once() -> SpeechHandle:
        frames: AsyncIterator[rtc.AudioFrame] = audio_frames_from_file(str(file), sample_rate=SAMPLE_RATE)
        return world.session.say("", audio=frames, allow_interruptions=_interruptible(arguments), add_to_chat_ctx=False)

    return await speak(world, effect, once, by_model=False)


async def speak(world: Given, effect: Start, begin: Callable[[], SpeechHandle], *, by_model: bool = True) -> Result:
    """Begins a speech once whoever it is for hears us, and waits for its playout; begins again what a drop has cut. What
    is for one leg (`to`) is heard by nobody else.

    Raises EffectError when the model failed, or the others cannot be kept from listening. A recorded sound is not
    `by_model`: one that fails meanwhile was busy with another speech. Cancelled: cuts the speech by force.
    """
    to = effect.arguments.get("to")
    audience = Audience(world.line, to)
    while True:
        if not await world.can_be_heard(to):
            return unheard("nobody is on the line")
        if not livekit_internals.is_running(world.session):
            return unheard("the conversation is over")
        failures = world.failures
        async with privately(world, to):
            try:
                with world.turns.of_an_action(interruptible=effect.arguments.get("interruptible") is True):
                    handle = begin()
            except RuntimeError as error:
                if not livekit_internals.is_running(world.session):
                    return unheard("the conversation is over")
                if world.conversation_over or livekit_internals.takes_speech(world.session):
                    raise EffectError(str(error)) from error
                await asyncio.sleep(HANDS_BACK)
                continue
            world.speeches[handle.id] = effect.id
            try:
                cut = await _until_over(audience, handle)
            finally:
                world.speeches.pop(handle.id, None)
        if cut and not audience.over:
            continue
        if cut:
            return {**_result(handle), "heard": False, "note": f"{to or 'the far end'} is gone"}
        if by_model and world.failures != failures and not _result(handle)["spoken"]:
            raise EffectError(world.last_failure)
        if (failure := handle.exception()) is not None:
            raise EffectError(f"the model has failed: {failure}")
        return _result(handle)


async def _until_over(audience: Audience, handle: SpeechHandle) -> bool:
    """True when the speech was cut because whoever it is for does not hear it any more."""
    playout = asyncio.ensure_future(handle.wait_for_playout())
    cut = asyncio.ensure_future(audience.cut())
    try:
        await asyncio.wait({playout, cut}, return_when=asyncio.FIRST_COMPLETED)
        if playout.done():
            return False
        await silence(handle)
        return True
    except asyncio.CancelledError:
        await silence(handle)
        raise
    finally:
        for waiter in (playout, cut):
            waiter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiter


async def silence(handle: SpeechHandle) -> None:
    """Cuts a speech, interruptible or not. What it called, a tool say, may still run."""
    handle.interrupt(force=True)
    await asyncio.wait({asyncio.ensure_future(handle.wait_for_playout())}, timeout=INTERRUPT_WITHIN)


def _result(handle: SpeechHandle) -> dict[str, Any]:
    said = [
        item.text_content or "" for item in handle.chat_items if item.type == "message" and item.role == "assistant"
    ]
    return {"interrupted": handle.interrupted, "spoken": " ".join(part for part in said if part), "heard": True}


def _interruptible(arguments: Mapping[str, Any]) -> bool:
    return arguments.get("interruptible") is not False
