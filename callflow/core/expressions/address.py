"""Addresses of `http`: a template whose scheme and host are the flow's own, and of which the rest is encoded as it is written.

Up to the first `/`, `?` or `#` behind the host an address holds literal text and values of `env` alone: nothing that a caller, a
model or an event brings says where a request goes. Behind it each value is percent-encoded whole, so that it stays the one
segment of the path, or the one value of the query, as which it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from callflow.core.expressions.compile import Run
from callflow.core.expressions.names import Names, Values
from callflow.core.expressions.problems import ExpressionError, Failed, Problem
from callflow.core.expressions.render import limited
from callflow.core.expressions.template import Hole, Template, split
from callflow.core.expressions.types import TEXT

NO_ADDRESS: Final = "an address begins with http:// or https:// and a host"

# Compiled when an address is: most flows have none.
_ORIGIN = r"(?i:https?)://[^\s/?#\\\x00-\x1f]+"
_SCHEME = r"[a-zA-Z][a-zA-Z0-9+.-]*://"
_SCHEME_ENDS = "://"
_HOST_ENDS = r"[/?#]"
_PATH_ENDS = r"[?#]"
_DOTS = frozenset({".", ".."})

_FROM_ENV = "write the address in the flow, or read it from `env:`; behind the host and a `/` any value may stand"

Part = str | Hole


def compile_address(source: str, names: Names) -> Template:
    """The template of an address. Raises ExpressionError with every problem."""
    problems: list[Problem] = []
    parts: list[Part] = [Hole(*part, names) if isinstance(part, tuple) else part for part in split(source, problems)]
    holes = [part for part in parts if isinstance(part, Hole)]
    for hole in holes:
        hole.check(alone=False, expect=None)
        problems += (problem._replace(offset=problem.offset + hole.offset) for problem in hole.problems)
    origin, rest = _cut(_stripped(parts))
    problems = problems or _misplaced(origin, source)
    if problems:
        raise ExpressionError(source, problems)
    if not holes:
        address = source.strip()
        return Template(source, TEXT, frozenset(), True, address, lambda context: address)
    reads = frozenset[str]().union(*(hole.checker.reads for hole in holes))
    return Template(source, TEXT, reads, False, None, _address(origin, rest))


def _stripped(parts: Sequence[Part]) -> list[Part]:
    """Without blank space at either end."""
    last = len(parts) - 1
    texts = [part.lstrip() if index == 0 and isinstance(part, str) else part for index, part in enumerate(parts)]
    texts = [part.rstrip() if index == last and isinstance(part, str) else part for index, part in enumerate(texts)]
    return [part for part in texts if part != ""]


def _cut(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """What says where a request goes, and what says what for."""
    for index, part in enumerate(parts):
        if isinstance(part, Hole):
            continue
        scheme = re.match(_SCHEME if index == 0 else _SCHEME_ENDS, part)
        end = re.compile(_HOST_ENDS).search(part, 0 if scheme is None else scheme.end())
        if end is not None:
            return [*parts[:index], part[: end.start()]], [part[end.start() :], *parts[index + 1 :]]
    return list(parts), []


def _misplaced(origin: Sequence[Part], source: str) -> list[Problem]:
    found = []
    for hole in (part for part in origin if isinstance(part, Hole)):
        foreign = sorted(name for name in hole.checker.reads if not name.startswith("env."))
        if foreign:
            message = f"{foreign[0]} would say where the request goes: scheme and host are the flow's own"
            found.append(Problem("bad-address", message, hole.offset, len(hole.source), _FROM_ENV))
    literal = "".join(part if isinstance(part, str) else "x" for part in origin)
    open_scheme = bool(origin) and isinstance(origin[0], Hole)  # it is `env` that has it
    if not found and not open_scheme and re.match(_ORIGIN, literal) is None:
        found.append(
            Problem("bad-address", NO_ADDRESS, 0, len(source), "write it whole, such as https://example.com/orders")
        )
    return found


def _address(origin: Sequence[Part], rest: Sequence[Part]) -> Run:
    begin = _writer(origin, lambda text: text)
    path, query = _split_path(rest)
    segments = [_segment(one) for one in path]
    others = _writer(query, _encoded)

    def address(context: Values) -> str:
        where = begin(context).strip()
        if re.match(_ORIGIN, where) is None:
            raise Failed(f"{NO_ADDRESS}; `env` gives another")
        return limited(where + "/".join([write(context) for write in segments]) + others(context))

    return address


def _split_path(rest: Sequence[Part]) -> tuple[list[list[Part]], list[Part]]:
    """The segments of the path, each of literal and rendered parts, and whatever follows it."""
    segments: list[list[Part]] = [[]]
    for index, part in enumerate(rest):
        if isinstance(part, Hole):
            segments[-1].append(part)
            continue
        end = re.search(_PATH_ENDS, part)
        first, *more = (part if end is None else part[: end.start()]).split("/")
        segments[-1].append(first)
        segments += [[one] for one in more]
        if end is not None:
            return segments, [part[end.start() :], *rest[index + 1 :]]
    return segments, []


def _segment(parts: Sequence[Part]) -> Callable[[Values], str]:
    write = _writer(parts, _encoded)
    if not any(isinstance(part, Hole) for part in parts):
        return write

    from urllib.parse import unquote

    def segment(context: Values) -> str:
        text = write(context)
        if not text:
            raise Failed("a part of the address would be empty, and lead to another path")
        if unquote(text).partition(";")[0] in _DOTS:  # which no encoding keeps from leading elsewhere
            raise Failed(f"a part of the address would be `{unquote(text)}`, and lead to another path")
        return text

    return segment


def _writer(parts: Sequence[Part], encode: Callable[[str], str]) -> Callable[[Values], str]:
    pieces = [part.text() if isinstance(part, Hole) else part for part in parts]
    return lambda context: "".join([one if isinstance(one, str) else encode(one(context)) for one in pieces])


def _encoded(text: str) -> str:
    from urllib.parse import quote  # which a flow without addresses need not wait for

    return quote(text, safe="", errors="replace")
