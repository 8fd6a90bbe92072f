"""The command line in bad company: terminals that are none, output that cannot be written, files that mean harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from callflow import load

HEAD = "callflow: 1\nname: t\ninitial: a\n"


def callflow(*arguments: str, redirect: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """`callflow …` in a shell of its own, so that streams can be closed and redirected as a user would."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirect}', "sh", sys.executable, "-m", "callflow", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | environment,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flow.yaml"
    path.write_text(HEAD + "states: {a: {entry: [{say: Hello.}]}}\n")
    return path


def test_no_file_can_write_escape_sequences_to_a_terminal(file: Path) -> None:
    file.write_text(
        HEAD
        + 'states: {a: {on: {"x\\ny\\e[2J": "b\\e]0;owned\\a", dtmf.1: "c\\u202e"}, "d\\e[31m": {entry: [drian]}}}\n'
    )
    for form in ("people", "short"):
        said = callflow("check", "--format", form, str(file))
        assert said.returncode == 1
        assert not [letter for letter in said.stdout if letter != "\n" and not letter.isprintable()]
    assert all(line.startswith(str(file)) for line in said.stdout.splitlines())  # one defect, one line
    drawn = callflow("draw", str(file), "-o", "-", "--format", "mmd")
    assert "\x1b" not in drawn.stderr + drawn.stdout


HOSTILE = "e\x1b[31m\x9b2J\u202e"


@pytest.mark.parametrize(
    "command",
    ["explain", "check", "draw", "run", "schema", "demo", "phone", "demo --caller", "check --format", "", "--wrong"],
)
def test_no_argument_can_either(command: str) -> None:
    """As a shell's `*` gives the names of files."""
    said = callflow(*command.split(), command.count("wrong") * "--" + HOSTILE)
    assert said.returncode != 0
    assert not [letter for letter in said.stdout + said.stderr if letter != "\n" and not letter.isprintable()]


def test_a_flow_that_is_spelled_out_cannot_either_and_stays_the_same(file: Path) -> None:
    text = "\\e[31m\\x9b2J\\u202e\\L"
    file.write_text(
        HEAD + f'description: "{text}"\nstates: {{a: {{entry: [{{say: "Hi {text}"}}], waits: "{text}"}}}}\n'
    )
    said = callflow("check", "--expand", str(file))
    assert said.returncode == 0
    assert not [letter for letter in said.stdout if letter != "\n" and not letter.isprintable()]
    again = file.with_name("again.yaml")
    again.write_text(said.stdout)
    assert load(again).states["a"].entry[0].arguments == load(file).states["a"].entry[0].arguments


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_is_not_utf8_gets_the_answer_too(file: Path, encoding: str) -> None:
    file.write_text(HEAD + "use: {me: flow.yaml}\nstates: {a: {flow: me}}\n")
    said = callflow("check", str(file), PYTHONIOENCODING=encoding)
    assert (said.returncode, said.stderr) == (1, "")
    assert "sub-flow-cycle" in said.stdout
    found = callflow("check", "--format", "json", str(file), PYTHONIOENCODING=encoding)
    assert json.loads(found.stdout)["defects"][0]["message"].endswith("flow.yaml → flow.yaml")


@pytest.mark.parametrize("command", ["check", "schema", "explain"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_in_a_sentence(file: Path, command: str) -> None:
    said = callflow(command, *([str(file)] if command == "check" else []), redirect="> /dev/full")
    assert (said.returncode, said.stderr) == (1, "Error: the output cannot be written: No space left on device\n")


def test_a_standard_input_that_is_closed_is_said(file: Path) -> None:
    said = callflow("check", "-", redirect="<&-")
    assert (said.returncode, said.stderr) == (1, "")
    assert "standard input is closed" in said.stdout


def test_a_demo_that_can_write_nowhere_says_so(file: Path) -> None:
    said = callflow("demo", "--fast", "--out", str(file))
    assert said.returncode == 1 or said.returncode == 2
    assert "Traceback" not in said.stderr
    inside = callflow("demo", "--fast", "--out", str(file / "inside"))
    assert (inside.returncode, inside.stderr) == (
        1,
        f"Error: cannot write into {file / 'inside'}: Not a directory\n",
    )


def test_sarif_names_a_file_by_a_uri(tmp_path: Path) -> None:
    path = tmp_path / "my flow#1:%20.yaml"
    path.write_text("- a list\n")
    found = json.loads(callflow("check", "--format", "sarif", str(path)).stdout)
    [result] = found["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == f"{tmp_path}/my%20flow%231%3A%2520.yaml"
