"""`callflow test --models`: callers that models play, and what is kept of their calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click

from callflow.cli._test.session import Look, Played, Player, Reporter, Session
from callflow.flowfile.source import SCENARIOS
from callflow.proof.kept import put
from callflow.scenario import Result, from_inputs
from callflow.scenario.writing import body_of, write_bodies


def by_models(otherwise: Player) -> Player:
    """Plays those with a persona by models, and any other as `otherwise`. Only here: LiveKit and numpy take a second or two."""
    from callflow.testing.scenario import play_by_models

    return partial(play_by_models, otherwise=otherwise)


def exact(result: Result) -> tuple[str, list[tuple[str, str]]]:
    """The flow's file, and each call that models have played as a scenario that takes the same inputs: its name and its body."""
    scenario, found = result.scenario, []
    for number, run in enumerate(result.runs, start=1):
        again = from_inputs(
            scenario.flow,
            run.inputs,
            vars=scenario.vars,
            env=scenario.env,
            call=run.taken[0].step.snapshot.memory.call if run.taken else {},
            start=scenario.start,
            waiting=True,
            description="Played by models: " + ("it has passed." if run.passed else "it has not passed."),
        )
        found.append((f"{scenario.name}, call {number}", body_of(again)))
    return scenario.flow.file, found


class Runs(Reporter):
    """Saves them in a folder, a file for each scenario."""

    looks: Mapping[str, Look] = {"runs": exact}

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def played(self, one: Played, session: Session) -> None:
        """Raises click.ClickException where it cannot be written."""
        flow, bodies = one.seen.get("runs", ("", []))
        if not bodies:
            return
        name = re.sub(r"[^\w-]+", "-", f"{Path(one.file).name.removesuffix(SCENARIOS)}.{one.name}").strip("-")[:80]
        path = self._folder / f"{name}{SCENARIOS}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            put(path, write_bodies(flow, bodies, self._folder))
        except OSError as error:
            raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
