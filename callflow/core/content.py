"""What a list of actions holds: which actions, in whose scope, and what their arguments are when their turn comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from callflow.core.actions import verb_of
from callflow.core.expressions import ANY, EvaluationError, Template, accepts, coerce, describe
from callflow.core.flow import Action
from callflow.core.render import render
from callflow.core.snapshot import ActionList
from callflow.core.statechart.lists import list_at, scope_at
from callflow.core.turn import Turn
from callflow.errors import EffectError

WITH = -1
"""The position of an entry list of a host whose `with:` has not been read yet."""

_T = TypeVar("_T")


def actions_of(turn: Turn, one: ActionList) -> tuple[Action, ...]:
    """The actions of a list, found in the flow by its kind and key."""
    return list_at(turn.flow, one.kind, one.key)


def scope_of(turn: Turn, one: ActionList) -> str:
    """The sub-flow whose variables a list reads and sets."""
    return scope_at(turn.flow, one.kind, one.key)


def variables_of(turn: Turn, one: ActionList) -> dict[str, Any]:
    """The variables that a list sets."""
    return turn.vars[one.instance or scope_of(turn, one)]


def outlive(turn: Turn, path: str, *, asked: bool = False) -> None:
    """A state is left. A sub-flow that was its inside is over. Its variables stay for what it owes (and, with `asked`, for
    what this very move adds), apart from those of the next time; and, until then, for what a tool was called for in it."""
    if path not in turn.flow.scopes:
        return
    values = turn.vars.pop(path, None)
    owed = [one for one in turn.lists.values() if one.instance is None and scope_of(turn, one) == path]
    if values is not None and (owed or asked or path in turn.table.hears_tools):
        instance = f"{path}#{turn.sequence()}"
        turn.vars[instance] = values
        for one in owed:
            turn.lists[one.seq] = one._replace(instance=instance)


def forget(turn: Turn) -> None:
    """Drops the variables of sub-flows that are over and that nothing can ask for any more."""
    used = {one.instance for one in turn.lists.values()}
    for name in [name for name in turn.vars if "#" in name and name not in used]:
        scope = name.partition("#")[0]
        if scope not in turn.table.hears_tools or turn.latest(scope) != name:
            del turn.vars[name]


def attempt(turn: Turn, work: Callable[[], _T], instead: Callable[[], _T]) -> _T:
    """What `work` makes of expressions. Raises EvaluationError or EffectError, and notes that.

    Where a redacted journal is replayed it fails as it did when it was recorded, and only then: what would fail by itself,
    over a digest, is `instead`.
    """
    turn.attempts += 1
    if turn.broken is not None:
        error = turn.broken.get(turn.attempts)
        if error is None:
            try:
                return work()
            except (EvaluationError, EffectError):
                return instead()
        turn.note("broke", attempt=turn.attempts, error=error)
        raise EffectError(error)
    try:
        return work()
    except (EvaluationError, EffectError) as error:
        turn.note("broke", attempt=turn.attempts, error=str(error))
        raise


def emptied(value: Any) -> Any:
    """An argument with nothing in place of its templates."""
    if isinstance(value, Template):
        return None
    if isinstance(value, dict):
        return {name: emptied(item) for name, item in value.items()}
    return [emptied(item) for item in value] if isinstance(value, (list, tuple)) else value


def resolve(turn: Turn, one: ActionList, action: Action) -> dict[str, Any]:
    """An action's arguments, its texts rendered now. Raises EvaluationError, or EffectError where a value is not of its type."""
    if one.kind == "closing":
        open_ones = {"session", "line"} - turn.closed
        return {name: name in open_ones for name in ("session", "line")}
    context = turn.context(one.instance or scope_of(turn, one), one.writer, one.event)
    verb = verb_of(action.verb)
    arguments: dict[str, Any] = {}
    for name, value in action.arguments.items():
        rendered = arguments[name] = render(value, context)
        argument = verb.arguments.get(name)
        # What stands in the file was checked when it was loaded; a digest in a replayed journal is of no type.
        if argument is None or not isinstance(value, Template) or rendered is None or turn.verdicts is not None:
            continue
        if argument.type is not ANY and not accepts(argument.type, rendered):
            raise EffectError(f"{action.verb}.{name} must be {argument.type}, not {describe(rendered)}")
        if argument.choices and rendered not in argument.choices:
            raise EffectError(f"{action.verb}.{name} is one of {', '.join(argument.choices)}")
    return arguments


def fit(turn: Turn, kind: Any, value: Any, name: str) -> Any:
    try:
        return value if turn.verdicts is not None else coerce(kind, value)
    except ValueError as error:
        raise EffectError(f"{name}: {error}") from error
