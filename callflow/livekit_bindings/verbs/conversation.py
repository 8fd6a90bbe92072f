"""wait_for_speech, interrupt, mute, unmute, drain, aclose, close_models: the conversation, and its end in three steps.

LiveKit's own drain and close wait for function tools that run, for ever if one does not end. Here they are cancelled
first, and nothing waits for one that swallows its cancellation.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Protocol

from livekit.agents import Agent

from callflow.core.snapshot import Start
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.linked_participant import LinkedParticipant
from callflow.livekit_bindings.model_context import ModelContext
from callflow.livekit_bindings.private_speech import said
from callflow.livekit_bindings.surroundings import InConversation

logger = logging.getLogger("callflow")

NOTHING: Mapping[str, Any] = {}

TOOLS_WITHIN = 0.5
"""Seconds that function tools get to end once they were cancelled."""

AFTER_SPEECH = 0.3
"""Seconds that LiveKit's drain gets once nothing is spoken any more; what it then waits for is a tool or an `on_exit`
that does not end."""

CLOSE_WITHIN = 8.0
CLOSE_STUCK = 0.5
"""Seconds for `session.aclose()`: less than the action's own 10 s; with a tool that nobody can stop it cannot end."""

ABANDON_WITHIN = 0.8
"""Seconds to take a session off the room that did not close."""


class Given(InConversation, Protocol):
    """What these verbs are given."""

    conversation_over: bool

    session_closed: bool

    @property
    def agent(self) -> Agent: ...

    @property
    def linked(self) -> LinkedParticipant: ...

    @property
    def model_context(self) -> ModelContext: ...

    def agents_seen(self) -> tuple[Agent, ...]: ...

    async def session_aclose(self) -> None: ...

    async def session_drain(self) -> None: ...

    def stop_opening(self, *, connecting: bool = False) -> None: ...


async def wait_for_speech(world: Given, _effect: Start) -> Mapping[str, Any]:
    await world.started()
    await said(world)
    return NOTHING


async def interrupt(world: Given, _effect: Start) -> Mapping[str, Any]:
    await world.started()
    livekit_internals.silence_now(world.session)
    return NOTHING


async def mute(world: Given, _effect: Start) -> Mapping[str, Any]:
    await world.started()
    world.linked.mute(True)
    return NOTHING


async def unmute(world: Given, _effect: Start) -> Mapping[str, Any]:
    await world.started()
    world.linked.mute(False)
    return NOTHING


async def drain(world: Given, effect: Start) -> Mapping[str, Any]:
    """`tail` (seconds) is how long the last sound may travel after its playout, to the ear."""
    await end_conversation(world, tail=effect.arguments.get("tail", 0.2))
    return NOTHING


async def end_conversation(world: Given, *, tail: float) -> None:
    """Lets what is being said end, as long as anybody who hears it is on the line; cancels the tools that run, and takes
    no speech any more."""
    world.conversation_over = True
    if not livekit_internals.is_running(world.session):
        return
    if world.call.hurried or not world.line.anybody_hears:
        livekit_internals.silence_now(world.session)
        return
    draining = asyncio.ensure_future(_drain(world))
    cut = asyncio.ensure_future(world.line.nobody_hears())
    try:
        while True:
            await _first(livekit_internals.speech_is_out(world.session), cut)
            if cut.done():
                livekit_internals.silence_now(world.session)
                break
            quiet = world.call.loop.time()
            await asyncio.wait({draining, cut}, timeout=AFTER_SPEECH, return_when=asyncio.FIRST_COMPLETED)
            if not livekit_internals.is_silent(world.session):
                continue  # an `on_exit` had something to say
            if not draining.done() and not cut.done():
                world.note("a tool or an on_exit did not end: the conversation was closed without waiting for it")
            await _first(asyncio.sleep(quiet + tail - world.call.loop.time()), cut)
            break
    finally:
        await stop(draining, cut)


async def _drain(world: Given) -> None:
    await asyncio.gather(_cut_tools(world), world.session_drain())


async def _cut_tools(world: Given) -> int:
    """Cancels the tools that run, and says so. What the flow's own were called for goes on: they only wait for it. Returns
    how many cannot be stopped."""
    cut, stuck = await livekit_internals.cancel_tools(
        world.session, within=TOOLS_WITHIN, cutting=world.model_context.cutting
    )
    for name in cut:
        if not world.model_context.is_the_flows(name):
            world.note(f"the tool {name} was cut: the conversation was over before it had ended")
    return stuck


async def _first(work: Coroutine[Any, Any, Any], cut: asyncio.Future[None]) -> None:
    """Waits for `work`, and no longer than somebody hears it."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, cut}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await stop(task)


async def aclose(world: Given, _effect: Start) -> Mapping[str, Any]:
    await close_session(world)
    return NOTHING


async def close_session(world: Given) -> None:
    """`session.aclose()`, in the call's own task. One that does not come to its end is taken off the room: nobody hears
    it any more, and what it waits for is left to the end of the process."""
    world.conversation_over = True
    if world.session_closed:
        return
    world.stop_opening(connecting=True)
    stuck = await _cut_tools(world)
    closing = asyncio.ensure_future(world.session_aclose())
    try:
        await asyncio.wait({closing}, timeout=CLOSE_STUCK if stuck else CLOSE_WITHIN)
        world.session_closed = True
        world.stop_opening()
        if closing.done() and not livekit_internals.is_half_open(world.session):
            closing.result()
            return
        if closing.done():  # it had not started: LiveKit closes nothing then
            await _abandon(world)
            return
        world.note("the session did not close in time: it was taken off the room")
        await stop(closing)
        await _abandon(world)
    except asyncio.CancelledError:
        closing.cancel()
        await _abandon(world)
        raise


async def _abandon(world: Given) -> None:
    world.session_closed = True
    with contextlib.suppress(Exception):
        await asyncio.wait_for(livekit_internals.abandon(world.session), ABANDON_WITHIN)


async def close_models(world: Given, _effect: Start) -> Mapping[str, Any]:
    """STT, LLM, TTS of the session and of its agents, with their streams and connection pools."""
    world.conversation_over = True
    session, agents = world.session, [world.agent, *world.agents_seen()]
    models: list[Any] = [session.stt, session.llm, session.tts]
    models += [model for agent in agents for model in (agent.stt, agent.llm, agent.tts)]
    await close_all(models)
    return NOTHING


async def close_all(models: Iterable[Any]) -> None:
    """Closes each model once; what is no model, or cannot be closed, is left alone."""
    await asyncio.gather(*(_close(model) for model in _unique(models)))


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
