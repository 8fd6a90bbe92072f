"""An agent's job without a worker: LiveKit's own order of a job's life, around an entrypoint as a worker would run it.

The first of `ctx.shutdown`, the room's end, a crash and the worker's request names the reason; the entrypoint gets 15 s
more; then the session is closed, `on_session_end` runs, the room is left, the shutdown callbacks run. That code is
livekit-agents' own (`ipc/job_proc_lazy_main.py`); only the process around it is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, cast

from livekit import api
from livekit.agents import AgentSession, JobContext, JobExecutorType, JobProcess, llm
from livekit.agents.ipc.job_proc_lazy_main import _JobProc, _ShutdownInfo
from livekit.agents.job import JobAcceptArguments, RunningJobInfo
from livekit.protocol import agent as proto_agent
from livekit.protocol import models

from callflow.testing.room import SimulatedRoom
from callflow.testing.server import KEY, SECRET, URL, SimulatedServer

Entrypoint = Callable[[JobContext], Awaitable[Any]]


class SimulatedJobContext(JobContext):
    """A real `JobContext`, in a simulated room. The job's first session speaks and hears in that room."""

    server: SimulatedServer
    by_text = False

    @property
    def api(self) -> api.LiveKitAPI:
        return self.server.api

    @property
    def simulated_room(self) -> SimulatedRoom:
        return cast(SimulatedRoom, self._room)

    def init_recording(self, options: Any) -> None:
        """Called by `AgentSession.start` before it looks for its audio. Nothing is recorded; the audio is attached."""
        if self._primary_agent_session is not None and not self.by_text:
            self.attach(self._primary_agent_session)

    def attach(self, session: AgentSession[Any]) -> None:
        """Give a session the room's simulated audio; what it already has stays."""
        if session.input.audio is None:
            session.input.audio = self.simulated_room.ear
        if session.output.audio is None and (session.tts is not None or session.llm is None or _speaks(session)):
            session.output.audio = self.simulated_room.voice
        self.simulated_room.lend(session)


def _speaks(session: AgentSession[Any]) -> bool:
    return isinstance(session.llm, llm.RealtimeModel)


class SimulatedJob(_JobProc):
    """One job of a worker.

    `entrypoint` is what `@server.rtc_session` decorates, `on_session_end` its hook, `metadata` the job's. `start()`
    runs it in a task; `await ended()` waits for the job's last act and raises what the entrypoint raised; `result` is
    what it returned, `reason` the shutdown reason, `began` and `over` are times on the loop's clock.
    """

    def __init__(
        self,
        server: SimulatedServer,
        entrypoint: Entrypoint,
        *,
        room: str = "room",
        metadata: str = "",
        agent_name: str = "",
        on_session_end: Callable[[JobContext], Awaitable[None]] | None = None,
        session_end_timeout: float = 300.0,
        by_text: bool = False,
    ) -> None:
        super().__init__(
            initialize_process_fnc=lambda _: None,
            job_entrypoint_fnc=self._enter,
            session_end_fnc=on_session_end,
            session_end_timeout=session_end_timeout,
            executor_type=JobExecutorType.THREAD,
        )
        self._server = server
        self._entrypoint = entrypoint
        self._client: Any = _NoWorker()
        self._shutdown_fut: asyncio.Future[_ShutdownInfo] = asyncio.get_running_loop().create_future()
        self.result: Any = None
        self.error: BaseException | None = None
        self.began: float | None = None
        self.over: float | None = None
        identity = f"agent-{server.new_id('AJ')}"
        self.room = SimulatedRoom(server, room, identity)
        self.room.on("disconnected", self._room_ended)
        self.ctx = self._job_ctx = SimulatedJobContext(
            proc=JobProcess(executor_type=JobExecutorType.THREAD, user_arguments=None, http_proxy=None),
            info=_info(server, room, identity, metadata, agent_name, fake=by_text),
            room=self.room,
            on_connect=self._connected,
            on_shutdown=lambda reason: self._asked(reason),  # a closure over the job's process, as LiveKit's own is
            inference_executor=_NoInference(),
        )
        self.ctx.server, self.ctx.by_text = server, by_text
        self._room = self.room

    @property
    def reason(self) -> str | None:
        """Why the job ended: the first reason, later ones are dropped by LiveKit."""
        return self._shutdown_fut.result().reason if self._shutdown_fut.done() else None

    def start(self) -> None:
        """The worker has accepted the job."""
        self.began = self._server.loop.time()
        self._job_task = asyncio.create_task(self._run_job_task(), name="simulated job")
        self._job_task.add_done_callback(self._done)

    def request_shutdown(self, reason: str = "parent process shutdown") -> None:
        """The worker wants the job to end (a deploy whose drain time is over)."""
        self._settle(_ShutdownInfo(user_initiated=False, reason=reason))

    async def ended(self) -> Any:
        """Waits for the end of the job; the entrypoint's result, or its exception."""
        if self._job_task is None:
            raise RuntimeError("start() the job first")
        await asyncio.shield(self._job_task)
        if self.error is not None:
            raise self.error
        return self.result

    async def run(self) -> Any:
        """`start()`, then `ended()`."""
        self.start()
        return await self.ended()

    async def kill(self) -> None:
        """The process is dead: nothing more of it runs, and the server notices after 21 s only."""
        if self._job_task is not None and not self._job_task.done():
            self._job_task.cancel()
            await asyncio.wait([self._job_task])

    async def _enter(self, ctx: JobContext) -> None:
        try:
            self.result = await self._entrypoint(ctx)
        except BaseException as error:
            self.error = error
            raise

    def _done(self, _: asyncio.Task[None]) -> None:
        self.over = self._server.loop.time()

    def _connected(self) -> None:
        self._ctx_connect_called = True

    def _asked(self, reason: str) -> None:
        self._ctx_shutdown_called = True
        self._settle(_ShutdownInfo(user_initiated=True, reason=reason or "user requested"))

    def _room_ended(self, *_: object) -> None:
        self._settle(_ShutdownInfo(user_initiated=False, reason="room disconnected"))

    def _settle(self, info: _ShutdownInfo) -> None:
        with contextlib.suppress(asyncio.InvalidStateError):
            self._shutdown_fut.set_result(info)


class _NoWorker:
    """Where a job's process would report to its worker."""

    async def send(self, _: object) -> None:
        """Nobody listens."""


class _NoInference:
    """LiveKit's local models run in the worker's process: the simulated job has none."""

    async def do_inference(self, method: str, data: bytes) -> bytes | None:
        raise RuntimeError(f"{method}: a simulated job has no inference process; use vad=None and turn_detection 'stt'")


def _info(
    server: SimulatedServer, room: str, identity: str, metadata: str, agent_name: str, *, fake: bool
) -> RunningJobInfo:
    grants = api.VideoGrants(room_join=True, room=room)
    token = api.AccessToken(KEY, SECRET).with_identity(identity).with_kind("agent").with_grants(grants).to_jwt()
    return RunningJobInfo(
        accept_arguments=JobAcceptArguments(identity=identity, name="", metadata=""),
        job=proto_agent.Job(
            id=server.new_id("AJ"),
            dispatch_id=server.new_id("AD"),
            room=models.Room(name=room, sid=server.new_id("RM")),
            type=proto_agent.JobType.JT_ROOM,
            metadata=metadata,
            agent_name=agent_name,
        ),
        url=URL,
        token=token,
        worker_id="simulated",
        fake_job=fake,
    )
