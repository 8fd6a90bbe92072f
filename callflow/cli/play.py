"""`callflow play FILE`: a call of one's own flow, step by step, as whoever watches wants it; or a scenario, or somebody at the far
end, as a show."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import click

from callflow.errors import StartError, printable
from callflow.flowfile.source import SCENARIOS

if TYPE_CHECKING:
    from callflow.core.flow import Flow
    from callflow.play import Played
    from callflow.scenario import Scenario

INTERRUPTED = 130
"""As a shell has it: 128, and the number of the signal."""

FAST, LONGEST = 12.0, 1.0
"""At a terminal a show is so many times as fast as the call, and no wait takes longer than so many seconds."""


def _times(_ctx: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """How many times as fast; 0 for at once, None where nobody has said it."""
    if text is None or text == "max":
        return None if text is None else 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= 1e6:
        raise click.BadParameter(f"write how many times as fast as it is, or max, not {text}")
    return speed


@click.command("play")
@click.argument("file")
@click.option("--scenario", "scenario", metavar="FILE", help="Show the scenarios of this file.")
@click.option("-k", "named", metavar="TEXT", help="Of these only those whose names hold this text.")
@click.option(
    "--caller",
    "caller",
    metavar="NAME",
    help="Show a whole call with somebody at the far end; `list` says who there is.",
)
@click.option(
    "--typed", is_flag=True, help="What is typed is what the caller says; all but the numbers has a / before it."
)
@click.option(
    "--model",
    metavar="NAME",
    help="With --typed: the model that answers, openai/gpt-4.1-mini say, in a real session; needs a key.",
)
@click.option(
    "--speed",
    callback=_times,
    metavar="N",
    help="So many times as fast as the call; 0 or max: at once, as where there is no terminal.",
)
@click.option(
    "--record", "record", metavar="FILE", help="Write what was played as a scenario, behind those that are in it."
)
@click.option("--at", "at", metavar="TIME", help='When the call begins: "2026-11-27 18:30 Europe/Berlin".')
@click.option(
    "--vars", "variables", metavar="JSON", help="The flow's variables; what must be given is made up unless it is."
)
@click.option(
    "--env",
    "environment",
    multiple=True,
    metavar="NAME=VALUE",
    help="What the flow reads of the environment; made up unless given.",
)
def command(
    file: str, scenario: str | None, named: str | None, caller: str | None, typed: bool, model: str | None, speed: float | None,
    record: str | None, at: str | None, variables: str | None, environment: tuple[str, ...],
) -> None:  # fmt: skip
    """Play a call of a flow: no server, no key, no network.

    What can happen now has numbers. Type one, or Enter, and time passes until something happens by itself; `?` says more. A FILE named
    *.scenario.yaml is shown as by --scenario.

    Exit status: 0, 1 the flow has defects, the call cannot start, or a scenario fails, 2 wrong usage, 130 interrupted.
    """
    if sys.stdin.isatty():
        signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # what a shell starts in the background inherits that it is ignored
    if scenario is None and file.endswith(SCENARIOS):
        scenario = file
    if typed and (caller or scenario):
        raise click.UsageError("with --typed you are the caller")
    if model is not None and (not typed or record):
        raise click.UsageError("--model answers what is typed: say --typed, and no --record")
    if scenario is not None and (caller or record or variables or environment or at):
        raise click.UsageError("a scenario says itself how its call begins, and who is at the far end")
    if named is not None and scenario is None:
        raise click.UsageError("-k chooses among the scenarios of --scenario")
    if record is not None and not record.endswith(SCENARIOS):
        raise click.BadParameter(f"scenarios stand in files named *{SCENARIOS}", param_hint="--record")
    try:
        if scenario is not None:
            _show(scenario, None if file == scenario else _load(file), named, speed)
        else:
            how = _How(caller, typed, model, speed, record)
            _play(_load(file), how, _Beginning(_variables(variables), _environment(environment), _moment(at)))
    except KeyboardInterrupt:
        click.echo()
        sys.exit(INTERRUPTED)


@attrs.frozen
class _How:
    """Who is at the far end, who is the model, how fast it is shown, and where it is kept."""

    caller: str | None
    typed: bool
    model: str | None
    speed: float | None
    record: str | None


@attrs.frozen
class _Beginning:
    """What is said of how the call begins."""

    vars: dict[str, Any]
    env: dict[str, str]
    start: float | None


def _play(flow: Flow, how: _How, begins: _Beginning) -> None:
    from callflow.play.callers import callers

    known = callers(flow)
    if how.caller == "list":
        width = max(map(len, known))
        for each, one in known.items():
            click.echo(f"{each:<{width}}  {one.tells}")
        return
    name = None if how.caller is None else how.caller.replace("-", "_")
    if name is not None and name not in known:
        raise click.BadParameter(_no_caller(name, list(known)), param_hint="--caller")
    from callflow.cli import _sheet, _stepper, _told, _watch
    from callflow.play import Played, beginning

    effects = known[name].effects if name is not None else {}
    try:
        begin = attrs.evolve(beginning(flow, vars=begins.vars, env=begins.env, start=begins.start), effects=effects)
        played = Played(begin)
    except StartError as error:
        raise click.ClickException(f"the call cannot start: {error}") from None
    sheet = _sheet.Sheet()
    teller = _told.Teller(sheet, flow, _pace(sheet, how.speed))
    if how.model is not None:
        from callflow.cli import _model

        _model.talk(begin, how.model, teller)
        return
    try:
        if name is None:
            _stepper.Stepper(played, teller, typed=how.typed).run()
        else:
            _watch.far_end(played, known[name], teller)
    finally:
        if how.record is not None:
            _record(played, how.record, name)


def _show(file: str, flow: Flow | None, named: str | None, speed: float | None) -> None:
    from callflow.cli import _sheet, _watch

    sheet = _sheet.Sheet()
    each = [one for one in _scenarios(file, flow) if named is None or named.casefold() in one.name.casefold()]
    if not each:
        raise click.ClickException(f"no scenario of {file} has {named} in its name")
    sys.exit(0 if _watch.scenarios(each, sheet, _pace(sheet, speed)) else 1)


def _pace(sheet: Any, speed: float | None) -> Any:
    from callflow.cli._told import Pace

    if speed is None:
        return Pace(FAST, LONGEST) if sheet.console.is_terminal else Pace()
    return Pace(speed) if speed else Pace()


def _record(played: Played, path: str, who: str | None) -> None:
    from callflow.play.recording import CannotBeRecorded, add_to, recorded

    name = f"{(who or 'a call').replace('_', ' ')}, {played.call.record().outcome if played.over else 'left early'}"
    try:
        add_to(path, recorded(played, name))
    except CannotBeRecorded as error:
        raise click.ClickException(str(error)) from None
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise click.ClickException(f"{path} cannot be written: {told}") from None
    click.echo(printable(f"recorded in {path}; `callflow test {path}` plays it"))


def _no_caller(name: str, known: list[str]) -> str:
    from callflow.core.suggest import did_you_mean
    from callflow.play.callers import CALLERS

    if name in CALLERS:
        return f"{name} makes no sense with this flow; there are {', '.join(known)}"
    return f"there is no {name}" + (
        f" ({hint})" if (hint := did_you_mean(name, known)) else f"; there are {', '.join(known)}"
    )


def _variables(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--vars") from error
    if not isinstance(found, dict):
        raise click.BadParameter('write an object: {"name": "value"}', param_hint="--vars")
    return found


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"write NAME=VALUE, not {pair}", param_hint="--env")
        found[name] = value
    return found


def _moment(text: str | None) -> float | None:
    from callflow.scenario.clock import moment

    if text is None:
        return None
    try:
        return moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from None


def _load(file: str) -> Flow:
    """The flow, as `callflow check` accepts it; or its defects, as that shows them."""
    from callflow.flowfile.loader import read_with_text
    from callflow.verify import check

    flow, defects, text = read_with_text(file)
    if flow is not None and not defects:
        defects = check(flow, as_subflow=True, warnings=False)
    if flow is None or defects:
        _refuse(file, text, defects)
    return flow


def _scenarios(file: str, flow: Flow | None) -> list[Scenario]:
    """The scenarios of a file, of the flow that they name, or of this one."""
    from callflow.flowfile.source import read_text
    from callflow.scenario import reads
    from callflow.verify import check

    text, defect = read_text(file)
    found, defects = ([], [defect]) if defect is not None else reads(text, file, _folder(file), flow)
    if not defects and flow is None:
        defects = [
            one
            for played in {id(one.flow): one.flow for one in found}.values()
            for one in check(played, as_subflow=True, warnings=False)
        ]
    if defects:
        _refuse(file, text, defects)
    return found


def _folder(file: str) -> str:
    import os

    return os.path.dirname(file)  # noqa: PTH120 - as in the loader


def _refuse(file: str, text: str, defects: list[Any]) -> NoReturn:
    from callflow.cli._checked import Checked, show
    from callflow.cli._course import Proofs

    name = "<stdin>" if file == "-" else file
    show(Checked([file], [], {name: text}, {}, defects, Proofs({})), "people", expand=False)
    sys.exit(1)
