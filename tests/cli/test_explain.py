"""`callflow explain`: for people, and as data for whoever mends a flow by program."""

from __future__ import annotations

import json

from click.testing import CliRunner

from callflow.cli import main
from callflow.proof.codes import EVERY_CODE


def explain(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["explain", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_all_of_it_as_data():
    told = json.loads(explain("--all", "--format", "json"))
    assert list(told) == list(EVERY_CODE)
    assert all(entry["title"] and entry["meaning"] for entry in told.values())
    assert told["unquoted-template"]["wrong"] != told["unquoted-template"]["right"]


def test_one_code_as_data():
    told = json.loads(explain("speech-cut", "--format", "json"))
    assert told == {"speech-cut": EVERY_CODE["speech-cut"]._asdict()}


def test_all_of_it_for_people_is_each_one_after_the_other():
    assert explain("--all").startswith(explain("no-such-file").rstrip("\n") + "\n\nnot-a-file: ")


def test_a_code_and_all_of_them_is_a_contradiction():
    result = CliRunner().invoke(main, ["explain", "tie", "--all"])
    assert result.exit_code == 2
    assert "one code, or --all of them" in result.output


def test_an_unknown_code_is_none_as_data_either():
    result = CliRunner().invoke(main, ["explain", "speech-cutt", "--format", "json"])
    assert result.exit_code == 2
    assert 'did you mean "speech-cut"?' in result.output
