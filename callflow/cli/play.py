"""`callflow play FILE`: a call of one's own flow, step by step, as whoever watches wants it."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from callflow.errors import StartError

INTERRUPTED = 130
"""As a shell has it: 128, and the number of the signal."""


@click.command("play")
@click.argument("file")
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
def command(file: str, at: str | None, variables: str | None, environment: tuple[str, ...]) -> None:
    """Play a call of a flow: no server, no key, no network.

    What can happen now has numbers. Type one, or Enter, and time passes until something happens by itself; `?` says more.

    Exit status: 0, 1 the flow has defects, or the call cannot start, 2 wrong usage.
    """
    given, env, start = _variables(variables), _environment(environment), _moment(at)
    flow = _load(file)
    from callflow.cli._stepper import Stepper
    from callflow.play import Played, beginning

    try:
        played = Played(beginning(flow, vars=given, env=env, start=start))
    except StartError as error:
        raise click.ClickException(f"the call cannot start: {error}") from None
    try:
        Stepper(played).run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


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


def _load(file: str) -> Any:
    """The flow, as `callflow check` accepts it; or its defects, as that shows them."""
    from callflow.flowfile.loader import read_with_text
    from callflow.verify import check

    flow, defects, text = read_with_text(file)
    if flow is not None and not defects:
        defects = check(flow, as_subflow=True, warnings=False)
    if flow is None or defects:
        from callflow.cli._checked import Checked, show
        from callflow.cli._course import Proofs

        name = "<stdin>" if file == "-" else file
        show(Checked([file], [], {name: text}, {}, defects, Proofs({})), "people", expand=False)
        sys.exit(1)
    return flow
