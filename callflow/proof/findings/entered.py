"""States that no call comes to, though rows lead there."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.events import Input
from callflow.core.flow import Flow, Row, TimerRow
from callflow.core.snapshot import Step
from callflow.core.statechart.action_lists import Trigger, triggers
from callflow.core.statechart.descriptors import matches
from callflow.core.statechart.structure import subtree, within
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, first_seen
from callflow.proof.findings.guards import Unknown
from callflow.proof.node import Exploration, Node, Passage, Situation
from callflow.verify.places import named, warning

Leads = tuple[str, Trigger, bool]
"""A row that leads somewhere: the state that writes it, what sets it off, and whether it has a guard."""


class NeverEntered:
    """States of the author's own that are never entered, while those that lead there are."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.entered: set[str] = set()

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[str, bool]]:
        for paths, now in ((active_in(self.flow, before), False), (taken.entered, True)):
            for path in paths:
                if path not in self.entered:
                    self.entered.add(path)
                    yield path, now

    def found(self, exploration: Exploration, seen: Seen[tuple[str, bool]]) -> Suspects:
        if not exploration.finished:
            return
        stood = {path: (passage[0], (passage,) if now else ()) for (path, now), passage in first_seen(seen).items()}
        for path, leads in self._led_to().items():
            first = next((one for one in leads if one[0] in stood), None)
            if first is not None:
                yield self._told(path, first, stood[first[0]], frozenset(self._concerned(leads)))

    def _concerned(self, leads: list[Leads]) -> Iterator[str]:
        """The states of which, if anything was told of them, that is why: where rows are, and what has to be done for a `done`."""
        for source, trigger, _ in leads:
            yield source
            if isinstance(trigger, Row) and trigger.pattern == "done":
                yield from subtree(self.flow.states, source)

    def _led_to(self) -> dict[str, list[Leads]]:
        """What is never entered, the outermost of it, with the rows that lead there; but for what an event leads to, or a guard lets in,
        of which nobody knows whether it comes."""
        unknown, found, open_to = Unknown(self.flow), dict[str, list[Leads]](), set[str]()
        for state in self.flow.states.values():
            for trigger, move in triggers(state):
                path = None if move.target is None else self._outermost(move.target)
                if path is None or within(state.path, path):
                    continue
                found.setdefault(path, []).append((state.path, trigger, move.guard is not None))
                if move in unknown or (isinstance(trigger, Row) and matches(trigger.pattern, "failed")):
                    open_to.add(path)
        return {path: leads for path, leads in found.items() if path not in open_to and self._is_the_authors(path)}

    def _outermost(self, target: str) -> str | None:
        """Of a state and those around it the outermost that is never entered; None where it is, or stands for another."""
        found = None
        path: str | None = target
        while path and path not in self.entered:
            state = self.flow.states[path]
            found, path = None if state.kind == "history" else path, state.parent
        return found

    def _is_the_authors(self, path: str) -> bool:
        return self.flow.states[path].position.file == self.flow.file

    def _told(
        self, path: str, leads: Leads, where: tuple[Node, tuple[Passage, ...]], sources: frozenset[str]
    ) -> Suspect:
        source, trigger, guarded = leads
        return Suspect(
            warning(
                "never-entered", f"no call ever comes to {named(path)}: {_why(source, trigger, guarded=guarded)}",
                self.flow.states[path].position, "see what should lead there, or take it out",
            ),
            where[0], frozenset({path}) | sources, where[1], f"`{path}` is never entered.",
        )  # fmt: skip


def _why(source: str, trigger: Trigger, *, guarded: bool) -> str:
    if isinstance(trigger, Row):
        what = f"`{trigger.pattern}`"
    elif isinstance(trigger, TimerRow):
        what = f"`{trigger.kind}` of {trigger.text}"
    else:
        what = "`always`"
    says = f"the row of {named(source)} for {what}"
    return f"{says} is never taken" if guarded or isinstance(trigger, Row) else f"{says} is never due"
