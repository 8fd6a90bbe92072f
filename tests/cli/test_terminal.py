"""Nothing that a stranger has named or written reaches the terminal as something that it obeys, and none of it takes long."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from callflow.cli import main
from callflow.cli._formats import for_people
from callflow.errors import Defect
from tests.support.cost import within

RIGHT = "callflow: 1\nname: x\ninitial: a\nstates: {a: {final: true}}\n"
WRONG = "callflow: 1\nname: x\ninitial: b\nstates: {a: {final: true}}\n"
NAMES = ["\x1b]0;owned\x07.yaml", "\x9b31m.yaml", "\u202eflow.yaml", "two\nlines.yaml", "bell\x7f.yaml"]


def told(*arguments):
    """What it prints, on both streams, as text."""
    result = CliRunner().invoke(main, list(arguments))
    return result.stdout + result.stderr


@pytest.fixture(params=NAMES, ids=ascii)
def name(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return request.param


@pytest.mark.parametrize("text", [RIGHT, WRONG], ids=["right", "wrong"])
@pytest.mark.parametrize(
    "command",
    [["check"], ["check", "--format", "short"], ["check", "--format", "json"], ["check", "--format", "sarif"]],
    ids=lambda command: command[-1],
)
def test_a_files_name(name, text, command, tmp_path):
    (tmp_path / name).write_text(text)
    said = told(*command, name)
    assert all(line.isprintable() for line in said.split("\n")), ascii(said)
    if command[-1] == "json":
        assert json.loads(said)["files"] == [name], "whatever reads it gets the name as it is"


@pytest.mark.parametrize("text", [RIGHT, WRONG, None], ids=["right", "wrong", "missing"])
@pytest.mark.parametrize(
    "command",
    [
        lambda name: ["draw", name, "-o", "out.mmd"],
        lambda name: ["draw", name, "-o", name],
        lambda name: ["draw", name, "-o", f"{name}/out.mmd"],
        lambda name: ["run", name],
        lambda name: ["run", name, "console"],
        lambda name: ["check", name, "--expand"],
    ],
)
def test_a_files_name_in_the_other_commands(name, text, command, tmp_path):
    if text is not None:
        (tmp_path / name).write_text(text)
    said = told(*command(name))
    assert all(line.isprintable() for line in said.split("\n")), ascii(said)


@pytest.mark.skipif(os.name == "nt", reason="names are bytes where they are")
def test_a_name_that_is_no_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"\xff.yaml")
    (tmp_path / name).write_text(RIGHT)
    for command in (["check"], ["check", "--format", "json"], ["check", "--format", "sarif"]):
        assert all(line.isprintable() for line in told(*command, name).split("\n"))


@pytest.mark.parametrize("width", [750_000, 120, 121])
def test_many_defects_on_one_long_line(width):
    line = ("a\x1b[31m, " * width)[:width]
    defects = [Defect("quote-it", "wrong", "f", 1, 7 * at + 1, 1, 7 * at + 3) for at in range(101)]
    shown = within(0.3, lambda: for_people(defects, lambda _: [line]))
    assert "\x1b[31m, " not in shown
    assert max(map(len, shown.splitlines())) < 300


def test_many_defects_of_one_long_line_are_checked_and_shown_in_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.yaml").write_text("callflow: 1\nx: [" + "{{ a }}, " * 83_000 + "]\n")
    said = within(2, lambda: told("check", "f.yaml"))
    assert "101" in said or "100" in said
