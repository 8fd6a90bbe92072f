"""The graph that every picture of a flow is drawn from.

`graph_of` reads the flow; the renderers read nothing but the Graph. Its texts are printable single lines, not escaped
for any format, and everything stands in the order of the file, so that the same flow gives the same picture, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Literal

from attrs import field, frozen

from callflow.core.actions import verb_of
from callflow.core.flow import ROOT, Flow, State, TimerRow, Transition
from callflow.core.statechart.action_lists import Trigger, triggers
from callflow.core.statechart.structure import ends_the_call, inside
from callflow.diagram import words
from callflow.diagram.spine import Spine, find_spine

NodeKind = Literal["state", "compound", "parallel", "final", "history", "initial", "outcome"]

RowKind = Literal[
    "description",
    "entry",
    "exit",
    "tools",
    "instructions",
    "inside",
    "waits",
    "ignore",
    "flow",
    "task",
    "returns",
    "transition",
    "note",
]


@frozen
class Marks:
    """What to show on top of the flow: where a call has been, and notes from elsewhere.

    `visited` are paths of states, `taken` ids of transitions, `current` the states that the call is in now; `notes`
    are lines for a state's box by its path (`""`: the frame around all), such as the events that it does not handle.
    `missing` are paths of states and ids of transitions that no scenario covers.
    """

    visited: frozenset[str] = frozenset()
    taken: frozenset[int] = frozenset()
    current: frozenset[str] = frozenset()
    notes: Mapping[str, Sequence[str]] = field(factory=dict)
    missing: frozenset[str | int] = frozenset()


@frozen
class Label:
    """One transition, as it is written beside its arrow, in a box or in the frame."""

    trigger: str
    guard: str = ""
    actions: tuple[str, ...] = ()
    target: str = ""  # named only where no arrow shows it
    outcome: str = ""  # likewise
    quiet: bool = False  # supplied, not written by the author
    taken: bool = False
    missing: bool = False


@frozen
class Row:
    """One line of a box; a transition that stays in its state has a `label` instead of a text."""

    kind: RowKind
    text: str = ""
    label: Label | None = None


@frozen
class Node:
    """A state, the point where a state's inside begins (`initial`), or an outcome on the way to an ending.

    `parent` is the id of the box around it, None for the flow's own frame.
    """

    id: str
    kind: NodeKind
    name: str
    parent: str | None = None
    rows: tuple[Row, ...] = ()
    badge: str = ""
    quiet: bool = False
    spine: bool = False
    visited: bool = False
    current: bool = False
    missing: bool = False


@frozen
class Edge:
    """Transitions from one node to another. Those that differ in nothing but their triggers share an arrow, which is `missing` where
    they all are."""

    source: str
    target: str
    labels: tuple[Label, ...] = ()
    spine: bool = False
    taken: bool = False
    quiet: bool = False
    missing: bool = False


@frozen
class Graph:
    """`frame` is what the top level listens for in every state; it is drawn once, around them all. `wrap_up` is what is
    done after the call."""

    name: str
    description: str
    frame: tuple[Label, ...]
    wrap_up: tuple[str, ...]
    notes: tuple[str, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def _by_parent(self) -> Mapping[str | None, tuple[Node, ...]]:
        found: dict[str | None, list[Node]] = {}
        for node in self.nodes:
            found.setdefault(node.parent, []).append(node)
        return {parent: tuple(nodes) for parent, nodes in found.items()}

    def children(self, parent: str | None) -> tuple[Node, ...]:
        return self._by_parent.get(parent, ())

    def is_box(self, node: Node) -> bool:
        return node.kind in {"compound", "parallel"}

    def around(self, id: str) -> Iterator[str]:  # noqa: A002 - a node's id
        """The boxes around a node, the nearest first."""
        parent = self.by_id[id].parent
        while parent is not None:
            yield parent
            parent = self.by_id[parent].parent


CROWD: Final = 6
"""Arrows into one state, or one outcome, from more states than this are lines in their boxes instead."""


def state_id(path: str) -> str:
    return f"state {path}"


def graph_of(flow: Flow, marks: Marks | None = None) -> Graph:
    return _Builder(flow, marks or Marks()).graph()


class _Builder:
    def __init__(self, flow: Flow, marks: Marks) -> None:
        self.flow = flow
        self.marks = marks
        self.spine: Spine = find_spine(flow)
        self.patterns = {
            transition.id: trigger for state in flow.states.values() for transition, trigger in _rows(state)
        }
        self.crowded = self.crowded_targets()
        self.outcomes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str], Edge] = {}  # by source and target

    def graph(self) -> Graph:
        flow = self.flow
        root = flow.root
        nodes = [
            self.initial(root),
            *(node for path in flow.states if path != ROOT for node in self.state(flow.states[path])),
        ]
        for path, state in flow.states.items():
            if path != ROOT:
                self.leave(state)
        order = {node.id: index for index, node in enumerate([*nodes, *self.outcomes.values()])}
        edges = sorted(self.edges.values(), key=lambda edge: (order[edge.source], order[edge.target]))
        return Graph(
            name=words.clean(flow.name),
            description=words.shorten(words.clean(flow.description), 160),
            frame=tuple(self.label(*row, full=True) for row in _rows(root)),
            wrap_up=tuple(words.action(it) for it in flow.wrap_up),
            notes=self.notes(ROOT),
            nodes=(*nodes, *self.outcomes.values()),
            edges=tuple(edges),
        )

    # Nodes

    def initial(self, state: State) -> Node:
        """The dot at which a state's inside begins, with its arrow."""
        begin = "" if state.path == ROOT else state.path
        taken = not self.marks.visited.isdisjoint({state.initial or ""})
        node = Node(
            f"initial {begin}",
            "initial",
            "",
            None if state.path == ROOT else state_id(state.path),
            quiet=state.supplied,
            spine=state.path == ROOT or state.path in self.spine.states,
            visited=taken,
        )
        if state.initial is not None:
            on_spine = node.spine and state.initial in self.spine.states
            self.join(Edge(node.id, state_id(state.initial), (), on_spine, taken, state.supplied))
        return node

    def state(self, state: State) -> Iterator[Node]:
        id = state_id(state.path)  # noqa: A001 - a node's id
        parent = None if state.parent in {None, ROOT} else state_id(state.parent or "")
        box = state.kind in {"compound", "parallel"}
        yield Node(
            id,
            state.kind if state.kind != "atomic" else "state",
            words.clean(state.name),
            parent,
            tuple(self.box_rows(state)),
            badge={"shallow": "H", "deep": "H*"}.get(state.history or "", "must finish" if state.must_finish else ""),
            quiet=state.supplied,
            spine=state.path in self.spine.states,
            visited=state.path in self.marks.visited,
            current=state.path in self.marks.current,
            missing=state.path in self.marks.missing,
        )
        if box and state.kind == "compound":
            yield self.initial(state)

    def box_rows(self, state: State) -> Iterator[Row]:
        if state.description:
            yield Row("description", words.shorten(words.clean(state.description)))
        if state.subflow is not None:
            scope = self.flow.scopes.get(state.subflow)
            yield Row("flow", words.clean(scope.flow_name if scope is not None else state.subflow))
        if state.task is not None:
            yield Row("task", words.clean(state.task.name))
        if state.instructions is not None:
            yield Row("instructions", f"“{words.shorten(words.source(state.instructions))}”")
        yield from (Row("entry", words.action(it)) for it in state.entry)
        yield from (Row("exit", words.action(it)) for it in state.exit)
        if state.returns:
            yield Row("returns", words.shorten(words.source(state.returns)))
        if state.tools:
            yield Row("tools", words.clean(", ".join(map(self.tool, state.tools))))
        for transition, trigger in _rows(state):
            if not self.is_arrow(transition):
                yield Row("transition", label=self.label(transition, trigger, full=transition.target is not None))
        ignored = [row.pattern for row in state.rows if row.ignore or not row.transitions]
        if ignored:
            yield Row("ignore", words.clean(", ".join(ignored)))
        if state.waits:
            yield Row("waits", words.shorten(words.clean(state.waits)))
        yield from (Row("note", note) for note in self.notes(state.path))

    def tool(self, name: str) -> str:
        """A tool's name, with what it runs by itself."""
        tool = self.flow.tools.get(name)
        return name if tool is None or tool.run is None else f"{name} ({tool.run.verb})"

    def notes(self, path: str) -> tuple[str, ...]:
        return tuple(words.clean(note) for note in self.marks.notes.get(path, ()))

    # Edges

    def is_arrow(self, transition: Transition) -> bool:
        """Whether an arrow shows where it leads; otherwise a line in its state's box says so.

        A transition that stays is such a line; so is one of a box into its own inside, or to itself, which would cross
        it; and one to where many others lead too, unless it is on the path of a good call.
        """
        target = transition.target
        if target is None or inside(target, transition.source):
            return False
        if target == transition.source and self.flow.states[target].children:
            return False
        return transition.id in self.spine.transitions or self.goal(transition) not in self.crowded

    def goal(self, transition: Transition) -> tuple[str, str]:
        """Where the arrow leads: a state, and the outcome before it."""
        state = self.flow.states[transition.source]
        return transition.target or "", self.ends_with(state, transition, self.patterns.get(transition.id, ""))

    def crowded_targets(self) -> frozenset[tuple[str, str]]:
        """Where the arrows of more states would come together than anybody could follow."""
        sources: dict[tuple[str, str], set[str]] = {}
        for transition in self.flow.transitions:
            if transition.target is not None and transition.source != ROOT:
                sources.setdefault(self.goal(transition), set()).add(transition.source)
        return frozenset(goal for goal, states in sources.items() if len(states) > CROWD)

    def leave(self, state: State) -> None:
        if state.kind == "history" and state.initial is not None:
            self.join(Edge(state_id(state.path), state_id(state.initial), (), quiet=state.supplied))
        for transition, trigger in _rows(state):
            if transition.target is None or not self.is_arrow(transition):
                continue
            taken = transition.id in self.marks.taken
            missing = transition.id in self.marks.missing
            spine = transition.id in self.spine.transitions
            quiet = transition.supplied or state.supplied
            source, target = state_id(state.path), state_id(transition.target)
            label = self.label(transition, trigger)
            outcome = self.ends_with(state, transition, trigger)
            if outcome:
                between = self.outcome(outcome, target, spine=spine, quiet=quiet, taken=taken, missing=missing)
                self.join(Edge(source, between, (label,), spine, taken, quiet, missing))
                self.join(Edge(between, target, (), spine, taken, quiet, missing))
            else:
                self.join(Edge(source, target, (label,), spine, taken, quiet, missing))

    def ends_with(self, state: State, transition: Transition, trigger: str) -> str:
        """The outcome with which a transition goes to the flow's ending, "" where there is none or it is no ending."""
        target = self.flow.states[transition.target or ROOT]
        if target.path != self.flow.ending and not ends_the_call(target):
            return ""
        if state.path == self.flow.ending:
            return ""
        return words.returned_outcome(state, transition, trigger)

    def outcome(self, name: str, target: str, *, spine: bool, quiet: bool, taken: bool, missing: bool) -> str:
        id = f"outcome {name} {target}"  # noqa: A001 - a node's id
        old = self.outcomes.get(id)
        self.outcomes[id] = Node(
            id,
            "outcome",
            name,
            quiet=quiet and (old is None or old.quiet),
            spine=spine or (old is not None and old.spine),
            visited=taken or (old is not None and old.visited),
            missing=missing and (old is None or old.missing),
        )
        return id

    def join(self, edge: Edge) -> None:
        old = self.edges.get((edge.source, edge.target))
        if old is not None:
            edge = Edge(
                edge.source,
                edge.target,
                old.labels + tuple(label for label in edge.labels if label not in old.labels),
                old.spine or edge.spine,
                old.taken or edge.taken,
                old.quiet and edge.quiet,
                old.missing and edge.missing,
            )
        self.edges[edge.source, edge.target] = edge

    def label(self, transition: Transition, trigger: str, *, full: bool = False) -> Label:
        """`full` also names the target and the outcome, where no arrow shows them."""
        state = self.flow.states[transition.source]
        target = self.flow.states.get(transition.target or "")
        outcome = words.returned_outcome(state, transition, trigger) if transition.target is not None else ""
        shown = full or self.ends_with(state, transition, trigger) if target is not None else False
        actions = tuple(
            words.action(it) for it in transition.actions if not (shown and "outcome" in verb_of(it.verb).roles)
        )
        return Label(
            words.clean(trigger),
            words.guard(transition),
            actions,
            words.clean(target.path.removeprefix(f"{state.path}.")) if full and target is not None else "",
            outcome if full else "",
            quiet=transition.supplied or state.supplied,
            taken=transition.id in self.marks.taken,
            missing=transition.id in self.marks.missing,
        )


def _rows(state: State) -> Iterator[tuple[Transition, str]]:
    """Each transition of a state with what sets it off: the event's pattern, `after 20s`, `always`."""
    return ((move, _trigger(row)) for row, move in triggers(state))


def _trigger(row: Trigger) -> str:
    if row is None:
        return "always"
    return words.timer(row.kind, row.text, row.seconds) if isinstance(row, TimerRow) else row.pattern
