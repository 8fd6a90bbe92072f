"""`callflow run FILE console|dev|start|connect`: an agent server for a flow."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from callflow.cli._server_options import server_options
from callflow.errors import printable

MODES = ("console", "dev", "start", "connect")


@click.command("run", context_settings={"ignore_unknown_options": True})
@click.argument("file")
@click.option(
    "--agent", "factory", metavar="MODULE:FUNCTION", help="Makes the Agent, the AgentSession, or what the flow needs."
)
@click.option("--name", default="", help="Take only calls that are dispatched to this name; any call unless set.")
@click.option("--vars", "variables", metavar="JSON", help="The flow's variables, for calls whose job carries none.")
@click.option("--journal", metavar="FOLDER", help="Write each call's journal and record here.")
@server_options
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[console|dev|start|connect] [LIVEKIT OPTIONS]")
def command(
    file: str,
    factory: str | None,
    name: str,
    variables: str | None,
    journal: str | None,
    arguments: tuple[str, ...],
    **options: Any,
) -> None:
    """Run a flow's calls, with the models of its `session:` or your own agent.

    \b
    console   talk to it here, with your microphone
    dev       against a LiveKit server, while you work on it
    start     the same, in production
    connect   in one room: --room NAME; ends with its call

    LiveKit's address and keys come from LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET. What follows the mode, and is
    no option of this command, goes to LiveKit's own command line.

    Exit status: 1 the flow or what it needs is not in order, 2 wrong usage; else LiveKit's.
    """
    mode = arguments[0] if arguments else ""
    if mode not in MODES:
        raise click.UsageError(f"say how it is to run: callflow run {printable(file)} {'|'.join(MODES)}")
    given = _variables(variables)
    flow = _load(file)
    sys.path.insert(0, str(Path.cwd()))

    from livekit.agents import cli

    from callflow.errors import BindError
    from callflow.livekit_bindings import connecting, models, server
    from callflow.livekit_bindings.console import without_sound

    if wrong := server.missing(flow, mode, list(arguments), factory=factory, vars=given):
        _refuse(file, wrong)
    try:
        if factory is not None:
            server.found(factory)
    except BindError as error:
        _refuse(file, error.problems)
    if wrong := [*models.problems(flow), *(without_sound(arguments) if mode == "console" else ())]:
        _refuse(file, wrong)
    given_options = {option: value for option, value in options.items() if value is not None}
    agent_server = server.server_of(
        str(Path(file).resolve()), factory=factory, name=name, vars=given, journal=journal, **given_options
    )
    if mode == "connect":
        connecting.ends_with_its_call(agent_server)
    sys.argv = [f"callflow run {file}", *arguments]
    cli.run_app(agent_server)


def _variables(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--vars") from error
    if not isinstance(found, dict):
        raise click.BadParameter('write an object: {"name": "value"}', param_hint="--vars")
    return found


def _load(file: str) -> Any:
    from callflow.errors import FlowFileError
    from callflow.verify.loading import load

    try:
        return load(file)
    except FlowFileError as error:
        for defect in error.defects:
            click.echo(str(defect), err=True)
    click.echo(printable(f"{file} cannot run; `callflow check {file}` shows each place"), err=True)
    raise SystemExit(1)


def _refuse(file: str, problems: Any) -> None:
    click.echo(f"{printable(file)} cannot run here:", err=True)
    for problem in problems:
        click.echo(f"- {problem}", err=True)
    raise SystemExit(1)
