"""Made-up values for the digests of a journal: each of the type that its places ask for, equal where the digests are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field

from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, NUMBER, PHONE, ListOf, Type
from callflow.core.flow import Flow
from callflow.core.values.representatives import representatives_of
from callflow.journal.inputs import DIGEST

_NUMERIC = (INTEGER, NUMBER, DURATION)
_WORDS = re.compile(r"[0-9]+(?:\.[0-9]+)?|\"([^\"\\]+)\"|'([^'\\]+)'")
"""What a guard may compare a value with: a number, or a text in quotes."""


@define
class MadeUp:
    """The values of one journal's digests, of which each is one of some. `chosen` is which."""

    flow: Flow
    chosen: dict[str, int] = field(factory=dict)
    _kinds: dict[str, set[Type]] = field(factory=dict)
    _examples: dict[str, list[Any]] = field(factory=dict)
    _numbers: dict[str, int] = field(factory=dict)
    _made: dict[str, tuple[str, ...]] = field(factory=dict)

    def learn(self, value: Any, kind: Type | None = None, examples: Sequence[Any] = ()) -> list[str]:
        """Takes note of the digests in a value of this type, and of what else stands in such a place; those digests."""
        if isinstance(value, Mapping):
            return [one for item in value.values() for one in self.learn(item)]
        if isinstance(value, (list, tuple)):
            inner = kind.item if isinstance(kind, ListOf) else None
            return [one for item in value for one in self.learn(item, inner)]
        if not isinstance(value, str):
            return []
        found = DIGEST.findall(value)
        for digest in found:
            self._numbers.setdefault(digest, len(self._numbers) + 1)
            if digest == value:
                if kind is not None:
                    self._kinds.setdefault(digest, set()).add(kind)
                self._examples.setdefault(digest, []).extend(one for one in examples if one is not None)
        return found

    def candidates(self, digest: str) -> tuple[str, ...]:
        """What may stand for a digest, as text: first what nobody takes for anybody's."""
        found = self._made.get(digest)
        if found is None:
            found = self._made[digest] = tuple(dict.fromkeys(self._candidates(digest)))
        return found

    def _candidates(self, digest: str) -> Iterator[str]:
        number, kinds = self._numbers.get(digest, 0), self._kinds.get(digest, set())
        numeric = any(kind in _NUMERIC for kind in kinds)
        phone, digits = f"+1555{100_000 + number:07}", f"{4000 + number}"
        if PHONE in kinds:
            yield phone
        elif BOOLEAN in kinds:
            yield from ("false", "true")
        elif numeric:
            yield digits
        else:
            yield f"private {number}"
        examples = [_shown(one) for one in self._examples.get(digest, ()) if isinstance(one, (str, int, float))]
        compared = list(_compared(self.flow))
        for one in (*examples, *compared, digits, "0", "1", "30s", "0.5", phone, f"https://private-{number}.example"):
            if PHONE in kinds and not one.startswith("+"):
                continue
            if not numeric or re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", one):
                yield one

    def made(self, value: Any, kind: Type | None = None) -> Any:
        """The value with what stands for its digests."""
        if isinstance(value, Mapping):
            return {str(self.made(name)): self.made(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            inner = kind.item if isinstance(kind, ListOf) else None
            return [self.made(item, inner) for item in value]
        if not isinstance(value, str) or "pii:" not in value:
            return value
        if DIGEST.fullmatch(value):
            return _of_kind(kind, self._text(value))
        return DIGEST.sub(lambda match: self._text(match[0]), value)

    def _text(self, digest: str) -> str:
        found = self.candidates(digest)
        return found[self.chosen.get(digest, 0) % len(found)]


def _of_kind(kind: Type | None, text: str) -> Any:
    if kind == BOOLEAN:
        return text == "true"
    if kind not in _NUMERIC:
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if kind != DURATION and number.is_integer() else number


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _compared(flow: Flow) -> Iterator[str]:
    """The constants in a flow's guards, and numbers around them."""
    for row in flow.transitions:
        for match in _WORDS.finditer("" if row.guard is None else row.guard.source):
            text = match[1] or match[2] or match[0]
            yield text
            if match[0][0].isdigit() and "." not in text:
                yield from (str(int(text) + 1), str(int(text) - 1))


def examples_of(flow: Flow, event: str) -> Mapping[str, list[Any]]:
    """What the fields of an event may be, where guards ask for them."""
    found: dict[str, list[Any]] = {}
    for payload in representatives_of(flow).payloads(event):
        for name, value in payload.items():
            found.setdefault(name, []).append(value)
    return found
