"""What is written and never comes to anything: results that nothing takes, rows for what never happens, actions that never begin."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.actions import RESULT_EVENTS, verb_of
from callflow.core.configuration import configuration_of
from callflow.core.durations import told_duration
from callflow.core.events import EffectEnded, Event, Input
from callflow.core.flow import Action, Flow, Position, Row, TimerRow
from callflow.core.inputs import ends
from callflow.core.possible import action_of
from callflow.core.snapshot import Start, Step
from callflow.core.statechart.action_lists import OF_ROWS, transitions
from callflow.core.statechart.descriptors import matches
from callflow.core.table import table_of
from callflow.errors import Defect
from callflow.proof.finding import Seen, Suspect, Suspects, active_in, first_seen
from callflow.proof.findings.ways import result_of
from callflow.proof.listening import parties, unheard
from callflow.proof.node import Exploration, Node, Situation
from callflow.verify.places import defect, named, warning

Place = tuple[str, str | int, int]
"""Where an action stands: `entry`, `exit` or `do`, the state or the transition, and its place in the list."""


class Lost:
    """A result that rows are there for, and none of them takes it: it is a failure then, and the call ends, whoever is on the line; or
    it is a verdict on who has answered, and whoever that is waits."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.waits = unheard(flow)

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[tuple[str, Position]]:
        if not isinstance(event, EffectEnded) or not parties(before.snapshot):
            return
        effect = before.snapshot.memory.effects.get(event.id)
        if effect is None or not any(move.trigger == "failed" and not move.transitions for move in taken.moves):
            return
        result, verb = result_of(effect, event), verb_of(effect.verb)
        if not result or result in verb.success or any(move.trigger == result for move in taken.moves):
            return
        says = f"no row takes `{result}`: the call ends as failed"
        if configuration_of(table_of(self.flow), before.snapshot.configuration).heard(result).rows:
            says = f"there are rows for `{result}`, and none of them holds each time: the call ends as failed"
        elif verb.wants_rows:  # the file alone says so (`result-not-taken`)
            return
        action, state = action_of(self.flow, effect), str(effect.source[1])
        if action is not None or state in self.flow.states:
            place = self.flow.states[state].position if action is None else action.position
            yield says, place

    def found(self, exploration: Exploration, seen: Seen[tuple[str, Position]]) -> Suspects:
        for (says, place), passage in seen:
            yield Suspect(_lost(says, place), passage[0], more=(passage,))
        for node in exploration.nodes:
            if "detection" in node.facts and parties(node.snapshot) and self.waits(node.snapshot, node.facts):
                yield from self._wait(node)

    def _wait(self, node: Node) -> Suspects:
        """Somebody has answered, and it is not known who: that it is a person has to lead on."""
        states = [self.flow.states[path] for path in active_in(self.flow, node)]
        rows = [row for state in states for row in state.rows if _family(row.pattern) == _family(PERSON)]
        if rows and not configuration_of(table_of(self.flow), node.snapshot.configuration).heard(PERSON).rows:
            says = f"there are rows for other results, none takes `{PERSON}`, and whoever has answered hears nothing"
            yield Suspect(_lost(says, rows[0].position), node, after="A person has answered. No row takes that.")


def _lost(says: str, place: Position) -> Defect:
    return defect("result-lost", says, place, "write a row for all others, without a guard, as the last of them")


PERSON = "amd.human"
"""The one verdict after which somebody waits to be spoken to."""


class NeverHeard:
    """Rows for results of which none ever comes while their state is active, or not this one since an `after` is always due before; and
    for a tool that is never called then."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.came: set[tuple[str, str]] = set()
        self.stood: set[str] = set()

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[str]:
        active = active_in(self.flow, before)
        yield from active - self.stood
        self.stood |= active
        if isinstance(event, Event):
            name = event.name
        else:
            effect = before.snapshot.memory.effects.get(event.id) if isinstance(event, EffectEnded) else None
            name = "" if effect is None or not isinstance(event, EffectEnded) else result_of(effect, event)
        if name:
            self.came.update((path, what) for path in active for what in (name, _family(name)))
        for move in taken.moves:  # also where the state was left meanwhile
            for row in map(self.flow.transitions.__getitem__, move.transitions):
                self.came |= {(row.source, move.trigger), (row.source, _family(move.trigger))}

    def found(self, exploration: Exploration, seen: Seen[str]) -> Suspects:
        for path, (node, _) in first_seen(seen).items() if exploration.finished else ():
            for row in self.flow.states[path].rows:
                if self._is_brought_about(row) and (path, _family(row.pattern)) not in self.came:
                    yield Suspect(
                        warning(
                            "row-never-taken", f"`{row.pattern}` never comes while {named(path)} is active", row.position,
                            "begin there what it is the result of, offer the tool there, or take the row out", len(row.pattern),
                        ),
                        node, frozenset({path}), after=f"`{row.pattern}` never comes.",
                    )  # fmt: skip
                elif row.pattern in RESULT_EVENTS and self._is_brought_about(row):
                    yield from self._too_late(exploration, path, row)

    def _too_late(self, exploration: Exploration, path: str, row: Row) -> Suspects:
        """What runs could end in this way, and not before the state is left by a timer of its own."""
        before = [timer for timer in self.flow.states[path].timers if _leads_on(timer)]
        if (path, row.pattern) in self.came or not before:
            return
        first = min(before, key=lambda timer: timer.seconds)
        for node in exploration.nodes:
            if path not in active_in(self.flow, node):
                continue
            for effect in node.snapshot.memory.effects.values():
                for one in ends(self.flow, node.snapshot, node.facts, effect):
                    end = EffectEnded(effect.id, one.status, one.result, one.error, 0.0)
                    if one.least >= first.seconds and result_of(effect, end) == row.pattern:
                        yield Suspect(
                            warning(
                                "row-never-taken", f"`{row.pattern}` never comes while {named(path)} is active: that takes "
                                f"{told_duration(one.least)} at least, and `after` of {first.text} is due before",
                                row.position, "let that timer be longer, or take the row out", len(row.pattern),
                            ),
                            node, frozenset({path}), after=f"`{row.pattern}` never comes.",
                        )  # fmt: skip
                        return

    def _is_brought_about(self, row: Row) -> bool:
        """Whether the flow itself has to bring the event about."""
        if row.pattern.startswith("tool."):
            tool = self.flow.tools.get(row.pattern[5:])
            return tool is not None and not tool.own and bool(row.transitions)
        if any(move.supplied for move in row.transitions):
            return False
        return any(row.pattern == name or matches(row.pattern, name) for name in RESULT_EVENTS)


def _leads_on(timer: TimerRow) -> bool:
    """Whether this leaves the state in any case, once so long after it was entered."""
    return timer.kind == "after" and any(row.guard is None and row.target is not None for row in timer.transitions)


def _family(name: str) -> str:
    """Whatever is the result of the same verb; a tool for itself."""
    return name if name.startswith("tool.") else name.partition(".")[0]


class NeverBegun:
    """Actions that no call ever comes to, in lists that are begun: what stands before them always leads away."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def see(self, before: Situation, event: Input, taken: Step, after: Situation) -> Iterator[Place]:
        for effect in taken.effects:
            if isinstance(effect, Start):
                kind, key, place = effect.source
                yield "do" if kind in OF_ROWS else kind, key, place

    def found(self, exploration: Exploration, seen: Seen[Place]) -> Suspects:
        begun = first_seen(seen)
        for (kind, key, place), action in self._written() if exploration.finished else ():
            where = next((begun[one] for n in range(place) if (one := (kind, key, n)) in begun), None)
            if (kind, key, place) in begun or where is None:
                continue
            yield Suspect(
                defect(
                    "action-never-run", f"no call ever comes to this `{action.verb}`: what stands before it always leads away",
                    action.position, "write it before, or where that leads to", len(action.verb),
                ),
                where[0], more=(where,), after=f"`{action.verb}` is never begun.",
            )  # fmt: skip

    def _written(self) -> Iterator[tuple[Place, Action]]:
        """What the author has written that takes time, behind what has a result of its own, with its place."""
        for path, state in self.flow.states.items():
            lists: list[tuple[str, str | int, tuple[Action, ...]]] = [
                ("entry", path, state.entry),
                ("exit", path, state.exit),
            ]
            lists += [("do", move.id, move.actions) for move in transitions(state)]
            for kind, key, actions in lists:
                for place, action in enumerate(actions):
                    leads_away = any(verb_of(one.verb).results for one in actions[:place])
                    if leads_away and not verb_of(action.verb).at_once and action.position.file == self.flow.file:
                        yield (kind, key, place), action
