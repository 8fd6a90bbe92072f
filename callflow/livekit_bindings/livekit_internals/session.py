"""The session and the part of it that its running agent has: what is spoken, what waits to be, and what runs."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, CloseEvent, CloseReason, llm
from livekit.agents.utils.aio import cancel_and_wait
from livekit.agents.voice import SpeechHandle

from callflow.livekit_bindings.livekit_internals import names

logger = logging.getLogger("callflow")

LOOK_SECONDS = 0.01
"""Between two looks whether a speech has ended of which nothing tells: the queue's next is picked up in a moment."""

HANDOFF_LOOKS = 100
"""So many of them for an agent that takes over, where nothing tells when it has."""


def _activity_of(session: AgentSession[Any]) -> Any | None:
    """The running agent's part of the session. None before the start, after the close, and while it closes."""
    return names.ACTIVITY.of(session)


def is_running(session: AgentSession[Any]) -> bool:
    """Whether the session takes speech: it has started, and nobody closes or drains it; in a handoff the next agent
    takes it."""
    if names.IS_CLOSING.of(session, bool)():
        return False
    activity = names.ACTIVITY.of(session, session)
    if activity is session:
        return has_started(session)
    if activity is None:
        return False
    return not names.PAUSED.of(activity, False) or names.NEXT_ACTIVITY.of(session) is not None


def has_started(session: AgentSession[Any]) -> bool:
    started = names.STARTED.of(session)
    return _has_agent(session) if started is None else bool(started)


def _has_agent(session: AgentSession[Any]) -> bool:
    try:
        return session.current_agent is not None
    except RuntimeError:
        return False


def is_half_open(session: AgentSession[Any]) -> bool:
    """Whether a start that failed, or was cut, has left something behind, which a close would not touch."""
    return names.ROOM_IO.of(session) is not None or _activity_of(session) is not None


async def cancel_tools(
    session: AgentSession[Any], *, within: float, cutting: Callable[[llm.FunctionCall], None], of: Agent | None = None
) -> tuple[list[str], int]:
    """Cancels the function tools that still run, which a drain and a close would wait for; those that were called by the
    agent `of`, where one is given. `cutting` is told of each before.

    Returns the names of those that were cut, and how many have swallowed the cancellation and still run after `within`
    seconds: those nobody can stop.
    """
    await asyncio.sleep(0)  # one that has its result may return
    activity = _activity_of(session) if of is None else names.AGENT_ACTIVITY.of(of)
    found = _tools_of(activity)
    if any(_is_yet_to_begin(task) for task, _ in found):
        await asyncio.sleep(0)  # one that was called just now: the call is to hear of it
    running = {task: context.function_call for task, context in found if not task.done()}
    if not running:
        return [], 0
    for task, call in running.items():
        cutting(call)
        task.cancel()
    _, stuck = await asyncio.wait(running, timeout=within)
    return [call.name for task, call in running.items() if task in stuck or task.cancelled()], len(stuck)


def works(session: AgentSession[Any], speech: SpeechHandle) -> bool:
    """Whether a function tool runs that this speech has called."""
    return any(context.speech_handle is speech for _, context in _tools_of(_activity_of(session)))


def _tools_of(activity: Any | None) -> list[tuple[asyncio.Task[Any], Any]]:
    """The function tools that this part of a session runs: the task of each, and its RunContext."""
    running = names.RUNNING_TOOLS.of(names.EXECUTOR.of(activity), {}).values()
    found = [(names.TOOL_TASK.of(one), names.TOOL_CONTEXT.of(one)) for one in running]
    return [(task, context) for task, context in found if task is not None and context is not None]


def _is_yet_to_begin(task: asyncio.Task[Any]) -> bool:
    coroutine = task.get_coro()
    return inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


async def speech_is_out(session: AgentSession[Any]) -> None:
    """Returns when nothing is spoken or waits to be spoken; the tools that a speech called may still run."""
    while not is_silent(session):
        speech = session.current_speech
        if speech is not None and names.GENERATIONS.of(speech):
            await names.GENERATED.of(speech, _a_moment)()
        else:
            await _a_moment()
        await asyncio.sleep(0)


async def _a_moment() -> None:
    await asyncio.sleep(LOOK_SECONDS)


def is_silent(session: AgentSession[Any]) -> bool:
    """Whether nothing is spoken now, nor waits to be."""
    return session.current_speech is None and not names.QUEUE.of(_activity_of(session))


def takes_speech(session: AgentSession[Any]) -> bool:
    """Whether what is said now is spoken, or waits to be. While an AgentTask hands the conversation back its own part has
    ended, that of the agent before it has not resumed, and LiveKit refuses."""
    activity = names.ACTIVITY.of(session, session)
    if activity is session:
        return True
    if activity is not None and names.PAUSED.of(activity, False):
        activity = names.NEXT_ACTIVITY.of(session)
    return activity is not None and not names.PAUSED.of(activity, False)


async def handoff_done(session: AgentSession[Any]) -> None:
    """Waits for an `update_agent` that is under way; the new agent's `on_enter` may still run."""
    handoff = names.HANDOFF.of(session, session)
    if isinstance(handoff, asyncio.Task) and not handoff.done():
        await asyncio.wait({handoff})
    for _ in range(HANDOFF_LOOKS if handoff is session and _has_agent(session) else 0):
        with contextlib.suppress(RuntimeError):  # it is not in charge yet
            if session.current_agent.session is not None:
                return
        await _a_moment()


async def idle(session: AgentSession[Any]) -> None:
    """Returns when neither the caller nor the agent speaks or is about to, or the conversation is over."""
    try:
        await session.wait_for_idle()
    except Exception as error:
        # A session that closes raises an error that LiveKit does not export, one that has not started RuntimeError.
        if not isinstance(error, RuntimeError) and not type(error).__module__.startswith("livekit."):
            raise


@contextlib.contextmanager
def speech_held(session: AgentSession[Any]) -> Iterator[None]:
    """Nothing is spoken meanwhile: what wants to be waits, as LiveKit lets it wait for its answering machine detection,
    which says by itself when speech may go on."""
    activity = _activity_of(session) if session.amd is None else None
    # Without the one it would never be spoken, without the other there is nothing to take back.
    pause, resume = names.PAUSE.of(activity), names.RESUME.of(activity)
    holds = pause is not None and resume is not None
    if holds:
        pause()
    try:
        yield
    finally:
        if holds and session.amd is None:
            resume()


def silence_now(session: AgentSession[Any]) -> None:
    """Cuts whatever is spoken or waits to be, also what is not interruptible."""
    with contextlib.suppress(RuntimeError):  # it does not run
        session.interrupt(force=True)


async def offer_tools(session: AgentSession[Any]) -> None:
    """Tells a realtime model which tools there are now; the others read `session.tools` at each turn."""
    activity = _activity_of(session)
    if (realtime := names.REALTIME.of(activity)) is None:
        return
    if (tools := names.ACTIVITY_TOOLS.of(activity)) is not None:
        await realtime.update_tools(llm.ToolContext(tools).flatten())


async def abandon(session: AgentSession[Any]) -> None:
    """A close did not come to its end: ends by hand what it would have ended, so that the session neither hears nor is
    heard, and its `close` event comes once. The activity itself, and the tool that holds it up, are left behind."""
    names.CLOSING.put(session, True)
    names.STARTED.put(session, False)
    activity, host, room_io = (one.of(session) for one in (names.ACTIVITY, names.SESSION_HOST, names.ROOM_IO))
    for one in (names.ACTIVITY, names.SESSION_HOST, names.ROOM_IO):
        one.put(session, None)
    session.input.audio = session.output.audio = session.output.transcription = None
    closing = [part.aclose() for part in (names.REALTIME.of(activity), host, room_io) if part is not None]
    closing += [close() for close in [names.RECOGNITION_CLOSE.of(names.RECOGNITION.of(activity))] if close is not None]
    tasks = [names.FORWARD_AUDIO.of(session), names.FORWARD_VIDEO.of(session), names.SCHEDULING.of(activity)]
    closing += [cancel_and_wait(task) for task in tasks if task is not None]
    session.emit("close", CloseEvent(reason=CloseReason.USER_INITIATED))
    await asyncio.gather(*closing, return_exceptions=True)


def isolated_emit(session: AgentSession[Any]) -> Callable[[Any, Any], None]:
    """`session.emit` with each handler on its own. LiveKit re-raises a handler's TypeError into whoever emits: one bad
    handler of the program's would stop those behind it, and a bad `close` handler the close itself."""
    theirs = session.emit

    def emit(event: Any, arg: Any) -> None:
        handlers = names.HANDLERS.of(session)
        if handlers is None:
            theirs(event, arg)
            return
        names.RECORDED.of(session, []).append(arg)
        for handler in list(handlers.get(event, ())):
            alone: rtc.EventEmitter[Any] = rtc.EventEmitter()
            alone.on(event, handler)
            try:
                alone.emit(event, arg)
            except TypeError:
                logger.exception("a handler of the session's has failed", extra={"event": event})

    return emit
