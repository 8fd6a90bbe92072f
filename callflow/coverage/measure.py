"""What scenarios take of their flows, and which rows they would miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import attrs
from attrs import define, field, frozen

from callflow.core.flow import Flow
from callflow.coverage.taken import Took
from callflow.coverage.things import KINDS, Kind, Thing, inventory_of
from callflow.coverage.without import without
from callflow.scenario import Scenario, play


@frozen
class Found:
    """What became of one thing: the scenarios that take it, and of a row the one that would fail without it. `asserted` is None for
    a row that is taken, and that nobody would miss, and for what is no row."""

    thing: Thing
    scenarios: tuple[str, ...] = ()
    asserted: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it is covered: a row where some expectation would fail if it were gone, all else where it is taken."""
        return bool(self.scenarios) and (self.asserted is not None or self.thing.kind != "row")

    @property
    def unmissed(self) -> bool:
        """Whether it is a row that is taken, and nothing would fail without it."""
        return bool(self.scenarios) and not self.counts


@frozen
class FileCoverage:
    """What was found of one file, in its order."""

    file: str
    found: Sequence[Found]

    def of(self, kind: Kind) -> list[Found]:
        return [one for one in self.found if one.thing.kind == kind]

    def share(self, kind: Kind) -> tuple[int, int]:
        """How many count, of how many."""
        each = self.of(kind)
        return sum(one.counts for one in each), len(each)


@frozen
class Coverage:
    """Of all files of the flows whose scenarios were played; of each flow the rows that count, and those that were taken."""

    files: Sequence[FileCoverage]
    counted: Mapping[Thing, Found]

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows count, of how many."""
        each = [one.share("row") for one in self.files]
        return sum(one for one, _ in each), sum(all_ for _, all_ in each)

    @property
    def percent(self) -> float:
        """Of the rows; 100 where there are none."""
        return percent(*self.rows)


def percent(part: int, whole: int) -> float:
    return 100.0 if not whole else 100.0 * part / whole


class _Taker(NamedTuple):
    scenario: Scenario
    took: Took


@define(eq=False)
class Meter:
    """Is shown each scenario that was played, and measures what those take that pass."""

    _flows: dict[int, Flow] = field(init=False, factory=dict)
    _passed: list[_Taker] = field(init=False, factory=list)

    def see(self, scenario: Scenario, took: Took | None) -> None:
        """One that was played, and what `took` says of its result."""
        self._flows.setdefault(id(scenario.flow), scenario.flow)
        if took is not None:
            self._passed.append(_Taker(scenario, took))

    def coverage(self) -> Coverage:
        """Plays again, for each row that was taken, the scenarios that take it, on the flow without this row, until one fails."""
        takers: dict[Thing, list[_Taker]] = {}
        for one in self._passed:
            for thing in one.took.things:
                takers.setdefault(thing, []).append(one)
        asserted = dict(self._asserted(takers))
        things = dict.fromkeys(thing for flow in self._flows.values() for thing in inventory_of(flow).things)
        counted = {
            thing: Found(thing, tuple(one.scenario.name for one in takers.get(thing, ())), asserted.get(thing))
            for thing in things
        }
        files = dict.fromkeys(thing.file for thing in things)
        return Coverage(
            [
                FileCoverage(file, [counted[one] for one in sorted(things, key=_order) if one.file == file])
                for file in files
            ],
            counted,
        )

    def _asserted(self, takers: Mapping[Thing, Iterable[_Taker]]) -> Iterator[tuple[Thing, str]]:
        for thing, each in takers.items():
            if thing.kind == "row":
                short_first = sorted(each, key=lambda one: one.took.steps)
                name = next((name for name in self._missed(thing, short_first)), None)
                if name is not None:
                    yield thing, name

    def _missed(self, thing: Thing, takers: Sequence[_Taker]) -> Iterator[str]:
        """The scenarios that fail without this row."""
        flows: dict[int, Flow] = {}
        for one in takers:
            flow = one.scenario.flow
            if id(flow) not in flows:
                rows = {number for number, row in inventory_of(flow).rows.items() if row == thing}
                flows[id(flow)] = without(flow, rows)
            if not play(attrs.evolve(one.scenario, flow=flows[id(flow)])).passed:
                yield one.scenario.name


def _order(thing: Thing) -> tuple[int, int, int, str]:
    return thing.line, thing.column, list(KINDS).index(thing.kind), thing.what
