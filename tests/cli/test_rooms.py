"""`callflow test --rooms`: the same files with real sessions, told in the same way."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import pytest

from tests.support.command import command

FLOW = """
callflow: 1
name: door
initial: asking
states:
  asking:
    entry: [{say: Shall I open?}]
    on:
      dtmf.1: {target: ending, do: [{say: The door is open.}, {outcome: completed}]}
"""
SCENARIOS = """
callflow: 1
flow: door.yaml
scenarios:
  it is opened:
    steps:
      - press: "1"
      - expect: {heard: The door is open.}
    expect: {outcome: completed}
  it stays closed:
    steps:
      - press: "2"
      - expect: {heard: The door is open.}
  to the millisecond:
    exactly: true
    steps: [{2s: say}, {2s: call.hangup}]
"""


@pytest.fixture
def door(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "door.yaml").write_text(FLOW)
    (tmp_path / "door.scenario.yaml").write_text(SCENARIOS)
    return tmp_path


def test_what_passes_what_fails_and_what_no_room_can_do(door):
    done = command("test", "--rooms")
    assert done.exit_code == 1
    assert done.stdout.startswith("door.scenario.yaml .Fs")
    assert "door.scenario.yaml:13:9: not as expected, at " in done.stdout
    assert '    expected "The door is open."\n    seen     []\n' in done.stdout
    assert re.search(r"\d s: the caller presses 2\. No row takes that\.", done.stdout)
    assert "Traceback" not in done.output
    assert (
        "SKIPPED door.scenario.yaml::to the millisecond: it says `exactly` when each action ends, and in a room they end by themselves"
        in done.stdout
    )
    assert done.stdout.rstrip().endswith("1 failed, 1 passed, 1 skipped")


def test_programs_are_told_what_was_skipped(door):
    done = command("test", "--rooms", "--format", "json", "--junit", "out.xml")
    told = {one["name"]: one for one in json.loads(done.stdout)["scenarios"]}
    assert [one["passed"] for one in told.values()] == [True, False, False]
    assert "skipped" in told["to the millisecond"]
    suite = ET.parse(door / "out.xml").getroot().find("testsuite")
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "1")
    assert suite.find("testcase/skipped").get("message").startswith("it says `exactly`")


def test_what_is_skipped_has_not_failed(door):
    done = command("test", "--rooms", "-k", "millisecond")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "1 skipped, 2 deselected")


def test_in_several_processes(door):
    done = command("test", "--rooms", "-n", "2", "-k", "opened")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "1 passed, 2 deselected")
