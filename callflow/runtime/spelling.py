"""One normal form of a text, in which a value is the same however it was spelt, and the way back from it.

Width, case, accents, dashes, blanks and what is not seen are folded away character by character. What JSON, Python or a URL has
escaped is undone a layer at a time, and each layer is a form of its own: `C:\\new` holds the word `new` too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, chain
from typing import Final, NamedTuple

LAYERS: Final = 3
"""Escapes within escapes that are undone: JSON in JSON, a URL in a URL."""

_ESCAPED = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+"
    r"|(?:\\x[0-9A-Fa-f]{2})+"
    r"|\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
    r"|\\u[0-9A-Fa-f]{4}|\\U00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}"
    r"|\\[/\"'\\nrtbf]"
)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Form(NamedTuple):
    """A text as it is searched, and where each of its characters stands in the text as it was: `[starts[i], ends[i])`. None
    for both where it is the very same place."""

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def normal(text: str) -> str:
    """The normal form of a value."""
    return text.lower() if text.isascii() else "".join(map(_folded, text))


def forms(text: str) -> Iterator[Form]:
    """The normal form of a text, and one more for each layer of what is escaped in it."""
    form = Form(text)
    yield _fold(form)
    for _ in range(LAYERS):
        if "%" not in form.text and "\\" not in form.text:
            return
        undone = _undo(form)
        if undone is form:
            return
        form = undone
        yield _fold(form)


def _fold(form: Form) -> Form:
    text = form.text
    if text.isascii():
        return form._replace(text=text.lower())
    parts = [_folded(one) for one in text]
    folded = "".join(parts)
    if len(folded) == len(text) and all(parts):
        return form._replace(text=folded)
    places = [place for place, part in enumerate(parts) for _ in part]
    if form.starts is None or form.ends is None:
        return Form(folded, places, [place + 1 for place in places])
    return Form(folded, [form.starts[place] for place in places], [form.ends[place] for place in places])


@lru_cache(4096)
def _folded(char: str) -> str:
    """A character as it is compared: nothing, where it is not seen or only marks the one before it."""
    kept = []
    for one in unicodedata.normalize("NFKD", char.casefold()).casefold():
        category = unicodedata.category(one)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(one)))
        elif category == "Pd" or one == "\u2212":
            kept.append("-")
        elif category == "Zs":
            kept.append(" ")
        elif category != "Cf" and not unicodedata.combining(one):
            kept.append(one)
    return "".join(kept)


def _undo(form: Form) -> Form:
    """The form without one layer of escapes; the form itself where there is none."""
    pieces: list[str] = []
    widths: list[int] = []  # of each character, how many of the form it was
    done = 0
    for match in _ESCAPED.finditer(form.text):
        pieces.append(form.text[done : match.start()])
        widths += [1] * (match.start() - done)
        plain, each = _plain(match[0])
        pieces.append(plain)
        widths += each
        done = match.end()
    if not pieces:
        return form
    pieces.append(form.text[done:])
    widths += [1] * (len(form.text) - done)
    places = list(accumulate(chain((0,), widths)))
    if form.starts is None or form.ends is None:
        return Form("".join(pieces), places[:-1], places[1:])
    starts, ends = form.starts, form.ends
    return Form("".join(pieces), [starts[one] for one in places[:-1]], [ends[one - 1] for one in places[1:]])


def _plain(escaped: str) -> tuple[str, list[int]]:
    """What was escaped, and how long each character of it was written."""
    if escaped[0] == "%" or escaped[1] == "x":
        width = 3 if escaped[0] == "%" else 4
        octets = bytes.fromhex(escaped.replace("%", "").replace("\\x", ""))
        try:
            text = octets.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            text = octets.decode("latin-1")
            return text, [width] * len(text)
        return text, [width * len(one.encode("utf-8", "surrogatepass")) for one in text]
    if escaped[1] == "U":
        return chr(int(escaped[2:], 16)), [len(escaped)]
    if escaped[1] == "u":
        code = int(escaped[2:6], 16)
        if len(escaped) == 12:
            code = 0x10000 + ((code & 0x3FF) << 10 | int(escaped[8:], 16) & 0x3FF)
        return chr(code), [len(escaped)]
    return _LETTERS.get(escaped[1], escaped[1]), [2]
