"""A call by text alone, for the assertions that livekit-agents has for conversations: `session.run(…)`, `result.expect`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from livekit.agents import Agent, AgentSession, JobContext, llm

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG
from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.livekit_bindings import bind
from callflow.runtime.call import Call
from callflow.testing.fakes import Fakes, Said
from callflow.testing.job import SimulatedJob
from callflow.testing.server import SimulatedServer
from callflow.testing.spelling import SpelledTTS
from callflow.verify.loading import load

ENDS_WITHIN = 60.0
"""Seconds in which a call that says goodbye ends by itself."""


class TextCall(NamedTuple):
    """The session to talk to, and the call that a flow runs with it: `call.snapshot.configuration` are its active states."""

    session: AgentSession[Any]
    call: Call


@asynccontextmanager
async def text_call(
    flow: Flow | str | os.PathLike[str],
    *,
    llm: llm.LLM[Any],
    agent: Agent | None = None,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 - the language's own word
    http: Mapping[str, Said] | None = None,
    fakes: Mapping[str, Said] | None = None,
    **options: Any,
) -> AsyncIterator[TextCall]:
    """A call of a flow, or of a flow's file, by text: `async with text_call(flow, llm=model) as (session, call)`.

    The far end is there, and what is said takes no time, since nobody speaks it; so it is on any event loop, and with any model. It
    begins once what the flow says by itself at first has been said; where it has not ended by the end of the block the caller hangs up. `http` and
    `fakes` are as for `Stage`, `options` as for `callflow.bind`.

    Raises FlowFileError, and BindError where the flow does not fit.
    """
    found = flow if isinstance(flow, Flow) else load(flow)
    faked = Fakes(http, fakes or {})
    bound: asyncio.Future[TextCall] = asyncio.get_running_loop().create_future()

    async def entrypoint(ctx: JobContext) -> None:
        session: AgentSession[Any] = AgentSession(llm=llm, tts=SpelledTTS())  # which nobody hears
        telephony = {**faked.performing(), **(options.get("telephony") or {})}
        call = bind(found, ctx, session, agent, vars=vars, **{**options, "telephony": telephony})
        begun = asyncio.ensure_future(_begun(call.steps()))
        begun.add_done_callback(lambda _: bound.set_result(TextCall(session, call)))
        try:
            await call.run()
        finally:
            await asyncio.wait({begun})

    async with SimulatedServer() as server:
        job = SimulatedJob(server, entrypoint, room="text", by_text=True)
        job.start()
        ended = asyncio.ensure_future(job.ended())
        try:
            await asyncio.wait({bound, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not bound.done():
                await ended  # it raises
            yield bound.result()
        finally:
            if bound.done() and found.ending in bound.result().call.snapshot.configuration:
                await asyncio.wait({ended}, timeout=ENDS_WITHIN)
            job.request_shutdown()
            await asyncio.wait({ended})
        ended.result()
        if faked.failures:
            raise faked.failures[0]


async def _begun(steps: AsyncIterator[Step]) -> None:
    """Returns once the far end is there, and what the flow says at first has been said; or the call is over."""
    async for step in steps:
        memory = step.snapshot.memory
        leg = memory.legs.get(MAIN_LEG)
        speaks = any(verb_of(one.verb).speech for one in memory.effects.values())
        if leg is not None and leg.status != "absent" and not speaks:
            return
