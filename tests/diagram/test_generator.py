"""`python -m callflow.diagram`: the pictures of a folder of flows."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from callflow.diagram.__main__ import main
from callflow.flowfile import load
from tests.diagram.flows import FLOWS, SHIPPED


def test_pictures_of_flows_that_are_no_more_are_taken_away(tmp_path):
    (tmp_path / "old.svg").touch()
    (tmp_path / "notes.txt").touch()
    result = CliRunner().invoke(main, [str(FLOWS / "smallest.yaml"), "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "smallest.mmd", "smallest.svg"]


def test_a_flow_with_defects_leaves_the_pictures_as_they_are(tmp_path):
    (tmp_path / "old.svg").touch()
    (tmp_path / "wrong.yaml").write_text("callflow: 1\n")
    result = CliRunner().invoke(main, [str(tmp_path / "wrong.yaml"), "-o", str(tmp_path)])
    assert result.exit_code == 1
    assert "wrong.yaml:1:1: missing-key" in result.output
    assert (tmp_path / "old.svg").exists()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_flow_says_when_to_use_it_and_has_its_picture(path: Path):
    head = path.read_text().splitlines()
    assert head[0] == "# yaml-language-server: $schema=../callflow/flowfile/flow.schema.json"
    assert head[2].startswith("# Use this ")
    assert load(path).states
    assert (FLOWS.parent / "diagrams" / f"{path.stem}.svg").is_file()
