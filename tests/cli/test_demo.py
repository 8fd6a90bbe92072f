"""`callflow demo`, as a stranger reads it: whole calls for every far end, at 80 columns, without a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from callflow.cli import main
from callflow.cli._shipped import shipped_flow
from callflow.cli.demo import CALLERS

CASES = {
    "talks": ("completed", "message_taken"),
    "says_nothing": ("abandoned", "abandoned"),
    "hangs_up_while_spoken_to": ("hung_up", "hung_up"),
    "hangs_up_at_once": ("hung_up",),
    "voicemail": ("voicemail",),
    "mailbox_full": ("machine",),
    "menu": ("machine",),
    "screening": ("machine",),
    "busy": ("busy",),
    "no_answer": ("no_answer",),
    "declines": ("declined",),
    "invalid": ("invalid",),
    "unavailable": ("no_answer",),
    "fails": ("failed",),
    "unreachable": ("no_answer",),
}


@pytest.fixture
def told(demo):
    """What is printed, at 80 columns, the outcomes in it, and the folder of what is kept."""

    def tell(*options):
        text, folder = demo(*options)
        assert "\x1b" not in text
        assert [line for line in text.splitlines() if len(line) > 80 and str(folder) not in line] == []
        return text, tuple(re.findall(r"outcome  (\w+) ", text)), folder

    return tell


def kept(folder, flow):
    """The journal's lines and the record of a call."""
    assert (folder / f"{flow}.svg").read_text().lstrip().startswith(("<?xml", "<svg"))
    [record], [journal] = (folder / flow).glob("*.json"), (folder / flow).glob("*.jsonl")
    assert "+15550123456" not in journal.read_text() + record.read_text()
    return [json.loads(line) for line in journal.read_text().splitlines()], json.loads(record.read_text())


def test_a_call_by_hand_and_as_a_flow_and_two_whole_flows(told):
    text, outcomes, _ = told()
    assert outcomes == CASES["talks"]
    assert [line.strip(" ─") for line in text.splitlines() if line.endswith("──")] == [
        "1  The caller is done. The same call twice", "2  An outbound call: flows/outbound.yaml",
        "3  An inbound call: flows/inbound.yaml", "Try next",
    ]  # fmt: skip
    assert "silence for 60 s" in text
    assert "line drops, 0.2 s after the" in text
    assert text.count("callflow ") >= 4


@pytest.mark.parametrize("caller", CASES)
def test_the_calls_of_one_far_end_come_first_and_alone(told, caller):
    text, outcomes, folder = told("--caller", caller)
    assert outcomes == CASES[caller]
    first = next(line for line in text.splitlines() if line.startswith(" 1  "))
    assert first.strip(" ─") == "1  An outbound call: flows/outbound.yaml"
    assert "by hand" not in text
    for flow, outcome in zip(("outbound", "inbound"), CASES[caller], strict=False):
        lines, record = kept(folder, flow)
        assert record["outcome"] == outcome
        assert lines[0]["flow"] == record["flow"]
    assert (folder / "inbound").exists() is (len(CASES[caller]) == 2)


@pytest.mark.parametrize("caller", ["talks", "voicemail", "screening"])
def test_no_line_of_a_journal_is_cut(told, caller):
    text, _, _ = told("--caller", caller)
    shown = re.findall(r"the call moved:\n((?:    .*\n)+)", text)
    assert len(shown) == len(CASES[caller])
    for part in shown:
        lines = re.split(r"\n(?=\{)", "\n".join(line.strip() for line in part.splitlines()))
        assert len(lines) == 3
        for line in lines:
            assert {"seq", "rows", "states"} <= json.loads(line.replace("\n", " ")).keys()


def test_there_is_a_call_for_every_far_end():
    assert set(CASES) == set(CALLERS)


def test_what_it_recommends_is_there():
    for command in (["demo", "--help"], ["check", str(shipped_flow("outbound"))]):
        assert CliRunner().invoke(main, command).exit_code == 0
    with pytest.raises(FileNotFoundError, match="nothing"):
        shipped_flow("nothing")


def test_who_has_read_enough_gets_no_traceback():
    script = f"{sys.executable} -c 'from callflow.cli import main; main()' demo --fast | head -3"
    seen = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    assert seen.stdout.startswith("callflow demo\n")
    assert seen.stderr == ""
