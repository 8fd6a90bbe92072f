"""Stand-ins for what a flow does outside of the call: an HTTP service by its answers, and any verb by its result."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from attrs import define, field, frozen

from callflow.core.actions import VERBS
from callflow.core.snapshot import Start
from callflow.core.suggest import did_you_mean
from callflow.errors import EffectError
from callflow.livekit_bindings.verbs import Given, Perform, outside
from callflow.livekit_bindings.web import Answer, Request

Said: TypeAlias = Any
"""What a service or a verb gives: a value, an exception to raise, a tuple of those (one after the other, the last for all
that follow), or a function that makes one of what it is asked, which may be a coroutine function."""


@frozen
class Asked:
    """One request that a fake has answered: what a service would have seen."""

    method: str
    url: str
    headers: Mapping[str, str]
    json: Any
    """The body, None where there was none."""


@define(eq=False)
class Fakes:
    """`http` maps an address, `https://example.com/orders/12`, with `*` for anything and a method before it if it matters
    (`POST https://example.com/*`), to what the service says: an integer is a status without a body, anything else the body of
    a 200, and `(404, body)` both. `verbs` maps a verb to its result: a mapping as `as:` would keep it, or the last word of a
    result event, `"failed"` for `transfer.failed`.

    `requests` are those that were made, `performed` the verbs that were faked, with their arguments. `failures` are
    requests that nothing here answers, and what a function here has raised that is no EffectError.

    Raises ValueError for a verb that there is not, or that the step itself carries out.
    """

    http: Mapping[str, Said] | Callable[[Asked], Said] | None = None
    verbs: Mapping[str, Said] = field(factory=dict)
    requests: list[Asked] = field(factory=list, init=False)
    performed: list[tuple[str, Mapping[str, Any]]] = field(factory=list, init=False)
    failures: list[Exception] = field(factory=list, init=False)
    _turns: dict[str, int] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        for verb in self.verbs:
            if verb not in VERBS:
                hint = did_you_mean(verb, VERBS)
                raise ValueError(f"there is no verb {verb!r} to fake{f' ({hint})' if hint else ''}")
            if VERBS[verb].at_once:
                raise ValueError(f"{verb!r} is carried out by the step itself, and needs no fake")
            self._known(verb, self.verbs[verb])

    def _known(self, verb: str, said: Said) -> None:
        """Refuses a result that the verb does not have, before anything is played."""
        events = [event.rpartition(".")[2] for event in VERBS[verb].results]
        for one in said if isinstance(said, tuple) else (said,):
            if isinstance(one, str) and one not in events:
                hint = did_you_mean(one, events)
                ends = f"ends with one of {', '.join(events)}" if events else "has no result by a name"
                raise ValueError(f"{verb} {ends}, not {one!r}{f' ({hint})' if hint else ''}")

    def performing(self) -> Mapping[str, Perform]:
        """What carries out the verbs, for `callflow.bind(telephony=…)`."""
        found: dict[str, Perform] = {verb: functools.partial(self._perform, verb) for verb in self.verbs}
        if self.http is not None:
            found.setdefault("http", self._http)
        return found

    async def _perform(self, verb: str, _world: Given, effect: Start) -> Mapping[str, Any]:
        arguments = dict(effect.arguments)
        self.performed.append((verb, arguments))
        result = await self._said(verb, self.verbs[verb], arguments)
        if isinstance(result, str):
            events = [event.rpartition(".")[2] for event in VERBS[verb].results]
            if result not in events:
                raise self._failed(
                    ValueError(f"{verb} ends with one of {', '.join(events) or 'no events'}, not {result!r}")
                )
            return {"result": result}
        if not isinstance(result, Mapping | None):
            raise self._failed(TypeError(f"a fake of {verb} gives a mapping or a result's name, not {result!r}"))
        return dict(result or {})

    async def _http(self, world: Given, effect: Start) -> Mapping[str, Any]:
        return await outside.http(world, effect, fetch=self._fetch)

    async def _fetch(self, request: Request, *, wanted: frozenset[int] = frozenset()) -> Answer:
        body = None if request.body is None else json.loads(request.body)
        asked = Asked(request.method, str(request.url), dict(request.headers), body)
        self.requests.append(asked)
        key, said = self._service(asked)
        answer = await self._said(key, said, asked, keep_pairs=True)
        status, content = answer if _is_pair(answer) else (answer, None) if _is_status(answer) else (200, answer)
        if content is None:
            return Answer(status, "", None, b"")
        if isinstance(content, str):
            return Answer(status, "text/plain", "utf-8", content.encode())
        return Answer(status, "application/json", "utf-8", json.dumps(content).encode())

    def _service(self, asked: Asked) -> tuple[str, Said]:
        if callable(self.http):
            return "http", self.http
        for pattern, said in (self.http or {}).items():
            method, _, address = pattern.rpartition(" ")
            if method in ("", asked.method) and fnmatchcase(asked.url, address):
                return f"http {pattern}", said
        known = ", ".join(self.http or {}) or "nothing"
        raise self._failed(LookupError(f"nothing answers {asked.method} {asked.url}: Stage(http={{…}}) knows {known}"))

    async def _said(self, key: str, said: Said, asked: Any, *, keep_pairs: bool = False) -> Any:
        """What is said this time. Raises EffectError for an exception, so that the action fails by it."""
        if isinstance(said, tuple) and said and not (keep_pairs and _is_pair(said)):
            turn = self._turns.get(key, 0)
            self._turns[key] = turn + 1
            said = said[min(turn, len(said) - 1)]
        if callable(said) and not isinstance(said, Exception):
            try:
                said = said(asked)
                if inspect.isawaitable(said):
                    said = await _awaited(said)
            except EffectError:
                raise
            except Exception as error:
                raise self._failed(error) from error
        if isinstance(said, Exception):
            raise said if isinstance(said, EffectError) else EffectError(f"{type(said).__name__}: {said}")
        return said

    def _failed(self, error: Exception) -> EffectError:
        self.failures.append(error)
        return EffectError(str(error))


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


def _is_status(answer: Any) -> bool:
    return isinstance(answer, int) and not isinstance(answer, bool)


def _is_pair(answer: Any) -> bool:
    return isinstance(answer, tuple) and len(answer) == 2 and _is_status(answer[0]) and not _is_status(answer[1])
