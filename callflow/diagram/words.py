"""Actions, guards and triggers in the words of a flow's author, cut to what fits a picture.

A flow file is untrusted: whatever comes out of here is one line of printable text, and each renderer escapes it for its
own format. Nothing here knows of any format.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from callflow.core.actions import VERBS
from callflow.core.durations import format_duration
from callflow.core.events import DIGITS, EVENTS, MAIN_LEG
from callflow.core.flow import Action, State, Transition
from callflow.core.statechart.descriptors import asked, matches

LONGEST: Final = 90
"""Columns: what is longer is cut, with an ellipsis."""

_TEMPLATE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
# Chinese and Japanese are broken between any two letters.
_WORD = re.compile(
    r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60][\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]? *|[^ \u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]+ *| +"
)
_SPACE = re.compile(r"\s+")
# They turn the reading direction of whatever follows them, also of what is not theirs.
_DIRECTIONS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: object) -> str:
    """One line of printable text: white space folded, control characters and lone surrogates shown as �."""
    folded = _SPACE.sub(" ", str(text)).strip()
    kept = (character for character in folded if character not in _DIRECTIONS)
    return "".join("�" if unicodedata.category(character) in {"Cc", "Cs", "Cn"} else character for character in kept)


def columns(text: str) -> int:
    """How wide a text is, a Latin letter counting 1: Chinese, Japanese and Korean letters, and emoji, count 2."""
    return sum(
        0 if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}
        else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )  # fmt: skip


def shorten(text: str, width: int = LONGEST) -> str:
    """The text, cut at `width` columns with an ellipsis, between two words where one ends near."""
    if columns(text) <= width:
        return text
    kept = _head(text, width - 1, seam=False)
    space = kept.rfind(" ")
    if space > len(kept) * 2 // 3 and text[len(kept)] != " ":
        kept = kept[:space]
    return kept.rstrip(" ,;:.") + "…"


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, broken between words, inside one that is longer than a line."""
    lines: list[str] = []
    line = ""
    for word in _WORD.findall(text):
        if columns(line) + columns(word.rstrip(" ")) <= width:
            line += word
            continue
        if line:
            lines.append(line.rstrip(" "))
        line = word
        while columns(line) > width:
            head = _head(line, width)
            lines.append(head)
            line = line[len(head) :]
    lines.append(line.rstrip(" "))
    return lines


def _head(text: str, width: int, *, seam: bool = True) -> str:
    """The longest beginning that fits, one character at least; at a `seam` (a dot, a dash, an underscore) if it may be."""
    used, end = 0, 0
    for end, character in enumerate(text):  # noqa: B007 - the first character that does not fit
        used += columns(character)
        if used > width:
            break
    else:
        return text
    end = max(end, 1)
    last = max(text.rfind(mark, 0, end) for mark in "._-/") if seam else -1
    return text[: last + 1] if last > end // 2 else text[:end]


def source(value: Any) -> str:
    """A template, an expression or plain data as it was written, `{{ vars.name }}` shortened to `{name}`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ", ".join(f"{clean(name)} = {_value(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(source(item) for item in value)
    return clean(_TEMPLATE.sub(_placeholder, str(getattr(value, "source", value))))


def _value(item: Any) -> str:
    """What stands behind `=`: a variable that is emptied says so."""
    return "null" if item is None else source(item) or '""'


def _placeholder(match: re.Match[str]) -> str:
    return "{" + match[1].removeprefix("vars.") + "}"


def guard(transition: Transition) -> str:
    return "" if transition.guard is None else shorten(source(transition.guard))


def action(it: Action) -> str:
    """`say “Goodbye.”`, `dial {phone_number}`, `set caller = {event.name}`."""
    written = f"{it.verb} {_arguments(it)}".strip()
    if it.save_as:
        written += f" as {clean(it.save_as)}"
    if it.optional:
        written += " (optional)"
    return shorten(written)


def _arguments(it: Action) -> str:
    verb = VERBS.get(it.verb)
    if verb is None:
        return ""
    if verb.picture is not None:
        return verb.picture({name: source(it.arguments.get(name)) for name in verb.arguments})
    if verb.main is None:
        return ""
    words, main = source(it.arguments.get(verb.main)), verb.arguments[verb.main]
    if main.words and words:
        return f"“{words}”"
    return "" if main.role == "leg" and words == MAIN_LEG else words


def timer(kind: str, text: str, seconds: float) -> str:
    """`after 20s`, `every 5m`, `silence 12s`."""
    return f"{kind} {clean(text) or format_duration(seconds)}"


def returned_outcome(state: State, transition: Transition, pattern: str) -> str:
    """The outcome that a transition brings: its own, or the one that the state it leaves has set on entry.

    `outcome: "{{ event.result }}"` on `dial.*` is spelled out as the results that no other row of the state takes.
    """
    for it in (*transition.actions, *state.entry):
        named = None if it.verb not in VERBS else VERBS[it.verb].given("outcome", it.arguments)
        if named is not None:
            words = source(named)
            return _results(state, pattern) if words == "{event.result}" and pattern else shorten(words)
    return ""


def _results(state: State, pattern: str) -> str:
    names = [
        name.partition(".")[2]
        for name in EVENTS
        if matches(pattern, name)
        and name.partition(".")[2] not in DIGITS
        and asked(state.rows, name)[0].pattern == pattern
    ]
    return ", ".join(names) or pattern
