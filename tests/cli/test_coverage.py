"""What `callflow test` says of coverage, and its exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import command

ROOT = Path(__file__).parents[2]

SCENARIOS = f"""
callflow: 1
flow: {ROOT / "flows/smallest.yaml"}
scenarios:
  the caller hangs up:
    steps:
      - 4s: call.hangup
    expect: {{outcome: hung_up}}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.scenario.yaml").write_text(SCENARIOS, encoding="utf-8")


def test_without_being_asked_nothing_is_said_of_it():
    assert "Cover" not in command("test").output


def test_the_table_stands_behind_the_scenarios():
    done = command("test", "--coverage")
    assert done.exit_code == 0
    head, _, line, *rest = done.output.splitlines()[4:]
    assert head.split()[:4] == ["Flow", "Rows", "Miss", "Cover"]
    assert line.split() == [str(ROOT / "flows/smallest.yaml"), "1", "1", "0%", "1/1", "-", "-", "-", "0/1", "16"]
    assert done.output.splitlines()[2] == "1 passed"
    assert "  16  no scenario takes the row `tool.end_call`" in rest


def test_too_little_is_a_failure_though_all_pass():
    done = command("test", "--min-coverage", "90")
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1, "0 of 1 rows are covered: 0%, less than 90%",
    )  # fmt: skip
    (Path("a.scenario.yaml")).write_text(
        SCENARIOS.replace("4s: call.hangup", "tool: end_call").replace("hung_up", "completed")
    )
    assert command("test", "--min-coverage", "90").exit_code == 0


def test_a_share_is_between_0_and_100():
    assert command("test", "--min-coverage", "101").exit_code == 4


def test_it_is_written_for_others_also_from_several_processes():
    done = command("test", "--lcov", "out/lcov.info", "--html", "pages", "--jobs", "2")
    assert done.exit_code == 0
    assert Path("out/lcov.info").read_text().splitlines()[1] == f"SF:{ROOT / 'flows/smallest.yaml'}"
    assert "tool.end_call" in Path("pages/smallest.yaml.html").read_text()


def test_what_cannot_be_written_is_said():
    Path("there").write_text("")
    done = command("test", "--html", "there/in")
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr


def test_json_stays_json():
    import json

    done = command("test", "--coverage", "--format", "json")
    assert json.loads(done.stdout)["scenarios"][0]["passed"]
    assert "Cover" in done.stderr
