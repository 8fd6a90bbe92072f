"""Reading a journal back, and taking the same call through the same flow again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from callflow.core.actions import verb_of
from callflow.core.events import DIGITS, EVENTS, LEG_EVENTS, NO_DATA, EffectEnded, Event, Input, TimerFired
from callflow.core.expressions import BOOLEAN, DURATION, INTEGER, NUMBER, PHONE, TEXT, ListOf, Type
from callflow.core.flow import Flow
from callflow.core.forwarding import every_answer
from callflow.core.snapshot import Snapshot, Start, Step
from callflow.core.statechart.descriptors import heard
from callflow.core.step import start, step
from callflow.core.turn import Verdicts
from callflow.errors import JournalError
from callflow.runtime.lines import VERSIONS, Lines
from callflow.runtime.redact import MARK, Redactor
from callflow.runtime.search import AROUND

_DIGEST = re.compile(MARK + "[0-9a-f]{16}")


@frozen
class Recorded:
    """A journal that was read: its first line, and the steps' lines in their order. `cut` says that the last line was
    not whole: the process was killed while it wrote."""

    path: Path
    head: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    cut: bool = False

    @property
    def redacted(self) -> bool:
        """Whether private values were replaced by digests."""
        return MARK in json.dumps((self.head, self.lines), ensure_ascii=False)


def read_journal(path: str | Path) -> Recorded:
    """Reads a journal. Raises JournalError, with the line, for one that is damaged anywhere but at its end."""
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None
    rows = raw.split(b"\n")
    whole, last = rows[:-1], rows[-1]
    lines: list[Mapping[str, Any]] = []
    for number, row in enumerate(whole, start=1):
        try:
            line = json.loads(row)
        except ValueError:
            raise JournalError(f"{path}:{number}: this line is no JSON") from None
        if not isinstance(line, dict):
            raise JournalError(f"{path}:{number}: this line is no JSON object")
        lines.append(line)
    if not lines or "journal" not in lines[0]:
        raise JournalError(f"{path}:1: this is no journal: its first line says nothing of the call")
    if lines[0]["journal"] not in VERSIONS:
        known = " and ".join(map(str, VERSIONS))
        raise JournalError(
            f"{path}:1: a journal of version {lines[0]['journal']}; this callflow reads versions {known}"
        )
    for number, line in enumerate(lines[1:]):
        if line.get("seq") != number:
            raise JournalError(f"{path}:{number + 2}: step {number} should stand here, not {line.get('seq')}")
    return Recorded(path, lines[0], tuple(lines[1:]), bool(last))


def replay(flow: Flow, recorded: Recorded) -> tuple[Step, ...]:
    """The steps of a recorded call, made again by this flow.

    Where private values are digests, values of the right type stand in for them, guards have the verdicts that were
    recorded, and an expression fails where it did then. Raises JournalError at the first step that comes out differently,
    with the line and both versions.
    """
    return tuple(replaying(flow, recorded))


def replaying(flow: Flow, recorded: Recorded) -> Iterator[Step]:
    """As `replay`, one step at a time."""
    if recorded.head["flow"] != flow.name:
        raise JournalError(f"{recorded.path}:1: this is a call of the flow {recorded.head['flow']}, not of {flow.name}")
    inputs = _Inputs(flow)
    lines = Lines(flow, _Clear(flow))
    snapshot: Snapshot | None = None
    redacted, tells = recorded.redacted, recorded.head.get("tells", ())
    unlike = {"seconds", "verb"} if "broke" in tells else {"seconds", "verb", "broke"}
    old = recorded.head["journal"] == 1
    if old:
        unlike.add("forward")
        flow = evolve(flow, reconnect_grace=None)
    for number, line in enumerate(recorded.lines, start=2):
        given = _given(line, tells) if redacted else None
        if snapshot is None:
            done = _start(flow, recorded.head, given)
        else:
            done = step(flow, snapshot, inputs.read(line, snapshot), recorded=given)
        made = json.loads(json.dumps(lines.line(done), default=str))
        for key in (*line, *(key for key in made if key not in line)):
            if key not in unlike and not _same(
                _comparable(key, line.get(key), old), _comparable(key, made.get(key), old)
            ):
                raise JournalError(
                    f"{recorded.path}:{number}: `{key}` comes out differently: recorded was {line.get(key)!r}, "
                    f"and this flow makes {made.get(key)!r}"
                )
        for effect in done.effects:
            if isinstance(effect, Start):
                inputs.started[effect.id] = effect
        snapshot = done.snapshot
        yield done


def _given(line: Mapping[str, Any], tells: Sequence[str]) -> Verdicts:
    """What hangs on values that are digests here, as it was when they were not. An older journal has the guards alone."""
    broken = {int(attempt): str(error) for attempt, error in line.get("broke", ())} if "broke" in tells else None
    return Verdicts([holds for _, holds in line.get("guards", ())], broken)


def _start(flow: Flow, head: Mapping[str, Any], given: Verdicts | None) -> Step:
    variables = flow.scopes[""].variables
    values = {
        name: stand_in(variables[name].type, value) if name in variables else value
        for name, value in head["vars"].items()
    }
    return start(
        flow, values, time=head["time"], env=head["env"], call=head["facts"], waiting=head["waiting"], recorded=given
    )


def _comparable(key: str, value: Any, old: bool) -> Any:
    """Without places in the file, which move when a comment is written, and what only an evaluated guard notes. Of an `old`
    journal without what was decided beside the step."""
    if key == "notes" and value:
        notes = [note for note in value if note.get("kind") != "guard_error"]
        if old:
            notes = [{name: told for name, told in note.items() if name != "reply"} for note in notes]
        return notes or None
    if key in ("moves", "start") and value:
        return [{name: item for name, item in one.items() if name not in ("rows", "at")} for one in value]
    return value


def _same(recorded: Any, made: Any) -> bool:
    """Whether two values are equal, where a digest stands for any value."""
    if isinstance(recorded, str) and _DIGEST.fullmatch(recorded):
        return True
    if isinstance(recorded, str) and MARK in recorded and made is None:
        return True  # a digest in it has the wrong form for what the flow makes of it
    if isinstance(recorded, str) and MARK in recorded and not isinstance(made, (dict, list)):
        parts = [AROUND.sub("", part) for part in _DIGEST.split(recorded)]
        text = AROUND.sub("", made if isinstance(made, str) else str(made))
        return re.fullmatch("(?s:.*)".join(map(re.escape, parts)), text) is not None
    if isinstance(recorded, dict) and isinstance(made, dict):
        return recorded.keys() == made.keys() and all(_same(value, made[name]) for name, value in recorded.items())
    if isinstance(recorded, list) and isinstance(made, list):
        return len(recorded) == len(made) and all(map(_same, recorded, made))
    return bool(recorded == made)


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


class _Inputs:
    """A journal's lines as inputs again, with values of the right type for digests."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.started: dict[int, Start] = {}
        named = {name[name.find("dtmf.") :] for name in heard(flow.states) | every_answer(flow)}
        self.keys: list[str] = [digit for digit in DIGITS if f"dtmf.{digit}" not in named] or [DIGITS[0]]

    def read(self, line: Mapping[str, Any], before: Snapshot) -> Input:
        time = line["time"]
        if "timer" in line:
            return TimerFired(line["timer"], time)
        if "ended" in line:
            types = self._result_types(line)
            return EffectEnded(
                line["ended"], line["status"], self._data(line.get("result"), types), line.get("error"), time
            )
        name = _DIGEST.sub(lambda _: self._key(line, before), line["event"])
        data = self._data(line.get("data"), self._event_types(name))
        offered_in = line.get("offered_in")
        where = None if offered_in is None else tuple(map(str, offered_in))
        return Event(name, data, time, line.get("effect"), line.get("state"), line.get("id"), where)

    def _key(self, line: Mapping[str, Any], before: Snapshot) -> str:
        """A key was hidden because the flow does not name it; any other such key takes the same way, but for one that ends an input."""
        needless = before.memory.needless
        if needless is None:
            return self.keys[0]
        end: str = needless.key.removeprefix("dtmf.")
        if any(note.get("kind") == "needless" for note in line.get("notes", ())):
            return end
        return next((key for key in self.keys if key != end), self.keys[0])

    def _data(self, data: Mapping[str, Any] | None, types: Mapping[str, Type]) -> Mapping[str, Any]:
        if not data:
            return NO_DATA
        return {name: stand_in(types[name], value) if name in types else value for name, value in data.items()}

    def _event_types(self, name: str) -> Mapping[str, Type]:
        entry = EVENTS.get(name) or (LEG_EVENTS.get(name.split(".", 2)[-1]) if name.startswith("leg.") else None)
        if entry is not None:
            return entry.fields
        tool = self.flow.tools.get(name[5:]) if name.startswith("tool.") else None
        fields = self.flow.events.get(name, {}) if tool is None else tool.parameters
        return {name: one.type for name, one in fields.items()}

    def _result_types(self, line: Mapping[str, Any]) -> Mapping[str, Type]:
        effect = self.started.get(line["ended"])
        if effect is None:
            return {}
        verb = verb_of(effect.verb)
        if "function" in verb.roles:
            declared = self.flow.python.get(str(verb.given("function", effect.arguments)))
            return {} if declared is None else {name: one.type for name, one in declared.returns.items()}
        return {name: kind for event in verb.results for name, kind in EVENTS[event].fields.items()} | dict(verb.result)


def stand_in(kind: Type, value: Any) -> Any:
    """A value of this type for a digest, the same one for the same digest; anything else as it is."""
    if isinstance(kind, ListOf) and isinstance(value, list):
        return [stand_in(kind.item, item) for item in value]
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        return value
    number = int(value.removeprefix(MARK), 16)
    if kind == PHONE:
        return f"+999{number % 10**11:011d}"
    if kind == BOOLEAN:
        return False
    if kind in (INTEGER, NUMBER):
        return number % 10**12
    if kind == DURATION:
        return float(number % 3600)
    if kind == TEXT:
        return f"{number % 10**12:012d}"  # keys, say, of which the flow makes a number
    return value
