"""The telephones of a call that is played: what becomes of a call to one of them, as the scenario says it, on LiveKit's own way."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field

from callflow.core.actions import verb_of
from callflow.core.autoforward import answers
from callflow.core.events import KEYS, MAIN_LEG
from callflow.core.flow import Flow
from callflow.core.possible import action_of
from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings.verbs import Given, Perform
from callflow.scenario.live_effects import CODES
from callflow.scenario.model import Ending
from callflow.scenario.telephones import (
    ANSWERS_AFTER,
    DECIDES_AFTER,
    DETECTION,
    HANDS_OVER,
    LOOKS_FOR,
    REFUSES_AFTER,
    RINGS_AFTER,
    is_out_of_time,
)
from callflow.telephony.network import FarEnd, PhoneNetwork, Refer
from callflow.testing.models import Part, Pause, Tool
from callflow.testing.phone import Telephone
from callflow.testing.scenario.fates import BY_TELEPHONE, Fate, Fates, Result, Telephony, for_ever, unhappy
from callflow.testing.scenario.seen import SeenInARoom

FOR_EVER = 86_400.0
"""Seconds: longer than any call."""

NO_ANSWER = 480
"""What SIP says where nobody answers, and the network does not let it ring on."""

GREETING = "You have reached the telephone of somebody who cannot come to it."
"""Long enough for LiveKit's detector to ask the model who that is: what is short is a person for it."""

HELLO = "Hello?"


@define(eq=False)
class ScriptedNetwork(PhoneNetwork):
    """Every number is a telephone; what becomes of a call to it the dialling action's fate says."""

    fates: Fates = field(kw_only=True)
    make: Callable[[Fate], FarEnd] = field(kw_only=True)
    _called: set[int] = field(factory=set, init=False)

    def far_end(self, number: str) -> FarEnd:
        fate = self._dialling(number)
        return self.otherwise if fate is None else self.make(fate)

    def meet(self, number: str) -> FarEnd:
        fate = self._dialling(number)
        if fate is None:
            return self.otherwise
        self._called.add(fate.start.id)
        return self.make(fate)

    def _dialling(self, number: str) -> Fate | None:
        calls = (one for one in self.fates.known.values() if verb_of(one.start.verb).calls)
        return next(
            (one for one in calls if one.start.arguments.get("to") == number and one.start.id not in self._called), None
        )


class Telephones(Telephony):
    """Of one call. `telephone` finds the one that is on a leg, or was the last to be."""

    def __init__(
        self,
        flow: Flow,
        fates: Fates,
        telephone: Callable[[str], Telephone | None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._flow, self._fates, self._spawn = flow, fates, spawn
        self._on = telephone
        self.seen: SeenInARoom  # once the call has begun
        self.world: Given
        self.network = ScriptedNetwork(fates=fates, make=self._far_end)
        self._looking: Look | None = None

    # -- the verbs

    async def carry_out(self, real: Perform, world: Given, fate: Fate) -> Result:
        ending = fate.ending
        if ending.status != "ok":
            after = REFUSES_AFTER if ending.after is None else ending.after
            return await unhappy(fate, ending._replace(after=after))
        verb = verb_of(fate.start.verb)
        if verb.family == "amd":
            return await self._detects(real, world, fate)
        if verb.holds_hang_up:
            self._refers(fate)
        self._looks(fate.start)
        if not (fate.claimed or ending.never):
            return await real(world, fate.start)
        patient = {**fate.start.arguments, "ringing_timeout": FOR_EVER}
        return await self._until_released(real(world, fate.start._replace(arguments=patient)), fate)

    async def _until_released(self, real: Awaitable[Result], fate: Fate) -> Result:
        """As it goes by itself, or as a step says."""
        work = asyncio.ensure_future(real)
        try:
            either: set[asyncio.Future[Any]] = {work, fate.released}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if work.done() or fate.released.result().status == "ok":
                return await work
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        ending = fate.released.result()
        if ending.status == "timed_out":
            return await for_ever()
        raise EffectError(ending.error or ending.status)

    def release(self, fate: Fate, ending: Ending) -> None:
        """A step says how it ends, now."""
        fate.release(ending)
        telephone, verb = self._telephone(fate.start), fate.start.verb
        if ending.status != "ok" or telephone is None or verb not in _ON_THE_TELEPHONE:
            return
        result = str(ending.result.get("result") or verb_of(verb).results[0].partition(".")[2])
        code = _refusal(ending, result)
        if verb_of(verb).holds_hang_up:
            telephone.leg.tell(200 if result == "completed" else code)
        elif telephone.leg.status == "active":
            self._spawn(self._decide(telephone, fate, "accept" if result == "accepted" else "decline", 0.0))
        else:
            telephone.leg.decide(200 if result in ("answered", "accepted") else code)
            if result == "accepted":
                self._spawn(self._decide(telephone, fate, "accept", DECIDES_AFTER))

    # -- far ends

    def _far_end(self, fate: Fate) -> FarEnd:
        """Whoever is called by this action."""
        ending, start = fate.ending, fate.start
        result = str(ending.result.get("result", "answered"))
        answers_there = result in ("answered", "accepted") or (
            result == "declined" and verb_of(start.verb).holds_far_end
        )
        rings = RINGS_AFTER if ending.after is None else min(RINGS_AFTER, ending.after / 2)
        greeting = self._greeting(self._of_the_dial()) if start.arguments.get("detect_machine") is not None else ""
        if (
            fate.claimed
            or ending.never
            or result == "no_answer"
            or self._fates.later.brings(_event(start, "answered"), start.id)
        ):
            return FarEnd(math.inf, reached=rings, greeting=greeting, hangs_up=ending.hangs_up)
        if answers_there:
            after = ANSWERS_AFTER if ending.after is None else ending.after
            return FarEnd(after, reached=rings, greeting=greeting, hangs_up=ending.hangs_up)
        code = _refusal(ending, result)
        after = REFUSES_AFTER if ending.after is None else ending.after
        return FarEnd(after, code, reached=after if result in ("busy", "invalid", "failed") else rings)

    def _refers(self, fate: Fate) -> None:
        """What the far end's telephone makes of a transfer."""
        telephone, ending = self._telephone(fate.start), fate.ending
        if telephone is None:
            return
        code = _refusal(ending, "failed")
        after = HANDS_OVER if ending.after is None else ending.after
        if fate.claimed or ending.never or ending.result.get("cause") == "ringing_timeout":
            refer = Refer(notify=None)
        elif ending.result.get("result", "completed") == "completed":
            refer = Refer(notify=200, after=after)
        else:
            refer = Refer(notify=code, after=after)
        telephone.leg.far = evolve(telephone.leg.far, refer=refer)

    def picked_up(self, telephone: Telephone) -> None:
        """A telephone is on the line: whoever is consulted decides."""
        if self._looking is not None and telephone.name == MAIN_LEG:
            self._looking.begin()
        for fate in self._fates.known.values():
            start, ending = fate.start, fate.ending
            mine = "decision" in verb_of(start.verb).roles and start.arguments.get("leg") == telephone.name
            if not mine or start.id not in self.seen.snapshot.memory.effects or fate.claimed or ending.never:
                continue
            if not self._is_decided_later(start):
                accepts = ending.result.get("result", "accepted") == "accepted"
                self._spawn(self._decide(telephone, fate, "accept" if accepts else "decline", DECIDES_AFTER))

    def waits(self, fate: Fate) -> bool:
        """Whether a call to a telephone goes on by a later step alone: by which it is picked up, or by which they decide."""
        start, brings = fate.start, self._fates.later.brings
        if self.seen.leg(str(start.arguments.get("leg") or MAIN_LEG)).status not in ("on_line", "hold"):
            return brings(_event(start, "answered"), start.id)
        return self._is_decided_later(start)

    def _is_decided_later(self, start: Start) -> bool:
        leg = str(start.arguments.get("leg") or MAIN_LEG)
        ways = [one for name in ("accept", "decline") for one in answers(leg, self._ways(start, name))]
        return self._fates.later.brings_one(ways, start.id)

    async def _decide(self, telephone: Telephone, fate: Fate, how: str, after: float) -> None:
        """Whoever is consulted has heard the briefing, and says what they want."""
        if after and fate.start.arguments.get("briefing"):
            await telephone.hear(quiet=after)
        else:
            await asyncio.sleep(after)
        events = sorted(answers(telephone.name, self._ways(fate.start, how)))
        key = next((one.rpartition(".")[2] for one in events if one.startswith("leg.")), None)
        if key is not None:
            telephone.press(_SIGNS.get(key, key))
        elif events:
            await self.world.call.tool_called(events[0].removeprefix("tool."), {})
        elif how == "decline":
            telephone.hang_up()

    def _ways(self, start: Start, name: str) -> Mapping[str, Any]:
        running = self.seen.snapshot.memory.effects.get(start.id)
        action = None if running is None else action_of(self._flow, running)
        return {} if action is None else action.arguments.get(name) or {}

    def _telephone(self, start: Start) -> Telephone | None:
        return self._on(str(start.arguments.get("leg") or MAIN_LEG))

    # -- who has answered

    @property
    def looked_since(self) -> float:
        """The loop's time since which it is looked who has answered; now, where nobody does yet."""
        return asyncio.get_running_loop().time() if self._looking is None else self._looking.since

    def _looks(self, start: Start) -> None:
        """A dial begins that wants to know who answers."""
        if start.arguments.get("detect_machine") is not None:
            self._looking = Look(self._of_the_dial())
            self._spawn(self._tell_of_the_dial(self._looking))

    def _of_the_dial(self) -> Fate:
        """How the look ends that is part of a dial."""
        if DETECTION not in self._fates.known:
            claimed = self._fates.later.ends("detect_machine", None, DETECTION)
            ending = Ending(never=True) if claimed else self._fates.said("detect_machine")
            self._fates.known[DETECTION] = Fate(Start(DETECTION, "detect_machine", {}, None), ending, claimed)
        return self._fates.known[DETECTION]

    def _greeting(self, fate: Fate) -> str:
        result = fate.ending.result.get("result", "human")
        at_once = not (fate.claimed or fate.ending.never or fate.ending.after) and result == "human"
        return HELLO if at_once else GREETING

    async def _detects(self, real: Perform, world: Given, fate: Fate) -> Result:
        """An action that looks who is on the line: they say something, whatever they have said before."""
        self._looking = Look(fate)
        self._looking.begin()
        telephone = self._telephone(fate.start)
        if telephone is not None:
            self._spawn(_says(telephone, self._greeting(fate)))
        work = asyncio.ensure_future(real(world, fate.start))
        told = asyncio.ensure_future(self._looking.told())
        try:
            await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
            return await work if work.done() else told.result()
        finally:
            for task in (work, told):
                task.cancel()
            await asyncio.wait({work, told})

    async def verdict(self) -> Sequence[Part]:
        """What the model says of who has answered."""
        if self._looking is None:
            return [Tool("save_prediction", {"label": "human"})]
        ending = await self._looking.ending()
        if "reason" in ending.result or ending.result.get("result") == "uncertain":
            return [
                Pause(FOR_EVER)
            ]  # LiveKit's detector gives reasons by itself, and goes on where the model cannot tell
        label = str(ending.result.get("result", "human")) if ending.status == "ok" else "uncertain"
        return [Tool("save_prediction", {"label": label})]

    async def _tell_of_the_dial(self, look: Look) -> None:
        """A verdict whose reason a scenario names is told in place of LiveKit's detector, at its time."""
        fields = await look.told()
        detection = self.world.detection
        if detection is not None:
            detection.cancel()
            self.world.post(f"amd.{fields['category']}", fields)


@define(eq=False)
class Look:
    """One look at who has answered: from when on, and how it ends."""

    fate: Fate
    _began: asyncio.Future[float] = field(factory=lambda: asyncio.get_running_loop().create_future())

    def begin(self) -> None:
        if not self._began.done():
            self._began.set_result(asyncio.get_running_loop().time())

    @property
    def since(self) -> float:
        return self._began.result() if self._began.done() else asyncio.get_running_loop().time()

    async def ending(self) -> Ending:
        """How it ends, once it is time for that."""
        ending = self.fate.ending
        if self.fate.claimed:
            return await asyncio.shield(self.fate.released)
        if ending.never:
            await for_ever()
        after = LOOKS_FOR if ending.after is None else ending.after
        began = await asyncio.shield(self._began)
        await asyncio.sleep(max(began + after - asyncio.get_running_loop().time(), 0.0))
        return ending

    async def told(self) -> Result:
        """The fields of a verdict that gives a reason, or comes before its time is up; of any other LiveKit's detector tells itself."""
        ending = await self.ending()
        uncertain = ending.result.get("result") == "uncertain"
        by_itself = is_out_of_time(ending) and not self.fate.claimed
        if "reason" not in ending.result and (by_itself or not uncertain):
            await for_ever()
        category = str(ending.result.get("result", "human"))
        return {
            "transcript": "",
            "delay": 0.0,
            "error": None,
            "reason": "detection_timeout",
            **ending.result,
            "category": category,
            "result": category,
        }


def _refusal(ending: Ending, result: str) -> int:
    """The final response by which a call ends so; where a scenario says none that is one (RFC 3261, section 7.2), the usual one."""
    said = int(ending.result.get("sip_status_code") or 0)
    return said if 300 <= said < 700 else CODES.get(result, NO_ANSWER)


async def _says(telephone: Telephone, words: str) -> None:
    await asyncio.sleep(telephone.leg.far.greets_after)
    await telephone.say(words)


_SIGNS = {name: sign for sign, name in KEYS.items()}


_ON_THE_TELEPHONE = BY_TELEPHONE - {"detect_machine"}


def _event(start: Start, what: str) -> str:
    leg = start.arguments.get("leg")
    return f"call.{what}" if leg in (None, MAIN_LEG) else f"leg.{leg}.{what}"
