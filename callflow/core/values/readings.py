"""Every guard and template of a flow: what it reads, and where its value goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.expressions import (
    ANY,
    BOOLEAN,
    TEXT,
    Context,
    EvaluationError,
    Expression,
    Names,
    OneOf,
    Record,
    Template,
    Type,
    Values,
    coerce,
)
from callflow.core.expressions.compile import compiled, truth
from callflow.core.expressions.expression import tree
from callflow.core.expressions.nodes import Field, Index, Junction, Name, Node, Not, inner_nodes
from callflow.core.expressions.problems import Failed
from callflow.core.expressions.render import renderer
from callflow.core.expressions.template import split
from callflow.core.flow import ROOT, Action, Flow, Position, Row, Transition
from callflow.core.statechart.action_lists import every_list, triggers
from callflow.core.values.wants import Path

Place = tuple[str, str, str]
"""Where a value stands: `("vars", scope, name)`, `("event", descriptor, field)`, `("done", state, field)`, `("call", "", field)`,
`("env", "", name)`, `("visits", state, "")`, `("result", tool, "")`, `("time", "", "")`."""

TIME: Place = ("time", "", "")

CLOCKS = frozenset({TIME, ("call", "", "elapsed")})

COMPUTED = frozenset({("call", "", "elapsed"), ("call", "", "outcome"), ("call", "", "answered")})
"""What a call knows by itself."""


class Here(NamedTuple):
    """Where an expression stands: whose variables, which event, which state."""

    scope: str
    event: str
    state: str

    def place(self, name: str) -> Place:
        """Where the value of a name (`vars.day`, `event.digits`) stands."""
        root, _, field = name.partition(".")
        if root == "vars":
            return "vars", self.scope, field
        if root == "event":
            if field == "time":
                return TIME
            return ("done", self.state, field) if self.event == "done" else ("event", self.event, field)
        if root == "state":
            return "visits", self.state, ""
        if root == "result":
            return "result", self.event.partition(".")[2], ""
        return root, "", field


class Reading(NamedTuple):
    """One expression: a template, or a part of a guard that is true or false by itself.

    `what`: a "guard" decides, and a "part" of one whose failure is not the same as that it is false; "into" goes to another place (`goes`, of it the part `inside`), an "outcome" and a "key" are read by
    the step, a "text" is told to somebody, a "segment" is a part of an address that cannot be empty. `kind` is the type that its value is made to fit. `parts` are the trees, and the texts
    between them.
    """

    what: str
    source: str
    here: Here
    reads: frozenset[str]
    expression: Expression | Template
    parts: tuple[str | Node, ...]
    position: Position
    goes: Place | None = None
    kind: Type | None = None
    inside: Path = ()

    @property
    def places(self) -> dict[str, Place]:
        """Where the values of its names stand."""
        return {name: self.here.place(name) for name in sorted(self.reads)}

    @property
    def trees(self) -> list[Node]:
        """The expressions in it."""
        return [part for part in self.parts if isinstance(part, Node)]

    @property
    def is_told(self) -> bool:
        """Whether its value leads nowhere in the flow."""
        return self.what in ("text", "segment")

    @property
    def decides(self) -> bool:
        return self.what in ("guard", "part")

    def answer(self, context: Context) -> Any:
        """What it gives; an error in a guard is false, anywhere else it is `FAILED`."""
        try:
            value = self.expression.evaluate(context)
            return value if self.kind is None or value is None else coerce(self.kind, value)
        except (EvaluationError, ValueError):
            return False if self.what == "guard" else FAILED


FAILED = "\0failed"

_OPEN = Record({}, open=True)
_LOOSE = Names(event=_OPEN, vars=_OPEN, call=_OPEN, env=_OPEN, others={"result": ANY})
"""Of whatever type: the loader has looked at the types."""


class Readings:
    """All of a flow. `written` are the values that stand in the file, by where they go.

    What nothing sets is what it is by default, or what the program gives it: `given` are such variables of the main flow that decide
    by themselves, and are tried both ways; `never_set`, by scope, those that are what they are by default.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.written: dict[Place, list[Any]] = {
            ("vars", path, name): [one.default]
            for path, scope in flow.scopes.items()
            for name, one in scope.variables.items()
            if one.default is not None
        }
        self.all = tuple(self._all())
        self.never_set = self._never_set()
        self.given = self._given()
        self.never_set[ROOT] = {name: one for name, one in self.never_set[ROOT].items() if name not in self.given}

    @cached_property
    def by_place(self) -> Mapping[Place, tuple[Reading, ...]]:
        found: dict[Place, list[Reading]] = {}
        for one in self.all:
            for place in dict.fromkeys(one.places.values()):
                found.setdefault(place, []).append(one)
        return {place: tuple(many) for place, many in found.items()}

    @cached_property
    def by_goal(self) -> Mapping[Place, tuple[Reading, ...]]:
        found: dict[Place, list[Reading]] = {}
        for one in self.all:
            if one.goes is not None:
                found.setdefault(one.goes, []).append(one)
        return {place: tuple(many) for place, many in found.items()}

    def _all(self) -> Iterator[Reading]:
        flow = self.flow
        for state in flow.states.values():
            for trigger, move in triggers(state):
                event = trigger.pattern if isinstance(trigger, Row) else ""
                yield from _guard(move, Here(move.scope, event, state.path))
        for written in every_list(flow):
            here = Here(written.scope, written.event, written.state)
            for action in written.actions:
                yield from self._action(action, here)
        for path, state in flow.states.items():
            here = Here(state.scope, "", path)
            for name, value in state.arguments.items():
                if state.subflow is not None:
                    yield from self._into(value, here, ("vars", state.subflow, name), state.position)
            for name, value in state.returns.items():
                if state.parent is not None:
                    yield from self._into(value, here, ("done", state.parent, "returns"), state.position, (name,))
            if state.task is not None:
                yield from _texts(dict(state.task.arguments), here, state.task.position)

    def _action(self, action: Action, here: Here) -> Iterator[Reading]:
        verb = verb_of(action.verb)
        for name, value in action.arguments.items():
            role = verb.arguments[name].role if name in verb.arguments else None
            if role == "variables":
                for variable, one in value.items():
                    yield from self._into(one, here, ("vars", here.scope, variable), action.position)
            elif role == "payload":
                event = verb.given("event", action.arguments)
                for field, one in (value or {}).items():
                    yield from self._into(one, here, ("event", event, field), action.position)
            elif role == "outcome":
                yield from _texts(value, here, action.position, "outcome")
            elif role == "address":
                yield from _address(value, here, action.position)
            else:
                choices = verb.arguments[name].choices if name in verb.arguments else ()
                kind = OneOf(*choices) if choices else None
                yield from _texts(value, here, action.position, "key" if role in _KEYS else "text", kind)

    def _into(self, value: Any, here: Here, goes: Place, position: Position, inside: Path = ()) -> Iterator[Reading]:
        """A value that goes somewhere; of a mapping or a list each template stands for its own part."""
        if isinstance(value, Template):
            kind = self.type_of(goes) if goes[0] == "vars" else None
            yield _template(value, here, position)._replace(what="into", goes=goes, kind=kind, inside=inside)
        elif isinstance(value, dict):
            for name, one in value.items():
                yield from self._into(one, here, goes, position, (*inside, name))
        elif isinstance(value, (list, tuple)):
            for number, one in enumerate(value):
                yield from self._into(one, here, goes, position, (*inside, number))
        elif value is not None and not inside:
            self.written.setdefault(goes, []).append(value)

    def type_of(self, place: Place) -> Type:
        """The type of a variable."""
        _, scope, name = place
        found = self.flow.scopes[scope]
        declared = found.variables.get(name)
        return declared.type if declared is not None else found.results.get(name, ANY)

    def _never_set(self) -> dict[str, dict[str, Any]]:
        flow = self.flow
        touched: set[Place] = set()
        for written in every_list(flow):
            for action in written.actions:
                values = verb_of(action.verb).given("variables", action.arguments) or {}
                touched.update(("vars", written.scope, name) for name in (*values, action.save_as or ""))
        for state in flow.states.values():
            if state.subflow is not None:
                touched.update(("vars", state.subflow, name) for name in state.arguments)
        return {
            path: {
                name: one.default
                for name, one in scope.variables.items()
                if not one.required and ("vars", path, name) not in touched
            }
            for path, scope in flow.scopes.items()
        }

    def _given(self) -> frozenset[str]:
        names = {f"vars.{name}" for name in self.never_set[ROOT]}
        deciding = [one for one in self.all if not one.is_told]
        while True:
            mixed = [
                one.reads & names
                for one in deciding
                if one.here.scope == ROOT and one.reads & names and one.reads - names
            ]
            if not mixed:
                return frozenset(name.partition(".")[2] for name in names)
            names = names.difference(*mixed)


_KEYS = frozenset({"terminator", "between_keys"})
"""Arguments that the step itself reads."""


def _guard(move: Transition, here: Here) -> Iterator[Reading]:
    if move.guard is None:
        return
    source = move.guard.source
    node, _ = tree(source, _LOOSE, [])
    for what, part in () if node is None else _decisive(node, "guard"):
        text, reads = source[part.start : part.end], frozenset(names_in(part))
        yield Reading(what, text, here, reads, Expression(text, BOOLEAN, reads, truth(part)), (part,), move.position)


def _decisive(node: Node, what: str) -> Iterator[tuple[str, Node]]:
    """The parts of a guard that are true or false by themselves."""
    if isinstance(node, Junction):
        for operand in node.operands:
            yield from _decisive(operand, what if node.operator == "and" else "part")
    elif isinstance(node, Not):
        yield from _decisive(node.operand, "part")
    else:
        yield what, node


def _texts(
    value: Any, here: Here, position: Position, what: str = "text", kind: Type | None = None
) -> Iterator[Reading]:
    if isinstance(value, Template):
        found = _template(value, here, position)._replace(what=what, kind=kind)
        holes = [part for part in found.parts if isinstance(part, Node)]
        yield from [found] if what != "text" or len(holes) < 2 else (_hole(hole, here, position) for hole in holes)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one, here, position, what)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one, here, position, what)


def _address(value: Any, here: Here, position: Position) -> Iterator[Reading]:
    """The values in an address, which is refused where one is empty that is a whole part of its path; what is read from `env` alone
    is what the flow was set up with."""
    if not isinstance(value, Template) or value.constant:
        return
    found = _template(value, here, position)
    around = ["", *found.parts, ""]
    for before, hole, after in zip(around, around[1:], around[2:], strict=False):
        if not isinstance(hole, Node):
            continue
        begins = isinstance(before, Node) or before.endswith("/")
        ends = isinstance(after, Node) or after[:1] in ("", "/", "?", "#")
        fixed = all(name.startswith("env.") for name in names_in(hole))
        one = found if len(found.trees) == 1 else _hole(hole, here, position)
        yield one._replace(what="segment" if begins and ends and not fixed else "text")


def _hole(node: Node, here: Here, position: Position) -> Reading:
    """One of several values in a text: each can be written, or cannot, by itself."""
    run, reads = compiled(node), frozenset(names_in(node))

    def written(context: Values) -> str:
        value = run(context)
        if value is None:
            raise Failed("there is no value")
        return _write(value)

    source = " and ".join(sorted(reads))
    return Reading("text", source, here, reads, Expression(source, TEXT, reads, written), (node,), position)


_write = renderer(ANY)


def _template(template: Template, here: Here, position: Position) -> Reading:
    parts: list[str | Node] = []
    for part in () if template.constant else split(template.source, []):
        if isinstance(part, str):
            parts.append(part)
        elif (node := tree(part[0].strip(), _LOOSE, [])[0]) is not None:
            parts.append(node)
    if sum(isinstance(part, Node) for part in parts) == 1:
        parts = [part for part in parts if isinstance(part, Node) or not part.isspace()]
    return Reading("text", template.source, here, template.reads, template, tuple(parts), position)


def names_in(node: Node) -> Iterator[str]:
    """The names that a tree reads: `vars.day`, `result`."""
    if isinstance(node, Field) and isinstance(node.base, Name):
        yield f"{node.base.name}.{node.name}"
    elif isinstance(node, Name):
        yield node.name
    else:
        for inner in inner_nodes(node):
            yield from names_in(inner)


def chains(node: Node) -> Iterator[Node]:
    """The outermost fields and items that a tree reads: `event.attributes.home` as a whole."""
    if isinstance(node, (Field, Index)):
        yield node
    else:
        for inner in inner_nodes(node):
            yield from chains(inner)
