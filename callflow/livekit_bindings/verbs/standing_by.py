"""stand_by: the agent is out of the conversation, and stays only to drop the line for whoever is left alone.

A telephone outlives everybody: when one of two parties leaves, the other would stay in the room, in silence, for as long
as their telephone likes. The job is what notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings.private_speech import all_is_said
from callflow.livekit_bindings.verbs import conversation, hanging_up
from callflow.livekit_bindings.verbs.hanging_up import CLOSE, drop_line, everybody_hears_everybody, within

NOTHING: Mapping[str, Any] = {}


class Given(hanging_up.Given, Protocol):
    """What standing by is given."""


async def stand_by(world: Given, effect: Start) -> Mapping[str, Any]:
    """What is being said ends first. Ends when fewer than two parties are left, and the line has dropped for the last of them. Raises EffectError when
    the line stands."""
    await all_is_said(world)
    await everybody_hears_everybody(world)
    await within(CLOSE, "the close", lambda: conversation.close_session(world))
    await within(CLOSE, "the models' close", lambda: conversation.close_models(world, effect))
    while len(world.line.parties()) > 1 and world.line.status != "down":
        await world.line.next_change()
    if (failure := await drop_line(world)) is not None:
        raise EffectError(f"the line could not be dropped: {failure}")
    return NOTHING
