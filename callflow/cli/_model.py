"""A call in which a model on the network talks, in a real session in a simulated room, and what is typed is what the caller says."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

import attrs
import click
from livekit.agents import inference, llm

from callflow.cli._sheet import FAINT, NAME, SAID
from callflow.cli._told import Teller
from callflow.errors import printable
from callflow.scenario import Scenario
from callflow.scenario.model import Conditions
from callflow.testing.caller import Caller
from callflow.testing.outside import OutsideLLM
from callflow.testing.scenario.playing import play_in_rooms

INFERENCE = ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")


def talk(scenario: Scenario, name: str, teller: Teller) -> None:
    """The whole call; then what it was: its steps, its outcome, its way. Empty lines, and the end of the input, hang up."""
    model = OutsideLLM(_made(name))
    teller.head(scenario)
    teller.sheet.wrap(
        f"{printable(name)} answers. What you type is what the caller says; an empty line hangs up.", style=FAINT
    )
    try:
        ends = attrs.evolve(scenario, expect=Conditions(ended=True))
        result = play_in_rooms(ends, model=model, script=_Typing(teller).script)
    finally:
        asyncio.run(model.aclose())
    if result.skipped:
        raise click.ClickException(f"no simulated room can play that: {result.skipped}")
    if result.failure is not None:
        raise click.ClickException(result.failure.message)
    teller.sheet.console.print()
    teller.more(result.taken, result.heard, scenario.start)
    if result.record is not None:
        teller.end(result.record)
    teller.way(result.taken)


class _Typing:
    """Who types."""

    def __init__(self, teller: Teller) -> None:
        self._sheet = teller.sheet
        self._live = self._sheet.console.is_terminal and sys.stdin.isatty()

    async def script(self, caller: Caller) -> None:
        """Hears the agent out, says what is typed, and so on. Time stands still while somebody types."""
        while True:
            heard = await caller.hear()
            self._sheet.wrap(printable(heard), style=SAID, indent="agent: ", style_indent=NAME)
            if not caller.on_line:
                return
            line = self._line()
            if not line:
                caller.hang_up()
                return
            await caller.say(line)

    def _line(self) -> str:
        if self._live:
            try:
                return input("> ").strip()
            except EOFError:
                return ""
        line = sys.stdin.readline().strip()
        self._sheet.line(f"> {printable(line)}", style="bold")
        return line


def _made(name: str) -> Callable[[], llm.LLM[Any]]:
    """How the model of this name is made: by the plugin of its provider, where that is installed and has a key, or by LiveKit
    Inference. Where neither can be, it is said what is missing."""
    provider, slash, model = name.partition("/")
    if not slash or not provider or not model:
        raise click.BadParameter(f"write provider/model: openai/gpt-4.1-mini, not {name}", param_hint="--model")
    plugin, key = f"livekit.plugins.{provider.replace('-', '_')}", f"{provider.replace('-', '_').upper()}_API_KEY"
    if os.environ.get(key) and _is_there(plugin):
        return lambda: importlib.import_module(plugin).LLM(model=model)
    if all(os.environ.get(one) for one in INFERENCE):
        return lambda: inference.LLM(name)
    missing = " and ".join(one for one in INFERENCE if not os.environ.get(one))
    raise click.ClickException(
        f"{name} cannot be asked: {missing} must be set, of a LiveKit Cloud project (LiveKit Inference); or {key}, with the package "
        f"livekit-plugins-{provider}. Without --model you call the tools yourself"
    )


def _is_there(plugin: str) -> bool:
    try:
        return importlib.util.find_spec(plugin) is not None
    except ModuleNotFoundError:
        return False
