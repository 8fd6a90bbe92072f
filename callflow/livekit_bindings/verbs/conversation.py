"""wait_for_speech, interrupt, mute, unmute, drain, aclose, close_models: the conversation, and its end in three steps.

LiveKit's own drain and close wait for function tools that run, for ever if one does not end. Here they are cancelled
first, and nothing waits for one that swallows its cancellation.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from callflow.core.snapshot import Start
from callflow.livekit_bindings import private

if TYPE_CHECKING:
    from callflow.livekit_bindings.world import LiveKitWorld

logger = logging.getLogger("callflow")

NOTHING: Mapping[str, Any] = {}

TOOLS_WITHIN = 0.5
"""Seconds that function tools get to end once they were cancelled."""

AFTER_SPEECH = 0.5
"""Seconds that LiveKit's drain gets once nothing is spoken any more; what it then waits for is a tool or an `on_exit`
that does not end."""

ABANDON_WITHIN = 0.8
"""Seconds to take a session off the room that did not close."""


async def wait_for_speech(world: LiveKitWorld, _effect: Start) -> Mapping[str, Any]:
    await world.started()
    await private.speech_is_out(world.session)
    return NOTHING


async def interrupt(world: LiveKitWorld, _effect: Start) -> Mapping[str, Any]:
    await world.started()
    private.silence_now(world.session)
    return NOTHING


async def mute(world: LiveKitWorld, _effect: Start) -> Mapping[str, Any]:
    await world.started()
    world.session.input.set_audio_enabled(False)
    return NOTHING


async def unmute(world: LiveKitWorld, _effect: Start) -> Mapping[str, Any]:
    await world.started()
    world.session.input.set_audio_enabled(True)
    return NOTHING


async def drain(world: LiveKitWorld, effect: Start) -> Mapping[str, Any]:
    """`tail` (seconds) is how long the last sound may travel after its playout, to the ear."""
    await end_conversation(world, tail=effect.arguments.get("tail", 0.2))
    return NOTHING


async def end_conversation(world: LiveKitWorld, *, tail: float) -> None:
    """Lets what is being said end, cancels the tools that run, and takes no speech any more."""
    world.conversation_over = True
    if not private.is_running(world.session):
        return
    if world.hurried or not world.line.hears:
        private.silence_now(world.session)
        return
    await private.cancel_tools(world.session, within=TOOLS_WITHIN)
    draining = asyncio.ensure_future(world.session_drain())
    out = asyncio.ensure_future(private.speech_is_out(world.session))
    cut = asyncio.ensure_future(world.line.cut())
    try:
        await asyncio.wait({out, cut}, return_when=asyncio.FIRST_COMPLETED)
        if cut.done():
            private.silence_now(world.session)
        _, late = await asyncio.wait({draining}, timeout=AFTER_SPEECH)
        if late:
            world.note("a function tool or an on_exit did not end: the conversation was closed without waiting for it")
        if not cut.done():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(cut), tail)
    finally:
        await stop(draining, out, cut)


async def aclose(world: LiveKitWorld, _effect: Start) -> Mapping[str, Any]:
    await close_session(world)
    return NOTHING


async def close_session(world: LiveKitWorld) -> None:
    """`session.aclose()`, in the call's own task; one that does not come to its end is taken off the room."""
    world.conversation_over = True
    await private.cancel_tools(world.session, within=TOOLS_WITHIN)
    try:
        await world.session_aclose()
    except BaseException:
        with contextlib.suppress(Exception, asyncio.TimeoutError):
            await asyncio.wait_for(private.abandon(world.session), ABANDON_WITHIN)
        raise


async def close_models(world: LiveKitWorld, _effect: Start) -> Mapping[str, Any]:
    """STT, LLM, TTS of the session and of its agents, with their streams and connection pools."""
    world.conversation_over = True
    session, agents = world.session, [world.agent, *world.agents_seen()]
    models: list[Any] = [session.stt, session.llm, session.tts]
    models += [model for agent in agents for model in (agent.stt, agent.llm, agent.tts)]
    await asyncio.gather(*(_close(model) for model in _unique(models)))
    return NOTHING


async def _close(model: Any) -> None:
    try:
        await model.aclose()
    except Exception:
        logger.warning("a model did not close", extra={"model": type(model).__name__}, exc_info=True)


def _unique(models: Iterable[Any]) -> list[Any]:
    return list({id(model): model for model in models if hasattr(model, "aclose")}.values())


async def stop(*tasks: asyncio.Future[Any]) -> None:
    """Cancels what still runs, and waits for it no longer than it takes to be told."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
