"""`callflow test`: what it prints, and its exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from callflow.cli._test import watching
from callflow.scenario import play
from tests.support.command import command

ROOT = Path(__file__).parents[2]

SCENARIOS = """
callflow: 1
flow: {flow}
scenarios:
  the caller is done:
    steps: [tool: end_call]
    expect: {{outcome: completed}}
  the caller hangs up:
    steps:
      - 4s: call.hangup
    expect: {{outcome: {outcome}}}
"""


def scenario(folder: Path, outcome: str = "hung_up", name: str = "a") -> Path:
    path = folder / f"{name}.scenario.yaml"
    path.write_text(SCENARIOS.format(flow=ROOT / "flows/smallest.yaml", outcome=outcome), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_shipped_scenarios_pass(monkeypatch):
    monkeypatch.chdir(ROOT)
    done = command("test", "flows")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "flows/scenarios/smallest.scenario.yaml ....." in done.output
    assert done.output.splitlines()[-1].endswith(" passed")


def test_a_failure_is_a_story_with_what_was_expected_and_what_was_seen(tmp_path):
    path = scenario(tmp_path, "completed")
    done = command("test", str(path))
    assert done.exit_code == 1
    assert done.output.splitlines()[0] == f"{path} .F"
    assert done.output.splitlines()[3:] == [
        f"{path}:11:13: not as expected",
        "  11 |     expect: {outcome: completed}",
        "     |             ^",
        "  outcome",
        "    expected completed",
        "    seen     hung_up",
        "    0 s: the call begins. In talking. The model speaks (Greet the caller and help.).",
        "    4 s: the caller hangs up. In ending. Outcome: hung_up. The line drops. In closed. The call is over.",
        "  by the rows of the flow",
        "    supplied  4 s  the top level -> ending, on call.hangup",
        "    supplied  4 s  ending -> closed, on done",
        "",
        "1 failed, 1 passed",
    ]


def test_lists_are_told_by_how_they_differ_and_the_rows_that_led_there(tmp_path):
    shutil.copy(ROOT / "flows/outbound.yaml", tmp_path)
    path = tmp_path / "a.scenario.yaml"
    path.write_text(
        "callflow: 1\nflow: outbound.yaml\nvars: {phone_number: '+15550123456', customer_name: Ada}\n"
        "env: {SIP_OUTBOUND_TRUNK_ID: ST_test}\nscenarios:\n  a:\n    steps: [tool: end_call]\n    expect:\n"
        "      states: [dialing, talking, ending, closed]\n"
        "      heard: [..., 'Thank you, bye.']\n      effects: [dial, ..., {say: Goodbye.}, ..., shutdown]\n"
    )
    done = command("test")
    lines = done.output.splitlines()
    first, last = lines.index("  states"), lines.index("    0 s: the call begins. In dialing. The callee is called.")
    assert lines[first:last] == [
        "  states",
        "      dialing",
        "    + screening",
        "      talking",
        "      ending",
        "      closed",
        "  heard",
        '      ... "(the model speaks)"',
        '    - "Thank you, bye."',
        '    + "Thank you, goodbye."',
        "  effects",
        "      dial: +15550123456",
        "      ... generate_reply: Greet Ada and ask about the appointment.",
        "    - say: Goodbye.",
        "    + say: Thank you, goodbye.",
        "      ... drain",
        "      ... delete_room",
        "      ... aclose",
        "      shutdown: completed",
    ]
    rows = [
        line.split()
        for line in lines[lines.index("  by the rows of the flow") + 1 :]
        if line.strip().startswith("outbound")
    ]
    assert [(row[0].partition(":")[0], " ".join(row[3:])) for row in rows] == [
        ("outbound.yaml", "dialing -> screening, on dial.answered"),
        ("outbound.yaml", "screening -> talking, on amd.human"),
        ("outbound.yaml", "talking -> ending, on tool.end_call"),
        ("outbound.yaml", "ending -> closed, on done"),
    ]


def test_a_row_that_was_not_taken_is_told_with_its_guard(tmp_path):
    (tmp_path / "desk.yaml").write_text(
        "callflow: 1\nname: desk\ninitial: a\nevents: {app.x: {n: integer}}\nsenders: {app.x: program}\nstates:\n  a:\n"
        "    after: {30s: ending}\n    on:\n      app.x:\n        - {target: ending, when: event.n > 3}\n        - {do: [{log: no}]}\n"
    )
    (tmp_path / "a.scenario.yaml").write_text(
        "callflow: 1\nflow: desk.yaml\nscenarios: {a: {steps: [{app.x: {n: 2}}, {expect: {state: ending}}]}}\n"
    )
    lines = command("test").output.splitlines()
    assert "    desk.yaml:11  0 s  not taken: event.n > 3" in lines
    assert "    desk.yaml:12  0 s  stays in a, on app.x" in lines


def test_a_file_with_defects_is_not_played_and_the_others_are(tmp_path):
    scenario(tmp_path, "hungup", "wrong")
    scenario(tmp_path)
    done = command("test")
    assert done.exit_code == 2
    assert "a.scenario.yaml .." in done.output
    assert 'did you mean "hung_up"?' in done.output
    assert done.output.splitlines()[-1] == "2 passed, 1 defect"


def test_a_flow_that_must_not_run_is_not_played(tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "callflow: 1\nname: bad\ninitial: a\nstates: {a: {on: {call.hangup: {do: [{log: no}]}}}}\n", encoding="utf-8"
    )
    (tmp_path / "a.scenario.yaml").write_text(
        "callflow: 1\nflow: bad.yaml\nscenarios: {a: {steps: [call.hangup]}}\n", encoding="utf-8"
    )
    done = command("test")
    assert done.exit_code == 2
    assert "hidden-end" in done.output


def test_only_those_of_a_name(tmp_path):
    scenario(tmp_path, "completed")
    done = command("test", "-k", "DONE")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "1 passed, 1 deselected")
    done = command("test", "-v", "-k", "done")
    assert "    3 s: the model calls end_call." in done.output


def test_nothing_to_play(tmp_path):
    done = command("test")
    assert (done.exit_code, done.output.strip()) == (5, "no scenarios")


def test_wrong_usage_has_the_exit_status_of_pytest(tmp_path):
    scenario(tmp_path)
    done = command("test", "nowhere.scenario.yaml", "gone")
    assert done.exit_code == 4
    assert "there is no file or folder 'nowhere.scenario.yaml'\nthere is no file or folder 'gone'" in done.stderr
    assert command("test", "--nonesuch").exit_code == 4
    assert command("test", "--jobs", "none").exit_code == 4
    done = command("test", "a.scenario.yaml::the caller is dome")
    assert (done.exit_code, 'did you mean "the caller is done"?' in done.stderr) == (4, True)
    for expression, says in {
        "and": "in column 1 stands `and`, where a text, `not` or `(` is due",
        "a (b": "in column 3 stands `(`, where `and`, `or`, or its end is due",
        "(a": "in column 3 stands its end, where `)` is due",
        "not": "in column 4 stands its end",
        "a or 'b": "the quote in column 6 is not closed",
        "(" * 500: "more than 100 levels",
    }.items():
        done = command("test", "-k", expression)
        assert (done.exit_code, says in done.stderr) == (4, True), done.stderr


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("done", ["the caller is done"]),
        ("hangs up", ["the caller hangs up"]),
        ("not done", ["the caller hangs up"]),
        ("caller and not (hangs or nothing)", ["the caller is done"]),
        ("hangs or done", ["the caller is done", "the caller hangs up"]),
        ("'is done'", ["the caller is done"]),
        ("a", ["the caller is done", "the caller hangs up"]),
        ("not done and not hangs", []),
        ("'and'", []),
    ],
)
def test_names_are_chosen_as_pytest_does(tmp_path, expression, names):
    scenario(tmp_path)
    done = command("test", "--collect-only", "-k", expression)
    assert done.output.splitlines() == [f"a.scenario.yaml::{name}" for name in names]
    assert done.exit_code == (0 if names else 5)


def test_one_scenario_by_its_name_and_its_cases(tmp_path):
    scenario(tmp_path)
    done = command("test", "a.scenario.yaml::the caller hangs up")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "1 passed, 1 deselected")
    (tmp_path / "cases.scenario.yaml").write_text(
        f"callflow: 1\nflow: {ROOT}/flows/smallest.yaml\n"
        "scenarios: {a: {steps: [tool: end_call], cases: {b: {}, c: {expect: {outcome: completed}}}}, ab: {steps: [call.hangup]}}\n"
    )
    assert command("test", "cases.scenario.yaml::a").output.splitlines()[-1] == "2 passed, 1 deselected"
    assert command("test", "cases.scenario.yaml::a, c").output.splitlines()[-1] == "1 passed, 2 deselected"
    assert command("test", "cases.scenario.yaml::a", "cases.scenario.yaml").output.splitlines()[-1] == "3 passed"


def test_it_ends_once_enough_have_failed(tmp_path):
    for name in "abc":
        scenario(tmp_path, "completed", name)
    done = command("test", "-x")
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1,
        "1 failed, 1 passed (enough have failed: 4 not played)",
    )
    assert command("test", "--maxfail", "2").output.splitlines()[-1].startswith("2 failed, 2 passed (enough")
    assert command("test", "--maxfail", "9").output.splitlines()[-1] == "3 failed, 3 passed"


def test_several_processes_tell_the_same(tmp_path):
    for name in ("a", "b"):
        scenario(tmp_path, "completed", name)
    scenario(tmp_path, "hungup", "wrong")
    alone, beside = command("test"), command("test", "--jobs", "2")
    assert (beside.exit_code, beside.output) == (alone.exit_code, alone.output)
    first = command("test", "--jobs", "2", "-x")
    assert first.output == command("test", "-x").output


def test_junit(tmp_path):
    scenario(tmp_path, "completed")
    scenario(tmp_path, "hungup", "wrong")
    command("test", "--junit", "out/junit.xml")
    root = ElementTree.parse(tmp_path / "out/junit.xml").getroot()
    assert [(one.get("name"), one.get("tests"), one.get("failures"), one.get("errors")) for one in root] == [
        ("a.scenario.yaml", "2", "1", "0"),
        ("wrong.scenario.yaml", "1", "0", "1"),
    ]
    passed, failed = root[0]
    assert {**passed.attrib, "time": ""} == {
        "name": "the caller is done", "classname": "a", "file": "a.scenario.yaml", "line": "5", "time": ""
    }  # fmt: skip
    assert [(one.tag, one.get("message")) for one in failed] == [("failure", "a.scenario.yaml:11: not as expected")]
    assert "    expected completed\n    seen     hung_up" in failed[0].text
    assert [one.get("type") for one in root[1][0]] == ["unknown-outcome"]


def test_for_programs(tmp_path):
    scenario(tmp_path, "completed")
    done = command("test", "--format", "short")
    assert done.output.splitlines() == [
        "a.scenario.yaml:11:13: failed: the caller hangs up: not as expected; outcome: expected completed, seen hung_up"
    ]
    found = json.loads(command("test", "--format", "json").output)
    assert [(one["name"], one["line"], one["passed"]) for one in found["scenarios"]] == [
        ("the caller is done", 5, True),
        ("the caller hangs up", 8, False),
    ]
    assert found["scenarios"][1]["unmet"] == [
        {"what": "outcome", "expected": "completed", "seen": "hung_up", "difference": []}
    ]


def test_what_is_hidden_or_somebody_elses_is_not_looked_into(tmp_path):
    for folder in (".venv", "node_modules/x", "mine"):
        (tmp_path / folder).mkdir(parents=True)
        scenario(tmp_path / folder)
    assert command("test", "--collect-only").output.splitlines()[0].startswith("mine/a.scenario.yaml::")
    assert command("test").output.splitlines()[-1] == "2 passed"


def test_check_reads_them_too(tmp_path):
    scenario(tmp_path, "hungup", "wrong")
    scenario(tmp_path)
    done = command("check", str(ROOT / "flows/smallest.yaml"), "a.scenario.yaml", "wrong.scenario.yaml")
    assert done.exit_code == 1
    assert "a.scenario.yaml: read 2 scenarios, no defect" in done.output
    assert 'did you mean "hung_up"?' in done.output
    assert command("check", "a.scenario.yaml").exit_code == 0


def test_a_call_without_end_is_told_where_it_stands(tmp_path):
    (tmp_path / "round.yaml").write_text(
        "callflow: 1\nname: round\nlimits: {call: 720h, silence: 720h}\ninitial: a\n"
        "states: {a: {every: {1s: {do: [{log: tick}]}}, waits: for a test}}\n",
        encoding="utf-8",
    )
    (tmp_path / "round.scenario.yaml").write_text(
        "callflow: 1\nflow: round.yaml\nscenarios: {a: {expect: {ended: true}}}\n", encoding="utf-8"
    )
    done = command("test")
    assert done.exit_code == 1
    assert "10,000 inputs, and the call has not ended: it is in a" in done.output
    assert len(done.output.splitlines()) < 90


DESK = """
callflow: 1
name: desk
vars: {name: {type: string, default: "", pii: true}, shop: {type: string, default: Loom}}
tools: {end_call: {description: The caller is done.}}
initial: asking
states:
  asking:
    entry: [{say: "Welcome to {{ vars.shop }}, {{ vars.name }}."}, {say: How can I help?}]
    tools: [end_call]
    on: {tool.end_call: {target: ending, do: [{say: "Goodbye, {{ vars.name }}."}]}}
"""

BEFORE = """\
# How the desk greets.
callflow: 1
flow: desk.yaml
vars: {name: Ada}
scenarios:
  a greeting:   # the usual one
    steps:
      - expect: {heard: "Welcome."}   # first
      - tool: end_call
    expect:
      heard:
        - ...   # whatever
        - How may I help?
        # and then
        - {part: Goodbye}
      outcome: none

  short: {expect: {heard: [Hello., How can I help?], ended: true}}

  two ways:
    steps: [{expect: {heard: Welcome}}]
    cases: {one: {vars: {shop: Reed}}, other: {}}
"""

AFTER = (
    BEFORE.replace('heard: "Welcome."', 'heard: {pattern: "^Welcome to Loom, .+\\\\.$"}')
    .replace("        - ...   # whatever\n        - How may I help?\n        # and then\n        - {part: Goodbye}\n",
             '        - ...\n        - "How can I help?"\n        - {part: Goodbye}\n')
    .replace("[Hello., How can I help?]", '[{pattern: "^Welcome to Loom, .+\\\\.$"}, How can I help?]')
)  # fmt: skip


def test_what_was_heard_is_written_where_something_else_was_expected(tmp_path):
    (tmp_path / "desk.yaml").write_text(DESK)
    (tmp_path / "a.scenario.yaml").write_text(BEFORE)
    done = command("test", "--update")
    assert (tmp_path / "a.scenario.yaml").read_text() == AFTER
    assert done.stderr.splitlines() == [
        "a.scenario.yaml: updated",
        "a.scenario.yaml:20: several scenarios hear different words here: not updated",
    ]
    assert (done.exit_code, done.output.splitlines()[-1]) == (1, "2 failed, 2 passed")
    assert "Ada" not in AFTER.replace("vars: {name: Ada}", "")


def test_what_changes_is_played_again(tmp_path, monkeypatch):
    for name in "ab":
        scenario(tmp_path, name=name)
    (tmp_path / "desk.yaml").write_text(DESK)
    (tmp_path / "desk.scenario.yaml").write_text(
        "callflow: 1\nflow: desk.yaml\nscenarios: {a: {expect: {ended: true}}}\n"
    )
    desk = (tmp_path / "desk.yaml").read_text
    changes = iter(
        [
            lambda: scenario(tmp_path, "completed", "b"),
            lambda: None,
            lambda: (tmp_path / "desk.yaml").write_text(desk().replace("say: How", "sya: How")),
            lambda: (tmp_path / "desk.yaml").write_text(DESK),
            lambda: (tmp_path / "a.scenario.yaml").unlink(),
            lambda: scenario(tmp_path, name="new"),
        ]
    )

    def wait(_seconds):
        change = next(changes, None)
        if change is None:
            raise KeyboardInterrupt
        change()

    monkeypatch.setattr(watching.time, "sleep", wait)
    done = command("test", "--watch")
    rounds = done.output.split(" changed\n\n")
    assert [[line for line in one.splitlines() if line.endswith((" .", " ..", " .F", " E"))] for one in rounds] == [
        ["a.scenario.yaml ..", "b.scenario.yaml ..", "desk.scenario.yaml ."],
        ["b.scenario.yaml .F"],
        ["desk.scenario.yaml E"],
        ["desk.scenario.yaml ."],
        [],
        ["new.scenario.yaml .."],
    ]
    assert done.exit_code == 0


def test_one_that_cannot_be_played_stops_no_other(tmp_path, monkeypatch):
    def broken(one):
        if one.name == "the caller is done":
            raise LookupError("no such thing")
        return play(one)

    monkeypatch.setattr("callflow.cli.test.play", broken)
    done = command("test", str(scenario(tmp_path)), "--coverage")
    assert done.exit_code == 1
    assert "this cannot be played: LookupError: no such thing" in done.stdout
    assert "in broken" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
