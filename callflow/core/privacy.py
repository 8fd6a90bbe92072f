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

from callflow.core.actions import verb_of
from callflow.core.arguments import templates_in
from callflow.core.events import DIGITS, EVENTS, LEG_EVENTS, UNSEARCHABLE
from callflow.core.expressions import BOOLEAN, Template
from callflow.core.flow import Action, Flow, State
from callflow.core.statechart.action_lists import Source, Written, action_at, every_list
from callflow.core.statechart.descriptors import is_wild, matches

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
        self._opaque_at: dict[Source, frozenset[str]] = {}  # by where an effect comes from
        lists = list(every_list(flow))
        self._spread(lists)
        for one in lists:
            for action in one.actions:
                made = {name: self._of(value, one) for name, value in action.arguments.items()}
                self._made[id(action)] = {name: found for name, found in made.items() if found.private}
                opaque = frozenset(name for name, found in made.items() if found.opaque)
                if opaque:
                    self._opaque[id(action)] = opaque

    def of(self, action: Action) -> Mapping[str, Made]:
        """The arguments of an action of this flow that are private."""
        return self._made.get(id(action), {})

    def opaque(self, action: Action) -> frozenset[str]:
        """The arguments of an action of this flow that are private as a whole."""
        return self._opaque.get(id(action), frozenset())

    def opaque_at(self, source: Source) -> frozenset[str]:
        """The same of the action, or the task, that an effect was started for."""
        found = self._opaque_at.get(source)
        if found is None:
            found = self._looked_up(source)
            if found is None:  # what a journal of another flow names has no end
                return frozenset()
            self._opaque_at[source] = found
        return found

    def _looked_up(self, source: Source) -> frozenset[str] | None:
        kind, key, _ = source
        if kind == "task":
            state = self._flow.states.get(str(key))
            if state is None or state.task is None:
                return None
            made = self._of(state.task.arguments, _names_of(state))
            return frozenset({"arguments"}) if made.opaque else frozenset()
        action = action_at(self._flow, source)
        return None if action is None else self.opaque(action)

    # -- what is made of what ------------------------------------------------------------------------------------

    def _spread(self, lists: Iterable[Written]) -> None:
        """Until nothing more turns out to be private; what is looked at again is what reads the name that did."""
        readers: dict[tuple[str, ...], list[Callable[[], Iterator[tuple[str, ...]]]]] = {}
        waiting: list[Callable[[], Iterator[tuple[str, ...]]]] = []

        def add(look: Callable[[], Iterator[tuple[str, ...]]], value: Any, one: Written) -> None:
            waiting.append(look)
            names = {name for template in templates_in(value) for name in template.reads}
            for key in {_key(name, one) for name in names}:
                readers.setdefault(key, []).append(look)

        for one in lists:
            for action in one.actions:
                add(partial(self._spread_action, action, one), action.arguments, one)
        for path, state in self._flow.states.items():
            here = _names_of(state)
            if path in self._flow.scopes and state.arguments:
                add(partial(self._spread_with, path, state.arguments, here), state.arguments, here)
            if state.returns and state.parent is not None:
                add(partial(self._spread_returns, state.parent, state.returns, here), state.returns, here)
        while waiting:
            for key in waiting.pop()():
                waiting += readers.get(key, ())

    def _spread_with(self, host: str, values: Mapping[str, Any], here: Written) -> Iterator[tuple[str, ...]]:
        for name, value in values.items():
            yield from self._mark(host, name, self._of(value, here))

    def _spread_returns(self, host: str, values: Mapping[str, Any], here: Written) -> Iterator[tuple[str, ...]]:
        before = self._returns.get(host, PUBLIC)
        made = [before, *(self._of(value, here) for value in values.values())]
        after = Made(any(one.private for one in made), any(one.opaque for one in made))
        if after != before:
            self._returns[host] = after
            yield ("done", host)

    def _spread_action(self, action: Action, one: Written) -> Iterator[tuple[str, ...]]:
        verb = verb_of(action.verb)
        for name, value in (verb.given("variables", action.arguments) or {}).items():
            yield from self._mark(one.scope, name, self._of(value, one))
        event = verb.given("event", action.arguments)
        if event is not None:
            fields = self.fields.setdefault(event, set())
            for name, value in (verb.given("payload", action.arguments) or {}).items():
                if name not in fields and self._of(value, one).private:
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
        verb = verb_of(action.verb)
        if "function" in verb.roles:
            declared = self._flow.python.get(str(verb.given("function", action.arguments)))
            return declared is not None and any(one.pii for one in declared.returns.values())
        return any(name in EVENTS[event].pii for event in verb.results for name in verb.result)

    def _of(self, value: Any, one: Written) -> Made:
        private = opaque = False
        for template in templates_in(value):
            if template.type == BOOLEAN or not template.reads:
                continue
            made = [self._name(name, one) for name in template.reads]
            if not any(found.private for found in made):
                continue
            private = True
            opaque = opaque or any(found.opaque for found in made) or self._worked_out(template, one)
        return Made(private, opaque)

    def _worked_out(self, template: Template, one: Written) -> bool:
        written = {f"{root}.{field}" for root, field in _PLAIN_HOLE.findall(template.source)}
        rest = {f"{root}.{field}" for root, field in _NAME.findall(_PLAIN_HOLE.sub("", template.source))}
        return any(self._name(name, one).private for name in template.reads if name in rest or name not in written)

    def _name(self, name: str, one: Written) -> Made:
        root, _, field = name.partition(".")
        if root == "vars":
            return Made(field in self.variables[one.scope], field in self.unsearchable[one.scope])
        if root == "call":
            return Made(field in PRIVATE_OF_CALL, field in ("transcript", "record"))
        if root == "env":
            return Made(True, False)
        if root == "event" and one.event == "done":
            return self._returns.get(one.state, PUBLIC) if field == "returns" else PUBLIC
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


def _names_of(state: State) -> Written:
    """Where the names of a state's own texts mean something: on no event."""
    return Written((), state.scope, "", "")


def privacy_of(flow: Flow) -> Privacy:
    """What is private in a flow, worked out once."""
    found: Privacy | None = flow.made.get("privacy")
    if found is None:
        found = flow.made["privacy"] = Privacy(flow)
    return found


def may_be_private(value: Any) -> bool:
    """Whether a value reads anything that is private in some flow; if not, no flow need be looked through for it."""
    names = (name.partition(".") for template in templates_in(value) for name in template.reads)
    return any(root != "call" or field in PRIVATE_OF_CALL for root, _, field in names)


def _key(name: str, one: Written) -> tuple[str, ...]:
    """What may turn out to be private later, as a name of `one` is read."""
    root, _, field = name.partition(".")
    if root == "vars":
        return ("vars", one.scope, field)
    if one.event == "done":
        return ("done", one.state)
    return ("app", "*" if is_wild(one.event) else one.event)


@cache
def _of_catalogue(pattern: str) -> frozenset[str]:
    """Of LiveKit's and the telephone's own events: there are not many patterns that match one."""
    return frozenset(field for name, one in EVENTS.items() if matches(pattern, name) for field in one.pii)
