"""What is private in a flow, found when it is loaded: what is marked `pii`, and whatever is made of that.

A variable that is set from a private value is private itself; so is a field of an event that the flow emits with one, and
what a sub-flow is given, or returns. A text that only writes private values out (`{{ vars.name }}`) is private where they
stand in it, which can be found by looking for them; one that is *worked out* from them (`first(vars.iban, 8)`), or holds what
a caller said, is private as a whole, since nothing in it could be looked for. Only truth values are public: whether a PIN is
right may be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

from callflow.core.actions import VERBS
from callflow.core.events import DIGITS, EVENTS, LEG_EVENTS, UNSEARCHABLE, matches
from callflow.core.expressions import BOOLEAN, Template
from callflow.core.flow import ROOT, Action, Flow, Task
from callflow.core.render import templates_in
from callflow.core.snapshot import OF_ROWS

PRIVATE_OF_CALL = frozenset({
    "number", "identity", "name", "attributes", "metadata", "transcript", "record", "agent_identity", "job_attributes",
})  # fmt: skip
"""What `call.<field>` tells of a person."""

_PLAIN_HOLE = re.compile(r"\{\{\s*([a-z]+)\.(\w+)\s*\}\}")
_NAME = re.compile(r"([a-z]+)\.(\w+)")


class Made(NamedTuple):
    """What a value is made of. `private`: something private is read; `opaque`: it cannot be found by looking for the values
    that it was made of."""

    private: bool
    opaque: bool


PUBLIC = Made(False, False)


class _List(NamedTuple):
    """A list of actions, and the event on which it stands ("" for none)."""

    actions: tuple[Action, ...]
    scope: str
    event: str
    host: str  # whose `done` it is


class Privacy:
    """What is private in one flow. `variables` and `unsearchable` hold names of variables by scope: all private ones, and
    those of them whose values are not to be looked for elsewhere; `fields` private fields of the flow's own events."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.variables: dict[str, set[str]] = {
            path: {name for name, one in scope.variables.items() if one.pii} for path, scope in flow.scopes.items()
        }
        self.unsearchable: dict[str, set[str]] = {path: set() for path in flow.scopes}
        self.fields: dict[str, set[str]] = {
            name: {field for field, one in fields.items() if one.pii} for name, fields in flow.events.items()
        }
        self._returns: dict[str, Made] = {}
        self._opaque: dict[int, frozenset[str]] = {}
        self._made: dict[int, dict[str, Made]] = {}
        lists = list(_lists(flow))
        self._spread(lists)
        for one in lists:
            for action in one.actions:
                made = {name: self._of(value, one.scope, one) for name, value in action.arguments.items()}
                self._made[id(action)] = {name: found for name, found in made.items() if found.private}
                opaque = frozenset(name for name, found in made.items() if found.opaque)
                if opaque:
                    self._opaque[id(action)] = opaque

    def of(self, action: Action) -> Mapping[str, Made]:
        """The arguments of an action of this flow that are private."""
        return self._made.get(id(action), {})

    def opaque(self, action: Action | Task | None) -> frozenset[str]:
        """The arguments of an action that are private as a whole."""
        if isinstance(action, Task):
            one = _List((), self._scope_of_task(action), "", "")
            return frozenset({"arguments"}) if self._of(action.arguments, one.scope, one).opaque else frozenset()
        return frozenset() if action is None else self._opaque.get(id(action), frozenset())

    def _scope_of_task(self, task: Task) -> str:
        return next((state.scope for state in self._flow.states.values() if state.task is task), ROOT)

    # -- what is made of what ------------------------------------------------------------------------------------

    def _spread(self, lists: Iterable[_List]) -> None:
        """Until nothing more turns out to be private; what is looked at again is what reads the name that did."""
        readers: dict[tuple[str, ...], list[Callable[[], Iterator[tuple[str, ...]]]]] = {}
        waiting: list[Callable[[], Iterator[tuple[str, ...]]]] = []

        def add(look: Callable[[], Iterator[tuple[str, ...]]], value: Any, one: _List) -> None:
            waiting.append(look)
            names = {name for template in templates_in(value) for name in template.reads}
            for key in {_key(name, one) for name in names}:
                readers.setdefault(key, []).append(look)

        for one in lists:
            for action in one.actions:
                add(partial(self._spread_action, action, one), action.arguments, one)
        for path, state in self._flow.states.items():
            here = _List((), state.scope, "", "")
            if path in self._flow.scopes and state.arguments:
                add(partial(self._spread_with, path, state.arguments, here), state.arguments, here)
            if state.returns and state.parent is not None:
                add(partial(self._spread_returns, state.parent, state.returns, here), state.returns, here)
        while waiting:
            for key in waiting.pop()():
                waiting += readers.get(key, ())

    def _spread_with(self, host: str, values: Mapping[str, Any], here: _List) -> Iterator[tuple[str, ...]]:
        for name, value in values.items():
            yield from self._mark(host, name, self._of(value, here.scope, here))

    def _spread_returns(self, host: str, values: Mapping[str, Any], here: _List) -> Iterator[tuple[str, ...]]:
        before = self._returns.get(host, PUBLIC)
        made = [before, *(self._of(value, here.scope, here) for value in values.values())]
        after = Made(any(one.private for one in made), any(one.opaque for one in made))
        if after != before:
            self._returns[host] = after
            yield ("done", host)

    def _spread_action(self, action: Action, one: _List) -> Iterator[tuple[str, ...]]:
        if action.verb == "set":
            for name, value in (action.arguments["values"] or {}).items():
                yield from self._mark(one.scope, name, self._of(value, one.scope, one))
        elif action.verb == "emit":
            event = str(action.arguments["event"])
            fields = self.fields.setdefault(event, set())
            for name, value in (action.arguments.get("data") or {}).items():
                if name not in fields and self._of(value, one.scope, one).private:
                    fields.add(name)
                    yield ("app", event)
                    yield ("app", "*")
        if action.save_as is not None and self._result_is_private(action):
            yield from self._mark(one.scope, action.save_as, Made(True, False))

    def _mark(self, scope: str, name: str, made: Made) -> Iterator[tuple[str, ...]]:
        if not made.private:
            return
        known, hard = self.variables[scope], self.unsearchable[scope]
        before = len(known) + len(hard)
        declared = self._flow.scopes[scope].variables.get(name)
        known.add(name)
        if made.opaque and not (declared is not None and declared.pii):
            hard.add(name)
        if len(known) + len(hard) > before:
            yield ("vars", scope, name)

    def _result_is_private(self, action: Action) -> bool:
        if action.verb == "python":
            declared = self._flow.python.get(str(action.arguments.get("name")))
            return declared is not None and any(one.pii for one in declared.returns.values())
        kept = VERBS[action.verb].result
        return any(name in EVENTS[event].pii for event in VERBS[action.verb].results for name in kept)

    def _of(self, value: Any, scope: str, one: _List) -> Made:
        private = opaque = False
        for template in templates_in(value):
            if template.type == BOOLEAN or not template.reads:
                continue
            made = [self._name(name, scope, one) for name in template.reads]
            if not any(found.private for found in made):
                continue
            private = True
            opaque = opaque or any(found.opaque for found in made) or self._worked_out(template, scope, one)
        return Made(private, opaque)

    def _worked_out(self, template: Template, scope: str, one: _List) -> bool:
        written = {f"{root}.{field}" for root, field in _PLAIN_HOLE.findall(template.source)}
        rest = {f"{root}.{field}" for root, field in _NAME.findall(_PLAIN_HOLE.sub("", template.source))}
        return any(
            self._name(name, scope, one).private for name in template.reads if name in rest or name not in written
        )

    def _name(self, name: str, scope: str, one: _List) -> Made:
        root, _, field = name.partition(".")
        if root == "vars":
            return Made(field in self.variables[scope], field in self.unsearchable[scope])
        if root == "call":
            return Made(field in PRIVATE_OF_CALL, field in ("transcript", "record"))
        if root == "env":
            return Made(True, False)
        if root == "event" and one.event == "done":
            return self._returns.get(one.host, PUBLIC) if field == "returns" else PUBLIC
        if root == "event" and field in self._private_fields(one.event):
            return Made(True, field in UNSEARCHABLE and not one.event.startswith(("app.", "tool.")))
        return PUBLIC

    def _private_fields(self, pattern: str) -> frozenset[str]:
        family, _, rest = pattern.partition(".")
        if family == "dtmf" and rest in DIGITS:
            return frozenset()  # the flow itself says which key it is
        if family == "leg":
            event = rest.partition(".")[2]
            return frozenset(field for name, one in LEG_EVENTS.items() if matches(event, name) for field in one.pii)
        if family == "app":
            return frozenset(field for name, one in self.fields.items() if matches(pattern, name) for field in one)
        if family == "tool":
            return frozenset(
                field for name in self._flow.tools if matches(pattern, f"tool.{name}") for field in self._of_tool(name)
            )
        return _of_catalogue(pattern)

    def _of_tool(self, name: str) -> Iterator[str]:
        tool = self._flow.tools[name]
        yield from (field for field, one in tool.parameters.items() if one.pii)
        if tool.run is not None and self._result_is_private(tool.run):
            yield "result"


def may_be_private(value: Any) -> bool:
    """Whether a value reads anything that is private in some flow; if not, no flow need be looked through for it."""
    names = (name.partition(".") for template in templates_in(value) for name in template.reads)
    return any(root != "call" or field in PRIVATE_OF_CALL for root, _, field in names)


def _key(name: str, one: _List) -> tuple[str, ...]:
    """What may turn out to be private later, as a name of `one` is read."""
    root, _, field = name.partition(".")
    if root == "vars":
        return ("vars", one.scope, field)
    if one.event == "done":
        return ("done", one.host)
    return ("app", "*" if one.event.endswith("*") else one.event)


@cache
def _of_catalogue(pattern: str) -> frozenset[str]:
    """Of LiveKit's and the telephone's own events: there are not many patterns that match one."""
    return frozenset(field for name, one in EVENTS.items() if matches(pattern, name) for field in one.pii)


def _lists(flow: Flow) -> Iterator[_List]:
    for path, state in flow.states.items():
        yield _List(state.entry, state.scope, "", path)
        yield _List(state.exit, state.scope, "", path)
        for row in state.rows:
            for move in row.transitions:
                yield _List(move.actions, move.scope, row.pattern, path)
        for moves in (*(timer.transitions for timer in state.timers), state.always):
            for move in moves:
                yield _List(move.actions, move.scope, "", path)
    yield _List(flow.wrap_up, ROOT, "", ROOT)
    for name, tool in flow.tools.items():
        if tool.run is not None:
            yield _List((tool.run,), ROOT, f"tool.{name}", ROOT)


def action_at(flow: Flow, source: tuple[str, str | int, int]) -> Action | Task | None:
    """The action that an effect was started for, None for what the runtime started by itself."""
    kind, key, index = source
    try:
        if kind in OF_ROWS:
            return flow.transitions[int(key)].actions[index]
        if kind in ("entry", "exit"):
            state = flow.states[str(key)]
            return (state.entry if kind == "entry" else state.exit)[index]
        if kind == "wrap_up":
            return flow.wrap_up[index]
        if kind == "tool":
            return flow.tools[str(key)].run
        if kind == "task":
            return flow.states[str(key)].task
    except (LookupError, ValueError):
        return None
    return None
