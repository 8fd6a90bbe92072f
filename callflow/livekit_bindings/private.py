"""Every place where callflow reaches into LiveKit's private parts, and why: nothing else in the package does.

Written against livekit-agents 1.8.9. Each function does without what it does not find, so that a LiveKit that has
moved a private part costs a refinement and never a call.
"""
# ruff: noqa: SLF001 - this file exists so that no other needs it

from __future__ import annotations

import asyncio
import contextlib
import copy
import inspect
import logging
import ssl
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, Literal, cast

import aiohttp
from livekit import api, rtc
from livekit.agents import (
    NOT_GIVEN,
    Agent,
    AgentServer,
    AgentSession,
    AgentTask,
    CloseEvent,
    CloseReason,
    JobContext,
    llm,
)
from livekit.agents.utils import http_context
from livekit.agents.utils.aio import cancel_and_wait
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.agent import _get_activity_task_info, _set_activity_task_info
from livekit.agents.voice.agent_activity import ActivityClosedError
from livekit.agents.voice.amd import AMD
from livekit.agents.voice.room_io import RoomInputOptions, RoomOptions, RoomOutputOptions
from livekit.agents.worker import ServerEnvOption

logger = logging.getLogger("callflow")

_QUIET = "_callflow_quiet"


def activity_of(session: AgentSession[Any]) -> Any | None:
    """The running agent's activity: None before the start, after the close, and while it closes."""
    return getattr(session, "_activity", None)


def is_running(session: AgentSession[Any]) -> bool:
    """Whether the session takes speech: it has started, and nobody closes or drains it; in a handoff the next agent
    takes it."""
    activity = activity_of(session)
    if activity is None or session._is_closing():
        return False
    return not activity.scheduling_paused or getattr(session, "_next_activity", None) is not None


def has_started(session: AgentSession[Any]) -> bool:
    return bool(getattr(session, "_started", False))


def is_half_open(session: AgentSession[Any]) -> bool:
    """Whether a start that failed, or was cut, has left something behind, which a close would not touch."""
    return getattr(session, "_room_io", None) is not None or activity_of(session) is not None


async def cancel_tools(
    session: AgentSession[Any], *, within: float, cutting: Callable[[llm.FunctionCall], None], of: Agent | None = None
) -> tuple[list[str], int]:
    """Cancels the function tools that still run, which a drain and a close would wait for; those that were called by the
    agent `of`, where one is given. `cutting` is told of each before.

    Returns the names of those that were cut, and how many have swallowed the cancellation and still run after `within`
    seconds: those nobody can stop.
    """
    await asyncio.sleep(0)  # one that has its result may return
    activity = activity_of(session) if of is None else getattr(of, "_activity", None)
    executor = getattr(activity, "_tool_executor", None)
    found = list(getattr(executor, "_running_tasks", {}).values())
    if any(_is_yet_to_begin(one.exe_task) for one in found):
        await asyncio.sleep(0)  # one that was called just now: the call is to hear of it
    running = {one.exe_task: one.ctx.function_call for one in found if not one.exe_task.done()}
    if not running:
        return [], 0
    for task, call in running.items():
        cutting(call)
        task.cancel()
    _, stuck = await asyncio.wait(running, timeout=within)
    return [call.name for task, call in running.items() if task in stuck or task.cancelled()], len(stuck)


def _is_yet_to_begin(task: asyncio.Task[Any]) -> bool:
    coroutine = task.get_coro()
    return inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


async def speech_is_out(session: AgentSession[Any]) -> None:
    """Returns when nothing is spoken or waits to be spoken; the tools that a speech called may still run."""
    while (activity := activity_of(session)) is not None:
        speech = activity.current_speech
        if speech is None:
            if not activity._speech_q:
                return
            await asyncio.sleep(0.01)  # the queue's next is picked up in a moment
            continue
        if speech._generations:
            await speech._wait_for_generation()
        else:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)


async def handoff_done(session: AgentSession[Any]) -> None:
    """Waits for an `update_agent` that is under way; the new agent's `on_enter` may still run."""
    handoff = getattr(session, "_update_activity_atask", None)
    if isinstance(handoff, asyncio.Task) and not handoff.done():
        await asyncio.wait({handoff})


def takes_speech(session: AgentSession[Any]) -> bool:
    """Whether what is said now is spoken, or waits to be. While an AgentTask hands the conversation back its own part has
    ended, that of the agent before it has not resumed, and LiveKit refuses."""
    activity = activity_of(session)
    if activity is not None and activity.scheduling_paused:
        activity = getattr(session, "_next_activity", None)
    return activity is not None and not activity.scheduling_paused


async def idle(session: AgentSession[Any]) -> None:
    """Returns when neither the caller nor the agent speaks or is about to, or the conversation is over."""
    with contextlib.suppress(ActivityClosedError, RuntimeError):
        await session.wait_for_idle()


def is_silent(session: AgentSession[Any]) -> bool:
    """Whether nothing is spoken now, nor waits to be."""
    activity = activity_of(session)
    return activity is None or (activity.current_speech is None and not activity._speech_q)


@contextlib.contextmanager
def speech_held(session: AgentSession[Any]) -> Iterator[None]:
    """Nothing is spoken meanwhile: what wants to be waits, as LiveKit lets it wait for its answering machine detection,
    which says by itself when speech may go on."""
    activity = activity_of(session)
    holds = activity is not None and getattr(session, "_amd", None) is None
    if holds and activity is not None:
        activity._pause_authorization()
    try:
        yield
    finally:
        if holds and activity is not None and getattr(session, "_amd", None) is None:
            activity._resume_authorization()


def silence_now(session: AgentSession[Any]) -> None:
    """Cuts whatever is spoken or waits to be, also what is not interruptible."""
    activity = activity_of(session)
    if activity is not None:
        activity.interrupt(force=True)


def give_no_turns(session: AgentSession[Any]) -> None:
    """From now on the agent in charge answers nobody: no reply to what the caller has said or says now, none that was
    prepared while they spoke, none that a realtime model begins by itself. What is said is still heard, and is in the
    history. What is spoken on purpose, by `say` or `generate_reply`, is spoken."""
    activity = activity_of(session)
    if activity is None:
        return
    activity._cancel_preemptive_generation()
    activity._new_turns_blocked = True  # as LiveKit does for the time of a handoff
    if _QUIET in vars(activity):
        return
    on_end_of_turn = activity.on_end_of_turn

    def heard(info: Any) -> Any:
        info.skip_reply = True
        activity._new_turns_blocked = False  # or what was said would not be in the history
        try:
            return on_end_of_turn(info)
        finally:
            activity._new_turns_blocked = True

    activity.on_end_of_turn = heard
    setattr(activity, _QUIET, True)


def give_turns(session: AgentSession[Any]) -> None:
    """Takes that back."""
    activity = activity_of(session)
    if activity is not None and vars(activity).pop(_QUIET, False):
        vars(activity).pop("on_end_of_turn", None)
        activity._new_turns_blocked = False


def works(session: AgentSession[Any], speech: SpeechHandle) -> bool:
    """Whether a function tool runs that this speech has called."""
    executor = getattr(activity_of(session), "_tool_executor", None)
    running = list(getattr(executor, "_running_tasks", {}).values())
    return any(getattr(task.ctx, "speech_handle", None) is speech for task in running)


def add_to_history(session: AgentSession[Any], text: str) -> None:
    """What a caller has written, and nobody answers."""
    message = llm.ChatMessage(role="user", content=[text])
    session.current_agent._chat_ctx.items.append(message)
    session._conversation_item_added(message)


async def abandon(session: AgentSession[Any]) -> None:
    """A close did not come to its end: ends by hand what it would have ended, so that the session neither hears nor is
    heard, and its `close` event comes once. The activity itself, and the tool that holds it up, are left behind."""
    session._closing, session._started = True, False
    activity, session._activity = activity_of(session), None
    host, session._session_host = session._session_host, None
    room_io, session._room_io = session._room_io, None
    session.input.audio = session.output.audio = session.output.transcription = None
    parts = [getattr(activity, name, None) for name in ("_audio_recognition", "_rt_session")]
    closing = [part._aclose() if hasattr(part, "_aclose") else part.aclose() for part in parts if part is not None]
    closing += [part.aclose() for part in (host, room_io) if part is not None]
    tasks = [session._forward_audio_atask, session._forward_video_atask, getattr(activity, "_scheduling_atask", None)]
    closing += [cancel_and_wait(task) for task in tasks if task is not None]
    session.emit("close", CloseEvent(reason=CloseReason.USER_INITIATED))
    await asyncio.gather(*closing, return_exceptions=True)


def run_inline(session: AgentSession[Any], work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Runs `work` where LiveKit allows an AgentTask to be awaited: as the running agent's own inline task, like an
    `on_enter`, and without a handoff of its own. Raises RuntimeError when no agent runs."""
    activity = activity_of(session)
    if activity is None:
        work.close()
        raise RuntimeError("no agent is running")
    task = cast("asyncio.Task[Any]", activity._create_speech_task(work, name="callflow_task"))
    _set_activity_task_info(task, inline_task=True)
    return task


def cancel_agent_task(task: AgentTask[Any]) -> None:
    """Ends an AgentTask from outside; its awaiter gets a ToolError."""
    task.cancel()


def current_tool_call() -> tuple[llm.FunctionCall, str] | None:
    """The function call that the running task carries out, and the id of the speech that it was called in."""
    task = asyncio.current_task()
    info = _get_activity_task_info(task) if task is not None else None
    if info is None or info.function_call is None or info.speech_handle is None:
        return None
    return info.function_call, info.speech_handle.id


def set_own_tools(agent: Agent, tools: list[llm.Tool | llm.Toolset]) -> None:
    """Replaces an agent's own tools without `update_tools`, which would write the change into its history and drop
    the calls of other tools from it: ours are the same tools, listened to."""
    agent._tools = tools


async def offer_tools(session: AgentSession[Any]) -> None:
    """Tells a realtime model which tools there are now; the others read `session.tools` at each turn."""
    activity = activity_of(session)
    realtime = getattr(activity, "_rt_session", None)
    if activity is None or realtime is None:
        return
    await realtime.update_tools(llm.ToolContext(activity.tools).flatten())


@contextlib.contextmanager
def watch_detector(detector: AMD) -> Iterator[asyncio.Future[Any]]:
    """A future that raises what the answering machine detection's LLM fails with: LiveKit only logs it, and nobody
    would hear of it before the detection's time is up."""
    failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    model = getattr(getattr(detector, "_classifier", None), "_llm", None)

    def told(event: llm.LLMError) -> None:
        if not event.recoverable and not failed.done():
            failed.set_exception(event.error)

    if isinstance(model, llm.LLM):
        model.on("error", told)
    try:
        yield failed
    finally:
        if isinstance(model, llm.LLM):
            model.off("error", told)
        if failed.done():
            failed.exception()  # nobody may have asked
        failed.cancel()


class SilentDetector(AMD):
    """LiveKit's answering machine detection, that lets the agent answer nobody while it listens: what is said is kept in
    the history, and no reply is made. LiveKit's own only holds the reply back, and speaks it after the verdict."""

    def _on_end_of_turn(self, info: Any) -> bool:
        listens = not self._closed and self.enabled
        super()._on_end_of_turn(info)
        return listens


def transcript_of(detector: AMD) -> str:
    """What answering machine detection has heard so far."""
    return str(getattr(getattr(detector, "_classifier", None), "_transcript", ""))


def hand_on(messages: Iterable[llm.ChatItem], agent: Agent) -> None:
    """What was said before this agent takes over; `update_chat_ctx` would have to be awaited."""
    agent._chat_ctx.items.extend(messages)


def without_failover(client: api.LiveKitAPI, service: Literal["sip", "egress"] = "sip") -> Any:
    """A service of this client, without repetition: on LiveKit Cloud a request that fails is sent again, up to three
    times, and the server does not know it again, so that one dial would call twice. Where the client has changed, a new
    one says the same in public, with the credentials of the environment."""
    theirs: Any = getattr(client, service)
    requests: Any = getattr(theirs, "_client", None)
    if not hasattr(requests, "_failover"):
        return getattr(api.LiveKitAPI(session=http_context.http_session(), failover=False), service)
    ours = copy.copy(theirs)
    ours._client = copy.copy(requests)
    ours._client._failover = False
    return ours


def options_of(server: AgentServer, *, devmode: bool) -> dict[str, Any]:
    """What a server that is about to run runs with, by the names of AgentServer's parameters, and its `agent_name`:
    LiveKit's command line and environment variables have had their say. None for what is not found."""
    names = (
        "ws_url", "agent_name", "drain_timeout", "shutdown_process_timeout", "num_idle_processes", "load_threshold", "port",
    )  # fmt: skip
    return {name: ServerEnvOption.getvalue(getattr(server, f"_{name}", None), devmode) for name in names}


def room_options_of(older: RoomInputOptions | RoomOutputOptions) -> RoomOptions:
    """RoomOptions from what LiveKit had before them, as its own session makes them."""
    pair = (older, NOT_GIVEN) if isinstance(older, RoomInputOptions) else (NOT_GIVEN, older)
    return RoomOptions._create_from_legacy(*pair)


def secret_of(ctx: JobContext) -> str | None:
    """The API secret of the job's server; None where the job has none, as with a token alone."""
    try:
        return getattr(ctx.api.room, "api_secret", None) or None
    except Exception:  # noqa: BLE001 - LiveKit's client says in several ways that it has no credentials
        return None


def on_worker_request(ctx: JobContext, told: Callable[[str], None]) -> None:
    """Calls `told` with the reason as soon as the worker wants the job to end.

    LiveKit itself tells an entrypoint only after 15 s, by cancelling it. The request resolves a future of the job's
    process, which only the closure behind `ctx.shutdown` leads to.
    """
    for cell in getattr(getattr(ctx, "_on_shutdown", None), "__closure__", None) or ():
        future = getattr(cell.cell_contents, "_shutdown_fut", None)
        if isinstance(future, asyncio.Future):
            future.add_done_callback(lambda done: _tell(done, told))
            return


def _tell(done: asyncio.Future[Any], told: Callable[[str], None]) -> None:
    if done.cancelled():
        return
    info = done.result()
    reason = str(getattr(info, "reason", ""))
    if reason not in ("room disconnected", "job crashed") and not getattr(info, "user_initiated", False):
        told(reason)


def isolated_emit(session: AgentSession[Any]) -> Callable[[Any, Any], None]:
    """`session.emit` with each handler on its own. LiveKit re-raises a handler's TypeError into whoever emits: one bad
    handler of the program's would stop those behind it, and a bad `close` handler the close itself."""

    def emit(event: Any, arg: Any) -> None:
        session._recorded_events.append(arg)
        for handler in list(session._events.get(event, ())):
            alone: rtc.EventEmitter[Any] = rtc.EventEmitter()
            alone.on(event, handler)
            try:
                alone.emit(event, arg)
            except TypeError:
                logger.exception("a handler of the session's has failed", extra={"event": event})

    return emit


def ssl_context() -> ssl.SSLContext:
    """Whom LiveKit's own HTTP clients trust: the system's certificates, or certifi's where the system has none."""
    make = getattr(http_context, "_create_ssl_context", ssl.create_default_context)
    return cast("ssl.SSLContext", make())


def own_api(ctx: JobContext) -> tuple[api.LiveKitAPI, aiohttp.ClientSession | None]:
    """A client as `ctx.api` is one, and its HTTP session, for whoever closes it: LiveKit closes the job's own while a call
    may still have to drop its line. Where `ctx.api` is somebody else's, a test's, that one."""
    if getattr(type(ctx), "api", None) is not JobContext.__dict__.get("api"):
        return ctx.api, None
    connector = aiohttp.TCPConnector(ssl=ssl_context())
    session = aiohttp.ClientSession(proxy=ctx.proc.http_proxy, connector=connector)
    return api.LiveKitAPI(session=session), session
