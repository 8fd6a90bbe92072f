"""hold, resume: a leg hears music, or nothing, and nobody hears it; the others go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from attrs import define

from callflow.core.events import MAIN_LEG
from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings import private_speech
from callflow.livekit_bindings.legs import Leg
from callflow.livekit_bindings.linked_participant import LinkedParticipant
from callflow.livekit_bindings.private_speech import TAIL, all_is_said
from callflow.livekit_bindings.removal import Removal
from callflow.livekit_bindings.subscriptions import Rule, Track
from callflow.livekit_bindings.verbs import background

logger = logging.getLogger("callflow")

NOTHING: Mapping[str, Any] = {}


class Given(private_speech.Given, background.Given, Protocol):
    """What these verbs are given."""

    @property
    def holds(self) -> dict[str, Hold]: ...

    @property
    def removal(self) -> Removal: ...

    @property
    def linked(self) -> LinkedParticipant: ...


@define(eq=False)
class Hold:
    """A leg that is on hold: the rule that keeps it apart, and who plays its music."""

    leg: Leg
    rule: Rule
    music: asyncio.Task[None] | None = None


async def hold(world: Given, effect: Start) -> Mapping[str, Any]:
    """What is being said ends first. Raises EffectError where nobody is on this leg, there is no such sound, or the server
    does not keep it apart."""
    name, music = str(effect.arguments.get("leg") or MAIN_LEG), effect.arguments.get("music")
    sound = sound_of(world, music)
    if name not in world.holds:  # who is on hold hears nothing of it
        await all_is_said(world)
    await put(world, name, sound)
    return NOTHING


async def resume(world: Given, effect: Start) -> Mapping[str, Any]:
    """A leg that is not on hold, or not there any more, is fine."""
    await take(world, str(effect.arguments.get("leg") or MAIN_LEG))
    return NOTHING


def sound_of(world: Given, music: str | None) -> Path | None:
    """The file of this music. Raises EffectError when there is none."""
    if music is None:
        return None
    file = world.path_of(music)
    if not file.is_file():
        raise EffectError(f"there is no sound {file}")
    return file


async def put(world: Given, name: str, music: Path | None) -> None:
    """Puts a leg on hold, or gives one that is on hold another music. Cancelled before it is, it is not on hold."""
    leg = world.line.leg(name)
    if leg is None or not leg.on_line:
        raise EffectError(f"nobody is on the line of {name}")
    one = world.holds.get(name)
    if one is None or one.leg is not leg:
        await asyncio.sleep(TAIL)
        release(world, name)
        one = world.holds[name] = Hold(leg, world.subscriptions.add(_apart(leg.identity)))
        world.linked.close_to(leg.identity)
    try:
        await world.subscriptions.settled()
    except BaseException:
        release(world, name)
        raise
    _stop(one)
    if music is not None:
        one.music = world.removal.own(_play(world, leg, music), f"callflow music for {name}")


async def take(world: Given, name: str) -> None:
    """Takes a leg off hold; returns when it hears and is heard. Raises EffectError where the server does not see to it."""
    if release(world, name):
        await world.subscriptions.settled()


def release(world: Given, name: str) -> bool:
    """The same at once: the server is told, and nobody waits for it. Whether there was anything to do."""
    one = world.holds.pop(name, None)
    if one is None:
        return False
    _stop(one)
    world.subscriptions.remove(one.rule)
    world.linked.open_to(one.leg.identity)
    return True


def release_all(world: Given) -> None:
    for name in list(world.holds):
        release(world, name)


def _apart(identity: str) -> Rule:
    """Nobody hears this party, and it hears nobody."""

    def rule(listener: str, track: Track) -> bool | None:
        return False if identity in (listener, track.owner) else None

    return rule


async def _play(world: Given, leg: Leg, music: Path) -> None:
    """Until the leg is taken off hold or has left. Music that cannot be played is no reason to end a hold."""
    playing = asyncio.ensure_future(background.loop(world, music, to=leg.name))
    leaving = asyncio.ensure_future(world.line.gone(leg))
    try:
        await asyncio.wait({playing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            playing.result()
    except Exception as error:
        logger.warning("the music of a hold does not play", extra={"leg": leg.name}, exc_info=True)
        world.note(f"{leg.name} is on hold without music: {str(error) or type(error).__name__}")
    finally:
        for task in (playing, leaving):
            task.cancel()
        await asyncio.gather(playing, leaving, return_exceptions=True)


def _stop(one: Hold) -> None:
    if one.music is not None:
        one.music.cancel()
        one.music = None
