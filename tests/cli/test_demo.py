"""`callflow demo`, as a stranger reads it: whole calls for every far end, at 80 columns, without a terminal."""

from __future__ import annotations

import json
import logging
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
    "silent": ("abandoned", "abandoned"),
    "hangs-up": ("hung_up", "hung_up"),
    "hangs-up-at-once": ("hung_up", "message_taken"),
    "voicemail": ("voicemail", "message_taken"),
    "mailbox-full": ("machine", "message_taken"),
    "menu": ("machine", "message_taken"),
    "screening": ("machine", "message_taken"),
    "busy": ("busy", "message_taken"),
    "no-answer": ("no_answer", "message_taken"),
    "declines": ("declined", "message_taken"),
    "invalid": ("invalid", "message_taken"),
    "unavailable": ("no_answer", "message_taken"),
    "fails": ("failed", "message_taken"),
    "unreachable": ("no_answer", "message_taken"),
}


@pytest.fixture(autouse=True)
def _same_logging():
    levels = {name: logging.getLogger(name).level for name in ("livekit", "callflow")}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("caller", CASES)
def test_both_flows_are_played_to_their_outcome(tmp_path, caller):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["demo", "--caller", caller, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    text = result.output
    assert tuple(re.findall(r"outcome  (\w+) ", text)) == CASES[caller]
    assert "silence for 60 s" in text
    assert "line drops, 0.2 s after the" in text
    assert "\x1b" not in text
    paths = re.compile(re.escape(str(tmp_path)))
    assert [line for line in text.splitlines() if len(line) > 80 and not paths.search(line)] == []
    for flow, outcome in zip(("outbound", "inbound"), CASES[caller], strict=True):
        assert (tmp_path / f"{flow}.svg").read_text().lstrip().startswith(("<?xml", "<svg"))
        [record] = (tmp_path / flow).glob("*.json")
        [journal] = (tmp_path / flow).glob("*.jsonl")
        assert json.loads(record.read_text())["outcome"] == outcome
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        assert lines[0]["flow"] == json.loads(record.read_text())["flow"]
        assert "+15550123456" not in journal.read_text() + record.read_text()
    assert text.count("callflow ") >= 4


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
