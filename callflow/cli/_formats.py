"""Defects in the formats of `callflow check`: for people, one a line, JSON, SARIF. Plain functions from defects to text."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from callflow import __version__
from callflow.cli._width import columns, wrapped
from callflow.errors import Defect, printable
from callflow.proof.proved import Proved

WIDEST = 120
"""A line of the file that is longer is shown around the defect only."""

MARGIN = 12
"""Columns beside it: its number, and signs that something was left out."""


def for_people(defects: Sequence[Defect], lines_of: Callable[[str], Sequence[str]]) -> str:
    """Each defect: its code and sentence, the place, the line itself with the place underlined, the hint."""
    return "\n\n".join(_for_people(defect, lines_of(defect.file)) for defect in defects)


def _for_people(defect: Defect, lines: Sequence[str]) -> str:
    colour, kind = ("yellow", "warning: ") if defect.level == "warning" else ("red", "")
    code = f"{kind}{defect.code}"
    first, *more = wrapped(f"{code}: {printable(defect.message)}", 2)
    parts = [f"{click.style(code, fg=colour, bold=True)}: {click.style(first[len(code) + 2 :], bold=True)}"]
    parts += [click.style(line, bold=True) for line in more]
    place = f"{defect.file}:{defect.line}:{defect.column}" + (f"  ({defect.path})" if defect.path else "")
    parts.append(f"  {click.style('-->', fg='blue')} {printable(place)}")
    if 0 < defect.line <= len(lines):
        line, begin = _window(lines[defect.line - 1], defect.column - 1)
        wide = defect.end_column - defect.column if defect.end_line == defect.line else 1
        wide = max(1, min(wide, len(line) - begin))
        number = str(defect.line)
        bar = click.style("|", fg="blue")
        parts.append(f"  {click.style(number, fg='blue')} {bar} {line}")
        below = "".join("\t" if letter == "\t" else " " * _width(letter) for letter in line[:begin])
        marks = "^" * sum(_width(letter) for letter in line[begin : begin + wide] or " ")
        parts.append(f"  {' ' * len(number)} {bar} {below}{click.style(marks, fg=colour)}")
    if defect.hint:
        first, *more = wrapped(f"  hint: {printable(defect.hint)}", 8)
        parts += [f"  {click.style('hint:', fg='green')}{first[7:]}", *more]
    for line_number, moment in enumerate(defect.story):
        head = "        " if line_number else "  how:  "
        first, *more = wrapped(f"{head}{printable(moment)}", 8)
        parts += [first if line_number else f"  {click.style('how:', fg='cyan')}{first[6:]}", *more]
    return "\n".join(parts)


def _window(line: str, begin: int) -> tuple[str, int]:
    """A long line's part around the defect, and where the defect begins in it. Nothing that moves a cursor is printed."""
    widest = min(WIDEST, (columns() or WIDEST + MARGIN) - MARGIN)
    if len(line) <= widest:
        return _still(line), min(begin, len(line))
    first = max(0, begin - widest // 3)
    cut = _still(line[first : first + widest])
    head = "…" if first else ""
    return head + cut + ("…" if first + widest < len(line) else ""), begin - first + len(head)


def _still(text: str) -> str:
    return "\t".join(map(printable, text.split("\t")))


def _width(letter: str) -> int:
    if letter.isascii():
        return 1
    from unicodedata import combining, east_asian_width

    return 0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1


def short(defects: Iterable[Defect]) -> str:
    """`file:line:column: code: message`, one a line; what is a warning, or accepted, says so."""
    return "\n".join(
        printable(f"{one.file}:{one.line}:{one.column}: {one.code}: {_grade(one)}{one.message}") for one in defects
    )


def _grade(one: Defect) -> str:
    return f"accepted ({one.accepted}): " if one.accepted else "warning: " if one.level == "warning" else ""


def as_json(defects: Iterable[Defect], files: Sequence[str], proofs: Mapping[str, Proved]) -> str:
    """`{"files": […], "defects": [{code, message, file, line, column, end_line, end_column, path, hint, level, story, accepted}, …],
    "proofs": [{file, finished, situations, steps, left, quiet, after_hang_up, doubts}, …]}`; doubts are as defects are. What has a reason under `accepted`
    is no defect."""
    proved = [
        {
            "file": file,
            "finished": one.finished,
            "situations": one.situations,
            "steps": one.steps,
            "left": one.left,
            "quiet": one.quiet,
            "after_hang_up": one.after_hang_up,
            "doubts": [doubt._asdict() for doubt in one.doubts],
        }
        for file, one in proofs.items()
    ]
    return _dumped({"files": list(files), "defects": [one._asdict() for one in defects], "proofs": proved})


def as_sarif(defects: Iterable[Defect], titles: Mapping[str, str], proofs: Mapping[str, tuple[Proved, str]]) -> str:
    """SARIF 2.1.0 (OASIS), as code hosts and editors read it. How far each proof has come, in a sentence too, is told as a
    notification."""
    found = list(defects)
    codes = sorted({one.code for one in found})
    rules = [{"id": code, "shortDescription": {"text": titles.get(code, code)}} for code in codes]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "callflow", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes.index(one.code)) for one in found],
    }
    if proofs:
        told = [
            {
                "level": "note" if one.clean else "warning",
                "message": {"text": text},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file)}}}],
            }
            for file, (one, text) in proofs.items()
        ]
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": told}]
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return _dumped({"$schema": schema, "version": "2.1.0", "runs": [run]})


def _dumped(data: Any) -> str:
    """JSON with letters as they are, and what a terminal would obey as `\\u…`."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return "\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n"))


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]


def _uri(file: str) -> str:
    """A URI reference, as SARIF has it."""
    from urllib.parse import quote

    return quote(os.fsencode(file.replace("\\", "/")))


def _result(one: Defect, rule: int) -> dict[str, Any]:
    region = {
        "startLine": max(one.line, 1),
        "startColumn": max(one.column, 1),
        "endLine": max(one.end_line, 1),
        "endColumn": max(one.end_column, 1),
    }
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(one.file)}, "region": region}}
    if one.path:
        place["logicalLocations"] = [{"fullyQualifiedName": one.path}]
    text = f"{one.message} ({one.hint})" if one.hint else one.message
    result: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": one.level,
        "message": {"text": text},
        "locations": [place],
    }
    if one.accepted:
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": one.accepted}]
    if one.story:  # a code flow, each of its moments at the place of the defect
        moments = [{"location": {**place, "message": {"text": moment}}} for moment in one.story]
        result["codeFlows"] = [{"threadFlows": [{"locations": moments}]}]
    return result
