"""One whole call of a flow, from the job's start to its end, with a scripted model, a scripted caller and a real session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from attrs import define, field
from livekit.agents import Agent, AgentSession, JobContext

from callflow.core.events import MAIN_LEG
from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.livekit_bindings import bind
from callflow.livekit_bindings.compatibility import detects
from callflow.runtime.call import Call
from callflow.runtime.record import CallRecord
from callflow.scenario.clock import moment
from callflow.telephony.network import FarEnd, PhoneNetwork
from callflow.testing.caller import Caller
from callflow.testing.environment import environment
from callflow.testing.fakes import Asked, Fakes, Said
from callflow.testing.job import SimulatedJob
from callflow.testing.models import ScriptedLLM, Turn
from callflow.testing.phone import SimulatedPhone, Telephone, act
from callflow.testing.server import SimulatedServer
from callflow.testing.spelling import SpelledSTT, SpelledTTS
from callflow.testing.virtual_time import VirtualTimeLoop
from callflow.verify.loading import load

Script = Callable[[Caller], Awaitable[None]]
"""What a caller does, from the moment at which they are on the line."""


def offline_session(model: Sequence[Turn] = (), **options: Any) -> AgentSession[Any]:
    """A real session that speaks and hears by spelling, and whose model says these turns."""
    models: dict[str, Any] = {"llm": ScriptedLLM(model), "stt": SpelledSTT(), "tts": SpelledTTS()}
    # LiveKit's VAD hears only voices, and its echo warm-up would let the STT hear nothing for 3 s.
    plain: dict[str, Any] = {"vad": None, "turn_handling": {"turn_detection": "stt"}, "aec_warmup_duration": None}
    return AgentSession(**{**models, **plain, **options})


@define(eq=False)
class Stage:
    """One call of a flow: what it needs, and, once it is over, what became of it.

    `model` are the model's turns, `caller` what the far end does: whoever joins the room, or, where the flow dials,
    whoever is dialled; `phone` is the telephone network, where nobody has a number unless set. `calls_in`: the caller comes
    by telephone. `caller=None`: nobody comes, or says anything. `agent` and `options` are as for `callflow.bind`. `watch`
    is called with each step. `session` replaces the offline one, whose model knows who has answered a dial, and to which
    telephones say their greeting where the flow wants to know. `http` holds the answers of the services that the flow asks,
    by their addresses, `fakes` the results of any other verb: see `callflow.testing.fakes`.

    Afterwards `record`, `steps`, `call`, `job`, `faked` (the requests, and the verbs that were faked), `far_end` (the caller, or the main leg's telephone) and `telephones` (all of them, by leg) tell of it.
    """

    flow: Flow
    server: SimulatedServer
    model: Sequence[Turn] = ()
    caller: Script | None = None
    phone: PhoneNetwork | None = None
    calls_in: FarEnd | None = None
    agent: Agent | None = None
    vars: Mapping[str, Any] | None = None
    room: str = "call"
    session: AgentSession[Any] | None = None
    watch: Callable[[Step], None] | None = None
    on_session_end: Callable[[JobContext], Awaitable[None]] | None = None
    options: Mapping[str, Any] = field(factory=dict)
    journal: Path | None = None
    http: Mapping[str, Said] | Callable[[Asked], Said] | None = None
    fakes: Mapping[str, Said] = field(factory=dict)

    record: CallRecord | None = field(default=None, init=False)
    steps: list[Step] = field(factory=list, init=False)
    faked: Fakes = field(init=False)
    call: Call = field(init=False)
    job: SimulatedJob = field(init=False)
    far_end: Caller | None = field(default=None, init=False)
    telephones: SimulatedPhone = field(init=False)
    _llm: ScriptedLLM = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(factory=list, init=False)
    _failures: list[Exception] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        greets = self.session is None and detects(self.flow)
        network = self.phone or PhoneNetwork()
        self.telephones = SimulatedPhone(self.server, network, self._answered, self.room, greets=greets)
        self.faked = Fakes(self.http, self.fakes)
        model = self.session.llm if self.session is not None else None
        self._llm = model if isinstance(model, ScriptedLLM) else ScriptedLLM(self.model, who=self.telephones.who)
        self.job = SimulatedJob(self.server, self._entrypoint, room=self.room, on_session_end=self.on_session_end)

    async def play(self) -> CallRecord:
        """The whole of it: the job is started, the caller comes, and the job ends; the record.

        Raises what a script raised: the caller's, a telephone's, the model's, `watch`, a fake. Whoever's script raises hangs
        up. A request that nothing in `http` answers is a LookupError.
        """
        if self.calls_in is not None:
            self.far_end = await self.telephones.call_in(self.room, self.calls_in)
        elif not self.flow.outbound and self.caller is not None:
            self.far_end = Caller(self.server, self.room)
            self.far_end.join()
            self._begin(act(self.caller(self.far_end), self.far_end, self._failures))
        try:
            await self.job.run()
        finally:
            await self.telephones.close()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
        self._raise_what_a_script_raised()
        if self.record is None:
            raise RuntimeError("the job has ended, and the call in it has left no record")
        return self.record

    def _raise_what_a_script_raised(self) -> None:
        failures = [*self._failures, *self.telephones.failures, *self._llm.failures, *self.faked.failures]
        for other in failures[1:]:
            failures[0].add_note(f"and {type(other).__name__}: {other}")
        if failures:
            raise failures[0]

    @property
    def heard(self) -> str:
        """What the far end heard, one line for each speech."""
        return self.far_end.heard_text if self.far_end is not None else ""

    @property
    def trace(self) -> list[str]:
        """The states entered, in order."""
        return [state for step in self.steps for state in step.entered if state]

    async def _entrypoint(self, ctx: JobContext) -> None:
        session = self.session or offline_session(llm=self._llm)
        options: dict[str, Any] = {"journal": self.journal, "vars": self.vars, **self.options}
        options["telephony"] = {**self.faked.performing(), **(options.get("telephony") or {})}
        self.call = bind(self.flow, ctx, session, self.agent, **options)
        self._begin(self._follow(self.call.steps()))
        try:
            self.record = await self.call.run()
        finally:
            self.far_end = self.telephones.legs.get("far_end", self.far_end)

    async def _answered(self, telephone: Telephone) -> None:
        if self.far_end is None or telephone.name == MAIN_LEG:  # not whom a `consult` calls
            self.far_end = telephone
        if self.far_end is telephone and self.caller is not None:
            await self.caller(telephone)

    async def _follow(self, steps: AsyncIterator[Step]) -> None:
        async for step in steps:
            self.steps.append(step)
            try:
                if self.watch is not None:
                    self.watch(step)
            except Exception as error:  # noqa: BLE001 - whatever it is, `play` raises it
                self._failures.append(error)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))


def played(
    flow: Flow | str | PathLike[str], *, at: str | None = None, env: Mapping[str, str] | None = None, **stage: Any
) -> Stage:
    """One whole call, in virtual time, from code in which no event loop runs; the `Stage` as it is then. The flow, or its file;
    `at` is when the call begins, as in a scenario: `2026-11-27 18:30 Europe/Berlin`; `env` are environment variables of the
    flow; all else is as for `Stage`.

    Raises what `Stage.play` raises, FlowFileError, and ValueError for an `at` that is no time.
    """
    found = flow if isinstance(flow, Flow) else load(flow)
    epoch = None if at is None else moment(at)

    async def play() -> Stage:
        async with SimulatedServer(epoch=epoch) as server:
            call = Stage(found, server, **stage)
            await call.play()
            return call

    with environment(env or {}), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(play())


async def silent(_: Caller) -> None:
    """A caller who is there and says nothing."""


def talks(*turns: str, then_leaves: bool = False) -> Script:
    """A caller who lets the agent finish, says the next of these turns, and so on; and stays, or hangs up."""

    async def script(caller: Caller) -> None:
        for turn in turns:
            await caller.hear()
            if not caller.on_line:
                return
            await caller.say(turn)
        if then_leaves:
            await asyncio.sleep(0.5)
            caller.hang_up()

    return script


def hangs_up(*, after: float) -> Script:
    """A caller who hangs up `after` seconds, whatever is being said."""

    async def script(caller: Caller) -> None:
        await asyncio.sleep(after)
        caller.hang_up()

    return script
