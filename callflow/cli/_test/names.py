"""`-k`: which names are wanted, as pytest has it: texts that a name holds, `and`, `or`, `not` and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import click

Wanted = Callable[[Sequence[str]], bool]
"""Whether something with these names is wanted."""

_TOKEN = re.compile(r"""\s*(?:(?P<sign>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")
_WORDS = ("and", "or", "not")
_LEVELS = 100


def wanted(expression: str | None) -> Wanted:
    """What an expression says. Words beside each other are one text; quotes make a text of `and`, `or`, `not`. Raises
    click.UsageError where it says nothing."""
    if not (expression or "").strip():
        return lambda names: True
    return _Reader(expression or "").read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._levels = 0
        self._next: tuple[str, str, int] = ("", "", 0)  # its kind, its text, where it begins
        self._go_on()

    def read(self) -> Wanted:
        found = self._either()
        if self._next[0]:
            self._wrong("`and`, `or`, or its end")
        return found

    def _go_on(self) -> None:
        rest = self._text[self._place :]
        begins = self._place + len(rest) - len(rest.lstrip())
        if not rest.strip():
            self._next = ("", "", begins)
            return
        token = _TOKEN.match(self._text, self._place)
        if token is None:
            raise click.UsageError(f"-k {self._text!r}: the quote in column {begins + 1} is not closed")
        self._place = token.end()
        kind, text = token.lastgroup or "", token.group(token.lastgroup or 0)
        self._next = (text if kind == "sign" or (kind == "word" and text in _WORDS) else "text", text, begins)

    def _wrong(self, due: str) -> None:
        kind, text, begins = self._next
        seen = f"`{text}`" if kind else "its end"
        raise click.UsageError(f"-k {self._text!r}: in column {begins + 1} stands {seen}, where {due} is due")

    def _either(self) -> Wanted:
        ways = [self._both()]
        while self._next[0] == "or":
            self._go_on()
            ways.append(self._both())
        return ways[0] if len(ways) == 1 else lambda names: any(one(names) for one in ways)

    def _both(self) -> Wanted:
        parts = [self._one()]
        while self._next[0] == "and":
            self._go_on()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda names: all(one(names) for one in parts)

    def _one(self) -> Wanted:
        self._levels += 1
        if self._levels > _LEVELS:
            raise click.UsageError(f"-k: more than {_LEVELS} levels")
        found = self._inner()
        self._levels -= 1
        return found

    def _inner(self) -> Wanted:
        kind = self._next[0]
        if kind == "not":
            self._go_on()
            inner = self._one()
            return lambda names: not inner(names)
        if kind == "(":
            self._go_on()
            inner = self._either()
            if self._next[0] != ")":
                self._wrong("`)`")
            self._go_on()
            return inner
        if kind != "text":
            self._wrong("a text, `not` or `(`")
        words = []
        while self._next[0] == "text":
            words.append(self._next[1])
            self._go_on()
        text = " ".join(words).casefold()
        return lambda names: any(text in name.casefold() for name in names)
