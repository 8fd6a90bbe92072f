from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from callflow.cli import main
from callflow.diagram import DiagramError
from tests.diagram.flows import FLOWS

FLOW = str(FLOWS / "smallest.yaml")


def draw(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["draw", *arguments])


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.svg", b"<?xml"),
        ("a.png", b"\x89PNG"),
        ("a.pdf", b"%PDF"),
        ("a.dot", b"digraph"),
        ("a.mmd", b"stateDiagram-v2"),
        ("a.SVG", b"<?xml"),
    ],
)
def test_the_files_name_says_what_is_written(name, head, tmp_path):
    result = draw(FLOW, "-o", str(tmp_path / name))
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(head)


def test_to_standard_output():
    assert draw(FLOW, "-o", "-", "--format", "mmd").stdout.startswith("stateDiagram-v2\n")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            "a.jpg",
            "there is no telling what to write to a.jpg: end it in one of .svg, .png, .pdf, .dot, .mmd, or say which with --format",
        ),
        ("a", "there is no telling what to write to a: end it in"),
        ("-", "there is no telling what to write to -: say which with --format"),
    ],
)
def test_an_unknown_format_is_wrong_usage(output, sentence):
    result = draw(FLOW, "-o", output)
    assert result.exit_code == 2
    assert sentence in result.output


def test_a_flow_with_defects_is_not_drawn(tmp_path):
    (tmp_path / "wrong.yaml").write_text("callflow: 1\nname: wrong\ninitial: nowhere\nstates: {here: {final: true}}\n")
    result = draw(str(tmp_path / "wrong.yaml"), "-o", str(tmp_path / "out.svg"))
    assert result.exit_code == 1
    assert "wrong.yaml:3:10: unknown-target" in result.stderr
    assert not (tmp_path / "out.svg").exists()


def test_a_file_that_is_not_there():
    result = draw("nowhere.yaml", "-o", "out.svg")
    assert (result.exit_code, "no such file" in result.stderr) == (1, True)


def test_a_folder_that_is_not_there(tmp_path):
    result = draw(FLOW, "-o", str(tmp_path / "none" / "out.dot"))
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert "No such file or directory" in result.stderr


def test_what_cannot_be_drawn_is_said(monkeypatch, tmp_path):
    def fail(*_: object, **__: object) -> bytes:
        raise DiagramError("a picture needs pygraphviz: pip install 'callflow[diagrams]'")

    monkeypatch.setattr("callflow.diagram.draw", fail)
    result = draw(FLOW, "-o", str(tmp_path / "out.svg"))
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: a picture needs pygraphviz: pip install 'callflow[diagrams]'\n",
    )


def test_what_scenarios_do_not_cover_is_drawn_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flow = Path(__file__).parents[2] / "flows/smallest.yaml"
    text = "callflow: 1\nflow: {}\nscenarios:\n  a: {{steps: [{}], expect: {{outcome: {}}}}}\n"
    scenarios = tmp_path / "a.scenario.yaml"
    scenarios.write_text(text.format(flow, "{4s: call.hangup}", "hung_up"), encoding="utf-8")
    assert "✗ tool.end_call" in draw(str(flow), "-o", "-", "--format", "mmd", "--coverage", ".").output
    scenarios.write_text(text.format(flow, "{tool: end_call}", "completed"), encoding="utf-8")
    assert "✗" not in draw(str(flow), "-o", "-", "--format", "mmd", "--coverage", ".").output
    other = draw(str(flow.parent / "inbound.yaml"), "-o", "-", "--format", "mmd", "--coverage", ".")
    assert (other.exit_code, "no scenario of" in other.stderr) == (1, True)
    assert draw(str(flow), "-o", "a.mmd", "--coverage", "nowhere").exit_code == 2
    scenarios.write_text("callflow: 1\n", encoding="utf-8")
    assert draw(str(flow), "-o", "a.mmd", "--coverage", ".").exit_code == 1
