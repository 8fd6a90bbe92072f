"""Pictures of a flow: SVG, PNG, PDF, DOT, Mermaid, and text for a terminal.

All of them read one Graph (`graph_of`). SVG, PNG and PDF need the extra `diagrams`; the others need nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, get_args

from callflow.core.flow import Flow
from callflow.diagram.dot import to_dot
from callflow.diagram.graph import Graph, Marks, graph_of
from callflow.diagram.mermaid import to_mermaid
from callflow.diagram.text import to_text
from callflow.errors import DiagramError

Format = Literal["svg", "png", "pdf", "dot", "mmd"]

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
"""What a picture's file name may end in."""

__all__ = ["FORMATS", "DiagramError", "Format", "Graph", "Marks", "draw", "graph_of", "to_dot", "to_mermaid", "to_text"]


def draw(
    flow: Flow,
    format: Format = "svg",  # noqa: A002 - the word that everybody uses
    *,
    visited: Iterable[str] = (),
    taken: Iterable[int] = (),
    current: Iterable[str] = (),
    notes: Mapping[str, Sequence[str]] | None = None,
    missing: Iterable[str | int] = (),
    time_limit: float = 30.0,
) -> bytes:
    """A picture of the flow; the same flow gives the same bytes.

    `visited` and `current` are paths of states that a call has been in and is in, `taken` the ids of the transitions that
    it took: they are drawn as its path. `notes` are lines for the boxes of states, by path (`""`: the frame around all).
    `missing` are paths of states and ids of transitions that no scenario covers, drawn apart.
    `time_limit` bounds the layout, in seconds.

    Raises DiagramError when the extra `diagrams` is not installed, the layout takes too long, or Graphviz fails.
    """
    graph = graph_of(
        flow, Marks(frozenset(visited), frozenset(taken), frozenset(current), notes or {}, frozenset(missing))
    )
    if format == "dot":
        return to_dot(graph).encode()
    if format == "mmd":
        return to_mermaid(graph).encode()
    # Only here: the others start no process and look for no fonts.
    from callflow.diagram.graphviz import draw_picture

    return draw_picture(graph, format, time_limit=time_limit)
