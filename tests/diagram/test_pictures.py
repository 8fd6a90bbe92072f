"""SVG, PNG and PDF, as Graphviz draws them: what overlaps, what is too small, what takes too long."""

from __future__ import annotations

import json
import re
import time
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from callflow.core.flow import Flow
from callflow.diagram import DiagramError, Graph, draw, graph_of
from callflow.diagram import graphviz as module
from callflow.diagram.graphviz import LEAST_TEXT, PAGE, WIDEST
from tests.diagram.flows import SHIPPED, flow, nested, questions, shipped, tangle

SVG = "{http://www.w3.org/2000/svg}"


@cache
def laid_out(make: Callable[[], Flow]) -> tuple[Graph, dict[str, Any]]:
    """A flow's graph, and Graphviz's own account of where everything is, of the same layout as in the picture."""
    graph = graph_of(make())
    with module._Graphviz(time.monotonic() + 30, 30) as graphviz:
        dot, _ = graphviz.fitting(graph)
        return graph, json.loads(graphviz.run(dot, "json"))


SHIPPED_FLOWS = {path.stem: partial(shipped, path.stem) for path in SHIPPED}


@cache
def svg(make: Callable[[], Flow]) -> bytes:
    return draw(make(), "svg")


def boxes(picture: dict[str, Any]) -> dict[str, tuple[float, float, float, float]]:
    """Left, bottom, right and top of each state, outcome and label, in points."""
    found = {}
    for entry in picture["objects"]:
        if "pos" in entry:
            x, y = map(float, entry["pos"].split(","))
            width, height = float(entry["width"]) * 36, float(entry["height"]) * 36
            found[entry["name"]] = (x - width, y - height, x + width, y + height)
    return found


def apart(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[2] <= other[0] + 1 or other[2] <= one[0] + 1 or one[3] <= other[1] + 1 or other[3] <= one[1] + 1


DRAWN = SHIPPED_FLOWS | {"nested": nested, "forty questions": partial(questions, 40)}
each_shipped = pytest.mark.parametrize("make", SHIPPED_FLOWS.values(), ids=SHIPPED_FLOWS)


@pytest.mark.parametrize("make", DRAWN.values(), ids=DRAWN)
def test_nothing_lies_on_anything_and_the_good_call_is_a_straight_line(make):
    graph, picture = laid_out(make)
    found = boxes(picture)
    names = list(found)
    assert [
        (one, other) for i, one in enumerate(names) for other in names[i + 1 :] if not apart(found[one], found[other])
    ] == []
    on_spine = [found[f"n{index}"] for index, node in enumerate(graph.nodes) if node.spine and not graph.is_box(node)]
    middles = {round((left + right) / 2) for left, _, right, _ in on_spine}
    assert max(middles) - min(middles) <= 1


@each_shipped
def test_a_shipped_flow_is_readable_on_a_page(make):
    left, _, right, _ = map(float, laid_out(make)[1]["bb"].split(","))
    assert right - left <= WIDEST
    root = ET.fromstring(svg(make))
    width = float(root.attrib["viewBox"].split()[2])
    sizes = [float(text.attrib["font-size"]) for text in root.iter(f"{SVG}text")]
    assert min(sizes) * min(1, PAGE / width) >= LEAST_TEXT


@each_shipped
def test_outcomes_stand_side_by_side(make):
    graph, picture = laid_out(make)
    found = boxes(picture)
    heights = {
        round((box[1] + box[3]) / 2)
        for box in (found[f"n{index}"] for index, node in enumerate(graph.nodes) if node.kind == "outcome")
    }
    assert len(heights) == 1


def test_all_texts_are_in_the_picture():
    root = ET.fromstring(svg(SHIPPED_FLOWS["outbound"]))
    text = " ".join("".join(line.itertext()) for line in root.iter(f"{SVG}text"))
    for part in (
        "outbound-reminder",
        "call.hangup",
        "dialing",
        "dial {phone_number}",
        "say “Are you still there?”",
        "silence 12s",
        "amd.machine-*",
        "busy, no_answer",
        "must finish",
    ):
        assert part in text
    assert root.attrib["aria-label"] == "outbound-reminder"


@pytest.mark.parametrize("make", [SHIPPED_FLOWS["outbound"], nested], ids=["outbound", "nested"])
def test_a_text_keeps_to_its_box_in_whatever_font_it_is_shown(make):
    texts = list(ET.fromstring(svg(make)).iter(f"{SVG}text"))
    assert [text.text for text in texts if text.text.strip() and "textLength" not in text.attrib] == []
    widths = {text.text: float(text.attrib["textLength"]) for text in texts if "textLength" in text.attrib}
    assert widths["ending"] < widths["in every state"] < 100


def test_the_path_that_a_call_took_is_drawn_in_its_own_colour():
    drawn = shipped("smallest")
    [end] = [move.id for move in drawn.transitions if move.source == "talking"]
    plain, marked = (
        svg(SHIPPED_FLOWS["smallest"]).decode(),
        draw(drawn, "svg", visited=["talking"], taken=[end]).decode(),
    )
    assert "#b45309" not in plain
    # The box's two lines, its arrow in, and the arrow from it: over the label to the outcome and on.
    assert marked.count('stroke="#b45309"') >= 5


def test_the_formats_are_what_they_say():
    drawn = shipped("smallest")
    assert draw(drawn, "png").startswith(b"\x89PNG\r\n")
    assert draw(drawn, "pdf").startswith(b"%PDF-")
    assert svg(SHIPPED_FLOWS["smallest"]).startswith(b"<?xml")


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without fonts."""
    monkeypatch.setattr(module, "_SYSTEM_FONTS", ())
    monkeypatch.setattr(module, "_USER_FONTS", ())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


def test_the_same_bytes_with_and_without_fonts_of_the_machine(no_fonts, request):
    bare = [draw(shipped("outbound"), "svg"), draw(shipped("outbound"), "png")]
    request.getfixturevalue("monkeypatch").undo()
    assert [svg(SHIPPED_FLOWS["outbound"]), draw(shipped("outbound"), "png")] == bare


def test_letters_that_no_font_has_are_named(no_fonts):
    drawn = flow("first: {entry: [{say: 'Καλημέρα, 预约!'}], on: {done: ending}}")
    with pytest.warns(UserWarning, match="no font on this machine has 约 预: the picture has boxes"):
        draw(drawn, "png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "预约" in draw(drawn, "svg").decode()


HOSTILE = 'end"; ] } --> <b>&amp;</b> <!-- --> \\N \\G \\l %% `x` | #35; ; : ]]> </svg><script>alert(1)</script> \u202e'


def test_texts_of_a_flow_are_only_ever_text():
    text = json.dumps(HOSTILE)
    drawn = flow(
        f"first:\n  description: {text}\n  waits: {text}\n  entry: [{{say: {text}}}, {{log: {text}}}]\n"
        f'  on: {{done: {{target: ending, when: \'"<b>" == "&"\', do: [{{say: {text}}}]}}}}',
        f"description: {text}",
    )
    root = ET.fromstring(draw(drawn, "svg"))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "g",
        "polygon",
        "path",
        "text",
        "ellipse",
    }
    lines = ["".join(line.itertext()) for line in root.iter(f"{SVG}text")]
    joined = re.sub(r"\s+", " ", " ".join(lines))
    assert "</svg><script>alert(1)</script>" in joined
    assert r"\N \G \l" in joined


def test_a_layout_has_a_limit_on_time():
    drawn = tangle(60)
    with pytest.raises(
        DiagramError, match=r"laying out this flow takes longer than 0\.2s: draw it as text \(\.mmd or \.dot\)"
    ):
        draw(drawn, "svg", time_limit=0.2)
    assert draw(drawn, "mmd", time_limit=0.2).startswith(b"stateDiagram-v2")


def test_a_large_tangle_is_drawn_within_the_limit():
    assert ET.fromstring(draw(tangle(120), "svg")).tag == f"{SVG}svg"


@pytest.mark.parametrize("absent", [["pygraphviz"], ["pygraphviz", "font_roboto"]])
def test_without_the_extra_the_error_says_how_to_get_it(absent, monkeypatch):
    real = module.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name in absent else real(name))
    with pytest.raises(
        DiagramError,
        match=r"needs pygraphviz.*: pip install 'callflow\[diagrams\]'\. Mermaid \(\.mmd\) and DOT \(\.dot\) need nothing more",
    ):
        draw(shipped("smallest"), "svg")
    assert draw(shipped("smallest"), "dot").startswith(b'digraph "front-desk"')


def test_a_crash_of_graphviz_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "to_dot", lambda *_: "digraph {{{")
    with pytest.raises(DiagramError, match="Graphviz failed"):
        draw(shipped("smallest"), "svg")
