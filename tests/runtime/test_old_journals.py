"""Journals that callflow wrote once, as they were written, with the flows of that day: `tests/journals/<version>/`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import callflow
from callflow.core.flow import Flow
from callflow.errors import JournalError
from callflow.journal import read_journal, replay
from callflow.runtime.lines import VERSION, VERSIONS

JOURNALS = Path(__file__).parents[1] / "journals"
ALL = sorted(JOURNALS.glob("*/*.jsonl"))


def flow_of(path: Path) -> Flow:
    """The flow of that day: of each version those that it was made with, before 3 all in one folder."""
    folder = path.parent / "flows"
    return callflow.load(
        (folder if folder.is_dir() else JOURNALS / "flows") / f"{re.sub('-[0-9]+$', '', path.stem)}.yaml"
    )


@pytest.mark.parametrize("path", ALL, ids=[f"{path.parent.name}-{path.stem}" for path in ALL])
def test_it_replays_step_by_step(path, tmp_path):
    flow = flow_of(path)
    recorded = read_journal(path)
    steps = replay(flow, recorded)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert recorded.head["journal"] == int(path.parent.name)
    assert [list(step.snapshot.configuration) for step in steps] == [line["states"] for line in lines[1:]]
    assert steps[-1].snapshot.ended

    moved = next(line for line in lines if line.get("moves") and line["seq"] > 0)
    moved["states"] = ["elsewhere"]
    other = tmp_path / path.name
    other.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    with pytest.raises(JournalError, match=rf"{path.name}:{lines.index(moved) + 1}: `states` comes out differently"):
        replay(flow, read_journal(other))


def test_there_are_some_of_every_version():
    assert {int(path.parent.name) for path in ALL} == set(VERSIONS)
    assert VERSION in VERSIONS
