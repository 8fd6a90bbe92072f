"""A word to a colleague before their line drops: whoever was called by a `consult` and has not accepted is taken off the line
at once, or, where the flow goes on with something to say to them, as soon as that has been said.

What the flow goes on with stands in the snapshot, in the lists that are on their way and the effects that run.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from callflow.core.ahead import addresses, ahead
from callflow.core.snapshot import Snapshot
from callflow.core.statechart.action_lists import actions_during
from callflow.livekit_bindings.legs import Leg
from callflow.livekit_bindings.private_speech import TAIL
from callflow.livekit_bindings.removal import Removal
from callflow.livekit_bindings.surroundings import OfACall


class Farewell(NamedTuple):
    """`effect` is the `consult`: what follows it is known once its end was taken."""

    leg: Leg
    effect: int


class Given(OfACall, Protocol):
    """What last words to a leg are given of their call."""

    @property
    def removal(self) -> Removal: ...


class Farewells:
    """Of one call."""

    def __init__(self, world: Given) -> None:
        self._world = world
        self._waiting: list[Farewell] = []

    def keep(self, leg: Leg, effect: int) -> bool:
        """Whether this leg, whose `consult` is ending, stays on the line for a word; it is taken off when that was said."""
        if any(one.leg is leg for one in self._waiting):
            return True
        if leg.asked == "leave" or not any(addresses(one, leg.name) for one in actions_during(self._world.flow)):
            return False
        snapshot = self._world.call.snapshot
        running = snapshot.memory.effects.get(effect)
        left = running is None or running.stopping  # then what follows is known already
        if left and not self._owes(leg.name, snapshot):
            return False
        self._waiting.append(Farewell(leg, effect))
        return True

    def settle(self, snapshot: Snapshot) -> None:
        """After each step."""
        for one in tuple(self._waiting):
            if one.leg.over or (one.effect not in snapshot.memory.effects and not self._owes(one.leg.name, snapshot)):
                self._waiting.remove(one)
                self._world.removal.let_go(one.leg, after=TAIL)  # the last of it is on its way

    def _owes(self, name: str, snapshot: Snapshot) -> bool:
        """Whether the flow goes on with anything for this leg alone."""
        return any(addresses(action, name) for action in ahead(self._world.flow, snapshot))
