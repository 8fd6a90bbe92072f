"""Finds known values inside texts, in whatever spelling, and learns one at a cost that does not depend on how many there are.

Texts and values are compared in one normal form (`callflow.runtime.spelling`), and three indexes look through it. **Numbers** are
looked up by their digits: a text's groups of digits, with what people write between them, are put together and looked for, with
and without what a country is dialled by. **Words** are walked along a tree of the words and signs of the known values, from each
word of the text at which one may begin; blanks, dashes, dots, `_` and `+` between them are one and the same. **Signs** are the
values that have no more than a letter beside such signs, walked sign by sign. An automaton (Aho-Corasick) or a regular expression
of all values would have to be built anew for each value that is learned, which took 119 ms at 300.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from callflow.runtime.spelling import forms, normal

LONGEST_NUMBER: Final = 64
"""Digits of a value that is looked for as a number; a longer one is a text like any other."""

DEEPEST: Final = 32
"""Words and signs of a value that are walked. A longer one is known by its parts, each so long, the last one longer."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
"""Letters of scripts that put no blank between words, or none before what is added to one: each is a word of its own."""

_NUMBER_LIKE = re.compile(r"[+(]{0,2}[0-9][0-9\s().\-/_]*")
_DIGITS = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[\s().\-/_]{1,3}")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_APART = r"\s_.+\-"
"""What stands between two words, however they are written."""
_PIECE = re.compile(rf"{_WORD.pattern}|[{_APART}]+|.", re.DOTALL)
_SIGN = re.compile(rf"{_WORD.pattern}|.", re.DOTALL)
_APART_SIGN = re.compile(rf"[{_APART}]")
AROUND = re.compile(rf"^[{_APART}]+|[{_APART}]+$")
"""What of a value is left beside its token."""
_DIGEST = re.compile(r"pii:[0-9a-f]{16}")

_PHONE = range(7, 16)
"""Digits of a telephone number, which may be written with or without its country."""
_SHORTEST_NATIONAL = 6
_COUNTRY = range(1, 4)
_OUTWARD = re.compile(r"0{1,2}|011")


GOES_ON: Final = "\0"
"""Before the token of a later part of a value."""


class Found(NamedTuple):
    start: int
    end: int
    token: str


class Index:
    """What is known, each with the token that stands for it. Learning and looking may happen in different threads."""

    __slots__ = ("_numbers", "_signs", "_words")

    def __init__(self) -> None:
        self._numbers = _Numbers()
        self._words = _Tree(_PIECE, alike=True)
        self._signs = _Tree(_SIGN)

    @property
    def looked(self) -> int:
        """Places of the indexes that were looked at, for whoever measures."""
        return self._numbers.looked + self._words.looked + self._signs.looked

    def learn(self, value: str, token: str) -> None:
        """Costs what the value is long."""
        for form in forms(value):
            if self._numbers.learn(form.text, token):
                continue
            inner = AROUND.sub("", form.text)
            if len(inner) > 1:
                self._words.plant(inner, token)
            elif len(form.text) > 1:
                self._signs.plant(form.text, token)

    def replace(self, text: str) -> str:
        """The text with a token in place of each known value: the first that begins, and of those the longest. Where another
        goes on behind it, that one's token follows."""
        found = sorted(self._find(text), key=lambda one: (one.start, -one.end))
        if not found:
            return text
        parts, done, last = [], 0, ""
        for one in found:
            if one.end <= done:
                continue
            token = one.token.removeprefix(GOES_ON)
            between = text[done : one.start]  # nothing where they overlap
            if token != last or (between and (token == one.token or AROUND.fullmatch(between) is None)):
                parts += [between, token]
            elif not between and one.start >= done and token == one.token:
                parts.append(token)
            done, last = one.end, token
        return "".join([*parts, text[done:]])

    def knows(self, text: str) -> str | None:
        """The token of this very text."""
        return next(
            (one.token for one in self._find(text) if one[:2] == (0, len(text)) and one.token[0] != GOES_ON), None
        )

    def _find(self, text: str) -> Iterator[Found]:
        if "pii:" in text:  # what stands for a value already is left alone
            yield from (Found(match.start(), match.end(), match[0]) for match in _DIGEST.finditer(text))
        for form in forms(text):
            for index in (self._numbers, self._words, self._signs):
                for start, end, token in index.find(form.text):
                    yield Found(*form.span(start, end), token)


class _Numbers:
    __slots__ = ("_longest", "_national", "_whole", "looked")

    def __init__(self) -> None:
        self._whole: dict[str, str] = {}
        self._national: dict[str, str] = {}  # a telephone number without its country
        self._longest = 0  # digits of any, with what may be dialled before it
        self.looked = 0

    def learn(self, value: str, token: str) -> bool:
        """False: it is none."""
        digits = "".join(_DIGITS.findall(value))
        if not (4 <= len(digits) <= LONGEST_NUMBER and _NUMBER_LIKE.fullmatch(value)):
            return False
        self._whole.setdefault(digits, token)
        self._longest = max(self._longest, len(digits) + 3 + _COUNTRY.stop)
        plain = _at_home(digits)
        if len(plain) in _PHONE:
            self._whole.setdefault(plain, token)
            shortest = _SHORTEST_NATIONAL if value[0] == "+" else _PHONE.start
            for size in _COUNTRY:
                if len(plain) - size >= shortest:
                    self._national.setdefault(plain[size:], token)
        return True

    def find(self, text: str) -> Iterator[Found]:
        if not self._whole:
            return
        groups = [match.span() for match in _DIGITS.finditer(text)]
        for first, (start, _) in enumerate(groups):
            digits, longest, before = "", None, start
            plus = text[start - 1 : start] == "+"
            for begin, end in itertools.islice(groups, first, None):
                if begin > before and _BETWEEN.fullmatch(text, before, begin) is None:
                    break
                digits, before = digits + text[begin:end], end
                self.looked += 1
                if len(digits) > self._longest:
                    break
                token = self._token(digits, plus)
                if token is not None:
                    longest = end, token
            if longest is not None:
                yield Found(start - plus, *longest)

    def _token(self, digits: str, plus: bool) -> str | None:
        token = self._whole.get(digits)
        if token is not None or not _SHORTEST_NATIONAL <= len(digits) < _PHONE.stop + 3 + _COUNTRY.stop:
            return token
        plain = _at_home(digits)
        token = self._whole.get(plain) if len(plain) in _PHONE else None
        if token is None:
            token = self._national.get(plain)
        if token is None and (plus or plain != digits or digits[0] == "1"):  # it is written with a country
            rest = (plain[size:] for size in _COUNTRY if len(plain) - size >= _PHONE.start)
            token = next((self._whole[one] for one in rest if one in self._whole), None)
        return token


def _at_home(digits: str) -> str:
    """A number without what is dialled before it to reach another town or country."""
    match = _OUTWARD.match(digits)
    return digits[match.end() :] if match is not None else digits


class _Node:
    """A place in the tree. `token` is what stands for a value that ends here."""

    __slots__ = ("after", "token")

    def __init__(self) -> None:
        self.after: dict[str, _Node] | None = None
        self.token: str | None = None


class _Tree:
    """Values by their pieces, as `piece` cuts them; `alike`: what stands between words is all the same."""

    __slots__ = ("_alike", "_begins", "_first", "_piece", "looked")

    def __init__(self, piece: re.Pattern[str], *, alike: bool = False) -> None:
        self._piece, self._alike = piece, alike
        self._first: dict[str, _Node] = {}
        self._begins = _WORD  # what a value begins with
        self.looked = 0

    def plant(self, form: str, token: str) -> None:
        pieces = self._piece.findall(form)
        while pieces:
            if self._alike and self._same(pieces[0]) == " ":  # no part begins with what stands between two
                del pieces[0]
            size = len(pieces) if len(pieces) < 2 * DEEPEST else DEEPEST
            self._grow(pieces[:size], token)
            pieces, token = pieces[size:], GOES_ON + token.removeprefix(GOES_ON)

    def _grow(self, pieces: list[str], token: str) -> None:
        first, *rest = pieces
        if _WORD.fullmatch(first) is None:
            self._begins = self._piece
        node = self._first.setdefault(first, _Node())
        for piece in rest:
            if node.after is None:
                node.after = {}
            node = node.after.setdefault(self._same(piece), _Node())
        if node.token is None:
            node.token = token

    def find(self, text: str) -> Iterator[Found]:
        if not self._first:
            return
        for match in self._begins.finditer(text):
            self.looked += 1
            node = self._first.get(match[0])
            if node is not None:
                yield from self._walk(text, match.start(), match.end(), node)

    def _walk(self, text: str, start: int, end: int, node: _Node) -> Iterator[Found]:
        """The longest value that begins at `start` and goes on behind `end`."""
        longest: tuple[int, str] | None = None
        while True:
            self.looked += 1
            if node.token is not None:
                longest = end, node.token
            piece = self._piece.match(text, end) if node.after else None
            following = None if piece is None or node.after is None else node.after.get(self._same(piece[0]))
            if piece is None or following is None:
                break
            node, end = following, piece.end()
        if longest is not None:
            yield Found(start, *longest)

    def _same(self, piece: str) -> str:
        return " " if self._alike and _APART_SIGN.match(piece) is not None else piece


def is_number_like(value: Any) -> bool:
    return isinstance(value, str) and _NUMBER_LIKE.fullmatch(normal(value)) is not None
