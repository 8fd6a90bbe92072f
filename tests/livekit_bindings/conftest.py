"""Real sessions, in a simulated room, under a flow: on virtual time, to the letter."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from textwrap import dedent

import pytest
from livekit.agents import Agent, AgentSession
from livekit.agents.testing import fake_job_context

import callflow
from callflow.testing import Caller, ScriptedLLM, SimulatedJob, SimulatedServer, SpelledSTT, SpelledTTS


@pytest.fixture
async def server():
    async with SimulatedServer() as server:
        yield server


@contextmanager
def console_job(**options):
    """A fake job, as `console` gives one; its folder is put away."""
    with fake_job_context(**options) as ctx:
        try:
            yield ctx
        finally:
            ctx._tempdir.cleanup()


class Stage:
    """One call: `await stage.play(flow, turns)` puts it on; then `record` and `caller` tell how it went."""

    def __init__(self, server):
        self.server = server
        self.caller = Caller(server, "room")
        self.job = None
        self.call = None
        self.session = None
        self.llm = None
        self.options = {}
        self.on_session_end = None

    def flow(self, text):
        return callflow.loads(dedent(text))

    def begin(
        self,
        flow,
        turns=(),
        *,
        agent=None,
        joins=True,
        metadata="",
        session=None,
        tools=(),
        userdata=None,
        bare=False,
        **options,
    ):
        """The worker has a job; the caller is there, unless `joins` is False."""
        flow = self.flow(flow) if isinstance(flow, str) else flow
        self.llm = ScriptedLLM(turns)
        if session is None:
            session = self.new_session(tools=list(tools), **({} if userdata is None else {"userdata": userdata}))
        self.session = session() if callable(session) else session

        async def entrypoint(ctx):
            own = None if bare else agent or Agent(instructions="Be brief.")
            self.call = callflow.bind(flow, ctx, self.session, own, **options)
            return await self.call.run()

        self.job = SimulatedJob(
            self.server, entrypoint, room="room", metadata=metadata, on_session_end=self.on_session_end
        )
        if joins:
            self.caller.join()
        self.job.start()

    def new_session(self, **options):
        return AgentSession(
            **{
                "llm": self.llm,
                "stt": SpelledSTT(),
                "tts": SpelledTTS(),
                "vad": None,
                "turn_handling": {"turn_detection": "stt"},
                "aec_warmup_duration": None,
                **options,
            }
        )

    async def ended(self):
        return await self.job.ended()

    async def call_ended(self):
        """The call's record, when the job may still have its own things to do."""
        return await self.call.run()

    async def call_ended_within(self, seconds):
        await asyncio.sleep(0.1)
        return await asyncio.wait_for(self.call_ended(), seconds)

    async def play(self, flow, turns=(), **options):
        self.begin(flow, turns, **options)
        return await self.ended()

    @property
    def heard(self):
        return self.caller.heard_text


@pytest.fixture
async def stage(server):
    stage = Stage(server)
    yield stage
    if stage.job is not None and stage.job.over is None:
        await stage.job.kill()
    await asyncio.sleep(0)
