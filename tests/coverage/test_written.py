"""Coverage as others read it: lcov's tracefile, pages, the picture."""

from __future__ import annotations

from html.parser import HTMLParser

import callflow
from callflow.coverage import Meter, took
from callflow.coverage.html import write_pages
from callflow.coverage.lcov import lcov
from callflow.coverage.picture import uncovered
from callflow.diagram import draw
from callflow.scenario import play, reads

FLOW = """\
callflow: 1
name: shop
outcomes: [abandoned]
tools:
  order: {description: They order.}
  end_call: {description: They are <b>done</b>.}
initial: talking
states:
  talking:
    entry: [{say: Hello.}]
    tools: [order, end_call]
    on:
      tool.order: {target: asking, when: call.direction == "inbound"}
      tool.end_call: {target: ending, do: [{outcome: completed}]}
  asking:
    entry: [{transfer: {to: "+15550100100"}}]
    on:
      transfer.completed: {target: ending, do: [{outcome: transferred}]}
      transfer.failed: talking
"""

SCENARIOS = """\
callflow: 1
flow: shop.yaml
call: {direction: inbound}
scenarios:
  done &amp; <i>over</i>: {steps: [tool: end_call], expect: {outcome: completed}}
  through: {steps: [{tool: order}], expect: {states: [..., asking, ending, ...]}}
"""


def measured(folder):
    (folder / "shop.yaml").write_text(FLOW, encoding="utf-8")
    flow = callflow.load(folder / "shop.yaml")
    scenarios, defects = reads(SCENARIOS, flows=flow)
    assert defects == []
    meter = Meter()
    for one in scenarios:
        result = play(one)
        assert result.failure is None
        meter.see(one, took(result))
    return flow, meter.coverage()


def test_lcov_has_a_line_for_each_line_and_a_branch_for_each_way(tmp_path):
    """As geninfo's manual has the format; `transfer.completed` is taken, and the silent caller would come to the same states."""
    _, coverage = measured(tmp_path)
    assert lcov(coverage).splitlines() == [
        "TN:", f"SF:{tmp_path / 'shop.yaml'}",
        "BRDA:13,0,0,0", "BRDA:13,0,1,1", "BRDA:16,1,0,1", "BRDA:16,1,1,0", "BRF:4", "BRH:2",
        "DA:5,1", "DA:6,1", "DA:9,2", "DA:13,1", "DA:14,1", "DA:15,1", "DA:18,0", "DA:19,0", "LF:8", "LH:6",
        "end_of_record",
    ]  # fmt: skip


class _Lines(HTMLParser):
    """The rows of a page's table, by class, with their text; what stands open at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append((dict(attrs).get("class") or "", ""))

    def handle_data(self, data):
        if self.rows:
            look, text = self.rows[-1]
            self.rows[-1] = (look, text + data)


def test_a_page_shows_the_file_with_what_is_covered_and_by_whom(tmp_path):
    _, coverage = measured(tmp_path)
    index = write_pages(coverage, tmp_path / "pages")
    page = _Lines()
    page.feed((index.parent / "shop.yaml.html").read_text(encoding="utf-8"))
    assert [look for look, _ in page.rows] == [
        *["none"] * 4, "good", "good", "none", "none", "good", *["none"] * 3, "bad", "good", "good", "bad", "none", "weak", "bad",
    ]  # fmt: skip
    assert page.rows[5][1].strip() == "6  end_call: {description: They are <b>done</b>.}1done &amp; <i>over</i>"
    assert "no scenario takes the row `transfer.failed`" in page.rows[-1][1]
    assert page.tags.isdisjoint({"b", "i", "script"})
    listed = _Lines()
    listed.feed(index.read_text(encoding="utf-8"))
    assert "50%" in listed.rows[1][1]


def test_the_picture_draws_apart_what_is_missing(tmp_path):
    flow, coverage = measured(tmp_path)
    missing = uncovered(coverage, flow)
    assert {flow.transitions[one].position.line for one in missing if isinstance(one, int)} == {18, 19}
    picture = draw(flow, "mmd", missing=missing).decode()
    assert "✗ transfer.failed" in picture
    assert "✗ tool.end_call" not in picture
    nothing = draw(flow, "mmd", missing={"asking"}).decode()
    assert "classDef missing" in nothing
    assert "classDef missing" not in draw(flow, "mmd").decode()
    assert "style=dashed" in draw(flow, "dot", missing=missing).decode()
