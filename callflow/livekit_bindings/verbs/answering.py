"""answer, reject: of an inbound call that was offered (`answer: manual`).

LiveKit answers an inbound SIP call as soon as somebody in its room publishes a track. The session starts while it rings,
with its tracks behind a door, which `answer` opens. Whoever joined by WebRTC is offered in the same way, although
nothing rings there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from livekit import rtc

from callflow.core.events import MAIN_LEG
from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings.removal import Removal
from callflow.livekit_bindings.surroundings import OnTheLine


class Given(OnTheLine, Protocol):
    """What these verbs are given."""

    @property
    def door(self) -> Door: ...

    @property
    def removal(self) -> Removal: ...


async def answer(world: Given, _effect: Start) -> Mapping[str, Any]:
    """Takes the call; ends when the far end is on the line. One that is answered already is done. Raises EffectError when
    the far end has given up."""
    await world.connected()
    world.door.open()
    world.line.take()
    if not await world.line.heard():
        raise EffectError("the caller has given up")
    return {}


async def reject(world: Given, _effect: Start) -> Mapping[str, Any]:
    """Refuses the call: LiveKit answers it with 486 Busy Here, whatever the reason. Raises EffectError when it has been
    answered, or the API's refusal."""
    await world.connected()
    leg = world.line.leg(MAIN_LEG)
    if leg is None or leg.over:
        return {}
    if leg.answered_at is not None:
        raise EffectError("the call has been answered: hang up instead")
    world.line.ask_to_leave(leg)
    await world.removal.remove(leg.identity)
    world.line.down(by_us=True)
    return {}


class Door:
    """Holds back whatever the agent publishes in its room until it is opened: the voice, music, an avatar's face."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()

    def shut(self, agent: rtc.LocalParticipant) -> None:
        """From now on tracks wait. Each `publish_track` returns once it was carried out, as without a door."""
        publish = agent.publish_track

        async def publish_track(track: rtc.LocalTrack, *args: Any, **options: Any) -> rtc.LocalTrackPublication:
            await self._opened.wait()
            return await publish(track, *args, **options)

        agent.publish_track = publish_track  # type: ignore[method-assign]

    def open(self) -> None:
        """Publishes what waits, and from now on at once."""
        self._opened.set()
