"""YAML text -> positioned nodes, on the event stream of `yaml_parser`.

Events are walked, never composed: a composer recurses, and 100,000 nested brackets end the process. The walk stops at
`MAX_DEPTH` and at `MAX_VALUES`, aliases counted as often as they are used.

Scalars follow the YAML 1.2 core schema: `on`, `no`, `1:30`, `1_000` and dates are text. Merge keys (`<<`) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.scanner import ScannerError

from callflow.core.expressions.types import LARGEST
from callflow.errors import Defect
from callflow.flowfile.nodes import Mapping, Mark, Node, Scalar, Sequence, quoted, shorten
from callflow.flowfile.report import TOO_MANY, one_too_many
from callflow.flowfile.yaml_parser import Parser

MAX_DEPTH = 100
MAX_VALUES = 50_000
MAX_DIGITS = 100

LITERALS: dict[str, bool | float | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip
_FLOAT = frozenset("0123456789+-.eE")
_MAY_BE_NUMBER = frozenset("0123456789+-.")
_NUMBER_ENDS = frozenset("0123456789.abcdefABCDEFnN")
_TAG = "tag:yaml.org,2002:"
# YAML 1.1, and its parsers, end a line at these; editors do not, and every line number behind them would be off.
_LINE_ENDS = "\x85\u2028\u2029"
# Looked for in the whole text at once: parsers do so as they read on, each in portions of its own.
_REFUSED = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_REFUSED_WIDE = "[\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"  # looked for where there is more than ASCII
_EMPTY_KEY = r"(?<![^\s\[{,?:-])(\?)[\s,\]:]*\Z"


def parse(text: str, file: str) -> tuple[Mapping | None, list[Defect]]:
    """The mapping that `text` holds, and all defects of its YAML.

    A syntax error ends the reading: nothing is returned but the defects up to it.
    """
    walk = _Walk(text, file)
    try:
        root = walk.run()
    except _Stop:
        root = None
    return root, walk.defects


def core_value(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar in the YAML 1.2 core schema.

    Raises ValueError for a number of more than 100 digits, or beyond 10^18, with what follows its text in a sentence.
    """
    if text in LITERALS:
        return LITERALS[text]
    if text[0] not in _MAY_BE_NUMBER or text[-1] not in _NUMBER_ENDS or not text.isascii():
        return text
    convert = _conversion(text)
    if convert is None:
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(f"has more than {MAX_DIGITS} digits")
    try:
        value = convert(text)
    except ValueError:  # `1.2.3`, `0xg`: text after all
        return text
    if abs(value) > LARGEST:
        raise ValueError("is too large a number: they go to 10^18")
    return value


def _conversion(text: str) -> Callable[[str], int | float] | None:
    """What makes a number of a text that looks like one; Python's own conversions take more than YAML's forms."""
    if text.isdigit() or (text[0] in "+-" and text[1:].isdigit()):
        return int
    if text[:2] in ("0x", "0o"):
        return None if "_" in text else _prefixed
    return float if _FLOAT.issuperset(text) else None


def _prefixed(text: str) -> int:
    return int(text, 0)


class _Stop(Exception):
    """Reading on makes no sense."""


class _Walk:
    """One pass over the events of one text."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.defects: list[Defect] = []
        self.lines: list[str] | None = None
        self.anchors: dict[str, tuple[Node, int, int] | None] = {}  # values and levels in it; None while it is open

    def run(self) -> Mapping | None:
        self._check_characters()
        root: Node | None = None
        try:
            root = self._walk(Parser(self.text))
        except yaml.MarkedYAMLError as error:
            from callflow.flowfile.yaml_errors import explain

            defect = explain(self._first(error), self.text, self.file)
            if self.defects and _same_place(self.defects[-1], defect):
                self.defects.pop()
            self.defects.append(defect)
            raise _Stop from error
        if root is None or (isinstance(root, Scalar) and root.value is None):  # `---` alone says nothing either
            hint = "the smallest flow has `callflow: 1`, a name, `initial:` and `states:`"
            self.defects.append(Defect("empty-file", "the file says nothing", self.file, 1, 1, 1, 1, hint=hint))
        elif not isinstance(root, Mapping):
            message = "a flow file is keys with values; this one is " + (
                "a list" if isinstance(root, Sequence) else "one text"
            )
            self.defect("not-a-mapping", message, root.start, root.start, "begin with `callflow: 1`")
        return root if isinstance(root, Mapping) else None

    def _first(self, error: yaml.MarkedYAMLError) -> yaml.MarkedYAMLError:
        """The error to tell. Raises _Stop where the text before it is too deep already.

        Looking for the `:` of a key, the scanner is up to 1,024 characters ahead of the walk: it may stumble over what lies
        too deep to be read, or, in libyaml from 0.2.6 on, over a limit of its own. So what stands before is walked by itself.
        """
        is_limit = "nesting" in (error.problem or "")
        mark = error.context_mark if isinstance(error, ScannerError) and error.context_mark else error.problem_mark
        before = self.text[: mark.index] if mark is not None else ""
        again = _Walk(before, self.file)
        try:
            again._walk(Parser(before))
        except _Stop:
            if again.defects[-1].code == "too-deep":
                self.defects = again.defects
                raise
        except yaml.MarkedYAMLError as nearer:
            if is_limit:
                return nearer
        return error

    def _walk(self, parser: Any) -> Node | None:  # noqa: C901 - one loop in one piece: it runs for every word of a file
        """The root node. Keeps its own stack: the depth of a text is its author's choice, that of ours is not."""
        root: Node | None = None
        node: Node
        documents = 0
        stack: list[tuple[Mapping | Sequence | None, Scalar | None, Any, int, int]] = []  # what is around `inner`
        inner: Mapping | Sequence | None = None  # the collection that is open
        entries: dict[str, tuple[Scalar, Node]] | None = None  # its entries, if it is a mapping
        key: Scalar | None = None  # the key whose value comes next
        opened: Any = None  # the event that opened it
        values = 0  # keys and values read so far
        count = 0  # those read before it
        levels = 0  # of collections inside it

        tags = "!" in self.text  # most files have neither tags nor anchors: then no event need be asked for them
        anchors = "&" in self.text
        for event in iter(parser.get_event, None):
            kind = type(event)
            if kind is ScalarEvent:
                values += 1
                text: str = event.value
                if event.style or (tags and event.tag is not None):
                    node = self._marked_scalar(event)
                elif text in LITERALS or text[0] in _MAY_BE_NUMBER:
                    node = self._plain_scalar(text, event)
                else:
                    node = Scalar(text, text, True, event.start_mark, event.end_mark)
                    if " - " in text:
                        self._check_folded(node)
                if anchors and event.anchor is not None:
                    self.anchors[event.anchor] = (node, 1, 0)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                stack.append((inner, key, opened, count, levels))
                if len(stack) > MAX_DEPTH:
                    self._too_deep(event)
                count = values
                levels = 0
                values += 1
                opened = event
                key = None
                if anchors and event.anchor is not None:
                    self.anchors[event.anchor] = None
                if tags and event.tag is not None:
                    self._check_tag(event, "map" if kind is MappingStartEvent else "seq")
                flow = bool(event.flow_style)
                if kind is MappingStartEvent:
                    entries = {}
                    inner = Mapping(entries, flow, event.start_mark, event.end_mark)
                else:
                    entries = None
                    inner = Sequence([], flow, event.start_mark, event.end_mark)
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = inner  # type: ignore[assignment] # what ends has begun
                node.end = event.end_mark
                if anchors and opened.anchor is not None:
                    self.anchors[opened.anchor] = (node, values - count, levels + 1)
                inside = levels + 1
                inner, key, opened, count, levels = stack.pop()
                if inside > levels:
                    levels = inside
                entries = inner.entries if type(inner) is Mapping else None
                if (
                    type(node) is Mapping
                    and _TEMPLATE_KEY in node.entries
                    and node.entries[_TEMPLATE_KEY][0] is _DROPPED
                ):
                    node = self._unquoted_template(node)
            elif kind is AliasEvent:
                node, more, inside = self._alias(event)
                values += more
                if len(stack) + inside > MAX_DEPTH:
                    self._too_deep(event)
                if inside > levels:
                    levels = inside
            elif kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._stop(
                        "several-documents",
                        "a flow file holds one document; a second begins here",
                        event,
                        "put each flow into a file of its own",
                    )
                if event.tags:
                    self._stop("yaml-syntax", "`%TAG` is not for flow files", event, "take the line out")
                continue
            else:
                continue

            if values > MAX_VALUES:
                self._stop(
                    "too-many-values",
                    f"a flow file holds at most {MAX_VALUES:,} keys and values, "
                    "those behind an alias counted at each use",
                    event,
                    "split it into sub-flows (`use:`)",
                )
            if entries is not None:
                if key is not None:
                    if key is not _DROPPED:
                        name = key.text
                        if name in entries:
                            self._duplicate(key, entries[name][0])
                        else:
                            entries[name] = (key, node)
                    key = None
                elif type(node) is Scalar and node.value.__class__ is str and node.text != "<<":
                    key = node
                else:
                    key = self._key(node, inner)
            elif inner is not None:
                inner.items.append(node)  # type: ignore[union-attr]
            else:
                root = node
        return root

    # Scalars

    def _plain_scalar(self, text: str, event: Any) -> Scalar:
        value: Any = text
        try:
            value = core_value(text)
        except ValueError as error:
            message = f"{shorten(text)} {error}"
            self.defect(
                "number-too-long", message, event.start_mark, event.end_mark, "put quotes around it if it is text"
            )
        return Scalar(text, value, True, event.start_mark, event.end_mark)

    def _marked_scalar(self, event: Any) -> Scalar:
        """A scalar in quotes, in block style, or with a tag."""
        text, tag = event.value, event.tag
        if tag is None or tag == "!" or tag == _TAG + "str":
            return Scalar(text, text, False, event.start_mark, event.end_mark)
        name = tag.removeprefix(_TAG)
        scalar = self._plain_scalar(text, event)
        fits = {
            "null": scalar.value is None,
            "bool": isinstance(scalar.value, bool),
            "int": isinstance(scalar.value, int) and not isinstance(scalar.value, bool),
            "float": isinstance(scalar.value, (int, float)) and not isinstance(scalar.value, bool),
        }
        if tag.startswith(_TAG) and name in fits:
            if not fits[name]:
                self.defect(
                    "unknown-tag",
                    f'the tag !!{name} does not fit the text "{shorten(text)}"',
                    event.start_mark,
                    event.end_mark,
                    "take the tag out",
                )
            return scalar
        self._unknown_tag(event)
        return Scalar(text, text, False, event.start_mark, event.end_mark)

    def _check_folded(self, node: Scalar) -> None:
        """Text that runs on over a line which looks like an item or a key: its author meant something else."""
        if node.start.line == node.end.line:
            return
        if self.lines is None:
            self.lines = re.split("\r\n|\r|\n", self.text)
        for number, line in enumerate(self.lines[node.start.line + 1 : node.end.line + 1], node.start.line + 2):
            if line.lstrip().startswith("- "):
                message = f"line {number} looks like the next item of a list, but is read as more of this text"
                self.defect(
                    "bad-indentation", message, node.start, node.end, "indent its `-` as those of the other items"
                )
                return

    # Tags, aliases, keys

    def _check_tag(self, event: Any, name: str) -> None:
        if event.tag not in ("!", _TAG + name):
            self._unknown_tag(event)

    def _unknown_tag(self, event: Any) -> None:
        tag = event.tag
        shown = "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag
        at = event.start_mark
        hint = "a text that begins with `!` needs quotes around it" if not tag.startswith(_TAG) else "take the tag out"
        self.defect("unknown-tag", f"the tag `{shorten(shown)}` means nothing in a flow file", at, event.end_mark, hint)

    def _too_deep(self, event: Any) -> NoReturn:
        message = f"lists and mappings may stand {MAX_DEPTH} deep inside each other, no deeper"
        self._stop("too-deep", message, event, "put what is inside into a sub-flow (`use:`), or write it flatter")

    def _alias(self, event: Any) -> tuple[Node, int, int]:
        """What an alias stands for, and how many values and levels it has."""
        name = event.anchor
        if name not in self.anchors:
            from callflow.core.suggest import did_you_mean

            hint = (
                did_you_mean(name, islice(self.anchors, 100))
                or 'a text that begins with `*` needs quotes around it: "*"'
            )
            self.defect(
                "unknown-alias", f"nothing above is marked `&{shorten(name)}`", event.start_mark, event.end_mark, hint
            )
            return Scalar(f"*{name}", f"*{name}", False, event.start_mark, event.end_mark), 1, 0
        found = self.anchors[name]
        if found is None:
            self._stop(
                "recursive-alias", f"`*{shorten(name)}` stands inside what it repeats", event, "write out what is meant"
            )
        return found

    def _key(self, node: Node, inner: Any) -> Scalar:
        if isinstance(node, Scalar):
            if node.plain:
                if node.text == "<<":
                    self.defect(
                        "merge-key",
                        "merge keys (`<<`) are not part of YAML 1.2 and mean nothing here",
                        node.start,
                        node.end,
                        "write the keys out; what holds in every state belongs to the top level",
                    )
                    return _DROPPED
                if node.value is None:
                    if not node.text and (sign := re.compile(_EMPTY_KEY).search(self.text, 0, node.start.index)):
                        # `[? ]`: what follows is read by some parsers only, and they differ in where the key ends
                        said = "a key is missing behind the `?`"
                        self.defect("complex-key", said, *self._marks(sign.start(1)), "write `key: value`")
                        raise _Stop
                    what = "a key is missing before the `:`" if not node.text else f"`{node.text}` is no key"
                    self.defect("complex-key", what, node.start, node.end, "put quotes around it if it is a name")
                    return _DROPPED
            return node
        if isinstance(node, Mapping) and node.flow and inner.flow and node.start.index == inner.start.index + 1:
            inner.entries[_TEMPLATE_KEY] = (_DROPPED, node)
        else:
            what = "a list" if isinstance(node, Sequence) else "a mapping"
            self.defect(
                "complex-key",
                f"a key is a name; this one is {what}",
                node.start,
                node.end,
                "put quotes around it if it is text",
            )
        return _DROPPED

    def _unquoted_template(self, node: Mapping) -> Scalar:
        """`say: {{ vars.x }}` is a mapping inside a mapping for YAML; go on with what its author meant."""
        text = self.text[node.start.index : node.end.index]
        self.defect(
            "unquoted-template",
            "a value that begins with `{{` is not text for YAML",
            node.start,
            node.end,
            f"put quotes around it: {quoted(text)}",
        )
        return Scalar(text, text, False, node.start, node.end)

    def _duplicate(self, key: Scalar, first: Scalar) -> None:
        message = (
            f"`{shorten(key.text)}` stands here a second time; the first is in line {first.line}, column {first.column}"
        )
        self.defect("duplicate-key", message, key.start, key.end, "keep one of the two")

    # Characters

    def _check_characters(self) -> None:
        found = [_REFUSED.search(self.text), None if self.text.isascii() else re.search(_REFUSED_WIDE, self.text)]
        refused = min((one.start() for one in found if one is not None), default=None)
        if refused is not None:
            self._refuse_character(refused)
        if self.text.count("\n%") > 10:
            where = self.text.index("\n%") + 1
            self.defect("yaml-syntax", "`%` at the beginning of a line is not for flow files", *self._marks(where))
            raise _Stop

    def _refuse_character(self, position: int) -> NoReturn:
        character = self.text[position]
        name = {"\0": "a NUL", "\ufeff": "a byte order mark"}.get(character, "a control character")
        if character in _LINE_ENDS:
            name = "a line separator"
        message = f"{name} (U+{ord(character):04X}) may not stand in a flow file"
        hint = (
            f'inside double quotes it is written "\\u{ord(character):04x}"'
            if ord(character) < 0xFFFF
            else "take it out"
        )
        self.defect("control-character", message, *self._marks(position), hint)
        raise _Stop

    def _marks(self, position: int) -> tuple[Mark, Mark]:
        before = self.text[:position]
        line = before.count("\n")
        column = position - (before.rfind("\n") + 1)
        return _At(line, column, position), _At(line, column + 1, position + 1)

    # Defects

    def defect(self, code: str, message: str, start: Mark, end: Mark, hint: str = "") -> None:
        self.defects.append(
            Defect(code, message, self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1, hint=hint)
        )
        if len(self.defects) >= TOO_MANY:
            self.defects.append(one_too_many(self.defects[-1]))
            raise _Stop

    def _stop(self, code: str, message: str, event: Any, hint: str = "") -> NoReturn:
        self.defect(code, message, event.start_mark, event.end_mark, hint)
        raise _Stop


def _same_place(one: Defect, other: Defect) -> bool:
    return (one.code, one.line, one.column) == (other.code, other.line, other.column)


class _At:
    """A mark of our own, where the parser gives none."""

    def __init__(self, line: int, column: int, index: int) -> None:
        self.line, self.column, self.index = line, column, index


_TEMPLATE_KEY = "{{"
_DROPPED = Scalar("", None, True, _At(0, 0, 0), _At(0, 0, 0))  # a key that was refused: its value is read and forgotten
