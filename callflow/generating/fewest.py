"""The fewest scenarios that cover all rows of a flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import attrs
from attrs import frozen

from callflow.core.flow import Flow
from callflow.coverage import Coverage, Meter, Thing, took
from callflow.coverage.taken import rows_of
from callflow.coverage.things import inventory_of
from callflow.errors import CallflowError
from callflow.generating.acts import FORMS, scenario_of
from callflow.generating.expecting import settled, with_expectations
from callflow.generating.naming import apart, name_of
from callflow.generating.ways import Ways
from callflow.proof.node import Going, Passage, on_and_on
from callflow.proof.way import Way
from callflow.scenario import Scenario, from_inputs, play
from callflow.scenario.model import Expects

BUDGET = 50_000
"""Steps of the exploration."""

LONGEST = 40
"""Inputs of a call that is led on to further rows."""


@frozen
class Generated:
    """Scenarios that pass, and what they cover. `left`: rows that no call was found to take, in so many `steps` of the search, which has
    `finished` or was ended."""

    scenarios: Sequence[Scenario]
    coverage: Coverage
    left: Sequence[Thing]
    finished: bool
    steps: int


class _Candidate:
    """A scenario that passes, and the rows that it takes; the way that it goes."""

    def __init__(self, scenario: Scenario, rows: frozenset[int], passages: tuple[Passage, ...], length: int) -> None:
        self.scenario, self.rows, self.passages, self.length = scenario, rows, passages, length


def generate(flow: Flow, *, budget: int = BUDGET, going: Going = on_and_on) -> Generated:
    """Follows the flow's calls to each row by the shortest way, leads each on to rows that are near, and keeps the fewest that take
    them all. `going` is asked on the way, and may end it early."""
    ways = Ways(flow, budget, going)
    return _Generator(flow, ways, lambda left: going(len(ways.rows), left, ways.steps)).run()


class _Generator:
    def __init__(self, flow: Flow, ways: Ways, going: Callable[[int], bool]) -> None:
        self._flow, self._ways, self._going = flow, ways, going
        self._known = inventory_of(flow).rows
        self._written = frozenset(self._known)

    def run(self) -> Generated:
        found: list[_Candidate] = []
        open_rows = set(self._ways.rows)
        for row in sorted(self._ways.rows):
            if row not in open_rows:
                continue
            if not self._going(len(open_rows)):
                break
            one = self._first(row)
            if one is not None:
                one = self._led_on(one, open_rows - one.rows)
                open_rows -= one.rows
                found.append(one)
        kept = [*_fewest(found)]
        named = apart([name_of(one.scenario) for one in kept])
        scenarios = [attrs.evolve(one.scenario, name=name) for one, name in zip(kept, named, strict=True)]
        scenarios, coverage = self._closely(scenarios)
        covered = {thing for thing, one in coverage.counted.items() if one.scenarios}
        left = [thing for thing in inventory_of(self._flow).things if thing.kind == "row" and thing not in covered]
        return Generated(scenarios, coverage, left, self._ways.finished, self._ways.steps)

    def _first(self, row: int) -> _Candidate | None:
        """By the shortest way that makes a readable scenario; by the shortest one at all where none does."""
        exact: _Candidate | None = None
        for passages in self._ways.to(row):
            one = self._candidate(passages, row)
            if one is not None and not one.scenario.exactly:
                return one
            exact = exact or one
        return exact

    def _led_on(self, one: _Candidate, rows: set[int]) -> _Candidate:
        """The same call, on to further rows as long as there are some."""
        while rows and one.length < LONGEST:
            passages = self._ways.on(one.passages, rows)
            if passages is None:
                break
            next_rows = self._ways.taken(passages[-1][1]) & rows
            longer = self._candidate(passages, *next_rows)
            rows = rows - next_rows
            if longer is not None and longer.rows >= one.rows and longer.scenario.exactly <= one.scenario.exactly:
                one, rows = longer, rows - longer.rows
        return one

    def _candidate(self, passages: tuple[Passage, ...], *rows: int) -> _Candidate | None:
        """The most readable scenario of a way that takes these rows."""
        way = self._ways.way(passages)
        if way is None:
            return None
        for scenario in self._forms(way, frozenset(rows)):
            result = play(scenario)
            taken = rows_of(result.taken) & self._written
            if result.passed and taken.issuperset(rows):
                return _Candidate(scenario, taken, passages, len(way.steps))
        return None

    def _forms(self, way: Way, rows: frozenset[int]) -> Iterator[Scenario]:
        for form in FORMS:
            scenario = scenario_of(self._flow, way, form)
            result = play(scenario)
            if result.passed and rows <= rows_of(play(settled(scenario)).taken):
                yield with_expectations(scenario)
        begun = way.steps[0].snapshot.memory
        try:
            yield from_inputs(
                self._flow, way.inputs, vars=begun.vars.get("", {}), env=begun.env, call=begun.call, start=begun.started,
                waiting=not self._flow.outbound, states=True,
            )  # fmt: skip
        except CallflowError:  # a way that cannot be
            return

    def _closely(self, scenarios: list[Scenario]) -> tuple[list[Scenario], Coverage]:
        """Where nobody would miss a row but for who has ended the call, or for how long it lasts, that is expected, too."""
        coverage = _measured(scenarios)
        unmissed = {name for file in coverage.files for one in file.of("row") if one.unmissed for name in one.scenarios}
        if not unmissed:
            return scenarios, coverage
        timed = [_closer(one) if one.name in unmissed else one for one in scenarios]
        return timed, _measured(timed)


def _closer(scenario: Scenario) -> Scenario:
    if scenario.exactly or scenario.expect is None:
        return scenario
    acts = tuple(step for step in scenario.steps if not isinstance(step.act, Expects))
    timed = with_expectations(attrs.evolve(scenario, steps=acts, expect=None), closely=True)
    return timed if play(timed).passed else scenario


def _measured(scenarios: Sequence[Scenario]) -> Coverage:
    meter = Meter()
    for one in scenarios:
        meter.see(one, took(play(one)))
    return meter.coverage()


def _fewest(found: Sequence[_Candidate]) -> Iterator[_Candidate]:
    """Greedily: the one that takes most of what is left, the shortest of them (Chvátal 1979)."""
    rest, left = list(found), {row for one in found for row in one.rows}
    while left:
        best = max(rest, key=lambda one: (len(one.rows & left), -len(one.scenario.steps)))
        left -= best.rows
        rest.remove(best)
        yield best
