"""Graph -> Mermaid's `stateDiagram-v2`, which GitHub and many editors draw by themselves.

States are numbered, since Mermaid has words of its own (`end`, `state`, `note`); every text of a flow goes through `escape`.
Mermaid has no frame around a diagram: what the top level listens for is a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from callflow.diagram.graph import Edge, Graph, Label, Node, Row
from callflow.diagram.words import shorten

_ESCAPED: Final = "#;:<>&\"'`{}[]()|%\\~$@"
"""Characters that Mermaid, or the Markdown and HTML that it reads in labels, takes for its own."""

_LONGEST: Final = 60

_STYLES: Final = (
    "classDef spine stroke:#1f5fa8,stroke-width:2px",
    "classDef quiet fill:#fafbfc,stroke:#c5ced8,color:#5f6b7a",
    "classDef outcome fill:#eef1f5,stroke:#5f6b7a,color:#5f6b7a",
    "classDef visited fill:#fff3dc,stroke:#b45309,stroke-width:2px",
)
_MISSING: Final = "classDef missing fill:#fdf1f0,stroke:#b42318,stroke-dasharray:4"


def escape(text: str) -> str:
    """The text in Mermaid's own entities: `#59;` for a semicolon."""
    return "".join(f"#{ord(character)};" if character in _ESCAPED else character for character in text)


def to_mermaid(graph: Graph) -> str:
    return "\n".join(_Writer(graph).lines()) + "\n"


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.names = {node.id: f"s{index}" for index, node in enumerate(graph.nodes)}

    def lines(self) -> Iterator[str]:
        graph = self.graph
        yield "stateDiagram-v2"
        yield "  direction TB"
        if graph.description:
            yield f"  accDescr: {escape(graph.description)}"
        yield from self.inside(None, "  ")
        for node in graph.nodes:
            if node.kind == "outcome":
                yield f'  state "{escape(node.name)}" as {self.names[node.id]}'
        for edge in graph.edges:
            if graph.by_id[edge.source].kind != "initial":
                yield from self.edge(edge)
        for node in graph.children(None):
            if node.kind == "final":
                yield f"  {self.names[node.id]} --> [*]"
        yield from self.frame()
        yield from self.classes()

    def inside(self, parent: str | None, indent: str) -> Iterator[str]:
        """The states of a box; the regions of a parallel state, one beside the other, have `--` between them."""
        regions = parent is not None and self.graph.by_id[parent].kind == "parallel"
        first = True
        for node in self.graph.children(parent):
            if node.kind == "outcome":
                continue
            if regions and not first:
                yield f"{indent}--"
            yield from self.node(node, indent)
            first = False

    def node(self, node: Node, indent: str) -> Iterator[str]:
        name = self.names[node.id]
        if node.kind == "initial":
            yield from (
                f"{indent}[*] --> {self.names[edge.target]}" for edge in self.graph.edges if edge.source == node.id
            )
            return
        heading = f"{node.name} ({node.badge})" if node.badge else node.name
        rows = [self.row(row) for row in node.rows]
        if not self.graph.is_box(node):
            yield f'{indent}state "{escape(heading)}" as {name}'
            yield from (f"{indent}{name} : {row}" for row in rows)
            if node.kind == "final" and node.parent is not None:
                yield f"{indent}{name} --> [*]"
            return
        # A box takes no further lines in Mermaid: they go into its title.
        yield f'{indent}state "{"<br>".join([escape(heading), *rows])}" as {name} {{'
        yield from self.inside(node.id, indent + "  ")
        yield f"{indent}}}"

    def row(self, row: Row) -> str:
        if row.label is not None:
            return self.label(row.label)
        word = "" if row.kind in {"description", "note"} else f"{row.kind} "
        return escape(shorten(word + row.text, _LONGEST))

    def label(self, label: Label) -> str:
        ends = " · ".join(part for part in (label.target, label.outcome) if part)
        parts = [
            f"✗ {label.trigger}" if label.missing else label.trigger,
            f"[{label.guard}]" if label.guard else "",
            *(f"/ {text}" for text in label.actions),
            f"→ {ends}" if ends else "",
        ]
        return escape(shorten(" ".join(part for part in parts if part), _LONGEST + 30))

    def edge(self, edge: Edge) -> Iterator[str]:
        text = "<br>".join(self.label(label) for label in edge.labels)
        yield f"  {self.names[edge.source]} --> {self.names[edge.target]}{f' : {text}' if text else ''}"

    def frame(self) -> Iterator[str]:
        lines = [
            *(self.label(label) for label in self.graph.frame),
            *(escape(f"after the call: {action}") for action in self.graph.wrap_up),
            *(escape(note) for note in self.graph.notes),
        ]
        first = next((edge.target for edge in self.graph.edges if self.graph.by_id[edge.source].parent is None), None)
        if lines and first is not None:
            yield f"  note right of {self.names[first]}"
            yield "    in every state"
            yield from (f"    {line}" for line in lines)
            yield "  end note"

    def classes(self) -> Iterator[str]:
        """Mermaid gives no class to a box."""
        yield from (f"  {style}" for style in _STYLES)
        if any(node.missing for node in self.graph.nodes):
            yield f"  {_MISSING}"
        for node in self.graph.nodes:
            if node.kind == "initial" or self.graph.is_box(node):
                continue
            look = (
                "visited"
                if node.visited
                else "missing"
                if node.missing
                else "spine"
                if node.spine
                else "outcome"
                if node.kind == "outcome"
                else "quiet"
                if node.quiet
                else ""
            )
            if look:
                yield f"  class {self.names[node.id]} {look}"
