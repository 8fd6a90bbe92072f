"""Keys that come to nothing, or to something else: pressed before they are collected, or where another row, or the collecting, takes them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.configuration import configuration_of
from callflow.core.events import DIGITS, MAIN_LEG, EffectEnded, Event, Input
from callflow.core.expressions import Expression
from callflow.core.expressions.template import Template
from callflow.core.flow import ROOT, Action, Flow, Row, Transition
from callflow.core.possible import action_of
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.core.statechart.action_lists import action_at
from callflow.core.table import table_of
from callflow.proof.asking import keys
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, in_ending, leaf_of
from callflow.proof.findings.questions import words
from callflow.proof.findings.speech import hears, says
from callflow.proof.findings.ways import ended_well, straight_on
from callflow.proof.listening import talk
from callflow.proof.node import Edge, Exploration, Node, Passage, Situation
from callflow.verify.places import named, warning

_NUMBERS = tuple("0123456789")


class TooEarly:
    """A menu is read, and only when it has been read do keys lead to what it names: whoever presses one of them before loses it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Action]:
        if isinstance(event, EffectEnded) and ended_well(event) and hears(before.snapshot):
            action = action_at(self.flow, before.snapshot.memory.effects[event.id].source)
            if action is not None and words(action) and action.arguments.get("to") in (None, MAIN_LEG):
                yield action

    def found(self, exploration: Exploration, seen: Seen[Action]) -> Suspects:
        for action, passage in seen:
            named_keys = keys(words(action), told=verb_of(action.verb).talks)
            way = straight_on(passage, partial(self._are_taken, named_keys), self._is_over)
            if way is None:
                continue
            collected = _begins_to_collect(way[-1][1].taken)
            why = self._lost(passage[0].snapshot, _NUMBERS if collected else sorted(named_keys))
            if not why:
                continue
            where = "`collect_digits` begins" if collected else "the rows for it come"
            yield Suspect(
                warning(
                    "key-too-early", f"a key that is pressed while `{action.verb}` is heard {why}: {where} only after that", action.position,
                    "write the words as the `prompt` of `collect_digits`, or say them in the state that has the rows", len(action.verb),
                ),
                passage[0], frozenset({leaf_of(way[-1][1].target)}), way, f"A key that was pressed before {why}.",
            )  # fmt: skip

    def _are_taken(self, named_keys: frozenset[str], edge: Edge) -> bool:
        """Whether from here on keys are taken: by `collect_digits` that says nothing first, or by rows for those that were named."""
        if _begins_to_collect(edge.taken):
            return True
        rows = [self._row(edge.target.snapshot, key) for key in named_keys]
        return any(row is not None and _is_exact(self.flow, row) for row in rows)

    def _is_over(self, node: Node) -> bool:
        """Whether something else is said or asked, or nobody is there to press a key."""
        running = [verb_of(one.verb) for one in node.snapshot.memory.effects.values() if not one.stopping]
        busy = any(says(one.name) or one.asks_outside or one.occupies or one.calls for one in running)
        return busy or talk(node.snapshot) or in_ending(self.flow, node) or not hears(node.snapshot)

    def _lost(self, snapshot: Snapshot, which: list[str] | tuple[str, ...]) -> str:
        """What becomes of one of these keys here; "" where a row of its own takes each."""
        for key in which:
            row = self._row(snapshot, key)
            if row is None:
                return "is lost"
            if not _is_exact(self.flow, row) and not _reads_the_event(row):
                return f"goes to the row in line {row.position.line}"
        return ""

    def _row(self, snapshot: Snapshot, key: str) -> Transition | None:
        """The row that is asked first for a key, in any region."""
        at = configuration_of(table_of(self.flow), snapshot.configuration)
        return next((rows[0] for rows in at.heard(f"dtmf.{key}").rows if rows and rows[0] is not None), None)


class Verdict(NamedTuple):
    """What has become of a key for which a state has a row: that took it; `collect_digits` did; `other`, a pattern, did. `meant`:
    so that the author has thought of this key."""

    state: str
    key: str
    by: Literal["row", "collecting", "pattern", "meant"]
    other: int = 0


class Dead:
    """Rows for one key that are never taken where somebody is to press it: while nothing is said, the key goes to `collect_digits`, or
    to a pattern further in."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.taken: set[int] = set()
        self.rows: dict[str, list[tuple[str, Row]]] = {}
        for path, state in flow.states.items():
            for row in state.rows:
                if row.pattern.startswith("dtmf.") and row.pattern[5:] in DIGITS and row.transitions:
                    self.rows.setdefault(row.pattern, []).append((path, row))

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Verdict]:
        mine = self.rows.get(event.name) if isinstance(event, Event) else None
        if not mine or not isinstance(event, Event):
            return
        self.taken.update(number for move in taken.moves for number in move.transitions)
        if in_ending(self.flow, before) or self._is_said(before.snapshot):
            return
        active = {ROOT, *active_in(self.flow, before)}
        for path, row in mine:
            if path in active:
                yield from self._verdict(path, row, before, event.name[5:], taken)

    def _verdict(self, path: str, row: Row, before: Situation, key: str, taken: Step) -> Iterator[Verdict]:
        running = before.snapshot.memory.effects.values()
        if any(verb_of(one.verb).takes_keys and not one.stopping for one in running):
            yield Verdict(path, key, "meant" if self._is_asked_for(before, key) else "collecting")
        elif taken.moves and taken.moves[0].transitions:
            number = taken.moves[0].transitions[0]
            other = self.flow.transitions[number]
            if any(number == one.id for one in row.transitions):
                yield Verdict(path, key, "row")
            elif _is_exact(self.flow, other) or _reads_the_event(other):
                yield Verdict(path, key, "meant")
            else:
                yield Verdict(path, key, "pattern", number)

    def _is_said(self, snapshot: Snapshot) -> bool:
        """Whether something is being said, or has been cut and has yet to stop: nobody has to press anything yet."""
        memory = snapshot.memory
        if any(one.stopping for one in memory.effects.values()) and memory.lists:
            return True
        actions = (action_of(self.flow, one) for one in memory.effects.values() if says(one.verb) and not one.stopping)
        return any(action is None or not action.arguments.get("loop") for action in actions)

    def _is_asked_for(self, before: Situation, key: str) -> bool:
        """Whether a row for what is collected asks for this key."""
        written = {"star": "*", "pound": "#"}.get(key, key)
        states = (self.flow.states[path] for path in active_in(self.flow, before))
        guards = [
            move.guard.source
            for state in states
            for row in state.rows
            if row.pattern == "dtmf.input"
            for move in row.transitions
            if move.guard is not None
        ]
        return any(f"{quote}{written}{quote}" in guard for guard in guards for quote in "\"'")

    def found(self, exploration: Exploration, seen: Seen[Verdict]) -> Suspects:
        if not exploration.finished:
            return
        verdicts: dict[tuple[str, str], list[tuple[Verdict, Passage]]] = {}
        for verdict, passage in seen:
            verdicts.setdefault((verdict.state, verdict.key), []).append((verdict, passage))
        for (path, key), told in verdicts.items():
            if any(verdict.by in ("row", "meant") for verdict, _ in told):
                continue
            verdict, passage = next((one for one in told if one[0].by == "pattern"), told[0])
            row = next(row for state, row in self.rows[f"dtmf.{key}"] if state == path)
            if verdict.by == "collecting" and leaf_of(passage[0]) == path and self._is_taken(row):
                continue  # it is for those who press the key while the state still speaks
            yield self._suspect(row, path, verdict, passage)

    def _is_taken(self, row: Row) -> bool:
        return any(move.id in self.taken for move in row.transitions)

    def _suspect(self, row: Row, path: str, verdict: Verdict, passage: Passage) -> Suspect:
        if verdict.by == "pattern":
            other = self.flow.transitions[verdict.other]
            found = warning(
                "row-always-beaten", f"the row of {named(path)} in line {row.position.line} is never taken where somebody is to press a key: "
                f"that in line {other.position.line} comes first, since it is further in",
                row.position, f"write a row for `{row.pattern}` there, too, or narrow the one that comes first", len(row.pattern),
            )  # fmt: skip
            return Suspect(found, passage[0], more=(passage,))
        found = warning(
            "row-never-taken", f"`{row.pattern}` of {named(path)} is never taken where somebody is to press a key: `collect_digits` takes it",
            row.position, "ask for the key in the row of `dtmf.input`: `when: event.digits == …`", len(row.pattern),
        )  # fmt: skip
        return Suspect(found, passage[0], more=(passage,), after="`collect_digits` takes the key.")


def _begins_to_collect(taken: Step) -> bool:
    """Whether keys are collected from here on, and nothing is said first."""
    starts = [one for one in taken.effects if isinstance(one, Start) and verb_of(one.verb).takes_keys]
    return any(not any(verb_of(one.verb).sounds(one.arguments)) for one in starts)


def _is_exact(flow: Flow, move: Transition) -> bool:
    """Whether its row is for one key alone."""
    return any(
        move in row.transitions for row in flow.states[move.source].rows if row.pattern.removeprefix("dtmf.") in DIGITS
    )


def _reads_the_event(move: Transition) -> bool:
    """Whether it makes something of which key it was."""
    read: list[Template | Expression] = [move.guard] if move.guard is not None else []
    values = [value for action in move.actions for value in _values(action.arguments)]
    read += [value for value in values if isinstance(value, (Template, Expression))]
    return any(name.startswith("event.") for one in read for name in one.reads)


def _values(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _values(one)
    else:
        yield value
