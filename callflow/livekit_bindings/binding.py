"""A flow and a program's own session become a call: `bind`, or `run`, which is bind and run."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import math
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from livekit import api
from livekit.agents import NOT_GIVEN, Agent, AgentSession, JobContext
from livekit.agents.voice.room_io import RoomInputOptions, RoomOptions, RoomOutputOptions

from callflow.core.flow import Flow
from callflow.errors import BindError
from callflow.livekit_bindings import compatibility
from callflow.livekit_bindings.hooks import run_hooks
from callflow.livekit_bindings.job import facts_of
from callflow.livekit_bindings.ownership import OWNED, is_owned
from callflow.livekit_bindings.verbs import Perform
from callflow.livekit_bindings.world import OPTIONS, LiveKitWorld
from callflow.runtime.call import Call
from callflow.runtime.ending import amend
from callflow.runtime.record import CallRecord
from callflow.runtime.shutdown import WORKER_SECONDS

logger = logging.getLogger("callflow")

P = ParamSpec("P")
R = TypeVar("R")

importlib.import_module("callflow.core.machine")  # takes its time: better now than in the first call

LAST_SECONDS = 5.0
"""To drop the line of a call that could not even begin."""


_HOW = {"flow": ": callflow.load(…) makes one from a file"}


class LiveKitCall(Call):
    """A call in a LiveKit job. Its hooks run once it is over, before `run` returns: `alarms` where its line may stand, then
    `on_end`."""

    __slots__ = ("_alarms", "_clearing", "_hooks", "_hooks_task", "_surroundings")

    def __init__(
        self,
        flow: Flow,
        world: LiveKitWorld,
        on_end: Iterable[Callable[..., Any]],
        alarms: Iterable[Callable[..., Any]],
        **options: Any,
    ) -> None:
        super().__init__(flow, world, **options)
        self._hooks, self._alarms = tuple(on_end), tuple(alarms)
        self._hooks_task: asyncio.Task[None] | None = None
        self._surroundings = world
        self._clearing: asyncio.Task[None] | None = None

    async def run(self) -> CallRecord:
        if not self.begun and is_owned(self._surroundings.ctx):
            raise BindError([OWNED])
        try:
            record = await super().run()
        finally:
            if self.record is not None:  # else what runs in the call itself waits no longer for its end
                await self._after()
        return self.record or record

    async def _after(self) -> None:
        await self._clear()
        record = self.record
        if record is None:
            return
        if self._hooks_task is None:
            self._hooks_task = asyncio.ensure_future(self._run_hooks(record))
        await asyncio.shield(self._hooks_task)

    async def _run_hooks(self, record: CallRecord) -> None:
        if record.line != "dropped" and not self._surroundings.left:
            extra = {"call": record.call, "room": record.room, "line": record.line, "notes": list(record.notes)}
            logger.error("somebody may be on the line of a call that is over", extra=extra)
            await run_hooks("on_line_stands", self._alarms, record)
        await run_hooks("on_end", self._hooks, record)

    async def _clear(self) -> None:
        """No telephone that should have stopped rings on when this is over, and nothing records."""
        if self._clearing is None:
            self._clearing = asyncio.ensure_future(self._clear_up())
        await asyncio.shield(self._clearing)

    async def _clear_up(self) -> None:
        for sentence in await self._surroundings.clear():
            await amend(self, sentence)


def bind(
    flow: Flow,
    ctx: JobContext,
    session: AgentSession[Any],
    agent: Agent | None = None,
    *,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the word of the language
    room_options: RoomOptions | RoomInputOptions | RoomOutputOptions | None = None,
    record: Any = NOT_GIVEN,
    actions: Mapping[str, Callable[..., Any]] | None = None,
    agents: Mapping[str, Any] | None = None,
    on_end: Iterable[Callable[..., Any]] = (),
    on_line_stands: Callable[..., Any] | None = None,
    journal: str | Path | None = None,
    key: bytes | None = None,
    worker_seconds: float = WORKER_SECONDS,
    telephony: Mapping[str, Perform] | None = None,
) -> Call:
    """A call that is ready to run: `await call.run()`.

    - `session`: a new AgentSession; the call starts it, in the job's room, and closes it.
    - `agent`: who speaks; an Agent with the flow's `agent.instructions` unless given. It takes over when the far end is
      on the line.
    - `vars`: the flow's variables; unless given, what the JSON object in the job's metadata has of them. Its other keys are
      ignored, and noted.
    - `room_options`: used as given, except that LiveKit's own closing of the session and the room is switched off; also the
      older RoomInputOptions or RoomOutputOptions.
    - `record`: what LiveKit records, as for `session.start`.
    - `actions`: Python functions for the flow's `python:`, by name; those that are not coroutine functions run in a
      thread.
    - `agents`: for `update_agent` an Agent, its class or a function that makes one, for `task:` an AgentTask class.
    - `on_end`: called with the CallRecord once it is written (or with nothing, if it takes nothing), each for 10 s at
      most; one that fails is logged.
    - `on_line_stands`: an alarm, called with the CallRecord in the same way where `record.line` is `stands` or `unknown`:
      somebody may be in silence on the line of a call that is over. Not where the flow has left them to each other.
    - `journal`: the folder for the journal and the record of this call; nothing is written unless given.
    - `key`: makes the digests of private values comparable between calls.
    - `worker_seconds`: what the call may take to end when its worker closes; keep it under the server's
      `shutdown_process_timeout`.
    - `telephony`: what carries out verbs in place of callflow's own, by name: each a coroutine function of the world and
      the effect.

    Raises BindError, which lists everything that is missing or does not fit.
    """
    actions, agents = actions or {}, agents or {}
    own = agent is None  # then the flow says who the agent is
    agent = Agent(instructions="") if agent is None else agent
    _check_kinds(flow, session, agent, room_options)
    values, wrong, notes = compatibility.variables(flow, ctx, vars)
    env = {name: os.environ[name] for name in flow.env if name in os.environ}
    wrong += compatibility.problems(flow, session, agent, vars=values, env=env, actions=actions, agents=agents)
    budget: Any = worker_seconds
    if not (isinstance(budget, (int, float)) and 0 < budget < math.inf):
        wrong.append(f"worker_seconds is what a call may take to end, in seconds above 0, not {worker_seconds!r:.80}")
    if is_owned(ctx):
        wrong.append(OWNED)
    if wrong:
        raise BindError(wrong)
    world = LiveKitWorld(
        flow,
        ctx,
        session,
        agent,
        instructed=own,
        actions=actions,
        agents=agents,
        room_options=room_options,
        record=record,
        telephony=telephony,
    )
    for sentence in notes:
        world.note(sentence)
    direction = "outbound" if flow.outbound else "inbound"
    facts = {"direction": direction, "room": world.room_name, **facts_of(ctx)}
    return LiveKitCall(
        flow,
        world,
        on_end,
        () if on_line_stands is None else (on_line_stands,),
        id=ctx.job.id,
        vars=values,
        env=env,
        facts=facts,
        folder=journal,
        key=key,
        worker_seconds=worker_seconds,
    )


def _check_kinds(flow: object, session: object, agent: object, room_options: object) -> None:
    """Raises BindError for what is of another kind than `bind` takes."""
    taken: list[tuple[str, Any, type]] = [
        ("flow", flow, Flow),
        ("session", session, AgentSession),
        ("agent", agent, Agent),
    ]
    for what, given, kind in taken:
        if not isinstance(given, kind):
            found = f"{given.__name__} itself" if isinstance(given, type) else f"{given!r:.80}"
            raise BindError([f"{what} takes an instance of {kind.__name__}, not {found}{_HOW.get(what, '')}"])
    if room_options is not None and not isinstance(room_options, OPTIONS):
        raise BindError([f"room_options takes an instance of RoomOptions, not {room_options!r:.80}"])


def _takes_what(other: Callable[P, Any]) -> Callable[[Callable[..., R]], Callable[P, R]]:
    """The parameters of `other` for a function that only passes them on: to type checkers and to `help`."""

    def give(function: Callable[..., R]) -> Callable[P, R]:
        returns = inspect.signature(function).return_annotation
        function.__signature__ = inspect.signature(other).replace(return_annotation=returns)  # type: ignore[attr-defined]
        return function

    return give


@_takes_what(bind)
async def run(flow: Flow, ctx: JobContext, *rest: Any, **options: Any) -> CallRecord:
    """Binds and runs a call, from the connection to the room to the end of the job. Takes what `bind` takes.

    Returns the record, with the session closed, the line dropped or left as the flow says, and the job told to end.
    Raises BindError where the flow does not fit the program: the line is dropped then too, and the job ends, unless
    another call runs in it.
    """
    try:
        call = bind(flow, ctx, *rest, **options)
    except Exception:
        if not is_owned(ctx):
            await _end_job(ctx)
        raise
    return await call.run()


async def _end_job(ctx: JobContext) -> None:
    """Nobody waits in silence for a call that cannot begin."""
    if not ctx.is_fake_job():
        request = api.DeleteRoomRequest(room=ctx.room.name or ctx.job.room.name)
        try:
            await asyncio.wait_for(ctx.api.room.delete_room(request), LAST_SECONDS)
        except Exception:
            logger.warning("the room of a call that could not begin was not deleted", exc_info=True)
    ctx.shutdown("failed")
