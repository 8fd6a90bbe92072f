"""How each action of a call ends that a scenario has its say in, and how it is made to end so in a room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from attrs import define, field, frozen

from callflow.core.actions import EVERY_VERB, verb_of
from callflow.core.flow import Flow
from callflow.core.snapshot import Start
from callflow.core.speaking import seconds
from callflow.core.values.choices import plain
from callflow.errors import EffectError
from callflow.livekit_bindings.verbs import PERFORM, Given, Perform, outside
from callflow.livekit_bindings.web import Answer, Request
from callflow.scenario.later import StillToCome
from callflow.scenario.live_effects import ending_of
from callflow.scenario.model import Ending, Scenario
from callflow.scenario.world import LASTS

Result = Mapping[str, Any]

WHILE_IT_RUNS = "while it runs"
"""Of a verb by which another agent takes over: one that ends when that agent is through."""

BY_TELEPHONE = frozenset(
    verb.name for verb in EVERY_VERB.values() if verb.results and not (verb.takes_keys or verb.takes_over)
)
"""The verbs whose end is another's doing: a telephone's, or that of whoever listens who has answered."""


@define(eq=False)
class Fate:
    """One effect. `ending` is what is said of its end before, `released` what a step says of it; `claimed`: it waits for that step.
    `began` is on the loop's clock."""

    start: Start
    ending: Ending
    claimed: bool
    began: float = field(factory=lambda: float(asyncio.get_running_loop().time()))
    released: asyncio.Future[Ending] = field(factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def ends_by_itself(self) -> bool:
        """Whether it is under way, and ends without anybody's doing."""
        verb = verb_of(self.start.verb)
        if self.released.done():
            return True
        if self.ending.never:
            return False
        said = self.ending != Ending()
        loops = verb.speech and bool(self.start.arguments.get("loop"))
        waits = verb.takes_keys or verb.parties_end or verb.takes_over == WHILE_IT_RUNS
        return said or not (loops or waits)

    def release(self, ending: Ending) -> None:
        if not self.released.done():
            self.released.set_result(ending)


class Fates:
    """Of one call, by the numbers of its effects."""

    def __init__(self, scenario: Scenario, later: StillToCome) -> None:
        self._said = {name: list(endings) for name, endings in scenario.effects.items()}
        self.later = later
        self.known: dict[int, Fate] = {}

    def of(self, start: Start) -> Fate:
        """The one of this effect; it has begun now, if it is new."""
        if start.id not in self.known:
            ending = ending_of(start, self._said, self.later)
            claimed = start.id in self.later.claimed.values() and ending == Ending(never=True)
            self.known[start.id] = Fate(start, ending, claimed)
        return self.known[start.id]

    def said(self, verb: str) -> Ending:
        """How the next effect of this verb is said to end."""
        return next(iter(self._said.get(verb, ())), Ending())


class Telephony(Protocol):
    """What the telephones of a call do with a verb: see `telephones`."""

    async def carry_out(self, real: Perform, world: Given, fate: Fate) -> Result: ...


@frozen(eq=False)
class Acting:
    """Carries out the verbs of one call: as callflow does, where the scenario has nothing to say of it."""

    flow: Flow
    fates: Fates
    telephony: Telephony
    began: Callable[[Given], None]
    plays: list[tuple[float, float, str]]

    def performing(self) -> dict[str, Perform]:
        """For `callflow.bind(telephony=…)`."""
        return {verb: partial(self._perform, real) for verb, real in PERFORM.items()}

    async def _perform(self, real: Perform, world: Given, start: Start) -> Result:
        self.began(world)
        fate = self.fates.of(start)
        if start.verb in BY_TELEPHONE:
            return await self.telephony.carry_out(real, world, fate)
        ending = await fate.released if fate.claimed else fate.ending
        return await self.as_said(real, world, fate, ending)

    async def as_said(self, real: Perform, world: Given, fate: Fate, ending: Ending) -> Result:
        """Raises EffectError where it is to fail."""
        start = fate.start
        verb = verb_of(start.verb)
        if ending.status != "ok":
            return await unhappy(fate, ending)
        if ending.never:
            if verb.speech:
                await real(world, start)
            return await for_ever()
        if "statuses" in verb.roles:
            await _until(fate, LASTS[start.verb] if ending.after is None else ending.after)
            return await outside.http(world, start, fetch=partial(_answers, ending))
        if "function" in verb.roles:
            await _until(fate, LASTS[start.verb] if ending.after is None else ending.after)
            function = self.flow.python[str(start.arguments["name"])]
            return {**{name: plain(one.type) for name, one in function.returns.items()}, **ending.result}
        if verb.takes_keys and ending.result:  # keys that nobody has pressed
            prompt = 0.0 if fate.claimed else seconds(str(start.arguments.get("prompt") or ""))
            await _until(fate, prompt if ending.after is None else ending.after)
            return ending.result
        if verb.speech:
            return await self._speaks(real, world, fate, ending)
        if verb.parties_end or verb.takes_over == WHILE_IT_RUNS:
            if ending == Ending():
                return await real(world, start)
            await _until(fate, ending.after or 0.0)
            return ending.result
        result = await real(world, start)
        await _until(fate, ending.after or 0.0)
        return {**result, **ending.result}

    async def _speaks(self, real: Perform, world: Given, fate: Fate, ending: Ending) -> Result:
        loop = asyncio.get_running_loop()
        since = loop.time()
        try:
            result = await real(world, fate.start)
        finally:
            if fate.start.arguments.get("file"):
                self.plays.append((since, loop.time(), f"({fate.start.arguments['file']})"))
        more = {name: value for name, value in ending.result.items() if name != "spoken"}
        return {**result, **more}


async def unhappy(fate: Fate, ending: Ending) -> Result:
    """An end that is none of the verb's results."""
    if ending.status == "timed_out":
        return await for_ever()
    await _until(fate, LASTS.get(fate.start.verb, 0.0) if ending.after is None else ending.after)
    raise EffectError(ending.error or ending.status)


async def for_ever() -> Result:
    """The action's time limit ends it."""
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def _until(fate: Fate, after: float) -> None:
    await asyncio.sleep(max(fate.began + after - asyncio.get_running_loop().time(), 0.0))


async def _answers(ending: Ending, _request: Request, *, wanted: frozenset[int] = frozenset()) -> Answer:
    """A service, as the scenario has it answer."""
    body = ending.result.get("body", {})
    status = int(ending.result.get("status", 200))
    if isinstance(body, str):
        return Answer(status, "text/plain", "utf-8", body.encode())
    return Answer(status, "application/json", "utf-8", json.dumps(body).encode())


Begins = Callable[[], Awaitable[None]]
