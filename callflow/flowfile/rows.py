"""What events, timers and guards do: nodes -> `Row`s, `TimerRow`s and `Transition`s."""

from __future__ import annotations

import re
from typing import Literal

from callflow.core.durations import parse_duration
from callflow.core.expressions import (
    ANY,
    BOOLEAN,
    INTEGER,
    NUMBER,
    TEXT,
    ExpressionError,
    OneOf,
    Record,
    Type,
    compile_template,
)
from callflow.core.expressions.types import common
from callflow.core.flow import ROOT, Action, Position, Row, TimerRow, Transition
from callflow.core.statechart.structure import within
from callflow.flowfile import keys
from callflow.flowfile.actions import action_list
from callflow.flowfile.nodes import Mapping as MappingNode
from callflow.flowfile.nodes import Node, Scalar, Sequence, shorten
from callflow.flowfile.outline import Draft, crosses_regions, find, missing_target
from callflow.flowfile.part import ALWAYS_THERE, TIMER, Mention, Part
from callflow.flowfile.report import is_name, is_nothing, join

Level = Literal["own", "inner"]


class RowReader:
    """Reads the rows of one state; `part` is the file in which they stand, which for the top of a sub-flow is another
    than the state's own. `redirect` is where the standard rows lead, whatever they say."""

    def __init__(self, draft: Draft, part: Part, redirect: str | None = None) -> None:
        self.draft = draft
        self.part = part
        self.level: Level = "inner" if draft.inside is part else "own"
        self.supplied = redirect is not None
        self.redirect = redirect

    def events(self, node: Node | None, where: str) -> list[Row]:
        """The rows under `on:`."""
        part, rows = self.part, []
        hint = f"write `on: {{{shorten(node.text)}: …}}`" if isinstance(node, Scalar) and node.text else ""
        mapping = part.mapping(node, where, "`on`", hint)
        for pattern, (key, value) in mapping.entries.items() if mapping else ():
            if pattern.startswith("x-"):
                continue
            path = join(where, pattern)
            if self._without_colon(mapping, key, value, path, "unknown-event"):
                continue
            payload = done_payload(self.draft) if pattern == "done" else part.payload(pattern, key, path)
            if payload is None:
                payload = UNKNOWN
            if pattern == "done" and self._done_at_top():
                message = "the top level is never done, so that `done` has nobody to tell"
                part.defect("done-at-top-level", message, key, path, "put the row into the state that is done")
            position = part.position(key, path)
            moves = self.transitions(value, path, payload, key, position)
            rows.append(Row(pattern, moves, position, level=self.level))
        return rows

    def _without_colon(self, around: MappingNode | None, key: Scalar, value: Node, path: str, code: str) -> bool:
        """Whether `{25s talking}` stands for `{25s: talking}`; a defect if so."""
        alone = around is not None and around.flow and is_nothing(value) and value.start.index == value.end.index
        first, rest = _apart(key.text) if alone and key.plain else ("", "")
        if not rest:
            return False
        message = f"`: ` is missing between `{shorten(first)}` and `{shorten(rest)}`"
        self.part.defect(code, message, key, path, f"write `{shorten(first)}: {shorten(rest)}`")
        return True

    def _done_at_top(self) -> bool:
        return self.draft.path == ROOT or self.level == "inner"

    def ignored(self, node: Node | None, where: str, on: MappingNode | None) -> list[Row]:
        """The rows under `ignore:`."""
        part, rows = self.part, []
        for number, (pattern, item) in enumerate(part.words(node, where, "`ignore`")):
            path = f"{where}[{number}]"
            if isinstance(item, Scalar):
                part.payload(pattern, item, path)
            if on is not None and pattern in on.entries:
                line = on.entries[pattern][0].line
                message = f"`{shorten(pattern)}` ties with the row under `on` in line {line}: neither is longer"
                part.defect("tie", message, item, path, "keep one of the two")
            rows.append(Row(pattern, (), part.position(item, path), ignore=True, level=self.level))
        return rows

    def timers(
        self, kind: Literal["after", "every", "silence"], node: Node | None, where: str, first: int
    ) -> list[TimerRow]:
        """The rows under `after:`, `every:` or `silence:`, each with a duration as its key."""
        part = self.part
        rows: list[TimerRow] = []
        if isinstance(node, (Scalar, Sequence)) and not is_nothing(node):
            number = isinstance(node, Scalar) and isinstance(node.value, (int, float))
            time, target = _time_and_target(node)
            hint = f"write `{kind}: {{{shorten(time)}{'s' if number else ''}: {shorten(target)}}}`"
            part.defect(
                "bad-duration" if number else "wrong-kind",
                f"`{kind}` takes rows: a duration and what happens then",
                node,
                where,
                hint,
            )
            return rows
        mapping = part.mapping(node, where, f"`{kind}`")
        for text, (key, value) in mapping.entries.items() if mapping else ():
            if text.startswith("x-"):
                continue
            path = join(where, text)
            if self._without_colon(mapping, key, value, path, "bad-duration"):
                continue
            if isinstance(value, Scalar) and is_duration(value.value) and not is_duration(key.value):
                message = f"`{kind}`: the time stands before the state"
                part.defect("bad-duration", message, key, path, f"write `{shorten(value.text)}: {shorten(text)}`")
                continue
            seconds = part.duration(key, path, f"`{kind}`")
            if seconds is not None and seconds <= 0:
                part.defect(
                    "bad-duration", f"`{kind}` counts longer than {text}", key, path, "for at once there is `always`"
                )
            position = part.position(key, path)
            moves = self.transitions(value, path, TIMER, key, position)
            rows.append(TimerRow(kind, seconds or 1.0, moves, position, first + len(rows), text, self.level))
        return rows

    def always(self, node: Node | None, where: str) -> tuple[Transition, ...]:
        if node is None:
            return ()
        moves = self.transitions(node, where, None, node, self.part.position(node, where))
        items = node.items if isinstance(node, Sequence) else [node]
        read = [
            item
            for item in items
            if isinstance(item, MappingNode) or (isinstance(item, Scalar) and item.value is not None)
        ]
        for item, move in zip(read, moves, strict=True):
            if isinstance(item, MappingNode) and "do" in item.entries and not {"target", "when"} & item.entries.keys():
                self.part.loading.staying[move.id] = Mention("", self.part, item, where)
        return moves

    # -- transitions

    def transitions(
        self, node: Node, path: str, payload: Record | None, key: Node, position: Position
    ) -> tuple[Transition, ...]:
        """A target, `{target, when, do, …}`, or a list of those. `position` is that of the row whose only one it is."""
        if not isinstance(node, Sequence):
            move = self._transition(node, path, payload, key, position)
            return () if move is None else (move,)
        found: list[Transition] = []
        if not node.items:
            self._empty(node, path)
        always = ""
        for number, item in enumerate(node.items):
            place = f"{path}[{number}]"
            if always:
                message = f"the row before this one ({always}) is always taken, so that this one never has its turn"
                self.part.defect("never-reached", message, item, place, "give that one a `when`, or put it last")
                always = ""
            if isinstance(item, Sequence):
                self.part.wrong_kind(
                    item, place, "a row is a target, or keys with values", "take one pair of brackets away"
                )
                continue
            move = self._transition(item, place, payload, item, self.part.position(item, place))
            if move is not None:
                found.append(move)
                if move.guard is None and not (isinstance(item, MappingNode) and "when" in item.entries):
                    always = f"line {item.line}"
        return tuple(found)

    def _empty(self, node: Node, path: str) -> None:
        hint = "write the state to go to; to do nothing about an event, list it under `ignore`"
        self.part.defect("empty-row", "this row does nothing", node, path, hint)

    def _transition(  # noqa: C901 - one branch a key
        self, node: Node, path: str, payload: Record | None, key: Node, position: Position
    ) -> Transition | None:
        part, draft = self.part, self.draft
        transitions = part.loading.transitions
        if isinstance(node, Scalar):
            if node.value is None:
                self._empty(key, path)
                return None
            target = self._target(node, path)
            return self._add(Transition(
                len(transitions), draft.path, target, None, (), False, position, "", self.level, part.scope,
                self.supplied,
            ))  # fmt: skip
        if not isinstance(node, MappingNode):
            part.wrong_kind(node, path, "a row is a target, or keys with values")
            return None
        part.unknown_keys(node, path, keys.TRANSITION, keys.TRANSITION, "a row")
        entries = node.entries
        names = part.names(payload)
        target = guard = None
        reenter: bool | None = False
        description = ""
        actions: tuple[Action, ...] = ()
        for name, (name_key, value) in entries.items():
            if name == "target":
                target = None if is_nothing(value) else self._target(value, join(path, "target"))
            elif name == "do":
                actions = action_list(part, value, join(path, "do"), names, "`do`")
                if is_nothing(value) or (isinstance(value, Sequence) and not value.items):
                    hint = (
                        "take it out" if "target" in entries else "to do nothing about an event, list it under `ignore`"
                    )
                    part.defect("empty-row", "`do` holds no action", name_key, join(path, "do"), hint)
            elif name == "when":
                guard = part.guard(value, names, join(path, "when"))
            elif name == "reenter":
                reenter = part.boolean(value, join(path, "reenter"), "`reenter`")
                if reenter and "target" not in entries:
                    hint = f"write `target: {draft.name}` to leave and enter the state itself"
                    part.defect("missing-key", "`reenter` goes with a `target`", name_key, join(path, "reenter"), hint)
            elif name == "description":
                description = part.text(value, join(path, "description"), "`description`") or ""
        if not ({"target", "do", "when"} & entries.keys()) and keys.TRANSITION.keys() >= entries.keys():
            self._empty(key if not entries else node, path)
        return self._add(Transition(
            len(transitions), draft.path, target, guard, actions, bool(reenter), position, description,
            self.level, part.scope, self.supplied,
        ))  # fmt: skip

    def _add(self, move: Transition) -> Transition:
        self.part.loading.transitions.append(move)
        return move

    def _target(self, node: Node, path: str) -> str | None:
        part = self.part
        if self.redirect is not None:
            return self.redirect
        if isinstance(node, Scalar) and isinstance(node.value, str):
            written = node.value
        else:
            if not (isinstance(node, Scalar) and part.lost(node.text)):
                part.text(node, path, "a target")
            return None
        target = find(self.draft, part, written)
        if target is None and part.lost(written):
            return None
        if target is None:
            hint = missing_target(self.draft, part, written)
            part.defect("unknown-target", f"there is no state `{shorten(written)}`", node, path, hint)
            return None
        if not within(target.path, self.draft.path):
            crossed = crosses_regions(self.draft, target)
            if crossed is not None:
                message = f"`{shorten(written)}` stands in another region of the parallel state `{crossed.name}`"
                # A row of the parallel state itself would leave and enter all its regions: their timers would begin anew.
                region = next(one for one in (target, *target.around()) if one.parent is crossed)
                hint = (
                    f"`emit: app.…` here, and let a row in `{region.name}` wait for it and lead to `{shorten(written)}`"
                )
                part.defect("crosses-regions", message, node, path, hint)
        return target.path


UNKNOWN = Record(dict(ALWAYS_THERE), open=True, kind="an event that is not known")
"""What a row on a misspelt event may read: anything, so that one slip is one defect."""


def _apart(text: str) -> tuple[str, str]:
    """`25s talking`, `25s:talking` or `25s, talking` as its two words; the second is empty where there are not two."""
    found = re.fullmatch(r"([^\s:,]+)(?:\s*[:,]\s*|\s+)([\w.-]+)", text)
    return (found[1], found[2]) if found else (text, "")


def is_duration(value: object) -> bool:
    try:
        return parse_duration(value) > 0
    except ValueError:
        return False


def _time_and_target(node: Node) -> tuple[str, str]:
    """The first duration and the first target of rows that were written in another form."""
    words = node.items if isinstance(node, Sequence) else [node]
    if words and isinstance(words[0], MappingNode):
        return next(iter(words[0].entries), "12s"), "{target: …}"
    texts = [one for one in words if isinstance(one, Scalar)]
    if len(texts) == 1 and _apart(texts[0].text)[1]:
        return _apart(texts[0].text)
    time = next((one.text for one in texts if is_duration(one.value) or isinstance(one.value, (int, float))), "12s")
    return time, next((one.text for one in texts if one.text != time and is_name(one.text, dashes=True)), "{target: …}")


def done_payload(draft: Draft) -> Record:
    """What `done` of a state carries: with an inside, the names of its final states, and what they return."""
    if draft.inside is None and "flow" in draft.node.entries:  # a file that could not be read
        return Record({"final": TEXT, "returns": Record({}, open=True), **ALWAYS_THERE}, kind="done")
    finals = [child for child in draft.children.values() if child.kind == "final"]
    if not finals or draft.kind == "parallel":
        return Record(dict(ALWAYS_THERE), kind="done")
    fields: dict[str, Type] = {"final": OneOf(*(child.name for child in finals))}
    if draft.inside is not None:
        returned: dict[str, Type] = {}
        for child in finals:
            node = child.node.get("returns")
            for name, (_, value) in node.entries.items() if isinstance(node, MappingNode) else ():
                found = _type_of(child.part, value)
                returned[name] = common(returned.setdefault(name, found), found) or ANY
        fields["returns"] = Record(returned, kind="returns")
    return Record({**fields, **ALWAYS_THERE}, kind="done")


def _type_of(part: Part, node: Node) -> Type:
    """The type of what is returned; ANY where it is not clear, or wrong (which is said where it stands)."""
    if not isinstance(node, Scalar):
        return ANY
    if isinstance(node.value, str):
        try:
            return compile_template(node.value, part.plain).type
        except ExpressionError:
            return ANY
    return {bool: BOOLEAN, int: INTEGER, float: NUMBER}.get(type(node.value), ANY)
