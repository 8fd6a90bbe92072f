"""tag, send_data, http, python: what reaches out of the call."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings.actions import in_thread
from callflow.livekit_bindings.plain_data import plain
from callflow.livekit_bindings.surroundings import OnTheLine
from callflow.livekit_bindings.web import LARGEST_BODY, Answer, Request, fetch

Fetch = Callable[..., Awaitable[Answer]]

DEEPEST = 64
"""Levels of lists and mappings in what comes from outside."""

__all__ = ["LARGEST_BODY", "http", "python", "send_data", "tag"]


class Given(OnTheLine, Protocol):
    """What these verbs are given."""

    @property
    def actions(self) -> Mapping[str, Callable[..., Any]]: ...


async def tag(world: Given, effect: Start) -> Mapping[str, Any]:
    for name in effect.arguments["tags"]:
        world.ctx.tagger.add(name)
    return {}


async def send_data(world: Given, effect: Start) -> Mapping[str, Any]:
    data, to = effect.arguments["data"], effect.arguments.get("to")
    payload = data if isinstance(data, str) else json.dumps(plain(data), ensure_ascii=False)
    identities = []
    if to is not None:
        identity = world.line.identity_of(to)
        if identity is None:
            raise EffectError(f"nobody is on the leg {to}")
        identities = [identity]
    if world.has_room:
        topic = effect.arguments.get("topic") or ""
        participant = world.ctx.room.local_participant
        await participant.publish_data(payload, topic=topic, destination_identities=identities)
    return {}


async def http(world: Given, effect: Start, *, fetch: Fetch = fetch) -> Mapping[str, Any]:
    """The answer's status and body: what JSON says it is, else its text. Raises EffectError on any other status than
    `expect` says, and on a body of more than LARGEST_BODY bytes, in either direction. `fetch` sends it."""
    arguments = effect.arguments
    body = arguments.get("json")
    request = Request.to(
        arguments["url"],
        arguments.get("method") or "GET",
        {name: str(value) for name, value in (arguments.get("headers") or {}).items()},
        None if body is None else _written(plain(body)),
    )
    expect = arguments.get("expect") or ()
    answer = await fetch(request, wanted=frozenset(expect))
    if answer.status not in expect if expect else not 200 <= answer.status < 300:
        raise EffectError(f"{request.name} answered {answer.status}")
    return {"status": answer.status, "body": _read(answer)}


def _written(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise EffectError(f"the body of the request is nothing that JSON can hold: {type(error).__name__}") from error


def _read(answer: Answer) -> Any:
    text = answer.text()
    if not text or not answer.content_type.endswith("json"):
        return text
    try:
        return _shallow(json.loads(text, parse_constant=_no_constant, parse_float=_finite))
    except (ValueError, RecursionError) as error:
        raise EffectError(f"the answer calls itself JSON and is none: {error}") from error


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} stands in it")


def _finite(text: str) -> float:
    """A number that can be written as JSON again, which knows no infinity."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.40} is beyond all numbers")
    return number


def _shallow(value: Any) -> Any:
    """The value. Raises ValueError where it is nested deeper than a journal, a record and their readers can write and read."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, list | dict)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return value
    raise ValueError(f"it is nested more than {DEEPEST} levels deep")


async def python(world: Given, effect: Start) -> Mapping[str, Any]:
    """Calls what the program has supplied: a coroutine function on the loop, any other in a thread, which a time-out
    leaves running and no longer waits for."""
    name, arguments = effect.arguments["name"], effect.arguments.get("arguments") or {}
    function = world.actions[name]
    called = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - an object's own coroutine
    try:
        result = function(**arguments) if called else await in_thread(function, **arguments)
        if inspect.isawaitable(result):
            result = await result
    except SystemExit as error:  # as argparse raises it: the job would end, with its caller on the line
        raise EffectError(f"{name} wanted to end the process (status {error.code})") from error
    return _returned(world, name, result)


def _returned(world: Given, name: str, result: Any) -> Mapping[str, Any]:
    """The declared fields, out of a mapping or, where one alone is declared, the value itself. Raises EffectError."""
    declared = world.flow.python[name].returns if name in world.flow.python else {}
    try:
        value = _shallow(plain(result))
    except (ValueError, RecursionError) as error:
        raise EffectError(f"what {name} returned cannot be kept: {error}") from error
    if isinstance(value, dict):
        missing = [field for field, kind in declared.items() if kind.required and field not in value]
        if missing:
            raise EffectError(f"{name} returned no {', '.join(missing)}")
        return value
    if len(declared) == 1:
        return {next(iter(declared)): value}
    if declared:
        raise EffectError(
            f"{name} returned {type(result).__name__}: it is to return a mapping with {', '.join(declared)}"
        )
    return {}
