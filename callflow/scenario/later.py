"""What the steps say that are still to come: what they bring about does not come about by itself before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from callflow.core.events import KEYS, MAIN_LEG
from callflow.scenario.model import Act, Calls, Ends, Occurs, Presses, Step

Fits = Callable[[Act], bool]


class StillToCome:
    """The steps from `next` on. `claimed`: for which effect each of them is."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = [
            (number, step.act)
            for number, step in enumerate(steps)
            if isinstance(step.act, (Ends, Occurs, Presses, Calls))
        ]
        self.next = 0
        self.claimed: dict[int, int] = {}

    def ends(self, verb: str, leg: str | None, effect: int) -> bool:
        """Whether one of them says how this effect ends, and it is none that another effect has."""
        return self._claim(
            effect,
            lambda act: (
                isinstance(act, Ends) and act.verb == verb and act.leg in (None, leg) and act.effect in (None, effect)
            ),
        )

    def brings(self, event: str, effect: int) -> bool:
        """Whether one of them is this event, and it is none for which another effect waits."""
        return self._claim(effect, lambda act: event in _events(act))

    def _claim(self, effect: int, fits: Fits) -> bool:
        for number, act in self._steps:
            if number >= self.next and self.claimed.get(number, effect) == effect and fits(act):
                self.claimed[number] = effect
                return True
        return False


def _events(act: Act) -> Sequence[str]:
    """The events that a step brings about."""
    if isinstance(act, Occurs):
        return (act.name,)
    if isinstance(act, Presses):
        leg = "" if act.leg == MAIN_LEG else f"leg.{act.leg}."
        return [f"{leg}dtmf.{KEYS.get(key, key)}" for key in act.keys]
    return [f"tool.{name}" for name, _ in act.tools] if isinstance(act, Calls) else ()
