"""Calls that nobody steers: scenarios as they are played, and whoever is at the far end."""

from __future__ import annotations

from collections.abc import Sequence

from callflow.cli._sheet import BAD, FAINT, GOOD, Sheet
from callflow.cli._told import Pace, Teller
from callflow.errors import StartError, printable
from callflow.play import Played
from callflow.play.callers import MOST, Acting, Caller
from callflow.scenario import Scenario
from callflow.scenario.call import Unending
from callflow.scenario.expectations import time_shown
from callflow.scenario.model import Expects, Never
from callflow.scenario.playing import Failure, Player
from callflow.scenario.writing import step_written


def scenarios(each: Sequence[Scenario], sheet: Sheet, pace: Pace) -> bool:
    """Shows them one after the other; whether all that they expect came true."""
    passed = [_scenario(one, sheet, pace) for one in each]
    if len(passed) > 1:
        sheet.console.print()
        sheet.line(f"{sum(passed)} of {len(passed)} scenarios passed", style=f"bold {GOOD if all(passed) else BAD}")
    return all(passed)


def _scenario(scenario: Scenario, sheet: Sheet, pace: Pace) -> bool:
    sheet.title(printable(scenario.name))
    teller = Teller(sheet, scenario.flow, Pace(pace.speed, pace.longest, pace.sleep))
    teller.head(scenario)
    if scenario.description:
        sheet.wrap(printable(scenario.description), style=FAINT)
    try:
        player = Player(scenario)
    except StartError as error:
        sheet.wrap(printable(f"the call cannot start: {error}"), style=BAD, indent="  ")
        return False
    for number, step in enumerate(scenario.steps):
        asks = isinstance(step.act, (Expects, Never))
        if not asks:
            sheet.wrap(printable(step_written(step)), style="bold", indent="      ▸ ")
        failure = player.do(number)
        teller.news(player.call)
        if failure is not None or asks:
            _told(sheet, step_written(step) if asks else "", failure)
        if failure is not None:
            return False
    failure = player.finish()
    teller.news(player.call)
    if player.call.snapshot.ended:
        teller.end(player.call.record())
    else:
        sheet.wrap(
            printable(f"left at {time_shown(player.call.elapsed)}, in {player.call.where}"), style=FAINT, indent="  "
        )
    if scenario.expect is not None or failure is not None:
        _told(sheet, "what it expects of the whole call" if failure is None else "", failure)
    teller.way(player.call.taken)
    return failure is None


def _told(sheet: Sheet, asked: str, failure: Failure | None) -> None:
    """Whether an expectation has come true."""
    if failure is None:
        sheet.wrap(printable(asked), style=GOOD, indent="      ✓ ", style_indent=GOOD)
        return
    sheet.wrap(
        printable(f"line {failure.position.line}: {failure.message}"), style=BAD, indent="      ✗ ", style_indent=BAD
    )
    for one in failure.unmet:
        sheet.wrap(printable(f"{one.what}: expected {one.expected}"), style=GOOD, indent="        ")
        sheet.wrap(printable(f"{one.what}: seen     {one.seen}"), style=BAD, indent="        ")


def far_end(played: Played, who: Caller, teller: Teller) -> None:
    """A whole call with somebody at the far end, to its end, or until nothing happens any more."""
    teller.head(played.scenario)
    teller.sheet.wrap(who.tells, style=FAINT)
    teller.news(played.call)
    acting, left, more = Acting(played, who), MOST, True
    try:
        while more and left and not played.over:
            left -= 1
            more = acting.go_on()
            teller.news(played.call)
    except Unending:
        left = 0
    if played.over:
        teller.end(played.call.record())
    else:
        why = "nothing more happens" if left else f"and {MOST} things have happened"
        told = f"left at {time_shown(played.call.elapsed)}, in {played.call.where}: {why}"
        teller.sheet.wrap(printable(told), style=FAINT, indent="  ")
    teller.way(played.call.taken)
