"""The agent's side of the shipped scenario files, in a real job: the flow, a session that speaks in tones, and a model that does what the
scenario says. What telephones do is theirs: see `tests.e2e.phone.score`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from attrs import define, evolve, frozen
from livekit import api
from livekit.agents import Agent, AgentSession, CloseReason, JobContext

from callflow.core.events import MAIN_LEG
from callflow.core.snapshot import Start, Step
from callflow.livekit_bindings import bind, livekit_internals
from callflow.livekit_bindings.verbs import Given, Perform
from callflow.scenario import load
from callflow.scenario.call import Seen
from callflow.scenario.expectations import unmet
from callflow.scenario.later import StillToCome
from callflow.scenario.model import Ending
from callflow.scenario.watching import Since
from callflow.testing.environment import environment
from callflow.testing.models import Part, Pause, ToneSTT, ToneTTS, Tool
from callflow.testing.scenario.fates import Acting, Fate, Fates
from callflow.testing.scenario.model import DirectedLLM
from tests.e2e.agent import Job
from tests.e2e.phone.score import VOICE, Cue, cues, endings, to_its_end, verdicts

LOOKS = 0.05
"""Seconds between two looks at the session."""

LATER = 0.5
"""Seconds by which the model's turn comes later than on the pure core."""


class SeenHere(Seen):
    """Times are those of a real server."""

    tolerance = 8.0


class Scored(Fates):
    """What is asked outside ends as it does on the pure core; all else as it does by itself."""

    score: Mapping[int, Mapping[str, Any]]

    def of(self, start: Start) -> Fate:
        if start.id in self.score and start.id not in self.known:
            self.known[start.id] = Fate(start, Ending(**self.score[start.id]), claimed=False)
        return super().of(start)


@frozen
class Network:
    """Whom a call is for: telephones of the network of the test, by leg."""

    telephones: Mapping[str, Mapping[str, str]]

    async def carry_out(self, real: Perform, world: Given, fate: Fate) -> Mapping[str, Any]:
        start = fate.start
        there = (
            self.telephones.get(str(start.arguments.get("leg") or MAIN_LEG), {}) if "trunk" in start.arguments else {}
        )
        return await real(world, start._replace(arguments={**start.arguments, **there}))


async def play(job: Job) -> None:
    """`file` and `name` of the scenario; `telephones`, by leg, each with its number (`to`) and its `trunk`."""
    wanted = job.arguments
    [scenario] = [one for one in load(wanted["file"]) if one.name == wanted["name"]]
    score = to_its_end(scenario)
    fates = Scored(scenario, StillToCome(()))
    fates.score = endings(score)
    looks = iter(verdicts(score))

    async def verdict() -> Sequence[Part]:
        who = next(looks, "uncertain")
        return [Pause(600.0)] if who == "uncertain" else [Tool("save_prediction", {"label": who})]

    model = DirectedLLM(fates, verdict)
    session: AgentSession[Any] = AgentSession(
        llm=model, tts=ToneTTS(440), stt=ToneSTT({VOICE: "yes"}), vad=None,
        turn_handling={"turn_detection": "stt"}, aec_warmup_duration=None,
    )  # fmt: skip

    def began(world: Given) -> None:
        model.speeches = world.speeches

    acting = Acting(scenario.flow, fates, Network(wanted["telephones"]), began, [])
    with environment(scenario.env, without=scenario.flow.env):
        call = bind(
            scenario.flow, job.ctx, session, None,
            vars=scenario.vars, telephony=acting.performing(), journal=job.notes.path.parent / "journal",
            actions=dict.fromkeys(scenario.flow.python, _stands_in),
            agents=dict.fromkeys((*scenario.flow.agents, *scenario.flow.tasks), _agent),
        )  # fmt: skip
        seen: list[Seen] = []
        beside = Beside(job.ctx, session, model)
        director = asyncio.create_task(_direct(call, call.steps(), beside, cues(score), seen))
        try:
            record = await call.run()
        finally:
            await asyncio.sleep(0.1)
            director.cancel()
            await asyncio.wait({director})
        if not director.cancelled() and director.exception() is not None:
            job.notes.write("director", error=repr(director.exception()))
    job.notes.write("record", **record.to_json())
    job.notes.write("states", states=seen[0].states())
    expected = scenario.expect
    missing = [] if expected is None else unmet(evolve(expected, heard=None), seen[0], Since())
    job.notes.write("unmet", unmet=[list(one[:3]) for one in missing])


@define(eq=False)
class Beside:
    """Whatever happens beside the agent and its telephones: the room is deleted, the session closes, the model speaks
    by itself."""

    ctx: JobContext
    session: AgentSession[Any]
    model: DirectedLLM

    async def bring(self, name: str, data: Mapping[str, Any]) -> None:
        if name == "room.disconnected":
            async with api.LiveKitAPI() as lk:  # its own: the call's is watched, and this is nobody's in the call
                await lk.room.delete_room(api.DeleteRoomRequest(room=self.ctx.room.name))
        elif name == "session.close":
            self.session._close_soon(reason=CloseReason.ERROR)
        else:
            self.model.wanted[self.session.generate_reply().id] = [str(data["text"])]


async def _direct(call: Any, steps: AsyncIterator[Step], beside: Beside, each: list[Cue], seen: list[Seen]) -> None:
    """Follows the call, and has the model call its tools, and other things happen, when it is time."""
    changes, here = asyncio.Event(), [0]

    async def cue_by_cue() -> None:
        for cue in each:
            while here[0] < cue.nth or seen[0].snapshot.configuration != cue.configuration:
                changes.clear()
                await changes.wait()
            await asyncio.sleep(cue.seconds + LATER)
            if not cue.over:
                await _silent(beside.session)
            for number, (name, data) in enumerate(cue.events):
                if not name.startswith("tool."):
                    await beside.bring(name, data)
                    continue
                tool, offered = name.removeprefix("tool."), seen[0].snapshot.configuration
                turn = asyncio.ensure_future(
                    call.tool_called(tool, data, id=f"{tool}_{here[0]}_{number}", offered_in=offered)
                )
                turn.add_done_callback(lambda done: done.cancelled() or done.exception())

    work: asyncio.Task[None] | None = None
    try:
        async for step in steps:
            if not seen:
                seen.append(SeenHere(call.flow, step, step.snapshot.memory.started))
                work = asyncio.create_task(cue_by_cue())
                continue
            before = seen[0].snapshot.configuration
            if step.event is not None:
                seen[0].follow(step, step.event.time)
            here[0] += step.snapshot.configuration != before
            changes.set()
    finally:
        if work is not None:
            work.cancel()


async def _silent(session: AgentSession[Any]) -> None:
    """Until nothing is said any more."""
    while not livekit_internals.is_silent(session):  # noqa: ASYNC110 - LiveKit tells no event of it
        await asyncio.sleep(LOOKS)


def _stands_in(**_arguments: Any) -> None:
    """What the program supplies is asked of the scenario instead."""


def _agent() -> Agent:
    return Agent(instructions="")
