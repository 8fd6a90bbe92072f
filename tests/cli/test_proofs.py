"""Proofs of several files at once, ones that go on, and ones that are ended early."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from click.testing import CliRunner, Result

from callflow.cli import _course, _proofs, main
from callflow.cli._course import Board, Ended, Telling
from callflow.flowfile.codes import whole
from callflow.proof.codes import CODES

CLEAN = whole("states: {talking: {entry: [{say: Hello.}], on: {done: ending}}}\n")
FAULTY = whole(CODES["no-way-on"].wrong)
USES = "callflow: 1\nname: uses\nuse: {sub: sub.yaml}\ninitial: a\nstates: {a: {flow: sub, on: {done: ending}}}\n"
SUB = (
    "callflow: 1\nname: sub\ninitial: b\nstates: {b: {entry: [{say: Hello.}], on: {done: over}}, over: {final: true}}\n"
)
LONG = (Path(__file__).parents[2] / "flows/keypad-menu.yaml").read_text(encoding="utf-8")

FILES = {"faulty.yaml": FAULTY, "long.yaml": LONG, "clean.yaml": CLEAN, "uses.yaml": USES, "sub.yaml": SUB}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["check", *words], input=stdin)


def entries(folder: Path) -> list[str]:
    kept = Path(os.environ["XDG_CACHE_HOME"], "callflow/proofs")
    return [*map(str, kept.iterdir())] if kept.exists() else []


# -- several at once


@pytest.mark.parametrize("format_", ["people", "json"])
def test_side_by_side_the_same_is_told_in_the_same_order(format_: str) -> None:
    words = ("--no-cache", "--steps", "1000", "--format", format_, *FILES, "-")
    one, several = (check("--jobs", jobs, *words, stdin=FAULTY) for jobs in ("1", "3"))
    assert one.exit_code == several.exit_code == 1
    assert one.stdout == several.stdout
    assert one.stdout.count("no-way-on") >= 2  # one of them in standard input


def test_side_by_side_they_are_kept(folder: Path) -> None:
    first = check("--jobs", "2", "faulty.yaml", "clean.yaml")
    assert len(entries(folder)) == 2
    assert check("--jobs", "1", "faulty.yaml", "clean.yaml").stdout == first.stdout
    assert len(entries(folder)) == 2


def _nothing(*_: object) -> None:
    """As where a file has changed since it was read."""


def _dies(*_: object) -> None:
    os._exit(9)


def test_a_file_that_changes_meanwhile_is_proved_as_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = check("--no-cache", "faulty.yaml", "clean.yaml", "--jobs", "1").stdout
    monkeypatch.setattr(_proofs, "_prove", _nothing)
    assert check("--no-cache", "faulty.yaml", "clean.yaml", "--jobs", "2").stdout == plain


def test_what_another_process_reads_is_what_was_read_here(folder: Path) -> None:
    flow = _proofs._Source("uses.yaml", USES, "", None).flow()
    assert flow is None  # its digest is another
    from callflow import load
    from callflow.proof.kept import digest

    source = _proofs._Source("uses.yaml", USES, digest(load("uses.yaml")), None)
    assert source.flow() is not None
    (folder / "sub.yaml").write_text(SUB + "# changed\n", encoding="utf-8")
    assert source.flow() is None


def test_a_process_that_is_killed_costs_its_proof_alone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(_proofs, "_prove", _dies)
    done = check("faulty.yaml", "clean.yaml", "--jobs", "2")
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert done.stdout.count("not proved: ") == 2
    assert "(its process was ended from outside)" in done.stdout
    assert entries(folder) == []


def _refused(*_: object, **__: object) -> None:
    raise PermissionError("no semaphores here")


def test_where_processes_can_share_nothing_it_is_done_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = check("--no-cache", "faulty.yaml", "clean.yaml", "--jobs", "1").stdout
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", _refused)
    assert check("--no-cache", "faulty.yaml", "clean.yaml", "--jobs", "2").stdout == plain


# -- on and on


def test_deep_goes_on_until_it_is_finished(folder: Path) -> None:
    assert "(`--deep` goes further)" in check("--steps", "50", "clean.yaml").stdout
    assert "followed every call" in check("--deep", "clean.yaml").stdout
    assert len(entries(folder)) == 2
    assert "followed every call" in check("clean.yaml").stdout  # which needs no proof of its own
    assert len(entries(folder)) == 2


def test_what_is_deeper_than_deep_is_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("check", "_checked"):
        monkeypatch.setattr(f"callflow.cli.{module}.DEEP", 50)
    assert "(`--steps` goes further)" in check("--deep", "clean.yaml").stdout


def test_deep_and_steps_are_one_too_many() -> None:
    done = check("--deep", "--steps", "7", "clean.yaml")
    assert done.exit_code == 2
    assert "say --deep or --steps" in done.stderr


# -- ended early


@pytest.fixture
def at_a_look(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Does something when the proofs are on their way: they have taken so many steps."""

    def at(act: Callable[[], None]) -> None:
        def look(self: Telling) -> None:
            if sum(self.board.of(place)[2] for place in range(len(self.names))) > 1_000:
                act()

        monkeypatch.setattr(Telling, "look", look)

    return at


def once(act: Callable[[], None]) -> Callable[[], None]:
    """The first time only."""
    left = [act]
    return lambda: left.pop()() if left else None


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_who_interrupts_is_told_what_was_covered(
    jobs: str, at_a_look: Callable[[Callable[[], None]], None], folder: Path
) -> None:
    before = signal.getsignal(signal.SIGINT)
    (folder / "other.yaml").write_text(LONG + "# another\n", encoding="utf-8")
    at_a_look(once(interrupt))
    done = check("--deep", "--jobs", jobs, "long.yaml", "other.yaml")
    assert done.exit_code == 130
    assert done.stdout.count("not proved: ") == 2
    assert done.stdout.count("more to look at (interrupted)") == 2
    assert entries(folder) == []
    assert signal.getsignal(signal.SIGINT) is before


def test_what_was_proved_before_the_interruption_is_kept_and_told(
    at_a_look: Callable[[Callable[[], None]], None], folder: Path
) -> None:
    at_a_look(once(interrupt))
    done = check("--jobs", "1", "faulty.yaml", "long.yaml")
    assert done.exit_code == 130
    assert "no-way-on" in done.stdout
    assert len(entries(folder)) == 1


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_who_interrupts_twice_ends_the_program(jobs: str, at_a_look: Callable[[Callable[[], None]], None]) -> None:
    at_a_look(interrupt)
    done = check("--jobs", jobs, "long.yaml", "clean.yaml")
    assert done.exit_code == 1
    assert "Aborted!" in done.stderr


def test_a_proof_ends_before_the_memory_does(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(_course, "LOOKS", 100)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=4, total=100))
    done = check("long.yaml", "--format", "json")
    assert done.exit_code == 0
    (proof,) = json.loads(done.stdout)["proofs"]
    assert not proof["finished"]
    assert 100 <= proof["steps"] < 1000
    assert "more to look at (memory is short)" in check("long.yaml").stdout
    assert entries(folder) == []


# -- what is told in every format


def test_what_is_not_proved_is_said_in_every_format() -> None:
    said = "not proved: "
    assert said in check("--steps", "50", "clean.yaml").stdout
    short = check("--steps", "50", "clean.yaml", "--format", "short")
    assert short.stdout == ""
    assert said in short.stderr
    (proof,) = json.loads(check("--steps", "50", "clean.yaml", "--format", "json").stdout)["proofs"]
    assert proof["left"] > 0
    assert proof["file"] == "clean.yaml"
    (run,) = json.loads(check("--steps", "50", "clean.yaml", "--format", "sarif").stdout)["runs"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["level"] == "warning"
    assert note["message"]["text"].startswith(said)


# -- the line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(out: io.StringIO, *, asked: bool, moments: list[float], names: tuple[str, ...] = ("a.yaml",)) -> str:
    now = iter([0.0, *moments])
    telling = Telling(Board([0, 1_000, 20, 30_000] + [0, 0, 0] * (len(names) - 1)), names, asked=asked, out=out, clock=lambda: next(now))  # fmt: skip
    for _ in moments:
        telling.look()
    telling.close()
    return out.getvalue()


def test_a_terminal_has_one_line_that_is_taken_away() -> None:
    line = "a.yaml: 1,000 situations, 20 to look at, 30,000 steps, 30,000/s"
    seen = told(Terminal(), asked=False, moments=[0.1, 0.4, 1.0, 1.05, 2.0])
    assert seen.split("\r") == ["", line, line.replace("30,000/s", "15,000/s"), " " * (len(line) + 2), ""]


def test_a_short_proof_tells_nothing_on_its_way() -> None:
    assert told(Terminal(), asked=True, moments=[0.1, 0.4]) == ""


def test_a_log_has_a_line_now_and_then_if_it_is_asked_for() -> None:
    assert told(io.StringIO(), asked=False, moments=[1.0, 100.0, 1000.0]) == ""
    assert told(io.StringIO(), asked=True, moments=[1.0, 29.0, 30.0, 31.0, 59.0, 60.0]).splitlines() == [
        "a.yaml: 1,000 situations, 20 to look at, 30,000 steps, 1,000/s",
        "a.yaml: 1,000 situations, 20 to look at, 30,000 steps, 500/s",
    ]


def test_of_several_files_it_tells_how_many_are_through() -> None:
    assert told(io.StringIO(), asked=True, moments=[30.0], names=("a.yaml", "b.yaml")).startswith(
        "0 of 2 files: 1,000 "
    )


def test_a_terminal_obeys_no_file_name() -> None:
    assert "\x1b" not in told(Terminal(), asked=True, moments=[1.0], names=("\x1b[2J.yaml",))


def test_an_end_is_told_once_and_its_first_reason_stays() -> None:
    board = Board([0] * Board.size(1))
    board.end(Ended.INTERRUPTED)
    board.end(Ended.MEMORY)
    assert board.ended is Ended.INTERRUPTED
