"""Rows, tools and guards that come to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of, offered_in
from callflow.core.events import STATE_EVENTS, EffectEnded, Event, Input
from callflow.core.flow import Flow, Row
from callflow.core.snapshot import Forward, Step
from callflow.core.statechart.action_lists import triggers
from callflow.core.statechart.structure import within
from callflow.core.table import table_of
from callflow.proof.ending import EndingState
from callflow.proof.finding import Seen, Suspect, Suspects, first_seen, is_the_authors, leaf_of
from callflow.proof.findings.guards import Unknown
from callflow.proof.listening import parties
from callflow.proof.node import Exploration, Passage, Situation
from callflow.verify.places import defect, named, warning


class Beaten:
    """Rows whose event does happen, and in whose place another row is taken each time."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.taken: set[int] = set()

    def see(
        self, before: Situation, event: Input, taken: Step, after: Situation
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        if not taken.moves:
            return
        self.taken.update(number for move in taken.moves for number in move.transitions)
        first = taken.moves[0]
        name = event.name if isinstance(event, Event) else first.trigger
        if first.trigger != name or name in STATE_EVENTS or not before.snapshot.configuration:
            return
        for rows in configuration_of(table_of(self.flow), before.snapshot.configuration).heard(name).rows:
            for row in rows:
                if row is not None and row.guard is None and not row.supplied and row.id not in first.transitions:
                    yield row.id, first.transitions

    def found(self, exploration: Exploration, seen: Seen[tuple[int, tuple[int, ...]]]) -> Suspects:
        told: set[int] = set()
        for (number, others), where in seen if exploration.finished else ():
            if number in self.taken | told:
                continue
            told.add(number)
            if not others:
                continue
            row, other = self.flow.transitions[number], self.flow.transitions[others[0]]
            yield Suspect(
                defect(
                    "row-always-beaten", f"the row of {named(row.source)} in line {row.position.line} is never taken: that in line "
                    f"{other.position.line} always comes first, since it is {_why(row.source, other.source)}",
                    row.position, "take one of them out, or narrow the one that comes first",
                ),
                where[0], more=(where,),
            )  # fmt: skip


def _why(source: str, other: str) -> str:
    return "further in" if source != other else "closer to the event's name, or written first"


class Untaken:
    """Tools that are offered, and that nothing takes when the model calls them, whatever guards say."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.taken: set[tuple[str, str]] = set()

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[str, str, str]]:
        if not isinstance(event, Event) or not event.name.startswith("tool."):
            return
        tool = self.flow.tools.get(event.name[5:])
        at = event.offered_in or before.snapshot.configuration
        state = offered_in(table_of(self.flow), event._replace(offered_in=at)).offering(event.name[5:])
        if tool is None or tool.own or tool.run is not None or state is None:
            return
        leaf = next((path for path in reversed(at) if within(path, state)), state)
        forwarded = any(isinstance(effect, Forward) for effect in taken.effects)
        if taken.moves or forwarded or any(note.kind in ("kept", "late") for note in taken.notes):
            self.taken.add((leaf, tool.name))
        else:
            yield leaf, tool.name, state

    def found(self, exploration: Exploration, seen: Seen[tuple[str, str, str]]) -> Suspects:
        told: set[tuple[str, str]] = set()
        for (leaf, name, state), where in seen if exploration.finished else ():
            if (leaf, name) in self.taken or (state, name) in told:
                continue
            told.add((state, name))
            offered = "" if leaf == state else f", since {named(state)} offers it"
            yield Suspect(
                defect(
                    "tool-not-taken", f"the model may call `{name}` in {named(leaf)}{offered}, and no row takes that",
                    self.flow.states[leaf].position, f"write a row for `tool.{name}` there, or do not offer it",
                ),
                where[0], more=(where,),
            )  # fmt: skip


class NoneHolds:
    """What the flow has begun has ended well, there are rows for that, and none of their guards holds: the call stays where it is, and
    waits for somebody to do something else."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.patterns = {
            move.id: trigger.pattern
            for state in flow.states.values()
            for trigger, move in triggers(state)
            if isinstance(trigger, Row)
        }

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[int]:
        if taken.moves or not isinstance(event, EffectEnded) or event.status != "ok" or not parties(taken.snapshot):
            return
        asked = _refused(taken)
        effect = before.snapshot.memory.effects[event.id]
        verb = verb_of(effect.verb)
        ends = {"done", verb.result_event(event.result) if verb.results else "done"}
        rows = [number for number in asked if self.patterns.get(number) in ends]
        memory = taken.snapshot.memory
        if (
            not rows
            or memory.effects
            or memory.lists
            or any(is_the_authors(self.flow, timer) for timer in memory.timers)
        ):
            return
        yield rows[-1]

    def found(self, exploration: Exploration, seen: Seen[int]) -> Suspects:
        for number, passage in seen:
            row = self.flow.transitions[number]
            yield Suspect(
                warning(
                    "result-lost", f"there are rows for `{self.patterns[row.id]}` in {named(row.source)}, and none of them holds each time: "
                    "nothing happens then", row.position, "write a row for all others, without a guard, as the last of them",
                ),
                passage[0], frozenset({row.source, leaf_of(passage[1].target)}), (passage,), "Nothing happens until somebody does something.",
            )  # fmt: skip


class NotDone:
    """The model has called a tool that does nothing but raise its event, there are rows for that, and none of their guards holds."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[str, int | None]]:
        tool = (
            self.flow.tools.get(event.name[5:]) if isinstance(event, Event) and event.name.startswith("tool.") else None
        )
        if tool is None or tool.own or tool.run is not None or tool.result is not None:
            return
        if taken.moves:
            yield tool.name, None
        elif refused := _refused(taken):
            yield tool.name, refused[-1]

    def found(self, exploration: Exploration, seen: Seen[tuple[str, int | None]]) -> Suspects:
        taken = {name for (name, number), _ in seen if number is None}
        for (name, number), passage in first_seen(seen).items():
            if number is None or name not in taken:
                continue
            row = self.flow.transitions[number]
            yield Suspect(
                warning(
                    "result-lost", f"there are rows for `tool.{name}` in {named(row.source)}, and none of them holds each time: nothing is done "
                    "then, and the model is not told so", row.position, "write a row for all others, without a guard, as the last of them",
                ),
                passage[0], frozenset({row.source, leaf_of(passage[0])}), (passage,), "Nothing is done, and the model is not told so.",
            )  # fmt: skip


def _refused(taken: Step) -> list[int]:
    """The transitions whose guards were asked, and did not hold."""
    return [note.data["transition"] for note in taken.notes if note.kind == "guard" and not note.data["holds"]]


class Decided:
    """Guards that are never true, or always, in all calls that can be; but for those that are asked in the ending, of rows around it that are
    not taken there whatever they say: what they read there is not followed."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.ending = EndingState(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[int, bool]]:
        for note in taken.notes:
            if note.kind == "guard" and self.ending.asks(
                self.flow.transitions[note.data["transition"]], before.snapshot
            ):
                yield note.data["transition"], note.data["holds"]

    def found(self, exploration: Exploration, seen: Seen[tuple[int, bool]]) -> Suspects:
        found: dict[int, dict[bool, Passage]] = {}
        unknown = Unknown(self.flow)
        for (number, holds), passage in first_seen(seen).items():
            found.setdefault(number, {})[holds] = passage
        for number, verdicts in found.items() if exploration.finished else ():
            row = self.flow.transitions[number]
            if len(verdicts) == 1 and not row.supplied and row.guard is not None and row not in unknown:
                ((holds, where),) = verdicts.items()
                yield Suspect(
                    warning(
                        "guard-always-so", f"`{row.guard.source}` is {'always' if holds else 'never'} true where it is asked",
                        row.position, "see that something changes what it reads, or leave it out",
                    ),
                    where[0], frozenset({row.source}), more=(where,),
                )  # fmt: skip
