"""For whom a speech is: the far end, or one leg alone, whom then nobody else hears the agent speak to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from callflow.core.events import MAIN_LEG
from callflow.core.speaking import SAID_WITHIN
from callflow.livekit_bindings import livekit_internals
from callflow.livekit_bindings.subscriptions import MUSIC, Rule, Subscriptions, Track
from callflow.livekit_bindings.surroundings import InConversation

if TYPE_CHECKING:
    from callflow.livekit_bindings.line import Line

TAIL = 0.2
"""Seconds after its playout in which the last of a speech is still on its way to the ear: until then nobody is kept from
hearing it who is to hear it, nor let in who is not."""


class Audience:
    """Whoever a speech has to reach: the leg of this name, the far end unless set."""

    def __init__(self, line: Line, to: str | None = None) -> None:
        self._line = line
        self._name = to or MAIN_LEG

    @property
    def hears(self) -> bool:
        if self._name == MAIN_LEG:
            return self._line.hears
        leg = self._line.leg(self._name)
        return leg is not None and leg.status == "on_line" and not self._line.cut_off

    @property
    def over(self) -> bool:
        """Whether it will never hear anything again."""
        if self._name == MAIN_LEG or self._line.status == "down":
            return self._line.over
        leg = self._line.leg(self._name)
        return self._line.over if leg is None else leg.over

    async def heard(self) -> bool:
        """Waits until it hears us; False when it never will. Unbounded: the effect's timeout bounds it."""
        while not self.hears and not self.over:
            await self._line.next_change()
        return self.hears

    async def cut(self) -> None:
        """Returns when it does not hear us (any more)."""
        while self.hears:
            await self._line.next_change()


class Given(InConversation, Protocol):
    """What is asked before somebody would not hear the rest of what is said."""

    @property
    def subscriptions(self) -> Subscriptions: ...


async def all_is_said(world: Given, *, tail: float = TAIL) -> None:
    """Returns when what is being said has reached the ear (`tail`: or has but been played); also what was begun beside
    this, and speaks in a moment. What is still being said after SAID_WITHIN is cut.

    The one rule of every verb after which somebody would not hear the rest of it: those that take a party, or the line,
    away from the conversation, and those that talk to somebody else.
    """
    try:
        await asyncio.wait_for(said(world, tail), SAID_WITHIN)
    except TimeoutError:
        world.note(f"what was being said was cut after {SAID_WITHIN:.0f} s: something else had to go on")
        livekit_internals.silence_now(world.session)
        await said(world, tail)


async def said(world: InConversation, tail: float = TAIL) -> None:
    """Returns when what is being said has reached the ear, also what was begun beside this."""
    while True:
        await livekit_internals.speech_is_out(world.session)
        await asyncio.sleep(tail)
        if livekit_internals.is_silent(world.session):
            return


@contextlib.asynccontextmanager
async def privately(world: Given, to: str | None) -> AsyncIterator[None]:
    """While this is entered the agent speaks to one leg alone; to everybody where `to` is None.

    What is being said to all is not taken from them: it ends first. Raises EffectError where the others cannot be
    kept from listening.
    """
    if to is None or len(world.line.present()) < 2:
        yield
        return
    await all_is_said(world)
    rule = world.subscriptions.add(speech_only_for(world, to))
    try:
        await world.subscriptions.settled()
        await world.subscriptions.given_back()
        yield
    finally:
        try:
            await asyncio.sleep(TAIL)
        finally:
            world.subscriptions.remove(rule)


def speech_only_for(world: Given, name: str) -> Rule:
    """Of all that the agent publishes, its speech is for this leg; music has rules of its own."""

    def rule(listener: str, track: Track) -> bool | None:
        if track.owner != world.ctx.room.local_participant.identity or track.name.startswith(MUSIC):
            return None
        return listener == world.line.identity_of(name)

    return rule
