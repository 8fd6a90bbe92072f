"""Scenarios are played one after the other, and whoever reports is told of each."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from enum import Enum
from typing import Any, NamedTuple, Protocol

from attrs import define, field

from callflow.cli._test.files import File
from callflow.core.flow import Position
from callflow.errors import Defect
from callflow.scenario import Failure, Result, Row, Scenario, story, way

Player = Callable[[Scenario], Result]
"""Plays a scenario: `callflow.scenario.play`, or a function of a module like it, which another process can find."""

Look = Callable[[Result], Any]
"""What a reporter keeps of a result: a function of a module, what it gives goes from one process to another."""


class Played(NamedTuple):
    """A scenario that was played: what of it is told. `seconds` are those that it took; `length` is how long the call was. `story`
    and `rows`, the way through the flow, are told of those that have failed, and of others where they are asked for; `seen` is what
    each look has kept, by its name. `skipped` is why it was not played, in a sentence, `notes` what else is told
    of it."""

    file: str
    name: str
    position: Position
    seconds: float
    length: float
    failure: Failure | None
    story: tuple[str, ...]
    rows: tuple[Row, ...]
    seen: Mapping[str, Any]
    skipped: str = ""
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.failure is None and not self.skipped

    @property
    def failed(self) -> bool:
        return self.failure is not None

    @property
    def id(self) -> str:
        """As it may be named to be played alone."""
        return f"{self.file}::{self.name}"


class Playing(NamedTuple):
    """How scenarios are played. With `stories` those of all are told, else those of what has failed."""

    player: Player
    looks: Mapping[str, Look] = {}
    stories: bool = False

    def play(self, file: str, scenario: Scenario) -> Played:
        began = time.perf_counter()
        try:
            result = self.player(scenario)
        except Exception as error:  # noqa: BLE001 - of the player: the others are played all the same
            return _broken(file, scenario, time.perf_counter() - began, error)
        told = result.taken if self.stories or result.failure is not None else ()
        return Played(
            file,
            scenario.name,
            scenario.position,
            time.perf_counter() - began,
            result.taken[-1].time if result.taken else 0.0,
            result.failure,
            tuple(story(scenario.flow, told)),
            tuple(way(scenario.flow, told)),
            {name: look(result) for name, look in self.looks.items()},
            result.skipped,
            result.notes,
        )


def _broken(file: str, scenario: Scenario, seconds: float, error: Exception) -> Played:
    """A fault of callflow, or of a program's own verb: told as a failure, with where it is."""
    failure = Failure(scenario.position, f"this cannot be played: {type(error).__name__}: {error}")
    where = tuple(line.rstrip() for line in traceback.format_exception(error))
    return Played(file, scenario.name, scenario.position, seconds, 0.0, failure, where, (), {})


class Why(Enum):
    """Why no more were played."""

    ALL = ""
    ENOUGH = "enough have failed"
    INTERRUPTED = "interrupted"
    BROKEN = "a process was ended from outside"


@define
class Session:
    """What was to be played, and what became of it."""

    files: Sequence[File]
    played: list[Played] = field(factory=list)
    ended: Why = Why.ALL

    @property
    def failed(self) -> list[Played]:
        return [one for one in self.played if one.failed]

    @property
    def skipped(self) -> list[Played]:
        return [one for one in self.played if one.skipped]

    @property
    def defects(self) -> list[Defect]:
        """What is wrong with files, each told once."""
        return list(dict.fromkeys(one for file in self.files for one in file.defects))

    @property
    def left_out(self) -> int:
        return sum(file.left_out for file in self.files)

    @property
    def asked(self) -> int:
        return sum(len(file.scenarios) for file in self.files)


class Broken(Exception):
    """A process that played was ended from outside."""


class Reporter:
    """Is told of a session: of each file, in order, then of its scenarios; and of the end. It is told all in one process."""

    def file(self, file: File, session: Session) -> None:
        """Its scenarios come next."""

    def played(self, one: Played, session: Session) -> None:
        """It has been played."""

    def over(self, session: Session) -> None:
        """All that will be has been played."""


class Source(Protocol):
    """Plays the scenarios of files, in their order, and gives them back in it."""

    def __call__(self, files: Sequence[File], playing: Playing) -> Generator[Played, None, None]: ...


def in_turn(files: Sequence[File], playing: Playing) -> Generator[Played, None, None]:
    """One after the other, in this process."""
    for file in files:
        for _, scenario in file.scenarios:
            yield playing.play(file.name, scenario)


def run(
    files: Sequence[File], playing: Playing, reporters: Iterable[Reporter], *, source: Source = in_turn,
    most: int | None = None,
) -> Session:  # fmt: skip
    """Plays all of them, or until so many have failed. Ctrl-C ends it, and what was played is reported."""
    session, each, failed = Session(files), list(reporters), 0
    with closing(source(files, playing)) as played:
        try:
            for file in files:
                for reporter in each:
                    reporter.file(file, session)
                for _ in file.scenarios:
                    one = next(played)
                    session.played.append(one)
                    for reporter in each:
                        reporter.played(one, session)
                    failed += one.failed
                    if failed == most:
                        session.ended = Why.ENOUGH
                        break
                if session.ended is not Why.ALL:
                    break
        except KeyboardInterrupt:
            session.ended = Why.INTERRUPTED
        except Broken:
            session.ended = Why.BROKEN
    for reporter in each:
        reporter.over(session)
    return session
