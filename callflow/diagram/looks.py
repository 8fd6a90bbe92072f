"""How a picture looks in DOT's words: font, sizes, colours, and texts that mean nothing to Graphviz."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from callflow.diagram.graph import Edge, Node

FONT: Final = "Roboto"
SIZE: Final = 13
SMALL: Final = 12
"""Points: the smallest text of a picture."""

LARGE: Final = 150
"""Arrows: a graph with more of them is laid out in a plainer way."""

INK = "#1f2933"
MUTED = "#5f6b7a"
LINE = "#7b8794"
QUIET = "#73808f"
QUIET_LINE = "#c5ced8"
SPINE = "#1f5fa8"
TAKEN = "#b45309"
NOTE = MISSING = "#b42318"

TURN = "›"  # noqa: RUF001 - this very character
"""What stands for an arrow in a text: the font has no arrow."""


@frozen
class Style:
    """How wide texts may be, in columns: narrower ones make a narrower and higher picture."""

    box: int = 40
    edge: int = 30
    outcome: int = 16


def escape(text: str) -> str:
    # Graphviz puts a node's name for \\N, also after it has read the entities; a double backslash is one.
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("\\", "&#92;&#92;")
    )


def font(colour: str, text: str, *, italic: bool = False) -> str:
    if not text:
        return ""
    inner = f"<I>{text}</I>" if italic else text
    return f'<FONT COLOR="{colour}">{inner}</FONT>'


def line_of(edge: Edge) -> str:
    weight = 100 if edge.spine else 1
    if edge.taken:
        return f'weight={weight}, color="{TAKEN}", penwidth=2.6'
    if edge.missing:
        return f'weight={weight}, color="{MISSING}", style=dashed, penwidth={1.8 if edge.spine else 1}'
    if edge.spine:
        return f'weight={weight}, color="{SPINE}", penwidth=1.8'
    return f'weight={weight}, color="{QUIET_LINE if edge.quiet else LINE}"'


def ink_of(node: Node) -> str:
    if node.visited or node.current:
        return TAKEN
    if node.missing:
        return MISSING
    return (
        QUIET_LINE if node.quiet and node.kind != "initial" else QUIET if node.quiet else SPINE if node.spine else LINE
    )


def group_of(node: Node) -> str:
    return ", group=spine" if node.spine else ""


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
