"""Graph -> a tree of text for a terminal, with the path that a call took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from callflow.diagram.graph import Edge, Graph, Label, Node, Row
from callflow.diagram.words import columns, shorten

_BOLD: Final = "\x1b[1m"
_FAINT: Final = "\x1b[2m"
_TAKEN: Final = "\x1b[1;33m"
_PLAIN: Final = "\x1b[0m"


def to_text(graph: Graph, *, width: int = 100, color: bool = False, details: bool = True) -> str:
    """One state after the other, each with what it does and where it leads. `width` in columns.

    `●` stands before a state that the call has been in, `▶` before a transition that it took, `✗` before what no scenario covers. `color` writes the escape
    codes of a terminal; without `details` a state's own lines are left out.
    """
    return "\n".join(_Writer(graph, width, color=color, details=details).lines()) + "\n"


class _Writer:
    def __init__(self, graph: Graph, width: int, *, color: bool, details: bool) -> None:
        self.graph = graph
        self.width = width
        self.color = color
        self.details = details

    def lines(self) -> Iterator[str]:
        yield self.line("", self.graph.name, _BOLD)
        if self.details:
            for label in self.graph.frame:
                yield self.line(
                    "  ",
                    f"{'▶' if label.taken else '·'} in every state: {_label(label)}",
                    _TAKEN if label.taken else _FAINT,
                )
            yield from (self.line("  ", f"· after the call: {action}", _FAINT) for action in self.graph.wrap_up)
        yield from (self.line("  ", f"! {note}") for note in self.graph.notes)
        for node in self.graph.children(None):
            yield from self.node(node, "  ")

    def node(self, node: Node, indent: str) -> Iterator[str]:
        if node.kind in {"initial", "outcome"}:
            return
        mark = (
            "◉"
            if node.current
            else "●"
            if node.visited
            else "✗"
            if node.missing
            else "◎"
            if node.kind == "final"
            else "○"
        )
        badge = f"  ({node.badge})" if node.badge else "  (parallel)" if node.kind == "parallel" else ""
        look = _TAKEN if node.visited or node.current else _FAINT if node.quiet else _BOLD
        yield self.line(indent, f"{mark} {node.name}{badge}", look)
        if self.details:
            yield from (self.line(indent + "    ", _row(row), _FAINT if node.quiet else "") for row in node.rows)
        for edge in self.graph.edges:
            if edge.source == node.id:
                yield from self.edge(edge, indent + "  ")
        for child in self.graph.children(node.id):
            yield from self.node(child, indent + "  ")

    def edge(self, edge: Edge, indent: str) -> Iterator[str]:
        target = self.graph.by_id[edge.target]
        outcome = ""
        if target.kind == "outcome":
            outcome = f" · {target.name}"
            target = next(self.graph.by_id[onward.target] for onward in self.graph.edges if onward.source == target.id)
        for label in edge.labels or (Label(""),):
            mark = "▶" if label.taken else "→"
            yield self.line(
                indent,
                f"{mark} {target.name}{outcome}  {_label(label)}".rstrip(),
                _TAKEN if label.taken else _FAINT if edge.quiet else "",
            )

    def line(self, indent: str, text: str, look: str = "") -> str:
        text = shorten(text, max(self.width - columns(indent), 20))
        return f"{indent}{look}{text}{_PLAIN}" if self.color and look else indent + text


def _row(row: Row) -> str:
    if row.label is not None:
        return _label(row.label)
    return (
        f"! {row.text}"
        if row.kind == "note"
        else row.text
        if row.kind in {"entry", "description"}
        else f"{row.kind} {row.text}"
    )


def _label(label: Label) -> str:
    ends = " · ".join(part for part in (label.target, label.outcome) if part)
    parts = [
        f"✗ {label.trigger}" if label.missing else label.trigger,
        f"[{label.guard}]" if label.guard else "",
        *label.actions,
        f"→ {ends}" if ends else "",
    ]
    return "  ".join(part for part in parts if part)
