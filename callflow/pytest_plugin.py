"""pytest collects scenarios: each in a file named *.scenario.yaml is a test, and one that fails is told as `callflow test` tells it.

pytest loads this in every project in which callflow is installed: what it needs beside pytest is imported once a scenario file is found,
and LiveKit once a room is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from callflow.cli._test.session import Played
    from callflow.scenario import Scenario
    from callflow.testing.play import Stage

SCENARIOS = ".scenario.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("callflow", "callflow: scenarios of phone calls")
    group.addoption(
        "--callflow-rooms",
        action="store_true",
        default=None,
        help="play scenarios with real sessions in simulated rooms",
    )
    kind: Literal["bool"] = "bool"
    parser.addini("callflow_rooms", "play scenarios with real sessions in simulated rooms", kind, default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    if not file_path.name.endswith(SCENARIOS):
        return None
    found: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return found


class ScenarioFile(pytest.File):
    """A file of scenarios."""

    def collect(self) -> Iterator[ScenarioItem]:
        from callflow.cli._formats import for_people
        from callflow.cli._test.dots import lines_of
        from callflow.cli._test.files import collect
        from callflow.cli._test.names import wanted

        [file] = collect((_shown(self.path),), wanted(None))
        if file.defects:
            raise self.CollectError(for_people(file.defects, lines_of))
        for _, scenario in file.scenarios:
            yield ScenarioItem.from_parent(self, name=scenario.name, scenario=scenario)


class _Failed(Exception):
    """A scenario has not come out as it says."""

    def __init__(self, played: Played) -> None:
        self.played = played


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, scenario: Scenario, **more: Any) -> None:
        super().__init__(**more)
        self.scenario = scenario

    def runtest(self) -> None:
        from callflow.cli._test.session import Playing

        played = Playing(self._player()).play(_shown(self.path), self.scenario)
        if played.skipped:
            pytest.skip(played.skipped)
        if played.failed:
            raise _Failed(played)

    def _player(self) -> Any:
        asked = self.config.getoption("--callflow-rooms")
        if self.config.getini("callflow_rooms") if asked is None else asked:
            from callflow.testing.scenario import play_in_rooms

            return play_in_rooms
        from callflow.scenario import play

        return play

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if not isinstance(excinfo.value, _Failed):
            return super().repr_failure(excinfo, style)
        import click

        from callflow.cli._test.failures import told

        return click.unstyle("\n".join(told(excinfo.value.played)))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.scenario.position.line - 1, self.scenario.name


@pytest.fixture
def callflow_room() -> Callable[..., Stage]:
    """Plays one call of a flow with a real session in a simulated room, in virtual time; gives the `Stage`, with the record and what
    was heard. See `callflow.testing.played`."""
    from callflow.testing.play import played

    return played


def _shown(path: Path) -> str:
    """From where pytest was started, as people would write it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
