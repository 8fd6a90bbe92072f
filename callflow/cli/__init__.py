"""The command line: `callflow COMMAND`. Each command is one file here, `callflow/cli/<command>.py` with a click command
called `command`, and is imported only when it is called: `callflow check` must start fast and needs no LiveKit."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import click

from callflow import __version__
from callflow.errors import printable

ORDER = ("check", "play", "test", "replay", "journal", "explain", "draw", "schema", "run", "phone", "demo")
"""How the commands are listed; any other follows, by name."""


@contextmanager
def _to_a_terminal() -> Iterator[None]:
    """What is said of an argument, a file's name say, is text there and nothing else."""
    try:
        yield
    except click.ClickException as error:
        said = "\n".join(map(printable, error.message.split("\n")))
        error.message = said  # type: ignore[misc]  # it is what click shows
        raise


def _imported(name: str) -> ModuleType:
    """A module. What it brings stays for ever: the collector would look through it again and again, for a tenth of a start, and
    find nothing that is not needed."""
    known = sys.modules.get(name)
    if known is not None or not gc.isenabled():
        return known or importlib.import_module(name)
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


class Commands(click.Group):
    """A group that knows its commands by their files."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _to_a_terminal():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 must not cost the answer
                stream.reconfigure(errors="backslashreplace")
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            ctx.color = False
        try:
            with _to_a_terminal():
                return super().invoke(ctx)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            raise click.ClickException(f"the output cannot be written: {error.strerror}") from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        found = [file[:-3] for file in os.listdir(__path__[0]) if file.endswith(".py") and file[0] != "_"]  # noqa: PTH208
        return sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = _imported(f"callflow.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a file here without one is our own mistake
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from callflow.core.suggest import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx)) if args else None
            if hint is not None:
                raise click.UsageError(f"{error.message} ({hint})", ctx) from error
            raise


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="callflow")
def main() -> None:
    """Phone calls as state machines: a YAML flow runs a LiveKit Agents call from the first ring to the hang-up."""
