"""`callflow replay JOURNAL…`: the calls of journals, taken once more through the flow of today."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click
from attrs import define, field

from callflow.cli._journals import NOTHING_FOUND, Progress, files_of, flow_option, rule
from callflow.errors import CallflowError, printable

if TYPE_CHECKING:
    from concurrent.futures import Future

    from callflow.journal.diverging import Change, Verdict
    from callflow.journal.flows import Flows
    from callflow.journal.onward import Onward

BATCH = 50
"""Journals that one process takes at a time."""

SHOWN = 5
"""Differences that are told as stories; of all others it is said how many there are."""


@click.command("replay")
@click.argument("paths", nargs=-1, required=True, metavar="JOURNAL...")
@flow_option("The flow to take the calls through, or a folder of flows; unless given the file that each journal names.")
@click.option("-v", "--verbose", is_flag=True, help="Name the calls that come out the same, and tell every difference.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes share the work."
)
def command(paths: Sequence[str], flows: Sequence[str], verbose: bool, jobs: int) -> None:
    """Take the calls of journals (files, or folders of *.jsonl) through their flow as it is today, step by step.

    Each step has to come out as it was recorded. Of a call that goes another way the first difference is told with both sides; all of
    them are counted by what has changed, and by how they go on, as far as their journals can tell.

    Exit status: 0 all come out the same, 1 some do not, 2 wrong usage or a file that cannot be replayed, 5 there are none.
    """
    from callflow.journal.flows import Flows, NoFlow

    try:
        known = Flows(flows)
    except NoFlow as error:
        raise click.UsageError(str(error)) from None
    files = list(files_of(paths))
    progress, tally, told = Progress(len(files)), Tally(), 0
    for number, verdict in enumerate(_verdicts(files, flows, known, jobs), start=1):
        progress.at(number)
        first, lines = tally.add(verdict), list[str]()
        if verdict.change is None:
            lines = [*_told(verdict, verbose=verbose)]
        elif verbose or (first and told < SHOWN):
            lines, told = [*_difference(verdict), ""], told + 1
        if lines:
            progress.clear()
            click.echo("\n".join(lines), err=verdict.result == "unreadable")
    progress.clear()
    if sum(one.calls for one in tally.changes.values()) > 1:
        click.echo("\n".join([*_grouped(tally.changes), ""]))
    click.secho(tally.summary, bold=True, fg="red" if tally.wrong else "green" if tally.of("same") else None)
    sys.exit(2 if tally.of("unreadable") else 1 if tally.wrong else 0 if files else NOTHING_FOUND)


@define
class Group:
    """The calls that are different in the same: how many, the first of them, and by what came of each (then, now) how many."""

    example: str
    calls: int = 0
    ends: Counter[tuple[str, str]] = field(factory=Counter)


@define
class Tally:
    """What became of all journals."""

    changes: dict[Change, Group] = field(factory=dict)
    results: Counter[str] = field(factory=Counter)
    steps: int = 0

    def add(self, verdict: Verdict) -> bool:
        """Counts one; whether it is the first with its change."""
        self.results[verdict.result] += 1
        self.steps += verdict.steps
        if verdict.change is None:
            return False
        first = verdict.change not in self.changes
        group = self.changes.setdefault(verdict.change, Group(f"{verdict.file}:{verdict.line}"))
        group.calls += 1
        if verdict.onward is not None:
            group.ends[verdict.onward.was, verdict.onward.now or "not known"] += 1
        return first

    def of(self, result: str) -> int:
        return self.results[result]

    @property
    def wrong(self) -> bool:
        return bool(self.results.total() - self.of("same"))

    @property
    def summary(self) -> str:
        words = (
            ("differs", "go another way"),
            ("unknown", "not known"),
            ("same", "the same"),
            ("unreadable", "not replayed"),
        )
        told = ", ".join(f"{self.of(result):,} {what}" for result, what in words if self.of(result))
        return f"{told}; {self.steps:,} steps" if told else "no journals"


def _told(verdict: Verdict, *, verbose: bool) -> Iterator[str]:
    """A line about a call that is not different, where there is something to say."""
    if verdict.result == "unreadable":
        yield f"{printable(verdict.why)} {click.style('E', fg='red')}"
    elif verdict.result == "unknown":
        yield f"{printable(verdict.file)}:{verdict.line}: cannot know from here: {printable(verdict.why)}"
    elif verbose or verdict.remark:
        remark = f" ({verdict.remark})" if verdict.remark else ""
        yield f"{printable(verdict.file)} {click.style('.', fg='green')}{remark}"


def _verdicts(files: Sequence[str], flows: Sequence[str], known: Flows, jobs: int) -> Iterator[Verdict]:
    """Of each file, in order; several at a time side by side."""
    if jobs < 2 or len(files) < 2 * BATCH:
        yield from map(partial(_verdict, known), files)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin, initargs=(tuple(flows),)) as pool:
        waiting: deque[Future[list[Verdict]]] = deque()
        for first in range(0, len(files), BATCH):
            waiting.append(pool.submit(_batch, files[first : first + BATCH]))
            if len(waiting) > 2 * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


_known: list[Flows] = []
"""In a process of its own: the flows."""


def _begin(flows: Sequence[str]) -> None:
    import signal

    from callflow.journal.flows import Flows

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that it works for tells it to end
    _known[:] = [Flows(flows)]


def _batch(files: Sequence[str]) -> list[Verdict]:
    return [_verdict(_known[0], file) for file in files]


def _verdict(known: Flows, file: str) -> Verdict:
    from callflow.journal.diverging import Verdict, judge
    from callflow.journal.flows import NoFlow
    from callflow.journal.reading import Reading

    try:
        with Reading(file) as reading:
            try:
                flow = known.of(reading.head)
            except NoFlow as error:
                return Verdict(file, "unreadable", why=f"{file}:1: {error}")
            return judge(flow, reading)
    except CallflowError as error:
        return Verdict(file, "unreadable", why=str(error))


def _difference(verdict: Verdict) -> Iterator[str]:
    """What led there, what happened, both sides, and how the call goes on."""
    yield rule(verdict.file)
    yield f"{click.style(printable(f'{verdict.file}:{verdict.line}'), fg='blue')}: it goes another way from here"
    yield from (f"    {printable(line)}" for line in verdict.lead)
    yield f"    {verdict.seconds:.3f} s: {printable(verdict.happened)}"
    yield from _side("recorded", "green", verdict.recorded, verdict.made)
    yield from _side("today", "red", verdict.made, verdict.recorded)
    if verdict.onward is not None:
        yield f"  {'then':10}{printable(_onward(verdict.onward))}"


def _side(name: str, colour: str, side: Sequence[str], other: Sequence[str]) -> Iterator[str]:
    """One side of a difference; what the other has, too, is not coloured."""
    for number, phrase in enumerate(side):
        line = f"  {name if number == 0 else '':10}{printable(phrase)}"
        yield line if phrase in other else click.style(line, fg=colour)


def _onward(onward: Onward) -> str:
    """How a call goes on after its difference."""
    if onward.now is None:
        return f"it cannot be known how it goes on {onward.unknown}"
    if onward.now == onward.was:
        return f"its outcome is {onward.now}, as it was"
    return f"its outcome is {onward.now}, and was {onward.was}"


def _grouped(changes: Mapping[Change, Group]) -> Iterator[str]:
    """What has changed, the most frequent first, with an example of each and what comes of the calls."""
    for change, group in sorted(changes.items(), key=lambda item: -item[1].calls):
        where = f"in {change.state or 'no state'}, on {change.on}"
        yield f"{group.calls:6,}  {printable(f'{where}: {change.what}')}"
        yield f"        {printable(f'recorded: {change.was}')}"
        yield f"        {printable(f'today:    {change.now}')}"
        ends = ", ".join(
            f"{number:,} {then if then == now else f'{then} -> {now}'}"
            for (then, now), number in group.ends.most_common()
        )
        yield f"        {printable(f'outcomes: {ends}')}"
        yield f"        {printable(f'such as   {group.example}')}"
