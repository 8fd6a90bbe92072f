"""The options of LiveKit's AgentServer that `callflow run` takes, with what each may be and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from callflow.core.durations import parse_duration
from callflow.runtime.shutdown import LEAST_WORKER_SECONDS, MARGIN_SECONDS

F = TypeVar("F", bound=Callable[..., Any])

_LEAST_KILL = LEAST_WORKER_SECONDS + MARGIN_SECONDS


Callback = Callable[[click.Context, click.Parameter, str | None], float | None]


def _number(least: float, most: float, why: str, *, whole: bool = False, seconds: bool = False) -> Callback:
    """Reads a number between two bounds; `why` is the sentence for whoever gives anything else."""

    def read(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
        if value is None:
            return None
        number = _read(value, seconds=seconds)
        if number is None or not least <= number <= most or (whole and number != int(number)):
            raise click.BadParameter(f"{value}: {why}")
        return int(number) if whole else number

    return read


def _read(text: str, *, seconds: bool) -> float | None:
    """None where it is no number."""
    try:
        return float(text)
    except ValueError:
        try:
            return parse_duration(text) if seconds else None
        except ValueError:
            return None


_DRAIN = _number(
    1, 30 * 24 * 3600, "seconds, or a duration (30m), of at least 1 s: LiveKit takes 0 for no limit at all",
    whole=True, seconds=True,
)  # fmt: skip
_KILL = _number(
    _LEAST_KILL, 24 * 3600, seconds=True,
    why=f"seconds, or a duration (20s), of at least {_LEAST_KILL:g} s: a call needs {LEAST_WORKER_SECONDS:g} s to drop its"
    f" line and write its record, and its worker {MARGIN_SECONDS:g} s more",
)  # fmt: skip
_READY = _number(1, 3600, "seconds, or a duration (30s), from 1 s to 1 h", seconds=True)
_IDLE = _number(0, 1000, "a whole number of processes, from 0 to 1000", whole=True)
_LOAD = _number(0.01, 1, "a share of the machine, from 0.01 to 1: 0.7 takes no calls while seven tenths of it are busy")
_PORT = _number(0, 65535, "a port is a whole number up to 65535, or 0 for any that is free", whole=True)
_MEGABYTES = _number(0, 10**7, "megabytes; 0 for none")

OPTIONS = (
    click.option(
        "--drain-timeout", callback=_DRAIN, metavar="SECONDS",
        help="How long running calls may go on once the server is told to stop; 1 h unless given. `start` alone drains.",
    ),
    click.option(
        "--shutdown-process-timeout", callback=_KILL, metavar="SECONDS",
        help="How long a call that is told to end may take; 10 s unless given. Two of them are the worker's.",
    ),
    click.option(
        "--initialize-process-timeout", callback=_READY, metavar="SECONDS",
        help="How long a process may take to be ready for a call; 10 s unless given.",
    ),
    click.option(
        "--num-idle-processes", callback=_IDLE, metavar="N",
        help="Processes that wait for a call; as many as there are cores unless given, none in `dev`.",
    ),
    click.option(
        "--load-threshold", callback=_LOAD, metavar="SHARE",
        help="The load from which on no calls are taken; 0.7 unless given, any in `dev`.",
    ),
    click.option("--job-memory-warn-mb", callback=_MEGABYTES, metavar="MB", help="A call that uses more is warned of."),
    click.option("--job-memory-limit-mb", callback=_MEGABYTES, metavar="MB", help="The process of a call that uses more is killed."),
    click.option("--host", metavar="ADDRESS", help="Where the health check listens; everywhere unless given."),
    click.option(
        "--port", callback=_PORT, metavar="PORT", help="The health check's port; 8081 unless given, any in `dev`."
    ),
)  # fmt: skip


def server_options(function: F) -> F:
    """Gives a command these options, each under its AgentServer's name and None unless given."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function
