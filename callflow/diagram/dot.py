"""Graph -> DOT text, which any Graphviz draws.

Boxes are HTML-like labels, so that a line can have its own colour; every text that comes from a flow goes through
`escape`. Nodes are numbered, since names could be anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callflow.diagram.graph import Edge, Graph, Label, Node, Row
from callflow.diagram.looks import (
    FONT,
    INK,
    LARGE,
    LINE,
    MISSING,
    MUTED,
    NOTE,
    QUIET,
    QUIET_LINE,
    SIZE,
    SMALL,
    SPINE,
    TAKEN,
    TURN,
    Style,
    escape,
    font,
    group_of,
    ink_of,
    line_of,
    quoted,
)
from callflow.diagram.words import wrap


def to_dot(graph: Graph, style: Style | None = None) -> str:
    """The graph in DOT's words. Deterministic: the same graph gives the same text."""
    return "\n".join(_Writer(graph, style or Style()).lines()) + "\n"


class _Writer:
    def __init__(self, graph: Graph, style: Style) -> None:
        self.graph = graph
        self.style = style
        self.names = {node.id: f"n{index}" for index, node in enumerate(graph.nodes)}
        self.back = self.back_arrows()

    def lines(self) -> Iterator[str]:
        graph = self.graph
        yield f"digraph {quoted(graph.name)} {{"
        # Curves around thousands of obstacles take minutes, and so does a frame around them all.
        large = len(graph.edges) > LARGE
        quick = "splines=line, nslimit=1, nslimit1=1, mclimit=0.5, " if large else ""
        yield f'  graph [{quick}compound=true, newrank=true, rankdir=TB, nodesep=0.25, ranksep=0.36, margin=0, pad=0.1, bgcolor=white, fontname="{FONT}"];'
        yield f'  node [shape=plain, margin=0, fontname="{FONT}", fontsize={SMALL}, fontcolor="{INK}"];'
        yield f'  edge [fontname="{FONT}", fontsize={SMALL}, fontcolor="{INK}", color="{LINE}", arrowsize=0.7];'
        frame = f"label={self.frame()}; labeljust=l; labelloc=t; fontsize={SMALL};"
        if large:
            yield f"  {frame}"
            yield "  {"
        else:
            yield "  subgraph cluster_flow {"
            yield f'    {frame} style=rounded; color="{LINE}"; bgcolor="#fafbfc"; margin=14;'
        for node in graph.children(None):
            yield from self.node(node, "    ")
        yield from self.outcomes("    ")
        yield from self.edges(None, "    ")
        yield from self.loose("    ")
        yield "  }"
        yield "}"

    # Nodes

    def node(self, node: Node, indent: str) -> Iterator[str]:
        name = self.names[node.id]
        if self.graph.is_box(node):
            yield from self.box(node, indent)
        elif node.kind == "initial":
            yield f'{indent}{name} [shape=circle, label="", width=0.16, fixedsize=true, style=filled, fillcolor="{ink_of(node)}", color="{ink_of(node)}"{group_of(node)}];'
        elif node.kind == "history":
            yield f'{indent}{name} [shape=circle, label={quoted(node.badge)}, fontsize={SMALL}, width=0.34, fixedsize=true, style=filled, fillcolor=white, color="{ink_of(node)}"];'
        elif node.kind == "outcome":
            yield f"{indent}{name} [label={self.pill(node)}{group_of(node)}];"
        else:
            yield f"{indent}{name} [label={self.state(node)}{group_of(node)}];"

    def box(self, node: Node, indent: str) -> Iterator[str]:
        parallel = node.kind == "parallel"
        region = node.parent is not None and self.graph.by_id[node.parent].kind == "parallel"
        yield f"{indent}subgraph cluster_{self.names[node.id]} {{"
        style = "rounded,dashed" if region or node.missing else "rounded"
        fill = "#fff7e8" if node.visited else "#fdf1f0" if node.missing else "#f1f4f8" if parallel else "white"
        width = 2 if node.visited or node.current else 1
        head = self.rows_table(node, 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1"')
        yield f'{indent}  label=<{head}>; labeljust=l; fontsize={SMALL}; style="{style}"; color="{ink_of(node)}"; penwidth={width}; bgcolor="{fill}"; margin=10;'
        for child in self.graph.children(node.id):
            yield from self.node(child, indent + "  ")
        if parallel:
            begins = [
                self.names[dot.id]
                for region in self.graph.children(node.id)
                for dot in self.graph.children(region.id)
                if dot.kind == "initial"
            ]
            if len(begins) > 1:
                yield f"{indent}  {{ rank=same; {'; '.join(begins)}; }}"
        yield from self.edges(node.id, indent + "  ")
        yield f"{indent}}}"

    def state(self, node: Node) -> str:
        border = 2 if node.visited or node.current else 1
        fill = "#fff3dc" if node.visited else "#fdf1f0" if node.missing else "white"
        sides = f'STYLE="ROUNDED{",DASHED" if node.missing else ""}" BORDER="{border}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="5" COLOR="{ink_of(node)}" BGCOLOR="{fill}"'
        table = self.rows_table(node, sides)
        if node.kind != "final":
            return f"<{table}>"
        # A final state has a second line around it, as in a statechart.
        return f'<<TABLE STYLE="ROUNDED" BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" COLOR="{ink_of(node)}"><TR><TD>{table}</TD></TR></TABLE>>'

    def rows_table(self, node: Node, attributes: str) -> str:
        ink = QUIET if node.quiet else INK
        badge = (
            f'  <FONT COLOR="{MUTED if not node.quiet else QUIET}">{escape(node.badge)}</FONT>' if node.badge else ""
        )
        if node.kind == "parallel":
            badge += f'  <FONT COLOR="{MUTED}">parallel</FONT>'
        heading = "<BR/>".join(f"<B>{escape(line)}</B>" for line in wrap(node.name, self.style.box))
        align = "" if node.kind == "final" and not node.rows else ' ALIGN="LEFT" BALIGN="LEFT"'
        cells = [f'<TR><TD{align}><FONT COLOR="{ink}" POINT-SIZE="{SIZE}">{heading}</FONT>{badge}</TD></TR>']
        body = "<BR/>".join(self.cells(node))
        if body:
            # One cell for all lines, so that they stand at equal distances.
            cells.append("" if self.graph.is_box(node) else "<HR/>")
            cells.append(f'<TR><TD ALIGN="LEFT" BALIGN="LEFT">{body}</TD></TR>')
        return f"<TABLE {attributes}>{''.join(cells)}</TABLE>"

    def cells(self, node: Node) -> Iterator[str]:
        before = ""
        for row in node.rows:
            if row.label is not None:
                yield self.label_text(row.label, self.style.box, quiet=node.quiet, indented=True)
            else:
                word = _WORDS.get(row.kind, row.kind)
                prefix = "" if word == before else word
                yield self.row(row, prefix, quiet=node.quiet)
                before = word

    def row(self, row: Row, prefix: str, *, quiet: bool) -> str:
        colour = NOTE if row.kind == "note" else QUIET if quiet else MUTED if row.kind in _ASIDE else INK
        lines = wrap(f"{prefix} {row.text}" if prefix else row.text, self.style.box)
        if prefix and lines[0].startswith(prefix):
            rest = escape(lines[0][len(prefix) :])
            first = font(QUIET if quiet else MUTED, escape(prefix)) + (
                font(colour, rest, italic=row.kind in _ASIDE) if rest.strip() else ""
            )
        else:
            first = font(colour, escape(lines[0]), italic=row.kind in _ASIDE)
        more = [font(colour, escape(line), italic=row.kind in _ASIDE) for line in lines[1:]]
        return "<BR/>".join([first, *(f"    {line}" for line in more)])

    def pill(self, node: Node) -> str:
        good = node.spine
        ink = TAKEN if node.visited else MISSING if node.missing else SPINE if good else QUIET if node.quiet else MUTED
        fill = "#fff3dc" if node.visited else "#e8f1fb" if good else "#eef1f5"
        text = "<BR/>".join(escape(line) for line in wrap(node.name, self.style.outcome))
        return (
            f'<<TABLE STYLE="ROUNDED" BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" COLOR="{ink}" BGCOLOR="{fill}">'
            f'<TR><TD><FONT COLOR="{ink if ink != SPINE else INK}">{text}</FONT></TD></TR></TABLE>>'
        )

    def outcomes(self, indent: str) -> Iterator[str]:
        """Outcomes stand side by side; so do the final states of the top level."""
        for row in (
            [node for node in self.graph.nodes if node.kind == "outcome"],
            [node for node in self.graph.children(None) if node.kind == "final"],
        ):
            if len(row) > 1:
                yield f"{indent}{{ rank=same; {' '.join(self.names[node.id] + ';' for node in row)} }}"

    # Edges

    def edges(self, box: str | None, indent: str) -> Iterator[str]:
        """The arrows of a box, those between its own children or what is in them."""
        for index, edge in enumerate(self.graph.edges):
            around = set(self.graph.around(edge.target))
            if next((outer for outer in self.graph.around(edge.source) if outer in around), None) == box:
                for line in self.edge(edge, f"e{index}"):
                    yield indent + line

    def edge(self, edge: Edge, name: str) -> Iterator[str]:
        """An arrow, with its label as a node half way: DOT's own labels leave their boxes and lie on each other."""
        tail, head = self.end(edge.source, edge), self.end(edge.target, edge, entering=True)
        look = line_of(edge)
        leaves, enters = self.clips(edge)
        if tail == head:
            label = f", label={self.edge_label(edge)}" if edge.labels else ""
            yield f"{tail} -> {head} [{look}{label}];"
        elif not edge.labels:
            yield self.arrow(tail, head, look + leaves + enters, back=(tail, head) in self.back)
        else:
            group = ", group=spine" if edge.spine else ""
            back = (tail, head) in self.back
            yield f"{name} [label={self.edge_label(edge)}{group}];"
            yield self.arrow(tail, name, f"{look}{leaves}, arrowhead=none", back=back)
            yield self.arrow(name, head, look + enters, back=back)
            if edge.spine and not back:
                # The line goes on below the whole box that it leaves, also where a part of it reaches further down.
                yield from (
                    f"{leaf} -> {name} [style=invis, weight=0];" for leaf in self.left_behind(edge) if leaf != tail
                )

    def left_behind(self, edge: Edge) -> Iterator[str]:
        """The lowest nodes of the outermost box that an arrow leaves."""
        kept = {edge.target, *self.graph.around(edge.target)}
        left = [
            box
            for box in (edge.source, *self.graph.around(edge.source))
            if box not in kept and self.graph.is_box(self.graph.by_id[box])
        ]
        if left:
            yield from (self.names[leaf.id] for leaf in self.lowest(self.graph.by_id[left[-1]]))

    def lowest(self, box: Node) -> Iterator[Node]:
        """What in a box leads to nothing else in it."""
        onward = {
            edge.source
            for edge in self.graph.edges
            if box.id in self.graph.around(edge.source) and box.id in self.graph.around(edge.target)
        }
        for child in self.graph.children(box.id):
            if self.graph.is_box(child):
                yield from self.lowest(child)
            elif child.id not in onward and child.kind not in {"initial", "history"}:
                yield child

    def clips(self, edge: Edge) -> tuple[str, str]:
        """Where an arrow begins or ends at a box, it is cut off at the box's border."""
        source, target = self.graph.by_id[edge.source], self.graph.by_id[edge.target]
        leaves = (
            self.graph.is_box(source)
            and edge.source not in self.graph.around(edge.target)
            and edge.source != edge.target
        )
        enters = (
            self.graph.is_box(target)
            and edge.target not in self.graph.around(edge.source)
            and edge.source != edge.target
        )
        return (
            f", ltail=cluster_{self.names[edge.source]}" if leaves else "",
            f", lhead=cluster_{self.names[edge.target]}" if enters else "",
        )

    def arrow(self, tail: str, head: str, attributes: str, *, back: bool) -> str:
        if not back:
            return f"{tail} -> {head} [{attributes}];"
        # Drawn upwards, without pulling its states apart: to DOT it points down.
        turned = (
            attributes.replace("ltail=", "l-=")
            .replace("lhead=", "ltail=")
            .replace("l-=", "lhead=")
            .replace("arrowhead=none", "arrowtail=none")
        )
        return f"{head} -> {tail} [{turned}, dir=back];"

    def back_arrows(self) -> frozenset[tuple[str, str]]:
        """The arrows that lead back to where a call has been, as a walk from the beginning finds them."""
        onward: dict[str, list[str]] = {}
        stands_for: dict[str, str] = {}
        # The straight line is walked first.
        for edge in sorted(self.graph.edges, key=lambda edge: not edge.spine):
            tail, head = self.end(edge.source, edge), self.end(edge.target, edge, entering=True)
            if self.graph.by_id[edge.source].kind == "history":
                stands_for[tail] = head
            else:
                onward.setdefault(tail, []).append(head)
        back = set(self.arrows_into_what_was_left())
        done: set[str] = set()
        for start in self.names.values():
            if start in done:
                continue
            path, open_now = [(start, iter(onward.get(start, ())))], {start}
            while path:
                here, rest = path[-1]
                following = next(rest, None)
                if following is None:
                    path.pop()
                    open_now.discard(here)
                    done.add(here)
                elif following in open_now or stands_for.get(following) in open_now:
                    back.add((here, following))
                elif following not in done:
                    open_now.add(following)
                    path.append((following, iter(onward.get(following, ()))))
        return frozenset(back)

    def arrows_into_what_was_left(self) -> Iterator[tuple[str, str]]:
        """The arrows from further down the straight line into a box that the line has left: also to a part of that box
        where a call has not been yet."""
        spine = {self.end(edge.source, edge): edge for edge in self.graph.edges if edge.spine}
        heads = {self.end(edge.target, edge, entering=True) for edge in spine.values()}
        here = next((tail for tail in spine if tail not in heads), None)
        left: set[str] = set()
        left_before: dict[str, frozenset[str]] = {}
        while here is not None and here not in left_before:
            left_before[here] = frozenset(left)
            edge = spine.get(here)
            if edge is None:
                break
            left |= {edge.source, *self.graph.around(edge.source)} - {edge.target, *self.graph.around(edge.target)}
            here = self.end(edge.target, edge, entering=True)
        for edge in self.graph.edges:
            tail = self.end(edge.source, edge)
            if not edge.spine and not left_before.get(tail, frozenset()).isdisjoint(self.graph.around(edge.target)):
                yield tail, self.end(edge.target, edge, entering=True)

    def end(self, id: str, edge: Edge, *, entering: bool = False) -> str:  # noqa: A002 - a node's id
        """The node for an end of an arrow: for a box one of its inside, since DOT has no arrows between boxes."""
        node = self.graph.by_id[id]
        if not self.graph.is_box(node):
            return self.names[id]
        if id == (edge.source if entering else edge.target):
            # A box that leads to itself.
            return self.end(self.graph.children(id)[0].id, edge, entering=entering)
        children = self.graph.children(id)
        if entering:
            chosen = children[0]
        else:
            spine = [child for child in children if child.spine and child.kind != "initial"]
            lowest = [child for child in children if child.kind not in {"initial", "history"}] or children
            chosen = spine[-1] if spine and edge.spine else lowest[-1]
        return self.end(chosen.id, edge, entering=entering)

    def edge_label(self, edge: Edge) -> str:
        lines = "<BR/>".join(self.label_text(label, self.style.edge) for label in edge.labels)
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"><TR><TD ALIGN="LEFT" BALIGN="LEFT">{lines}</TD></TR></TABLE>>'

    def label_text(self, label: Label, width: int, *, quiet: bool = False, indented: bool = False) -> str:
        """The trigger, its guard in brackets, what is done, and where it leads if no arrow shows it."""
        muted = quiet or label.quiet
        trigger = font(
            TAKEN if label.taken else MISSING if label.missing else QUIET if muted else SPINE,
            "<BR/>".join(escape(line) for line in wrap(label.trigger, width)),
        )
        lines = [trigger]
        room = width - len(label.trigger)
        gap = "    " if indented else ""
        if label.guard:
            guard = [
                font(QUIET if muted else MUTED, escape(line), italic=True) for line in wrap(f"[{label.guard}]", width)
            ]
            lines[0], guard = (
                (f"{lines[0]} {guard[0]}", guard[1:])
                if len(guard) == 1 and len(label.guard) + 3 <= room
                else (lines[0], guard)
            )
            lines.extend(gap + line for line in guard)
        ends = " · ".join(part for part in (label.target, label.outcome) if part)
        for text in (*label.actions, *([f"{TURN} {ends}"] if ends else [])):
            wrapped = [font(QUIET if muted else INK, escape(line)) for line in wrap(text, width)]
            if len(wrapped) == 1 and len(lines) == 1 and not label.guard and len(text) + 1 <= room:
                lines[0] = f"{lines[0]} {wrapped[0]}"
                room = 0
            else:
                lines.extend(gap + line for line in wrapped)
        return "<BR/>".join(lines)

    # The frame

    def frame(self) -> str:
        graph = self.graph
        rows = [
            f'<TR><TD ALIGN="LEFT"><B><FONT POINT-SIZE="16">{escape(line)}</FONT></B></TD></TR>'
            for line in wrap(graph.name, 60)
        ]
        rows += [
            f'<TR><TD ALIGN="LEFT">{font(MUTED, escape(line))}</TD></TR>'
            for line in (wrap(graph.description, 84) if graph.description else [])
        ]
        rows += [
            f'<TR><TD ALIGN="LEFT">{font(NOTE, escape(line))}</TD></TR>'
            for note in graph.notes
            for line in wrap(note, 84)
        ]
        if graph.frame:
            rows.append(f'<TR><TD ALIGN="LEFT">{self.legend(graph.frame)}</TD></TR>')
        if graph.wrap_up:
            lines = [
                font(MUTED, "after the call"),
                *(font(INK, escape(line)) for action in graph.wrap_up for line in wrap(action, 84)),
            ]
            rows.append(f'<TR><TD ALIGN="LEFT" BALIGN="LEFT">{"<BR/>".join(lines)}</TD></TR>')
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{"".join(rows)}</TABLE>>'

    def legend(self, labels: Sequence[Label]) -> str:
        """What the top level listens for, in two columns where there is much of it."""
        texts = [self.label_text(label, 48, indented=True) for label in labels]
        half = (len(texts) + 1) // 2 if len(texts) > 2 else len(texts)
        columns = [column for column in (texts[:half], texts[half:]) if column]
        cells = "".join(
            f'<TD ALIGN="LEFT" BALIGN="LEFT" VALIGN="TOP">{"<BR/>".join(column)}</TD>' for column in columns
        )
        head = f'<TR><TD ALIGN="LEFT" COLSPAN="{len(columns)}">{font(MUTED, "in every state")}</TD></TR>'
        return f'<TABLE BORDER="1" STYLE="ROUNDED" COLOR="{QUIET_LINE}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="5">{head}<HR/><TR>{cells}</TR></TABLE>'

    def loose(self, indent: str) -> Iterator[str]:
        """States that only the frame leads to would float up to the top; they belong below the first one."""
        entered = {edge.target for edge in self.graph.edges}
        top = self.graph.children(None)
        first = next(
            (edge.target for edge in self.graph.edges if self.graph.by_id[edge.source].kind == "initial"), None
        )
        for node in top:
            if node.kind == "initial" or node.id in entered or first is None or node.id == first:
                continue
            edge = Edge(first, node.id)
            yield f"{indent}{self.end(first, edge)} -> {self.end(node.id, edge, entering=True)} [style=invis];"


_WORDS = {
    "description": "",
    "inside": "",
    "note": "",
    "transition": "",
    "flow": "flow",
    "task": "task",
    "ignore": "ignores",
    "waits": "waits:",
}
_ASIDE = frozenset({"description", "waits"})
