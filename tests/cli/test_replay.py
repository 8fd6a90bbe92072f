"""`callflow replay`: calls taken once more through the flow of today."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.command import command

OF_TODAY = Path(__file__).parents[1] / "journals" / "3"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    shutil.copytree(OF_TODAY / "flows", tmp_path / "flows")
    monkeypatch.chdir(tmp_path)


def change(name, old, new):
    path = Path("flows") / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_every_recorded_call_comes_out_the_same():
    done = command("replay", str(OF_TODAY))
    assert (done.exit_code, done.stderr) == (0, "")
    number = len(list(OF_TODAY.glob("*.jsonl")))
    assert done.output.startswith(f"{number} the same; ")


def test_a_comment_changes_nothing():
    for path in Path("flows").glob("*.yaml"):
        path.write_text(f"# A comment.\n\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    done = command("replay", str(OF_TODAY))
    assert (done.exit_code, done.stderr) == (0, "")


def test_the_first_difference_is_a_story_with_both_sides():
    change("smallest", "say: Goodbye.", "say: So long.")
    done = command("replay", str(OF_TODAY / "smallest-0.jsonl"))
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[1].endswith("smallest-0.jsonl:22: it goes another way from here")
    row = next(
        n for n, line in enumerate(Path("flows/smallest.yaml").read_text().splitlines(), 1) if "So long." in line
    )
    assert any('the caller says "pii:' in line for line in lines)
    assert f'begins say "Goodbye." (flows/smallest.yaml:{row})' in done.output
    assert f'begins say "So long." (flows/smallest.yaml:{row})' in done.output
    assert lines[-1].startswith("1 go another way; ")


def calls(*names):
    """These journals, in a folder of their own."""
    folder = Path("calls")
    folder.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(OF_TODAY / f"{name}.jsonl", folder)
        shutil.copy(OF_TODAY / f"{name}.json", folder)
    return folder


def test_calls_are_counted_by_what_has_changed_and_by_what_comes_of_them():
    change("inbound", "25s: {target", "12s: {target")
    change("inbound", "Thank you for calling. Goodbye.", "Bye.")
    done = command("replay", str(calls(*(f"inbound-{number}" for number in range(3, 9)))))
    assert (done.exit_code, done.stderr) == (1, "")
    told = done.output[done.output.index("     1  in helping.talking") :].splitlines()
    assert told[:5] == [
        "     1  in helping.talking, on tool.end_call: words",
        "        recorded: say.text of flows/inbound.yaml:43",
        "        today:    say.text of flows/inbound.yaml:43",
        "        outcomes: 1 completed",
        "        such as   calls/inbound-4.jsonl:17",
    ]
    assert told[5:10] == [
        "     1  in helping.talking, on silence 12s: way",
        "        recorded: nothing comes due",
        "        today:    to ending (flows/inbound.yaml:41)",
        "        outcomes: 1 abandoned",
        "        such as   calls/inbound-5.jsonl:16",
    ]
    assert told[-1].startswith("2 go another way, 4 the same; ")


def test_a_timer_that_is_longer_now_is_not_due_then():
    change("inbound", "25s: {target", "60s: {target")
    done = command("replay", str(calls("inbound-5")))
    assert done.exit_code == 1
    assert "  today     no timer is due" in done.output
    assert "then      it cannot be known how it goes on from line" in done.output


def test_a_new_timer_beside_others_is_no_difference_until_it_comes_due():
    """Timers have other numbers then."""
    change("inbound", "      8s: {do:", "      100s: {do: [{log: Quiet.}]}\n      8s: {do:")
    done = command("replay", str(calls(*(f"inbound-{number}" for number in range(3, 9)))))
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_tool_that_is_gone_cannot_be_called_any_more():
    change("smallest", "end_call", "end_it")
    done = command("replay", str(calls("smallest-0", "smallest-1")))
    assert done.exit_code == 1
    assert "1 go another way, 1 the same; " in done.output
    assert "its outcome" not in done.output
    assert "it cannot be known how it goes on from line" in done.output


def test_what_begins_newly_and_has_a_result_cannot_be_known():
    change("inbound", '{target: message, do: [{say: "We are closed now, but I can take a message."}]}', "transferring")
    done = command("replay", str(calls("inbound-3")))
    assert done.exit_code == 1
    assert "today:" not in done.output  # there is but one
    assert "enters transferring" in done.output
    assert "transfer begins, and how it ends was not recorded" in done.output


def test_another_outcome_is_followed_to_the_end():
    change("smallest", "outcome: completed", "outcome: satisfied")
    text = Path("flows/smallest.yaml").read_text(encoding="utf-8")
    if "outcomes:" not in text:
        Path("flows/smallest.yaml").write_text(
            text.replace("initial:", "outcomes: [satisfied]\ninitial:"), encoding="utf-8"
        )
    done = command("replay", str(calls("smallest-0", "smallest-1")))
    assert done.exit_code == 1
    assert "its outcome is satisfied, and was completed" in done.output


def test_the_records_beside_the_journals_are_no_journals():
    folder = calls("smallest-0", "smallest-1")
    done = command("replay", *sorted(map(str, folder.iterdir())))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.output.startswith("2 the same; ")


def test_many_journals_are_replayed_side_by_side():
    folder = Path("many")
    folder.mkdir()
    for number in range(120):
        shutil.copy(OF_TODAY / "smallest-0.jsonl", folder / f"{number:03}.jsonl")
    change("smallest", "say: Goodbye.", "say: So long.")
    (folder / "050.jsonl").write_text("{}\n", encoding="utf-8")
    one, two = command("replay", str(folder)), command("replay", str(folder), "--jobs", "2")
    assert one.output == two.output
    assert "119 go another way, 1 not replayed; " in one.output
    assert one.output.count("it goes another way from here") == 1
    assert one.exit_code == two.exit_code == 2


def test_a_flow_that_has_defects_or_another_name_is_told():
    Path("bad.yaml").write_text("callflow: 1\nname: x\n", encoding="utf-8")
    done = command("replay", str(calls("smallest-0")), "--flow", "bad.yaml")
    assert done.exit_code == 2
    assert "bad.yaml:1:1: " in done.stderr
    done = command("replay", "calls", "--flow", "flows/outbound.yaml")
    assert done.exit_code == 2
    assert "this is a call of the flow front-desk, and what --flow names is outbound-reminder" in done.stderr
    Path("changed").mkdir()
    shutil.copy("flows/outbound.yaml", "changed")
    text = Path("flows/smallest.yaml").read_text(encoding="utf-8")
    Path("changed/smallest.yaml").write_text(text.replace("initial:", "initally:"), encoding="utf-8")
    done = command("replay", str(calls("smallest-0")), "--flow", "changed")
    assert done.exit_code == 2
    assert "what --flow names is outbound-reminder (not read: changed/smallest.yaml:" in done.stderr
    Path("empty").mkdir()
    assert command("replay", "empty").exit_code == 5


def test_a_guard_that_hangs_on_a_hidden_value_keeps_its_verdict_and_a_new_one_is_not_known(monkeypatch):
    from tests.cli.test_to_scenario import record

    record("event.pin == vars.pin", "47110815", "47110815")
    text = Path("pins.yaml").read_text(encoding="utf-8")
    moved = text.replace(
        "      app.typed:\n", "      app.typed:\n        - {when: 'state.visits > 5', target: inside}\n"
    )
    Path("pins.yaml").write_text(moved, encoding="utf-8")
    done = command("replay", "calls", "--flow", "pins.yaml")
    assert (done.exit_code, done.stderr) == (0, "")
    Path("pins.yaml").write_text(
        moved.replace("event.pin == vars.pin", "first(event.pin, 2) == '47'"), encoding="utf-8"
    )
    done = command("replay", "calls", "--flow", "pins.yaml")
    assert done.exit_code == 1
    assert "cannot know from here: the guard `first(event.pin, 2) == '47'` of pins.yaml:" in done.output
    assert "1 not known; " in done.output
