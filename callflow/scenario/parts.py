"""Steps that several scenarios share, and the values that stand in them: `- part: greeted`, `with: {day: friday}`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, shorten
from callflow.flowfile.report import Report, is_nothing, join
from callflow.flowfile.source import read_text
from callflow.flowfile.yaml import parse

Given = Mapping[str, Node]
"""Values by the names under which they stand in texts: `{{ day }}`."""

NOTHING_GIVEN: Given = {}

DEEPEST = 20
"""Parts in parts."""

_PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}")


class Part(NamedTuple):
    """Steps with a name, whoever tells of what is wrong with them, and where they stand in their file."""

    report: Report
    steps: Sequence
    path: str
    others: Parts


class Parts:
    """The parts of one file."""

    def __init__(self, report: Report, root: MappingNode, folder: str, report_of: Callable[[str], Report]) -> None:
        self._report, self._folder, self._report_of = report, folder, report_of
        self._files: dict[str, Parts | None] = {}
        found = report.mapping(root.get("parts"), "parts", "`parts`", "each has a name: `greeted: [{caller: Hello.}]`")
        self._named = {name: one for name, one in (found.entries if found else {}).items() if not name.startswith("x-")}

    def find(self, name: str, at: Node, path: str, asks: Report) -> Part | None:
        """The part of this name; a defect in the file that `asks`, where there is none."""
        entry = self._named.get(name)
        if entry is None:
            hint = asks.meant(name, self._named) or "parts stand at the top: `parts: {greeted: [{caller: Hello.}]}`"
            asks.defect("unknown-name", f"there is no part `{shorten(name)}`", at, path, hint)
            return None
        key, node = entry
        if isinstance(node, Sequence):
            return Part(self._report, node, join("parts", name), self)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            others = self._of(node.value, node, join("parts", name))
            return None if others is None else others.find(name, node, join("parts", name), self._report)
        if is_nothing(node):
            self._report.defect(
                "missing-key", "nothing happens in this part", key, join("parts", name), "write its steps"
            )
        else:
            message = "a part is a list of steps, or the file in which it stands"
            self._report.wrong_kind(node, join("parts", name), message, "write `[{caller: Hello.}]`")
        return None

    def _of(self, file: str, node: Node, path: str) -> Parts | None:
        """The parts of another file."""
        if file not in self._files:
            self._files[file] = self._read(file, node, path)
        return self._files[file]

    def _read(self, file: str, node: Node, path: str) -> Parts | None:
        whole = os.path.normpath(os.path.join(self._folder or ".", file))  # noqa: PTH118 - as in the loader
        text, defect = read_text(whole)
        report = self._report_of(whole)
        if defect is not None:
            self._report.defect(defect.code, f"`{shorten(file)}`: {defect.message}", node, path, defect.hint)
            return None
        root, defects = parse(text, whole)
        report.defects += defects
        if root is None:
            return None
        if "parts" not in root.entries:
            self._report.defect("missing-key", f"`{shorten(file)}` has no `parts`", node, path)
            return None
        return Parts(report, root, os.path.dirname(whole), self._report_of)  # noqa: PTH120 - as in the loader


def filled(report: Report, node: Node, given: Given, path: str) -> Node:
    """The same with what is given in the place of each `{{ name }}`; the node itself where there is none."""
    if isinstance(node, Scalar):
        return _scalar(report, node, given, path)
    if isinstance(node, Sequence):
        items = [filled(report, one, given, f"{path}[{number}]") for number, one in enumerate(node.items)]
        if all(new is old for new, old in zip(items, node.items, strict=True)):
            return node
        return Sequence(items, node.flow, node.start, node.end)
    entries: dict[str, tuple[Scalar, Node]] = {}
    same = True
    for name, (key, value) in node.entries.items():
        where = join(path, name)
        new, inner = _scalar(report, key, given, where), filled(report, value, given, where)
        same = same and new is key and inner is value
        entries[new.text if isinstance(new, Scalar) and new is not key else name] = (
            (new if isinstance(new, Scalar) else key),
            inner,
        )
    return node if same else MappingNode(entries, node.flow, node.start, node.end)


def _scalar(report: Report, node: Scalar, given: Given, path: str) -> Node:
    if "{{" not in node.text or not isinstance(node.value, str):
        return node
    whole = _PLACE.fullmatch(node.text)
    if whole is not None and whole[1] in given:
        value = given[whole[1]]
        if isinstance(value, Scalar):
            return Scalar(value.text, value.value, value.plain, node.start, node.end)
        return value
    text, unknown = node.text, list[str]()

    def put(found: re.Match[str]) -> str:
        value = given.get(found[1])
        if isinstance(value, Scalar):
            return value.text
        unknown.append(found[1])
        return found[0]

    text = _PLACE.sub(put, text)
    for name in unknown:
        if name in given:
            report.defect("wrong-type", f"`{shorten(name)}` is no text, and cannot stand in one", node, path)
        else:
            hint = report.meant(name, given) or f"write the text itself, or `with: {{{_word(name)}: …}}`"
            report.defect("unknown-name", f"`with` has no `{shorten(name)}`", node, path, hint)
    return node if text == node.text else Scalar(text, text, node.plain, node.start, node.end)


def _word(name: str) -> str:
    return name if re.fullmatch(r"\w{1,30}", name) else "name"
