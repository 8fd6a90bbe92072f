"""Defects of one file, with their places, and the small readers of its values: each says what it takes, and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from typing import Any

from callflow.core.durations import format_duration, parse_duration
from callflow.core.flow import Position
from callflow.core.suggest import did_you_mean
from callflow.errors import Defect
from callflow.flowfile.elsewhere import key_meant, misplaced
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Place, Scalar, Sequence, kind, quoted, shorten

TOO_MANY = 100
"""Defects of one file; a reader of more has long stopped reading."""


OF_A_MISREADING = frozenset({"wrong-kind", "missing-key", "unknown-tool", "bad-name", "no-such-file"})
"""What is said of a place where something was taken for what it was meant to be says nothing new."""

MOST_COMPARISONS = 5_000
"""Names that are compared with misspelt ones in one load: a file of mistakes alone must not take long either."""


class Suggestions:
    """Did you mean …, as long as the budget lasts."""

    def __init__(self) -> None:
        self.left = MOST_COMPARISONS

    def meant(self, word: str, candidates: Iterable[str]) -> str | None:
        known = list(candidates)
        if len(known) > self.left:
            return None
        self.left -= len(known)
        return did_you_mean(word, known)


def truth_meant(node: Node) -> str:
    """A hint for a word that other versions of YAML take for a truth value."""
    word = node.text.lower() if isinstance(node, Scalar) else ""
    if word not in ("yes", "no", "on", "off", "true", "false"):
        return ""
    return f"write {'true' if word in ('yes', 'on', 'true') else 'false'}"


def one_too_many(last: Defect) -> Defect:
    """Says that the reading ends here."""
    message = f"that makes {TOO_MANY} defects, and nothing more was read"
    return last._replace(code="too-many-defects", message=message, hint="mend these first, then check again")


class TooManyDefects(Exception):
    """Nobody reads on."""


class Report:
    """The defects of one file, and of the files that it uses: `defects` is shared by all of a load."""

    def __init__(self, file: str, defects: list[Defect], suggestions: Suggestions) -> None:
        self.file = file
        self.defects = defects
        self.meant = suggestions.meant
        self.misread: set[tuple[int, int]] = set()  # where something stands that was taken for what it was meant to be
        self.broken: set[str] = set()  # paths of declarations whose fields nobody knows

    def defect(self, code: str, message: str, at: Place, path: str, hint: str | None = "") -> None:
        """Adds a defect. Raises TooManyDefects after 100."""
        if code in OF_A_MISREADING and (at.line, at.column) in self.misread:
            return
        if any(
            known.code == "number-too-long" and known[2:5] == (self.file, at.line, at.column) for known in self.defects
        ):
            return  # it is told already what is wrong there
        end_line, end_column = at.ends()
        if end_line != at.line:  # underline the first line alone
            end_line, end_column = at.line, at.column + 1
        self.defects.append(
            Defect(code, message, self.file, at.line, at.column, end_line, end_column, path, hint or "")
        )
        if len(self.defects) >= TOO_MANY:
            self.defects.append(one_too_many(self.defects[-1]))
            raise TooManyDefects

    def position(self, at: Place, path: str) -> Position:
        mark = at.start
        return Position(self.file, mark.line + 1, mark.column + 1, path)

    # -- keys

    def mapping(self, node: Node | None, path: str, what: str, hint: str = "") -> MappingNode | None:
        """The node, if it is a mapping; nothing written counts as an empty one and is None without a defect."""
        if isinstance(node, MappingNode):
            return node
        if node is not None and not is_nothing(node):
            self.wrong_kind(node, path, f"{what} takes keys with values", hint or without_dashes(node))
        return None

    def named(self, node: Node | None, path: str, what: str, hint: str = "") -> MappingNode | None:
        """The same of what declares names; of a list of them the defect is told, and the names hold."""
        found = self.mapping(node, path, what, hint)
        words = node.items if isinstance(node, Sequence) else [node] if isinstance(node, Scalar) else []
        entries: dict[str, tuple[Scalar, Node]] = {}
        for word in words:
            if isinstance(word, Scalar) and is_name(word.text, dashes=True):
                entries[word.text] = word, Scalar("", None, True, word.start, word.end)
                self.misread.add((word.line, word.column))
        if found is None and node is not None and not is_nothing(node):
            self.broken.add(path)
        return found or (MappingNode(entries, True, node.start, node.end) if node is not None and entries else None)

    def unknown_keys(
        self, node: MappingNode, path: str, allowed: Container[str], names: Iterable[str], what: str
    ) -> None:
        """A defect for every key that is not allowed."""
        unknown = [name for name in node.entries if name not in allowed and not name.startswith("x-")]
        for name in unknown:
            self.unknown_key(node, *node.entries[name], path, names, what)

    def unknown_key(
        self,
        node: MappingNode,
        key: Scalar,
        value: Node,
        path: str,
        names: Iterable[str],
        what: str,
        hint: str | None = None,
    ) -> None:
        """A defect for a key that does not stand here. What is under a misspelt one is read as that of the right one."""
        known = list(names)
        elsewhere = key_meant(what, key.text)
        if hint is None:
            hint = misplaced(what, key.text) or None
        if hint is None:
            hint = f'did you mean "{elsewhere}"?' if elsewhere in known else self.meant(key.text, known)
        for word in known if hint is not None else ():
            if hint == f'did you mean "{word}"?' and node.entries.setdefault(word, (key, value))[0] is key:
                self.misread.add((value.line, value.column))
        if hint is None and node.flow and is_nothing(value) and value.start.index == value.end.index:
            alone = len(node.entries) == 1 and " " not in key.text
            hint = "inside { } a comma ends the text before it: put quotes around the text"
            hint = f"take the braces away: {shorten(key.text)}" if alone else hint
        if hint is None:
            hint = f"{what} takes {one_of(known)}; notes of your own begin with `x-`"
        self.defect("unknown-key", f"{what} has no key `{shorten(key.text)}`", key, join(path, key.text), hint)

    # -- values

    def wrong_kind(self, node: Node, path: str, takes: str, hint: str = "") -> None:
        self.defect("wrong-kind", f"{takes}, not {kind(node)}", node, path, hint)

    def text(self, node: Node | None, path: str, what: str) -> str | None:
        """The text of a node. A number is never made into one."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        if node is not None:
            self.no_text(node, path, what)
        return None

    def no_text(self, node: Node, path: str, what: str) -> None:
        if isinstance(node, Scalar) and node.value is not None:
            code = "wrong-kind" if isinstance(node.value, bool) else "number-for-text"
            self.defect(
                code,
                f"{what} takes text, not {kind(node)}",
                node,
                path,
                f'put quotes around it: "{shorten(node.text)}"',
            )
        else:
            self.wrong_kind(node, path, f"{what} takes text", _broken_text(node))

    def boolean(self, node: Node | None, path: str, what: str) -> bool | None:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        if node is None:
            return None
        hint = truth_meant(node)
        self.wrong_kind(node, path, f"{what} takes true or false", hint)
        return hint == "write true" if hint else None

    def integer(self, node: Node | None, path: str, what: str, least: int = 0, most: int | None = None) -> int | None:
        value: Any = node.value if isinstance(node, Scalar) else None
        if node is not None and type(value) is int:  # a truth value is no integer here
            if self.within(value, least, most, node, path, what):
                return int(value)
        elif node is not None:
            self.wrong_kind(node, path, f"{what} takes an integer")
        return None

    def number(self, node: Node, path: str, what: str) -> float | None:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
        self.wrong_kind(node, path, f"{what} takes a number")
        return None

    def within(
        self,
        value: float,
        least: float | None,
        most: float | None,
        at: Place,
        path: str,
        what: str,
        duration: bool = False,
    ) -> bool:
        """Whether a number, or a duration in seconds, lies in its bounds; a defect if not."""
        show: Callable[[float], str] = format_duration if duration else str
        if least is not None and value < least:
            bound = f"at least {show(least)}"
        elif most is not None and value > most:
            bound = f"at most {show(most)}"
        else:
            return True
        self.defect("bad-duration" if duration else "bad-value", f"{what} is {bound}, not {show(value)}", at, path)
        return False

    def duration(self, node: Node | None, path: str, what: str, above: float | None = None) -> float | None:
        """Seconds. With `above` it is longer than that."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
            self.wrong_kind(node, path, f"{what} takes a duration, such as 12s")
            return None
        try:
            seconds = parse_duration(node.value)
        except ValueError as error:
            self.bad_duration(node, path, what, str(error))
            return None
        if above is not None and seconds <= above:
            self.defect("bad-duration", f"{what} is longer than {format_duration(above)}", node, path, "write 12s")
            return None
        return seconds

    def bad_duration(self, node: Place, path: str, what: str, reason: str) -> None:
        message, _, hint = reason.partition(": write ")
        self.defect("bad-duration", f"{what}: {message}", node, path, f"write {hint}" if hint else "")

    def choice(self, node: Node | None, path: str, what: str, choices: Collection[str]) -> str | None:
        word = self.text(node, path, what)
        if word is not None and node is not None and word not in choices:
            self.not_among(node, path, what, word, choices)
            return None
        return word

    def not_among(self, node: Place, path: str, what: str, word: str, choices: Collection[str]) -> None:
        hint = self.meant(word, choices) or ""
        self.defect("bad-value", f"{what} takes {one_of(choices)}, not `{shorten(word)}`", node, path, hint)

    def check_name(self, key: Scalar, path: str, what: str, dashes: bool = False) -> bool:
        """Whether a key can be a name; a defect if not."""
        if is_name(key.text, dashes):
            return True
        if "." in key.text:
            message = f"the name of {what} holds no dot: `{shorten(key.text)}`"
            hint = "a dot leads inward, from a state to its inner ones" if what == "a state" else ""
        else:
            signs = "letters, digits, `_` and `-`" if dashes else "letters, digits and `_`"
            message = f"`{shorten(key.text)}` is no name for {what}"
            hint = f"a name has {signs}, does not begin with a digit, and is at most 64 characters long"
        self.defect("bad-name", message, key, path, hint)
        return False

    def items(self, node: Node | None, path: str, what: str) -> list[Node]:
        """The items of a list; nothing written is an empty one."""
        if isinstance(node, Sequence):
            return node.items
        if node is None or is_nothing(node):
            return []
        meant: list[Node] = [node] if isinstance(node, Scalar) else [key for key, _ in node.entries.values()]
        hint = f"write [{', '.join(shorten(one.text) for one in meant if isinstance(one, Scalar))}]"
        self.wrong_kind(node, path, f"{what} takes a list", hint)
        found = [one for one in meant if isinstance(one, Scalar) and is_name(one.text, dashes=True)]
        self.misread.update((one.line, one.column) for one in found)
        return list(found)

    def words(self, node: Node | None, path: str, what: str) -> list[tuple[str, Node]]:
        """The texts of a list, each once."""
        found: dict[str, Node] = {}
        for number, item in enumerate(self.items(node, path, what)):
            word = self.text(item, f"{path}[{number}]", f"each item of {what}")
            if word is None:
                continue
            if word in found:
                message = f"`{shorten(word)}` stands here a second time; the first is in line {found[word].line}"
                self.defect("duplicate-item", message, item, f"{path}[{number}]", "keep one of the two")
            else:
                found[word] = item
        return list(found.items())


def is_name(text: str, dashes: bool = False) -> bool:
    """Whether a text can be a name: letters, digits and `_` (with `dashes` also `-`), no digit first, 64 at most."""
    plain = text.replace("-", "_") if dashes and not text.startswith("-") else text
    return plain.isidentifier() and plain.isascii() and len(text) <= 64


def is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def one_of(words: Iterable[str]) -> str:
    """`a`, `b` or `c`"""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}" if quoted else "nothing"


def plain_data(node: Node) -> Any:
    """The node as plain data: dicts, lists, scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain_data(item) for item in node.items]
    return {name: plain_data(value) for name, (_, value) in node.entries.items()}


def notes(node: MappingNode) -> Mapping[str, Any]:
    """The author's own notes, `x-…`."""
    return {name: plain_data(value) for name, (_, value) in node.entries.items() if name.startswith("x-")}


def without_dashes(node: Node) -> str:
    """A hint for a list where keys are due."""
    first = node.items[0] if isinstance(node, Sequence) and node.items else None
    if isinstance(first, Scalar) and first.value is not None:
        return f"each is a key with its value: `{shorten(first.text)}: …`"
    if not isinstance(first, MappingNode) or not first.entries:
        return ""
    named = next((first.entries[word][1] for word in ("name", "id") if word in first.entries), None)
    if isinstance(named, Scalar):
        return f"the name is the key: `{shorten(named.text)}: {{…}}`"
    name = next(iter(first.entries))
    return f"take the list away: `{shorten(name)}: …` stands there by itself"


def _broken_text(node: Node) -> str:
    if isinstance(node, MappingNode):
        inner = next((node.entries[word][1] for word in _NAMES_OF_TEXTS if word in node.entries), None)
        if isinstance(inner, Scalar) and isinstance(inner.value, str):
            return f"write it alone: {quoted(inner.text)}"
        return "a text with `: ` in it needs quotes around it" if len(node.entries) == 1 else ""
    if not isinstance(node, Sequence) or not node.flow:
        return "write one text" if isinstance(node, Sequence) else ""
    if len(node.items) == 1 and isinstance(node.items[0], Scalar) and " " not in node.items[0].text:
        return f"take the brackets away: {shorten(node.items[0].text)}"
    return "a text in brackets needs quotes around it"


_NAMES_OF_TEXTS = ("file", "path", "text", "name", "target", "url", "message")
