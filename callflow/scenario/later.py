"""What the steps say that are still to come: what they bring about does not come about by itself before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from callflow.core.events import KEYS, MAIN_LEG
from callflow.scenario.model import Act, Calls, Ends, Occurs, Presses, Step


class StillToCome:
    """The steps from `next` on. `claimed`: for which effect each of them is."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._ends: dict[str, list[tuple[int, Ends]]] = defaultdict(list)  # by verb
        self._brings: dict[str, list[int]] = defaultdict(list)  # by event
        for number, step in enumerate(steps):
            if isinstance(step.act, Ends):
                self._ends[step.act.verb].append((number, step.act))
            else:
                for event in _events(step.act):
                    self._brings[event].append(number)
        self.next = 0
        self.claimed: dict[int, int] = {}

    def ends(self, verb: str, leg: str | None, effect: int) -> bool:
        """Whether one of them says how this effect ends, and it is none that another effect has."""
        known = self._ends.get(verb)
        if known is None:
            return False
        return self._claim(
            effect, [number for number, act in known if act.leg in (None, leg) and act.effect in (None, effect)]
        )

    def brings(self, event: str, effect: int) -> bool:
        """Whether one of them is this event, and it is none for which another effect waits."""
        return self.brings_one((event,), effect)

    def brings_one(self, events: Iterable[str], effect: int) -> bool:
        """The same of the first of several events."""
        return self._claim(effect, sorted({number for event in events for number in self._steps_of(event)}))

    def over(self, effect: int) -> None:
        """It has ended: what is still to come is for another."""
        for number in [one for one, other in self.claimed.items() if other == effect and one >= self.next]:
            del self.claimed[number]

    def _steps_of(self, event: str) -> Sequence[int]:
        """Those that are this event. Who comes once more has left by themselves before."""
        known = self._brings.get(event, ())
        leg, _, what = event.rpartition(".")
        again = self._first(f"{leg}.answered") if known and what == "hangup" else None
        return known if again is None else [number for number in known if number < again]

    def _first(self, event: str) -> int | None:
        return next((number for number in self._brings.get(event, ()) if number >= self.next), None)

    def _claim(self, effect: int, numbers: Sequence[int]) -> bool:
        for number in numbers:
            if number >= self.next and self.claimed.get(number, effect) == effect:
                self.claimed[number] = effect
                return True
        return False


def _events(act: Act) -> Sequence[str]:
    """The events that a step brings about."""
    if isinstance(act, Occurs):
        return (act.name,)
    if isinstance(act, Presses):
        leg = "" if act.leg == MAIN_LEG else f"leg.{act.leg}."
        return list(dict.fromkeys(f"{leg}dtmf.{KEYS.get(key, key)}" for key in act.keys))
    return [f"tool.{name}" for name, _ in act.tools] if isinstance(act, Calls) else ()
