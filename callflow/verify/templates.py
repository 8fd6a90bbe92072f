"""Text that reads like an expression and is none: it would be said, called or kept as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from callflow.core.actions import verb_of
from callflow.core.expressions import Template
from callflow.core.flow import Flow, Position
from callflow.core.statechart.action_lists import actions_during
from callflow.core.verbs.verb import Verb
from callflow.errors import Defect
from callflow.verify.places import warning

_NAME = r"(?:vars|event|call|env|state)\.[A-Za-z_]\w*"
_WHOLE = re.compile(_NAME)
_IN_BRACES = re.compile(rf"[$#]?\{{\s*({_NAME}[^{{}}]*?)\s*\}}")
_CHOICE = re.compile(r"\{%.*?%\}", re.DOTALL)
_SHELL = re.compile(r"\$\{?(\w+)\}?|%(?=(\w+)%)")
_BETWEEN = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def not_templates(flow: Flow) -> Iterator[Defect]:
    """A warning for each text that another language would fill in: `{vars.day}`, `${TRUNK}`, `vars.day` alone, `{% if … %}`."""
    for at, found, instead in _found(flow):
        hint = f'write "{{{{ {instead} }}}}"' if instead else "write two rows, each with its `when`"
        message = f"`{found}` is no expression, and stands in the text as it is written"
        yield warning("not-a-template", message, at, hint)


def meant_names(flow: Flow) -> frozenset[str]:
    """The names, `vars.day` or `env.TRUNK`, that such texts mean to read."""
    return frozenset(name for _, _, instead in _found(flow) for name in re.findall(_NAME, instead))


def _found(flow: Flow) -> Iterator[tuple[Position, str, str]]:
    """Each such text: its place, what reads like an expression, and the one that is meant."""
    env = {name: number for number, name in enumerate(flow.env)}
    declared = {f"env.{name}" for name in env}
    declared |= {f"vars.{name}" for scope in flow.scopes.values() for name in (*scope.variables, *scope.results)}
    for at, verb, value in _texts(flow):
        for text in _inside(value):
            written = _BETWEEN.sub("", text)
            alone = written.strip()
            if alone in declared or (verb is not None and verb.tells and _WHOLE.fullmatch(alone)):
                yield at, alone, alone
            else:
                yield from ((at, found, instead) for found, instead in _parts(env, written))


def _parts(env: Mapping[str, int], text: str) -> Iterator[tuple[str, str]]:
    """What in a text looks like an expression, each with the one that is meant; `env` has the declared names in their order."""
    yield from ((one[0], one[1]) for one in _IN_BRACES.finditer(text))
    choice = _CHOICE.search(text)
    if choice is not None:
        yield choice[0], ""
    shell: dict[str, str] = {}
    for one in _SHELL.finditer(text):
        shell.setdefault(one[1] or one[2], one[0] if one[1] else f"%{one[2]}%")
    yield from ((shell[name], f"env.{name}") for name in sorted(shell.keys() & env.keys(), key=env.__getitem__))


def _texts(flow: Flow) -> Iterator[tuple[Position, Verb | None, Any]]:
    """What a list or a state says, with its place and its verb."""
    for action in (*actions_during(flow), *flow.wrap_up):
        yield action.position, verb_of(action.verb), dict(action.arguments)
    for state in flow.states.values():
        yield state.position, None, [state.instructions, dict(state.returns), dict(state.arguments)]
    for tool in flow.tools.values():
        yield tool.position, None, [tool.result, tool.run and dict(tool.run.arguments)]


def _inside(value: Any) -> Iterator[str]:
    """The texts in a value, as they are written."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Template):
        yield value.source
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _inside(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _inside(inner)
