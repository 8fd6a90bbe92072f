"""tag, send_data, http, python: what reaches out of the call."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiohttp

from callflow.core.snapshot import Start
from callflow.errors import EffectError
from callflow.livekit_bindings.plain import plain

if TYPE_CHECKING:
    from callflow.livekit_bindings.world import LiveKitWorld

LARGEST_BODY = 1_000_000
"""Bytes of an answer that are read; a larger one is a failure."""


async def tag(world: LiveKitWorld, effect: Start) -> Mapping[str, Any]:
    for name in effect.arguments["tags"]:
        world.ctx.tagger.add(name)
    return {}


async def send_data(world: LiveKitWorld, effect: Start) -> Mapping[str, Any]:
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


async def http(world: LiveKitWorld, effect: Start) -> Mapping[str, Any]:
    """The answer's status and body: what JSON says it is, else its text. Raises EffectError on any other status than
    `expect` says, and on a body of more than LARGEST_BODY bytes."""
    arguments = effect.arguments
    method, url = arguments.get("method") or "GET", arguments["url"]
    if not url.startswith(("http://", "https://")):
        raise EffectError("http takes an address that begins with http:// or https://")
    options: dict[str, Any] = {
        "headers": {name: str(value) for name, value in (arguments.get("headers") or {}).items()}
    }
    if arguments.get("json") is not None:
        options["json"] = plain(arguments["json"])
    try:
        async with world.http() as client, client.request(method, url, **options) as answer:
            raw = await answer.content.read(LARGEST_BODY + 1)
            while len(raw) <= LARGEST_BODY and (more := await answer.content.read(LARGEST_BODY + 1 - len(raw))):
                raw += more
            status, content_type, charset = answer.status, answer.content_type, answer.charset
    except aiohttp.ClientError as error:
        raise EffectError(f"no answer from {method} {_host(url)}: {str(error) or type(error).__name__}") from error
    if len(raw) > LARGEST_BODY:
        raise EffectError(f"the answer from {_host(url)} is larger than {LARGEST_BODY} bytes")
    expect = arguments.get("expect")
    if status not in expect if expect else not 200 <= status < 300:
        raise EffectError(f"{method} {_host(url)} answered {status}")
    return {"status": status, "body": _body(raw, content_type, charset)}


def _body(raw: bytes, content_type: str, charset: str | None) -> Any:
    text = raw.decode(charset or "utf-8", errors="replace")
    if content_type.endswith("json"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise EffectError(f"the answer calls itself JSON and is none: {error}") from error
    return text


def _host(url: str) -> str:
    """An address for a message: without its path and query, which may hold private data."""
    return url.split("/", 3)[2].rpartition("@")[2]


async def python(world: LiveKitWorld, effect: Start) -> Mapping[str, Any]:
    """Calls what the program has supplied: a coroutine function on the loop, any other in a thread, which a time-out
    leaves running and no longer waits for."""
    name, arguments = effect.arguments["name"], effect.arguments.get("arguments") or {}
    function = world.actions[name]
    called = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - an object's own coroutine
    try:
        result = function(**arguments) if called else await asyncio.to_thread(function, **arguments)
        if inspect.isawaitable(result):
            result = await result
    except SystemExit as error:  # as argparse raises it: the job would end, with its caller on the line
        raise EffectError(f"{name} wanted to end the process (status {error.code})") from error
    return _returned(world, name, result)


def _returned(world: LiveKitWorld, name: str, result: Any) -> Mapping[str, Any]:
    """The declared fields, out of a mapping or, where one alone is declared, the value itself. Raises EffectError."""
    declared = world.flow.python[name].returns if name in world.flow.python else {}
    value = plain(result)
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
