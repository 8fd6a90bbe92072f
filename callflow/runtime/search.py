"""Finds known values inside texts, in whatever spelling, and learns one at a cost that does not depend on how many there are.

Two indexes. **Numbers** are looked up by their digits: a text's groups of digits, with what people write between them, are
put together and looked for. **Words** are walked along a tree of the words and signs of the known values, from each word of the
text at which one may begin. An automaton (Aho-Corasick) or a regular expression of all values would have to be built anew for each
value that is learned, which took 119 ms at 300.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote, quote_plus

LONGEST_NUMBER: Final = 64
"""Digits of a value that is looked for as a number; a longer one is a text like any other."""

DEEPEST: Final = 16
"""Words and signs of a value that are walked; the rest of a longer one is compared as a whole."""

_NUMBER_LIKE = re.compile(r"\+?[0-9][0-9\s().\-]*")
_DIGITS = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[\s().\-]{1,2}")
_PIECE = re.compile(r"[^\W_]+|[\W_]", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_DIGEST = re.compile(r"pii:[0-9a-f]{16}")


class Found(NamedTuple):
    start: int
    end: int
    token: str


class _Node:
    """A place in the tree. `token` is what stands for a value that ends here; `longer` are those that go on beyond DEEPEST,
    each the rest of its text and its token."""

    __slots__ = ("after", "longer", "token")

    def __init__(self) -> None:
        self.after: dict[str, _Node] | None = None
        self.token: str | None = None
        self.longer: list[tuple[str, str]] | None = None


class Index:
    """What is known, each with the token that stands for it. Learning and looking may happen in different threads."""

    __slots__ = ("_heads", "_numbers", "_signs", "looked")

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self._heads: dict[str, dict[str, _Node]] = {}  # by their first word, and then by the signs before it
        self._signs: dict[str, _Node] = {}  # those without a word, by their first sign
        self.looked = 0  # places of the indexes that were looked at, for whoever measures

    def learn(self, value: str, token: str) -> None:
        """Costs what the value is long."""
        digits = "".join(_DIGITS.findall(value))
        if 4 <= len(digits) <= LONGEST_NUMBER and _NUMBER_LIKE.fullmatch(value):
            self._numbers.setdefault(digits, token)
            return
        for form in {
            value,
            quote(value, errors="surrogatepass"),
            quote(value, safe="", errors="surrogatepass"),
            quote_plus(value, errors="surrogatepass"),
        }:
            self._plant(form, token)

    def replace(self, text: str) -> str:
        """The text with a token in place of each known value: the first that begins, and of those the longest."""
        found = sorted(self._find(text), key=lambda one: (one.start, -one.end))
        if not found:
            return text
        parts, done = [], 0
        for one in found:
            if one.start >= done:
                parts += [text[done : one.start], one.token]
                done = one.end
        return "".join([*parts, text[done:]])

    def _find(self, text: str) -> Iterator[Found]:
        if "pii:" in text:  # what stands for a value already is left alone
            yield from (Found(match.start(), match.end(), match[0]) for match in _DIGEST.finditer(text))
        if self._numbers:
            yield from self._find_numbers(text)
        if self._heads:
            yield from self._find_words(text)
        if self._signs:
            yield from self._find_signs(text)

    # -- numbers

    def _find_numbers(self, text: str) -> Iterator[Found]:
        groups = [match.span() for match in _DIGITS.finditer(text)]
        for first, (start, _) in enumerate(groups):
            digits, longest, before = "", None, start
            for begin, end in itertools.islice(groups, first, None):
                if begin > before and _BETWEEN.fullmatch(text, before, begin) is None:
                    break
                digits, before = digits + text[begin:end], end
                self.looked += 1
                if len(digits) > LONGEST_NUMBER:
                    break
                token = self._numbers.get(digits)
                if token is not None:
                    longest = end, token
            if longest is not None:
                yield Found(start - 1 if text[start - 1 : start] == "+" else start, *longest)

    # -- words

    def _plant(self, form: str, token: str) -> None:
        pieces = _PIECE.findall(form)
        first = next((number for number, one in enumerate(pieces) if _WORD.fullmatch(one)), None)
        if first is None:
            self._grow(self._signs.setdefault(pieces[0], _Node()), pieces[1:], token)
            return
        heads = self._heads.setdefault(pieces[first].casefold(), {})
        self._grow(heads.setdefault("".join(pieces[:first]), _Node()), pieces[first + 1 :], token)

    def _grow(self, node: _Node, pieces: list[str], token: str) -> None:
        for piece in pieces[:DEEPEST]:
            if node.after is None:
                node.after = {}
            node = node.after.setdefault(piece.casefold(), _Node())
        if len(pieces) > DEEPEST:
            node.longer = [*(node.longer or ()), ("".join(pieces[DEEPEST:]), token)]
        elif node.token is None:
            node.token = token

    def _find_words(self, text: str) -> Iterator[Found]:
        for match in _WORD.finditer(text):
            self.looked += 1
            heads = self._heads.get(match[0].casefold())
            for signs, node in () if heads is None else tuple(heads.items()):
                start = match.start() - len(signs)
                if start >= 0 and text.startswith(signs, start):
                    yield from self._walk(text, start, match.end(), node)

    def _find_signs(self, text: str) -> Iterator[Found]:
        for match in _PIECE.finditer(text):
            node = self._signs.get(match[0])
            if node is not None:
                yield from self._walk(text, match.start(), match.end(), node)

    def _walk(self, text: str, start: int, end: int, node: _Node) -> Iterator[Found]:
        """The longest value that begins at `start` and goes on behind `end`."""
        longest: tuple[int, str] | None = None
        while True:
            self.looked += 1
            if node.token is not None:
                longest = end, node.token
            for rest, token in node.longer or ():
                until = end + len(rest)
                self.looked += 1
                if text[end:until].casefold() == rest.casefold() and _ends(text, until):
                    longest = max(longest or (until, token), (until, token))
            piece = _PIECE.match(text, end) if node.after else None
            following = None if piece is None or node.after is None else node.after.get(piece[0].casefold())
            if piece is None or following is None:
                break
            node, end = following, piece.end()
        if longest is not None:
            yield Found(start, *longest)


def _ends(text: str, at: int) -> bool:
    """Whether no word goes on here."""
    return not (text[at - 1 : at].isalnum() and text[at : at + 1].isalnum())


def is_number_like(value: Any) -> bool:
    return isinstance(value, str) and _NUMBER_LIKE.fullmatch(value) is not None
