"""What came of a step beside what its journal has of it. Places in files are not compared, which move when a comment is written,
nor numbers of rows, where the text of the flow is another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from callflow.core.flow import Flow
from callflow.core.snapshot import Cancel, Forward, Microstep, Note, Start, Step
from callflow.journal.inputs import DIGEST
from callflow.runtime.lines import Lines
from callflow.runtime.redact import MARK, Redactor
from callflow.runtime.search import AROUND

_JSON = (str, int, float, dict, list, tuple, type(None))


class Difference(NamedTuple):
    """What came out differently: a key of the line, and its value there and of this flow's step; None where there is none."""

    key: str
    recorded: Any
    made: Any


class Compared:
    """Compares the steps of one flow with the lines of a journal that begins with `head`."""

    def __init__(self, flow: Flow, head: Mapping[str, Any]) -> None:
        self._flow = flow
        self._same_text = flow.digest == head["digest"]
        self._old = head["journal"] == 1
        self._tells_broken = "broke" in head.get("tells", ())

    def difference(self, line: Mapping[str, Any], step: Step) -> Difference | None:
        """The first difference between a line and the step that was made of it."""
        key = next(self._different(line, step), None)
        if key is None:
            return None
        return Difference(key, line.get(key), self.made(self._flow, step).get(key))

    @staticmethod
    def made(flow: Flow, step: Step) -> dict[str, Any]:
        """What came of a step, as a line has it."""
        return Lines(flow, _Clear(flow)).came(step)

    def _different(self, line: Mapping[str, Any], step: Step) -> Iterator[str]:
        """The keys of the line that differ."""
        if not self._moved(line.get("moves", ()), step.moves):
            yield "moves"
        if step.effects or "start" in line or "cancel" in line or "forward" in line:
            yield from self._effects(line, step)
        if line["states"] != [*step.snapshot.configuration]:
            yield "states"
        if line.get("phase", "running") != step.snapshot.memory.phase:
            yield "phase"
        if step.notes or "notes" in line or "guards" in line or "broke" in line:
            yield from self._noted(line, step.notes)

    def _effects(self, line: Mapping[str, Any], step: Step) -> Iterator[str]:
        if not _started(line.get("start", ()), [one for one in step.effects if isinstance(one, Start)]):
            yield "start"
        if line.get("cancel", []) != [one.id for one in step.effects if isinstance(one, Cancel)]:
            yield "cancel"
        if not self._old and line.get("forward", []) != [one.id for one in step.effects if isinstance(one, Forward)]:
            yield "forward"

    def _moved(self, recorded: Sequence[Mapping[str, Any]], made: Sequence[Microstep]) -> bool:
        if len(recorded) != len(made):
            return False
        for line, move in zip(recorded, made, strict=True):
            if line.get("exited", []) != [*move.exited] or line.get("entered", []) != [*move.entered]:
                return False
            if not same(line["on"], move.trigger):
                return False
            if self._same_text and line.get("ids", []) != [*move.transitions]:
                return False
        return True

    def _noted(self, line: Mapping[str, Any], notes: Sequence[Note]) -> Iterator[str]:
        guards, broke, others = list[list[Any]](), list[list[Any]](), list[Mapping[str, Any]]()
        for kind, data in notes:
            if kind == "guard":
                guards.append([data["transition"], data["holds"]])
            elif kind == "broke":
                broke.append([data["attempt"], data["error"]])
            elif kind != "guard_error":  # which only an evaluated guard notes
                others.append({"kind": kind, **data})
        if self._same_text and line.get("guards", []) != guards:
            yield "guards"
        if self._tells_broken and not same(line.get("broke", []), broke):
            yield "broke"
        recorded = line.get("notes", [])
        if recorded != others and not same(self._comparable(recorded), self._comparable(others)):
            yield "notes"

    def _comparable(self, notes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The numbers of rows are compared only where they are the same; what was decided beside the step not in an old journal."""
        unlike = {"reply"} if self._old else set()
        if not self._same_text:
            unlike.add("transition")
        kept = [one for one in notes if one["kind"] != "guard_error"]
        return [{name: value for name, value in one.items() if name not in unlike} for one in kept] if unlike else kept


def _started(recorded: Sequence[Mapping[str, Any]], made: Sequence[Start]) -> bool:
    if len(recorded) != len(made):
        return False
    for line, start in zip(recorded, made, strict=True):
        if line["id"] != start.id or line["verb"] != start.verb:
            return False
        if line.get("timeout") != start.timeout or line.get("tries", 1) != start.tries:
            return False
        if line["arguments"] != start.arguments and not same(line["arguments"], start.arguments):
            return False
    return True


def same(recorded: Any, made: Any) -> bool:
    """Whether a value of a line is what was made now, where a digest stands for any value."""
    if isinstance(recorded, str):
        return _same_text(recorded, made)
    if isinstance(recorded, dict):
        return (
            isinstance(made, Mapping)
            and len(recorded) == len(made)
            and all(name in recorded and same(recorded[name], made[name]) for name in made)
        ) or (isinstance(made, Mapping) and _same_names(recorded, made))
    if isinstance(recorded, list):
        if isinstance(made, (set, frozenset)):
            made = sorted(map(str, made))
        return isinstance(made, (list, tuple)) and len(recorded) == len(made) and all(map(same, recorded, made))
    return bool(recorded == made) or (recorded != recorded and made != made)


def _same_names(recorded: Mapping[str, Any], made: Mapping[Any, Any]) -> bool:
    """Names that are texts in a line, and may be digests there."""
    if len(recorded) != len(made):
        return False
    pairs = zip(recorded.items(), made.items(), strict=True)
    return all(same(name, str(other)) and same(value, one) for (name, value), (other, one) in pairs)


def _same_text(recorded: str, made: Any) -> bool:
    if MARK not in recorded:
        return recorded == made or (not isinstance(made, _JSON) and recorded == str(made))
    if (
        DIGEST.fullmatch(recorded) or made is None
    ):  # a digest in it may have the wrong form for what the flow makes of it
        return True
    if isinstance(made, (dict, list)):
        return False
    parts = [AROUND.sub("", part) for part in DIGEST.split(recorded)]
    text = AROUND.sub("", made if isinstance(made, str) else str(made))
    return re.fullmatch("(?s:.*)".join(map(re.escape, parts)), text) is not None


class _Clear(Redactor):
    """Hides nothing: what is replayed was redacted when it was recorded."""

    __slots__ = ()

    def learn(self, value: Any) -> None:
        pass

    def searched(self, text: str) -> str:
        return text

    def hide(self, value: Any, *, learn: bool = True) -> Any:
        return value

    def hide_whole(self, value: Any) -> Any:
        return value

    def digest(self, value: Any) -> str:
        return str(value)
