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
