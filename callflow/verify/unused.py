"""What is declared and never used. Each is a warning: the flow runs, and says less than its author thinks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.arguments import templates_in
from callflow.core.expressions import Template
from callflow.core.flow import ROOT, Action, Declaration, Flow
from callflow.core.statechart.action_lists import every_action, every_list, given, lists_during
from callflow.core.statechart.descriptors import heard, is_named
from callflow.core.verbs.verb import Role
from callflow.errors import Defect
from callflow.verify.places import warning
from callflow.verify.templates import meant_names


def never_used(flow: Flow) -> Iterator[Defect]:
    """A warning for each variable, environment variable, event, outcome, tool, Python action and sub-flow of no use."""
    used = _Used(flow)
    for one in flow.declared:
        if getattr(used, one.key)(one):
            continue
        message, hint = _SAYS["own tools" if one.key == "tools" and flow.tools[one.name].own else one.key]
        yield warning("never-used", message.format(one.name), one.position, hint.format(one.name), len(one.name))


_SAYS: Mapping[str, tuple[str, str]] = {
    "vars": ("nothing reads or sets the variable `{}`", "take it out, or read it as `vars.{}`"),
    "env": ("nothing reads `{}`, and yet each call needs it", "take it out, or read it as `env.{}`"),
    "events": ("no row waits for `{}`, and no list emits it", "take it out, or write a row for it under `on`"),
    "outcomes": ("no list names the outcome `{}`", "take it out, or name it: `outcome: {}`"),
    "tools": ("the tool `{}` is never offered", "offer it where the model may call it: `tools: [{}]`"),
    "own tools": ("no row waits for the agent's own tool `{}`", "take it out, or write a row for `tool.{}`"),
    "python": ("nothing calls the Python action `{}`", "take it out, or call it: `python: {}`"),
    "use": ("no state uses the sub-flow `{}`", "take it out, or let a state be it: `flow: {}`"),
}
"""Of each key: what is wrong, and what to do."""


class _Used:
    """What a flow uses, looked through once for each kind. A method for each key that declares."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._by_role: dict[Role, frozenset[Any]] = {}

    def vars(self, one: Declaration) -> bool:
        return (one.scope, f"vars.{one.name}") in self._names or f"vars.{one.name}" in self._meant

    def env(self, one: Declaration) -> bool:
        """In any file: the main flow names what its sub-flows read."""
        return f"env.{one.name}" in self._anywhere or f"env.{one.name}" in self._meant

    def events(self, one: Declaration) -> bool:
        return one.name in self._given("event") or is_named(one.name, self._heard)

    def outcomes(self, one: Declaration) -> bool:
        """Named as it stands, by a template that may give anything, or looked for in an expression."""
        return self._any_outcome or one.name in self._given("outcome") or one.name in self._words

    def tools(self, one: Declaration) -> bool:
        event = f"tool.{one.name}"
        if self.flow.tools[one.name].own:
            return is_named(event, self._heard)
        # A row, or a consult, that waits for what nobody offers has a defect of its own.
        return event in self._heard or one.name in self._given("decision") or one.name in self._offered

    def python(self, one: Declaration) -> bool:
        return one.name in self._given("function")

    def use(self, one: Declaration) -> bool:
        return (one.scope, one.name) in self._insides

    def _given(self, role: Role) -> frozenset[Any]:
        """What lists name in the arguments of one role."""
        found = self._by_role.get(role)
        if found is None:
            values = given(every_action(self.flow), role)
            if role == "decision":
                values = [how.get("tool") for how in values]
            plain = (one.value if isinstance(one, Template) and one.constant else one for one in values)
            found = self._by_role[role] = frozenset(plain)
        return found

    @cached_property
    def _any_outcome(self) -> bool:
        return any(isinstance(one, Template) for one in self._given("outcome"))

    @cached_property
    def _heard(self) -> frozenset[str]:
        """What rows wait for, or ignore."""
        return heard(self.flow.states)

    @cached_property
    def _offered(self) -> frozenset[str]:
        return frozenset(name for state in self.flow.states.values() for name in state.tools)

    @cached_property
    def _insides(self) -> frozenset[tuple[str, str]]:
        """The sub-flows that are some state's inside, by the scope and the name of what uses them."""
        flow = self.flow
        return frozenset(
            (flow.states[scope.path].scope, scope.used_as) for scope in flow.scopes.values() if scope.path != ROOT
        )

    @cached_property
    def _names(self) -> frozenset[tuple[str, str]]:
        """The names that expressions read or lists set, each with the scope in which it means something."""
        return frozenset(self._read())

    @cached_property
    def _meant(self) -> frozenset[str]:
        """What is read by a slip, of which there is a warning where it stands."""
        return meant_names(self.flow)

    @cached_property
    def _anywhere(self) -> frozenset[str]:
        """The same in whatever scope."""
        return frozenset(name for _, name in self._names)

    @cached_property
    def _words(self) -> frozenset[str]:
        """What stands in texts and guards."""
        texts = {template.source for _, value in self._values() for template in templates_in(value)}
        guards = {move.guard.source for move in self.flow.transitions if move.guard is not None}
        return frozenset(word for source in texts | guards for word in re.findall(r"\w+", source))

    def _read(self) -> Iterator[tuple[str, str]]:
        for scope, value in self._values():
            for template in templates_in(value):
                yield from ((scope, name) for name in template.reads)
        for move in self.flow.transitions:
            if move.guard is not None:
                yield from ((move.scope, name) for name in move.guard.reads)
        for written in lists_during(self.flow):
            yield from _set(written.scope, written.actions)

    def _values(self) -> Iterator[tuple[str, Any]]:
        """Everything that may hold a template, with the scope of its names."""
        flow = self.flow
        for written in every_list(flow):
            yield written.scope, [action.arguments for action in written.actions]
        for state in flow.states.values():
            yield state.scope, [state.instructions, dict(state.returns), dict(state.arguments)]
            if state.task is not None:
                yield state.scope, dict(state.task.arguments)
        yield ROOT, [tool.result for tool in flow.tools.values()]
        yield ROOT, dict(flow.agent)


def _set(scope: str, actions: Iterable[Action]) -> Iterator[tuple[str, str]]:
    """The variables that a list sets: a program may read them in the record's steps."""
    for action in actions:
        values = verb_of(action.verb).given("variables", action.arguments)
        yield from ((scope, f"vars.{name}") for name in values or ())
