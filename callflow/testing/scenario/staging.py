"""One call of a scenario in a simulated room: who is in it, what is seen of it, and how its time passes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from livekit.agents import Agent, llm

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded, Event
from callflow.core.snapshot import Step
from callflow.errors import BindError, StartError
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.agents import SilentAgent
from callflow.livekit_bindings.verbs import Given
from callflow.runtime.record import CallRecord
from callflow.runtime.running_effect import is_speech
from callflow.scenario.call import Impossible, Unending
from callflow.scenario.later import StillToCome
from callflow.scenario.model import Scenario
from callflow.scenario.playing import Failure, Forbidden
from callflow.scenario.telephones import DETECTION
from callflow.telephony.network import FarEnd
from callflow.testing.caller import Caller
from callflow.testing.models import Part
from callflow.testing.phone import Telephone, act
from callflow.testing.play import Script, Stage, offline_session
from callflow.testing.scenario.fates import Acting, Fate, Fates
from callflow.testing.scenario.happening import Happening
from callflow.testing.scenario.model import DirectedLLM
from callflow.testing.scenario.seen import SeenInARoom
from callflow.testing.scenario.telephones import Telephones
from callflow.testing.server import SimulatedServer

POLL, QUIET = 0.05, 0.3
"""Seconds between two looks at the call; and for how long nothing is under way before a step without a time is taken."""

LEAVES_WITHIN = 3.0
"""Seconds in which a telephone leaves that was transferred."""

CLOSES_WITHIN = 60.0
"""Seconds in which a call that is over writes its record, and what it has left behind ends."""

Over = Callable[[], bool]


class Failed(Exception):
    """What is not as the scenario says."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure


class Staged:
    """One call. `model` and `script` stand for the scenario's own model and far end: what they say and do is theirs."""

    def __init__(
        self,
        scenario: Scenario,
        server: SimulatedServer,
        *,
        model: llm.LLM[Any] | None = None,
        script: Script | None = None,
    ) -> None:
        self.scenario, self.flow = scenario, scenario.flow
        self.loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.later = StillToCome(scenario.steps)
        self.fates = Fates(scenario, self.later)
        self.telephones = Telephones(scenario.flow, self.fates, self._telephone, self.spawn)
        self.model = DirectedLLM(self.fates, self.telephones.verdict, model)
        self._plays: list[tuple[float, float, str]] = []
        self.session = offline_session(llm=self.model)
        acting = Acting(scenario.flow, self.fates, self.telephones, self._given, self._plays)
        self.stage = Stage(
            scenario.flow,
            server,
            phone=self.telephones.network,
            vars=scenario.vars,
            session=self.session,
            watch=self._watch,
            options={
                "telephony": acting.performing(),
                "actions": dict.fromkeys(scenario.flow.python, _stands_in),
                "agents": dict.fromkeys((*scenario.flow.agents, *scenario.flow.tasks), _agent),
            },
        )
        self.stage.telephones.answered = self._picked_up
        self.stage.telephones.greets = True
        self.happening = Happening(self.stage, self.far_end, self._comes_in)
        self._script = script
        self._failures: list[Exception] = []
        self._caller: Caller | None = None
        self._coming = False
        self._ears: list[tuple[str, Caller]] = []
        self._world: Given | None = None
        self._seen: SeenInARoom | None = None
        self._forbidden: Forbidden
        self._over: Over | None = None
        self._met = False
        self._trouble: Failure | Exception | None = None
        self._changed = asyncio.Event()
        self._quiet_since: float | None = None
        self._leaving = 0.0
        self._playing: asyncio.Task[Any]

    # -- from its beginning to its end

    async def begin(self) -> Failure | None:
        """The job is started, and who calls is there. A failure where the call cannot start."""
        if not (self.scenario.waiting or self.flow.outbound):
            self._comes_in()
        self._playing = asyncio.ensure_future(self.stage.play())
        begins = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait({begins, self._playing}, return_when=asyncio.FIRST_COMPLETED)
        begins.cancel()
        if self._playing.done() and self._seen is None:
            error = self._playing.exception() or RuntimeError("the job has ended before the call began")
            if not isinstance(error, StartError | BindError):
                raise error
            return Failure(self.scenario.position, f"the call cannot start: {error}")
        if not (self.scenario.waiting or self.flow.outbound):
            await self.until(lambda: self.seen.leg().status == "on_line", self.loop.time() + CLOSES_WITHIN)
        return None

    async def record(self) -> CallRecord:
        """The record, once it is written; of a call that goes on, as it is now."""
        if self.seen.snapshot.ended:
            await asyncio.wait({self._playing}, timeout=CLOSES_WITHIN)
        return self.stage.record or self.seen.record()

    async def close(self) -> None:
        """Whatever still goes on ends."""
        if not self._playing.done():
            await self.stage.job.kill()
        await asyncio.wait({self._playing}, timeout=CLOSES_WITHIN)
        self._playing.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._playing, *self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- who is there

    def _comes_in(self) -> None:
        """The far end is in the room, or rings there."""
        if self._coming or self.flow.outbound:
            return
        self._coming = True
        identity = self.scenario.call.get("identity")
        if identity is None:
            self.spawn(self._calls_in(str(self.scenario.call.get("number") or "+15550199")))
            return
        self._caller = Caller(self.stage.server, self.stage.room, str(identity))
        self._ears.append((MAIN_LEG, self._caller))
        self._caller.join()
        self._play(self._caller)

    async def _calls_in(self, number: str) -> None:
        self._caller = await self.stage.telephones.call_in(self.stage.room, FarEnd(greeting=""), number=number)

    def far_end(self) -> Caller | None:
        return self._caller if self._caller is not None else self.stage.telephones.legs.get(MAIN_LEG)

    def _telephone(self, leg: str) -> Telephone | None:
        party = self.far_end() if leg == MAIN_LEG else self.stage.telephones.legs.get(leg)
        return party if isinstance(party, Telephone) else None

    async def _picked_up(self, telephone: Telephone) -> None:
        self._ears.append((MAIN_LEG if telephone is self._caller else telephone.name, telephone))
        self.telephones.picked_up(telephone)
        if telephone is self.far_end():
            self._play(telephone)

    def _play(self, far_end: Caller) -> None:
        if self._script is not None:
            self.spawn(act(self._script(far_end), far_end, self._failures))

    def _parties(self) -> Iterator[tuple[str, Caller]]:
        yield from self._ears
        line = self._world.line if self._seen is not None and self._world is not None else None
        for identity, guest in self.happening.guests.items():
            leg = None if line is None else line.legs.get(identity)
            yield identity if leg is None else leg.name, guest

    def _given(self, world: Given) -> None:
        self._world = self.telephones.world = world
        self.model.speeches = world.speeches

    @property
    def can_turn(self) -> bool:
        """Whether an agent with a model has taken over, and talks still."""
        activity = self.session._activity  # noqa: SLF001 - `current_agent` is the next one from the beginning of a handoff on
        here = activity is not None and not isinstance(activity.agent, SilentAgent)
        return here and livekit_internals.is_running(self.session) and self.seen.mute is None

    def turn(self, parts: list[Part]) -> str:
        """The model has a turn of its own accord; LiveKit's id of the speech. Raises RuntimeError where it has none any more."""
        handle = self.session.generate_reply()
        self.model.wanted[handle.id] = parts
        return handle.id

    # -- what is seen

    @property
    def seen(self) -> SeenInARoom:
        assert self._seen is not None  # noqa: S101 - the call has begun
        return self._seen

    def _watch(self, step: Step) -> None:
        """A step was taken."""
        try:
            if self._seen is None:
                self._seen = SeenInARoom(self.flow, step, self.stage.job.room, self._parties)
                self._seen.plays = self._plays
                self._forbidden = Forbidden(self.scenario.never, self._seen)
                self.telephones.seen = self._seen
            elif step.event is not None:
                self._seen.follow(step, step.event.time)
                self._note_what_is_over()
            self._look()
        except Unending as error:
            self._trouble = self._trouble or error
        self._changed.set()

    def _note_what_is_over(self) -> None:
        last = self.seen.taken[-1]
        end = last.step.event
        if isinstance(end, EffectEnded):
            self.later.over(end.id)
        if isinstance(end, EffectEnded) and last.effect is not None:
            verb = verb_of(last.effect.verb)
            if verb.holds_hang_up and verb.result_event(end.result) in verb.success:
                self._leaving = self.loop.time() + LEAVES_WITHIN
        elif isinstance(end, Event) and end.name.endswith(".hangup"):
            self._leaving = 0.0

    def _look(self) -> None:
        seen = self.seen
        seen.look()
        self._trouble = self._trouble or self._forbidden.failure()
        if self._over is not None and not self._met and self._over():
            self._met = True
        if self._busy():
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = self.loop.time()

    def _busy(self) -> bool:
        """Whether something is under way that ends by itself."""
        seen, voice = self.seen, self.stage.job.room.voice
        if seen.snapshot.ended:
            return False
        speaks = voice.speaking or not livekit_internals.is_silent(self.session)
        if self.loop.time() < self._leaving or (speaks and not seen.speech_waits):
            return True
        if "detection" in seen.facts and DETECTION in self.fates.known and self.fates.known[DETECTION].ends_by_itself:
            return True
        effects = seen.snapshot.memory.effects
        return any(one not in self.fates.known or self._goes_on(self.fates.known[one]) for one in effects)

    def _goes_on(self, fate: Fate) -> bool:
        verb = verb_of(fate.start.verb)
        waits = self.telephones.waits(fate) if verb.calls else is_speech(fate.start.verb) and self.seen.speech_waits
        return fate.ends_by_itself and not waits

    # -- time

    async def pass_(self, seconds: float = POLL) -> None:
        """A moment passes, or a step is taken."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._look()
        self._raise_trouble()

    def _raise_trouble(self) -> None:
        if isinstance(self._trouble, Failure):
            raise Failed(self._trouble)
        if self._trouble is not None:
            raise self._trouble
        for failure in self._failures:
            raise failure
        if self._playing.done() and not self.seen.snapshot.ended:
            error = self._playing.exception()
            raise Impossible(f"the call broke off: {error}") from error

    @property
    def quiet_for(self) -> float:
        """For how many seconds nothing has been under way."""
        return 0.0 if self._quiet_since is None else self.loop.time() - self._quiet_since

    async def until(self, over: Over, end: float | None) -> bool:
        """Time passes until it is over, or the loop's clock shows `end`; without one until nothing is under way any more. Then false."""
        self._over, self._met, self._quiet_since = over, False, None
        self._look()
        try:
            while not self._met:
                now = self.loop.time()
                if end is None:
                    if self.quiet_for >= QUIET:
                        return False
                elif now >= end:
                    return False
                await self.pass_(POLL if end is None else min(POLL, end - now))
            return True
        finally:
            self._over = None

    async def settle(self) -> None:
        await self.until(lambda: False, None)

    async def advance(self, until: float) -> None:
        """Until the loop's clock shows this."""
        await self.until(lambda: False, until)

    def at(self, elapsed: float) -> float:
        """The loop's time so many seconds after the start of the call."""
        return self.loop.time() + elapsed - (time.time() - self.seen.began)


def _stands_in(**_arguments: Any) -> None:
    """What the program supplies is asked of the scenario instead."""


def _agent() -> Agent:
    return Agent(instructions="")
