"""consult: a warm transfer in one room. The caller is on hold, a human is called and briefed in private, and the two talk
once the human has accepted; in every other case the human's leg is gone, and the caller is back with the agent.

Nothing of it needs LiveKit Cloud: who hears whom is set track by track.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, Literal, Protocol

from callflow.core.autoforward import answers
from callflow.core.events import MAIN_LEG, Event
from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.farewells import Farewells
from callflow.livekit_bindings.legs import Leg
from callflow.livekit_bindings.private_speech import TAIL, all_is_said, speech_only_for
from callflow.livekit_bindings.removal import settled
from callflow.livekit_bindings.subscriptions import Rule, Track
from callflow.livekit_bindings.verbs import dialing, holding, speech

Decision = Literal["accepted", "declined", "no_answer", "failed"]

RESERVE = 1.5
"""Seconds of the action's time in which the human's leg is taken off the line, when nobody has decided."""

FLOW_FIRST = 0.05
"""Seconds in which a flow that hears of the caller's hang-up leaves the state, and with it what it has to say to the human
is known."""

OF_A_DIAL: Mapping[str, Decision] = {
    "busy": "declined",
    "declined": "declined",
    "no_answer": "no_answer",
    "invalid": "failed",
    "failed": "failed",
}
"""What the result of the human's dial is for a consult."""


class Given(dialing.Given, holding.Given, speech.Given, Protocol):
    """What a consultation is given."""

    @property
    def farewells(self) -> Farewells: ...

    def forwarded(self, effect: int) -> asyncio.Queue[Event]: ...


async def consult(world: Given, effect: Start) -> Mapping[str, Any]:
    """The fields of one `consult.*`. Cancelled, or when the caller leaves, the human's leg is gone before this returns,
    for 4 s at most, unless the flow goes on with a word to them. Raises EffectError where the briefing cannot be spoken, or somebody may hear what is not for them."""
    one = Consultation(world, effect)
    caller = world.line.leg(MAIN_LEG)
    if caller is None or not caller.on_line:
        return one.result("failed", "caller_gone", error="the far end is not on the line")
    connected = False
    try:
        async with one.apart(caller):
            result = await _unless_gone(world, caller, one.run())
            if result is None:
                result = one.result("failed", "caller_gone", error="the far end has hung up")
        if result["result"] == "accepted":
            await world.subscriptions.settled()
            connected = True
        return result
    finally:
        if not connected:  # also one who had just accepted
            await one.drop_human()


async def _unless_gone(
    world: Given, leg: Leg, work: Coroutine[Any, Any, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The result of `work`, which is cancelled, its clearing up included, when this leg leaves: None."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(world.line.gone(leg))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await asyncio.sleep(FLOW_FIRST)
        return working.result() if working.done() and not leaving.done() else None
    finally:
        for task in (leaving, working):
            task.cancel()
        await asyncio.gather(leaving, working, return_exceptions=True)


class Consultation:
    """One of them. `arguments` are those of the action."""

    def __init__(self, world: Given, effect: Start) -> None:
        self._world = world
        self._effect = effect
        self._arguments = effect.arguments
        self._name = str(effect.arguments.get("leg") or "human")
        self._began = world.call.loop.time()
        self._accepting = answers(self._name, effect.arguments.get("accept") or {})
        self._by_model = False  # the decision: with words of its own to the human, which are not cut
        self._cut = False  # the briefing was
        self._apart: list[Rule] = []  # keeps a human apart who is not wanted on the line
        self._human: Leg | None = None  # once they have picked up

    async def _decides(self) -> Decision:
        """What the first answer says that the step forwards."""
        event = await self._world.forwarded(self._effect.id).get()
        self._by_model = event.name.startswith("tool.")
        return "accepted" if event.name in self._accepting else "declined"

    def result(self, what: Decision, cause: str, **more: Any) -> Mapping[str, Any]:
        elapsed = self._world.call.loop.time() - self._began
        to = self._arguments["to"]
        return {"result": what, "leg": self._name, "to": to, "cause": cause, "elapsed": elapsed, **more}

    @contextlib.asynccontextmanager
    async def apart(self, caller: Leg) -> AsyncIterator[None]:
        """The caller is on hold, the human hears the agent alone, and the agent hears the human."""
        world, music = self._world, holding.sound_of(self._world, self._arguments.get("music"))
        held = MAIN_LEG in world.holds
        await all_is_said(world)
        rules = [world.subscriptions.add(rule) for rule in (speech_only_for(world, self._name), self._private)]
        try:
            if not held or music is not None:
                await holding.put(world, MAIN_LEG, music)
            await world.subscriptions.settled()
            yield
        finally:
            try:
                if self._human is not None and not livekit_internals.is_silent(world.session):
                    livekit_internals.silence_now(world.session)  # what is being said to the human is for nobody else
                    self._cut = True
                if self._cut:
                    await asyncio.sleep(TAIL)  # nor is the last of it
            finally:
                for rule in rules:
                    world.subscriptions.remove(rule)
                holding.release(world, MAIN_LEG)
                world.linked.turn_to(caller.identity)

    async def run(self) -> Mapping[str, Any]:
        """Calls the human, and waits for the decision. Whoever has not accepted is off the line when this ends."""
        world, total = self._world, self._effect.timeout
        ring = float(self._arguments["ringing_timeout"])
        until = None if total is None else self._began + max(total - RESERVE, 0.5 * total)
        if until is not None:
            ring = max(min(ring, until - world.call.loop.time()), 0.1)
        dialled = await dialing.call_leg(world, self._name, {**self._arguments, "ringing_timeout": ring})
        human = world.line.leg(self._name)
        if dialled["result"] != "answered" or human is None:
            told = {name: dialled.get(name) for name in ("sip_status_code", "sip_status", "error")}
            return self.result(OF_A_DIAL.get(str(dialled["result"]), "failed"), str(dialled.get("cause")), **told)
        self._human = human
        accepted = False
        try:
            decision, cause = await self._talk(human, until)
            accepted = decision == "accepted"
            return self.result(decision, cause)
        finally:
            if not accepted:  # before the far end is off hold
                await self.drop_human()

    async def drop_human(self) -> None:
        """Takes the human off the line, or keeps them for what the flow has to say to them yet; one who has left, or never
        came, is fine. One who stays is kept apart."""
        human = self._human
        if human is None or human.over:
            return
        if not self._world.farewells.keep(human, self._effect.id):
            await self._world.removal.withdraw(human, settled())
        if human.status != "gone" and self._shut_out not in self._apart:
            self._apart.append(self._world.subscriptions.add(self._shut_out))

    async def _talk(self, human: Leg, until: float | None) -> tuple[Decision, str]:
        world, loop = self._world, self._world.call.loop
        world.linked.turn_to(human.identity)
        await world.subscriptions.settled()
        leaving = asyncio.ensure_future(world.line.gone(human))
        briefing = asyncio.ensure_future(self._brief())
        decided = asyncio.ensure_future(self._decides())
        wait_for: set[asyncio.Future[Any]] = {decided, leaving}
        try:
            timeout = None if until is None else max(until - loop.time(), 0.0)
            await asyncio.wait({*wait_for, briefing}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if briefing.done() and not decided.done() and not leaving.done():
                briefing.result()
                if not self._accepting:
                    return "accepted", "briefed"
                timeout = None if until is None else max(until - loop.time(), 0.0)
                await asyncio.wait(wait_for, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                return "declined", "hung_up"
            if decided.done():
                if self._by_model and briefing.done():
                    await self._let_it_speak(leaving, until)
                return decided.result(), "asked"
            return "no_answer", "undecided"
        finally:
            self._cut = not briefing.done()
            for task in (briefing, leaving, decided):
                task.cancel()
            await asyncio.gather(briefing, leaving, decided, return_exceptions=True)

    async def _let_it_speak(self, leaving: asyncio.Future[None], until: float | None) -> None:
        """What the model says as it calls the tool that decides is heard, as any speech with a tool is."""
        saying = asyncio.ensure_future(all_is_said(self._world))
        timeout = None if until is None else max(until - self._world.call.loop.time(), 0.0)
        try:
            await asyncio.wait({saying, leaving}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)

    async def _brief(self) -> None:
        """Says the briefing to its end, so that whoever accepts by it has heard it; a decision cuts it."""
        if self._arguments.get("briefing"):
            words = {"text": self._arguments["briefing"], "interruptible": False, "to": self._name}
            if not (await speech.say(self._world, self._effect._replace(arguments=words)))["heard"]:
                raise EffectError("the human did not hear the briefing")

    def _private(self, listener: str, track: Track) -> bool | None:
        """The human and the others do not hear each other; of the agent, the human hears what is said."""
        human = self._world.line.identity_of(self._name)
        ours = self._world.ctx.room.local_participant.identity
        if human is None or human not in (listener, track.owner):
            return None
        return None if track.owner == ours else False

    def _shut_out(self, listener: str, track: Track) -> bool | None:
        """A human who is on the line still, and not wanted there, hears nobody, and nobody hears them. What is for them
        alone has a rule of its own, and so has nobody else to hear it."""
        human, ours = self._human, self._world.ctx.room.local_participant.identity
        if human is None or human.over or human.identity not in (listener, track.owner):
            return None
        alone = all(leg is human for leg in self._world.line.parties())
        return None if alone and track.owner == ours else False
