"""Arguments of actions: which templates they hold, and what they are when their turn comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from callflow.core.expressions import Template, Values


def templates_in(value: Any) -> Iterator[Template]:
    """Every template anywhere inside an argument."""
    if isinstance(value, Template):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from templates_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from templates_in(item)


def render(value: Any, context: Values) -> Any:
    """The value with its templates filled in. Raises EvaluationError. A rendered text is never read as a template again."""
    if isinstance(value, Template):
        return value.evaluate(context)
    if isinstance(value, dict):
        return {name: render(item, context) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [render(item, context) for item in value]
    return value
