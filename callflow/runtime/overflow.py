"""What a full inbox still takes: everything that decides over the call, everything that the flow listens to.

Up to INBOX_LIMIT inputs wait, whatever they are. Beyond it the catalogue says of each event what becomes of it
(`EventType.flooded`), unless a row of the flow takes it: then it is kept. What may be coalesced is held back, the newest
of each name, and follows when there is room. Where more than INBOX_MOST wait of what must not be lost, the call ends by
force: bounded, and without pretending that it has heard everything.
"""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import DIGITS, EVENTS, Event, Flooded, flooded
from callflow.core.flow import Flow
from callflow.core.statechart.action_lists import actions_during
from callflow.core.statechart.descriptors import heard, matches

INBOX_LIMIT = 1000
"""Inputs that may wait before a flood costs anything. A hang-up is never behind more than this and one of each event that
may be coalesced, as long as the flow listens to nothing of what floods it."""

INBOX_MOST = 10_000
"""Inputs that may wait at all: a second of what may come in one. A hang-up is never behind more."""


class Overflow:
    """Of one call, from the first event that found its inbox full."""

    __slots__ = ("_collects", "_kinds", "_patterns", "held")

    def __init__(self, flow: Flow) -> None:
        self._patterns = heard(flow.states)
        self._collects = any(verb_of(action.verb).takes_keys for action in actions_during(flow))
        self._kinds: dict[str, Flooded] = {}
        self.held: dict[str, Event] = {}

    def kind(self, name: str) -> Flooded:
        """What becomes of this event while the inbox is full."""
        known = self._kinds.get(name)
        if known is None:
            known = self._kind(name)
            if name in EVENTS:  # other names come from outside, and there is no end of them
                self._kinds[name] = known
        return known

    def _kind(self, name: str) -> Flooded:
        if any(matches(pattern, name) for pattern in self._patterns):
            return "keep"
        if self._collects and name.startswith("dtmf.") and name.partition(".")[2] in DIGITS:
            return "keep"
        return flooded(name)

    def hold(self, event: Event) -> Event | None:
        """Hold this event back until there is room; what is lost by it, the one before it of its name."""
        lost = self.held.pop(event.name, None)
        self.held[event.name] = event
        return lost

    def release(self, now: float) -> list[Event]:
        """What was held back, in the order in which it last came. It is taken now, so now is its time."""
        events = [event._replace(time=now) for event in self.held.values()]
        self.held.clear()
        return events
