"""The scenarios of the shipped flows are their documentation: they cover all of them, and would miss each row."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflow.coverage import Meter, took
from callflow.coverage.table import sentence
from callflow.scenario import load, play

FLOWS = Path(__file__).parents[2] / "flows"
FILES = sorted((FLOWS / "scenarios").glob("*.scenario.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_its_scenarios_cover_the_whole_flow(path):
    meter = Meter()
    for one in load(path):
        meter.see(one, took(play(one)))
    coverage = meter.coverage()
    assert [
        f"{file.file}:{one.thing.line}: {sentence(one)}"
        for file in coverage.files
        for one in file.found
        if not one.counts
    ] == []
    assert all(coverage.files[0].share(kind)[1] for kind in ("row", "state"))
