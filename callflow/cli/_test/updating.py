"""`--update`: what was heard is written where something else was expected. All else in the file stays as it is."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from callflow.cli._test.files import File
from callflow.cli._test.session import Played, Session
from callflow.core.events import Event
from callflow.core.flow import Position
from callflow.errors import printable
from callflow.flowfile.nodes import Mapping, Node, Scalar
from callflow.flowfile.nodes import Sequence as SequenceNode
from callflow.flowfile.source import STDIN, read_text
from callflow.flowfile.yaml import parse
from callflow.runtime.redact import MARK, Redactor
from callflow.scenario import Result

HEARD = "heard"
"""The name of the look."""

ROUNDS = 50
"""Expectations of one scenario that are updated, one after the other."""

_DIGEST = re.compile(rf"{MARK}[0-9a-f]{{16}}")


class Change(NamedTuple):
    """What is to stand at an expectation: places of texts that stay, and new ones, each as YAML."""

    position: Position
    instead: tuple[int | str, ...]


def heard(result: Result) -> tuple[Change, ...]:
    """What would hold instead of what was expected to be heard; private values are no part of it."""
    if result.failure is None:
        return ()
    found = [one.instead for one in result.failure.unmet if one.what == "heard" and one.instead]
    if not found:
        return ()
    private = Redactor(result.scenario.flow)
    for taken in result.taken:
        private.see(taken.step.snapshot)
        if isinstance(taken.step.event, Event):
            private.learn_of(taken.step.event)
    said = tuple(one if isinstance(one, int) else _as_yaml(private.text(one)) for one in found[0])
    return (Change(result.failure.position, said),)


def _as_yaml(text: str) -> str:
    """A text; where something private was in it a pattern, which takes anything there."""
    if not _DIGEST.search(text):
        return json.dumps(text, ensure_ascii=False)
    pattern = ".+".join(re.escape(piece).replace("\\ ", " ") for piece in _DIGEST.split(text))
    return f"{{pattern: {json.dumps(f'^{pattern}$', ensure_ascii=False)}}}"


def update(collect: Callable[[], list[File]], play: Callable[[Sequence[File]], Session]) -> None:
    """Writes what was heard, as often as more comes to light; tells of each file, and of what could not be written."""
    updated: dict[str, None] = {}
    told: list[str] = []
    for _ in range(ROUNDS):
        session = play(collect())
        changes: dict[str, dict[Position, set[tuple[int | str, ...]]]] = defaultdict(lambda: defaultdict(set))
        for one in session.played:
            for change in _changes(one):
                changes[change.position.file][change.position._replace(path="")].add(change.instead)
        told = []
        written = [file for file, places in changes.items() if file != STDIN and _write(file, places, told)]
        updated |= dict.fromkeys(written)
        if not written:
            break
    for line in (*(f"{file}: updated" for file in updated), *told):
        click.echo(printable(line), err=True)


def _changes(one: Played) -> Sequence[Change]:
    found: Sequence[Change] = one.seen.get(HEARD, ())
    return found


def _write(file: str, places: dict[Position, set[tuple[int | str, ...]]], told: list[str]) -> bool:
    """Whether something was; what could not be is told."""
    text, defect = read_text(file)
    root = None if defect is not None else parse(text, file)[0]
    edits = []
    for position, each in places.items():
        if len(each) > 1:
            told.append(f"{file}:{position.line}: several scenarios hear different words here: not updated")
            continue
        node = None if root is None else next(_expected(root, position), None)
        edits += [] if node is None else [_edit(text, node, next(iter(each)))]
    if not edits:
        return False
    new = text
    for begin, end, said in sorted(edits, reverse=True):
        new = new[:begin] + said + new[end:]
    if new == text:
        return False
    if parse(new, file)[1]:
        told.append(f"{file}: what was heard does not fit in its layout: not updated")
        return False
    try:
        Path(file).write_text(new, encoding="utf-8", newline="")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
    return True


def _expected(node: Node, position: Position) -> Iterator[Node]:
    """What is expected to be heard in the expectation that stands there."""
    if isinstance(node, Mapping):
        for key, value in node.entries.values():
            here = (position.line, position.column) in ((key.line, key.column), (value.line, value.column))
            if here and isinstance(value, Mapping) and HEARD in value.entries:
                yield value.entries[HEARD][1]
            yield from _expected(value, position)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from _expected(item, position)


def _edit(text: str, node: Node, instead: tuple[int | str, ...]) -> tuple[int, int, str]:
    """Where the text changes, and to what: a list item by item, in its own layout."""
    if not isinstance(node, SequenceNode):
        exactly = node.get("exactly") if isinstance(node, Mapping) and isinstance(instead[0], str) else None
        at = exactly if isinstance(exactly, Scalar) else node
        return *_span(text, at), str(instead[0])
    said = [_source(text, node.items[one]) if isinstance(one, int) else one for one in instead]
    begin, end = _span(text, node)
    if node.flow or not node.items or not said:
        return begin, end, f"[{', '.join(said)}]"
    indent = " " * (node.items[0].column - 1 - len("- "))
    return begin, end, f"\n{indent}".join(f"- {one}" for one in said)


def _source(text: str, node: Node) -> str:
    begin, end = _span(text, node)
    return text[begin:end]


def _span(text: str, node: Node) -> tuple[int, int]:
    """From its first letter to the last; a block of the parser goes on to where the next thing begins."""
    begin, line = node.start.index, node.ends()
    lines = text.splitlines(keepends=True)
    end = sum(map(len, lines[: line[0] - 1])) + line[1] - 1
    return begin, begin + len(text[begin:end].rstrip())
