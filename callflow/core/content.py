"""What a list of actions holds: which actions, in whose scope, and what their arguments are when their turn comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from callflow.core.actions import verb_of
from callflow.core.arguments import render, templates_in
from callflow.core.expressions import ANY, Context, EvaluationError, Template, Values, accepts, coerce, describe
from callflow.core.flow import Action, Flow
from callflow.core.macrostep import Macrostep
from callflow.core.privacy import privacy_of
from callflow.core.snapshot import ActionList, Note, Source, without
from callflow.core.statechart.action_lists import list_at, scope_at
from callflow.errors import EffectError

_T = TypeVar("_T")


class Prepared:
    """An action, with what can be known of it before its turn comes. `arguments` is None where a text has to be rendered
    first; `checked` are those of them whose types were not known when the flow was loaded. `line` is what a `log` without
    anything to render notes."""

    def __init__(self, flow: Flow, action: Action, source: Source) -> None:
        self.action = action
        self.source = source
        self.verb = verb_of(action.verb)
        constant = not any(not one.constant for one in templates_in(action.arguments))
        self.arguments: Mapping[str, Any] | None = render(action.arguments, Context()) if constant else None
        private = {"private": True} if privacy_of(flow).opaque(action) else {}
        self.private: Mapping[str, bool] = private
        self.line = (
            log_line(self.arguments, private) if "line" in self.verb.roles and self.arguments is not None else None
        )
        self.checked = [
            (name, argument)
            for name, argument in self.verb.arguments.items()
            if isinstance(action.arguments.get(name), Template) and (argument.type is not ANY or argument.choices)
        ]


def log_line(arguments: Mapping[str, Any], private: Mapping[str, bool]) -> Note:
    """What a `log` notes."""
    return Note("log", {"level": arguments.get("level", "info"), "message": arguments["message"], **private})


def _leading(lines: Iterable[Note | None]) -> Iterator[Note]:
    for line in lines:
        if line is None:
            return
        yield line


class Content:
    """What a list holds, and the sub-flow whose `scope` of variables it reads and sets.

    `lines` are, for each position, the notes of the lines that are logged from there on, up to what has to be carried out:
    nothing of them is tried, and nothing can fail.
    """

    def __init__(self, actions: Iterable[Prepared], scope: str) -> None:
        self.actions = tuple(actions)
        self.scope = scope
        lines = [one.line for one in self.actions]
        self.lines = tuple(tuple(_leading(lines[n:])) for n in range(len(lines)))


def content(macrostep: Macrostep, one: ActionList) -> Content:
    """What a list holds, found in the flow by its kind and key, and remembered."""
    known = macrostep.table.contents[one.kind]
    found: Content | None = known.get(one.key)
    if found is None:
        actions = list_at(macrostep.flow, one.kind, one.key)
        prepared = (Prepared(macrostep.flow, action, (one.kind, one.key, n)) for n, action in enumerate(actions))
        found = known[one.key] = Content(prepared, scope_at(macrostep.flow, one.kind, one.key))
    return found


def action_of(macrostep: Macrostep, one: ActionList) -> Prepared:
    """The action that a list has come to."""
    return content(macrostep, one).actions[one.position]


def scope_of(macrostep: Macrostep, one: ActionList) -> str:
    """The sub-flow whose variables a list reads and sets."""
    return content(macrostep, one).scope


def set_variables(macrostep: Macrostep, one: ActionList, values: Mapping[str, Any]) -> None:
    """Sets variables that a list sets: its sub-flow's."""
    set_in(macrostep, one.instance or scope_of(macrostep, one), values)


def set_in(macrostep: Macrostep, scope: str, values: Mapping[str, Any]) -> None:
    """Sets variables of a scope, or of an instance of one that is over."""
    macrostep.vars = {**macrostep.vars, scope: {**macrostep.vars[scope], **values}}


def outlive(macrostep: Macrostep, path: str, *, asked: bool = False) -> None:
    """A state is left. A sub-flow that was its inside is over. Its variables stay for what it owes (and, with `asked`, for
    what this very move adds), apart from those of the next time; and, until then, for what a tool was called for in it."""
    macrostep.put_down()
    values = macrostep.vars.get(path)
    macrostep.vars = without(macrostep.vars, path)
    owed = [one for one in macrostep.lists.values() if one.instance is None and scope_of(macrostep, one) == path]
    if values is not None and (owed or asked or path in macrostep.table.hears_tools):
        instance = f"{path}#{macrostep.sequence()}"
        macrostep.vars = {**macrostep.vars, instance: values}
        for one in owed:
            macrostep.change_list(one._replace(instance=instance))


def forget(macrostep: Macrostep) -> None:
    """Drops the variables of sub-flows that are over and that nothing can ask for any more."""
    used = {one.instance for one in (*macrostep.fresh, *macrostep.lists.values())}
    for name in [name for name in macrostep.vars if "#" in name and name not in used]:
        scope = name.partition("#")[0]
        if scope not in macrostep.table.hears_tools or macrostep.latest(scope) != name:
            macrostep.vars = without(macrostep.vars, name)


def attempt(macrostep: Macrostep, work: Callable[[], _T], instead: Callable[[], _T]) -> _T:
    """What `work` makes of expressions. Raises EvaluationError or EffectError, and notes that.

    Where a redacted journal is replayed it fails as it did when it was recorded, and only then: what would fail by itself,
    over a digest, is `instead`.
    """
    macrostep.attempts += 1
    if macrostep.broken is not None:
        error = macrostep.broken.get(macrostep.attempts)
        if error is None:
            try:
                return work()
            except (EvaluationError, EffectError):
                return instead()
        macrostep.note("broke", attempt=macrostep.attempts, error=error)
        raise EffectError(error)
    try:
        return work()
    except (EvaluationError, EffectError) as error:
        macrostep.note("broke", attempt=macrostep.attempts, error=str(error))
        raise


def legible(value: Any, context: Values) -> Any:
    """As `render`, with nothing in place of the templates that fail: in a replayed journal, where a digest stands for an
    address, say."""
    if isinstance(value, Template):
        try:
            return value.evaluate(context)
        except EvaluationError:
            return None
    if isinstance(value, dict):
        return {name: legible(item, context) for name, item in value.items()}
    return [legible(item, context) for item in value] if isinstance(value, (list, tuple)) else value


def context_of(macrostep: Macrostep, one: ActionList) -> Values:
    """The names that a list's actions read."""
    return macrostep.context(one.instance or scope_of(macrostep, one), one.writer, one.event)


def resolve(macrostep: Macrostep, one: ActionList, prepared: Prepared) -> Mapping[str, Any]:
    """An action's arguments, its texts rendered now. Raises EvaluationError, or EffectError where a value is not of its type."""
    if one.kind == "closing":
        open_ones = {"session", "line"} - macrostep.closed
        return {name: name in open_ones for name in ("session", "line")}
    context = context_of(macrostep, one)
    arguments = {name: render(value, context) for name, value in prepared.action.arguments.items()}
    if macrostep.verdicts is None:  # a digest in a replayed journal is of no type
        for name, argument in prepared.checked:
            value = arguments[name]
            if value is None:
                continue
            if argument.type is not ANY and not accepts(argument.type, value):
                raise EffectError(f"{prepared.verb.name}.{name} must be {argument.type}, not {describe(value)}")
            if argument.choices and value not in argument.choices:
                raise EffectError(f"{prepared.verb.name}.{name} is one of {', '.join(argument.choices)}")
    return arguments


def fit(macrostep: Macrostep, kind: Any, value: Any, name: str) -> Any:
    try:
        return value if macrostep.verdicts is not None else coerce(kind, value)
    except ValueError as error:
        raise EffectError(f"{name}: {error}") from error
