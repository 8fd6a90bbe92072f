"""How a call of a flow can begin: the first steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from callflow.core.actions import Argument, verb_of
from callflow.core.arguments import templates_in
from callflow.core.events import CALL_FIELDS
from callflow.core.expressions import PHONE, Template
from callflow.core.flow import Flow
from callflow.core.forms import CALLED, REFERRED
from callflow.core.snapshot import Step
from callflow.core.statechart.action_lists import every_action
from callflow.core.step import start
from callflow.core.values.choices import plain
from callflow.core.values.facts import TOLD_LATER
from callflow.core.values.reads import reads
from callflow.core.values.representatives import representatives_of

_NUMBER = "+15550100100"
_HOST = "example.com"
_ADDRESS = f"https://{_HOST}"
_TRUNK = "ST_made_up"

_BY_NAME: Mapping[str, str] = {
    **dict.fromkeys(("TRUNK",), _TRUNK),
    **dict.fromkeys(("URL", "URI", "ENDPOINT", "WEBHOOK", "API"), _ADDRESS),
    **dict.fromkeys(("HOST", "DOMAIN"), _HOST),
    **dict.fromkeys(("NUMBER", "PHONE", "TELEPHONE", "EXTENSION"), _NUMBER),
    **dict.fromkeys(("KEY", "TOKEN", "SECRET", "PASSWORD"), "made-up-secret"),
    **dict.fromkeys(("SECONDS", "MINUTES", "COUNT", "LIMIT", "MAX", "PORT"), "10"),
}
"""What an environment variable holds, by a word of its name; the last word that is one of these counts."""


def first_steps(flow: Flow) -> list[Step]:
    """The first step of a call of this flow, with each of the values that it can begin with: the far end is yet to come, or to be
    called."""
    usual, known = environment(flow), _known_of_the_call(flow)
    return [
        start(
            flow, one.vars, env={**usual, **one.env}, call={**known, **one.call}, time=one.time, waiting=not flow.outbound,
        )
        for one in representatives_of(flow).beginnings()
    ]  # fmt: skip


def environment(flow: Flow) -> dict[str, str]:
    """Made-up values, as they are used: a number for what is called, a trunk, an address for what is asked, a sound that is played, at once or by way
    of variables; hours in which somebody is there; for the rest by their names. Nobody starts a flow without them."""
    found = {name: _by_name(name) for name in flow.env}
    found |= {name: values[0] for (_, _, name), values in representatives_of(flow).demand.opening.items()}
    made_up = (
        (_given(flow, lambda _, argument: argument.sound), _file),
        (_given(flow, lambda _, argument: argument.role == "address"), _address),
        (_given(flow, lambda name, _: name == "trunk"), _trunk),
        (_numbers(flow), _number),
    )
    for templates, made in made_up:
        for template in _made_of(flow, templates):
            for name in flow.env:
                if f"env.{name}" in template.reads:
                    found[name] = made(template, name) or found[name]
    return found


def _by_name(name: str) -> str:
    words = name.upper().split("_")
    return next((_BY_NAME[one] for one in reversed(words) if one in _BY_NAME), " ".join(words).lower())


def _number(template: Template, _name: str) -> str:
    return _NUMBER.removeprefix("+") if template.source.lstrip().startswith("+") else _NUMBER


def _trunk(_template: Template, _name: str) -> str:
    return _TRUNK


def _file(_template: Template, name: str) -> str:
    return f"{name.lower()}.mp3"


def _address(template: Template, name: str) -> str | None:
    """The whole of it, its host; None for what stands behind that."""
    before, found, _ = template.source.partition(f"env.{name}")
    begins = before.strip().strip("{ ")
    if not found or begins.endswith(("://", "//")):
        return _HOST if found else None
    return None if begins else _ADDRESS


def _made_of(flow: Flow, templates: Iterable[Template]) -> Iterator[Template]:
    """These texts, and those that what they read is set to."""
    todo, set_to = [*templates], list(_set_to(flow))
    known: set[str] = set()
    while todo:
        template = todo.pop()
        yield template
        for read in template.reads - known:
            known.add(read)
            todo += [value for name, value in set_to if read == f"vars.{name}"]


def _numbers(flow: Flow) -> Iterator[Template]:
    """Those that are called, and those of a variable that holds a number."""
    yield from (value for _, value in _set_to(flow) if value.type == PHONE)
    yield from _given(flow, lambda _, argument: argument.type == PHONE or argument.form in (CALLED, REFERRED))


def _given(flow: Flow, fits: Callable[[str, Argument], bool]) -> Iterator[Template]:
    """The texts of such arguments."""
    for action in every_action(flow):
        for name, value in action.arguments.items():
            argument = verb_of(action.verb).arguments.get(name)
            if argument is not None and fits(name, argument):
                yield from templates_in(value)


def _set_to(flow: Flow) -> Iterator[tuple[str, Template]]:
    """What variables are set to: by their names alone, also those of sub-flows."""
    given: list[Mapping[str, Any]] = [state.arguments for state in flow.states.values()]
    for action in every_action(flow):
        variables = verb_of(action.verb).given("variables", action.arguments)
        given += [variables] if isinstance(variables, Mapping) else []
    for values in given:
        for name, value in values.items():
            for template in templates_in(value):
                yield name, template


def _known_of_the_call(flow: Flow) -> dict[str, Any]:
    """What is known of each call as it begins, as far as the flow reads it."""
    asked = {name for name in reads(flow).call if name in CALL_FIELDS and ("call", "", name) not in TOLD_LATER}
    return {name: plain(CALL_FIELDS[name][0]) for name in sorted(asked)}
