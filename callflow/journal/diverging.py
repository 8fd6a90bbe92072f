"""Where a recorded call goes another way on a flow of today: the first difference, as a story with both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from callflow.core.flow import Flow
from callflow.journal.account import came, happened
from callflow.journal.comparing import Compared, Difference
from callflow.journal.given import Unknown
from callflow.journal.onward import Onward, onward
from callflow.journal.reading import Line, Reading
from callflow.journal.replaying import OVERTAKES, Again, Replayed
from callflow.journal.telling import as_recorded
from callflow.scenario import tell_steps

LEAD = 6
"""Lines of the story before a difference that are told."""


class Change(NamedTuple):
    """What is different: the state in which, the event on which, what it is (`way`, `effects`, `words`, `notes`), and both sides in
    short, which are the same for all calls that are different in this."""

    state: str
    on: str
    what: str
    was: str
    now: str


class Verdict(NamedTuple):
    """What became of one journal. `line` is where it is different, `seconds` after the call's start; `lead` the story until then;
    `recorded` and `made` what came of `happened`, a phrase each; `onward` how the call goes on."""

    file: str
    result: Literal["same", "differs", "unknown", "unreadable"]
    steps: int = 0
    why: str = ""
    line: int = 0
    seconds: float = 0.0
    lead: tuple[str, ...] = ()
    happened: str = ""
    recorded: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    change: Change | None = None
    remark: str = ""
    onward: Onward | None = None


def judge(flow: Flow, reading: Reading) -> Verdict:
    """Whether a call comes out the same. Raises JournalError."""
    done: list[Replayed] = []
    again = Again(flow, reading)
    try:
        for one in again.follow():
            if one.difference is not None:
                return _differs(again, reading, done, one, one.difference)
            done.append(one)
    except Unknown as why:
        return Verdict(str(reading.path), "unknown", len(done), str(why), line=len(done) + 2)
    remark = "its last line is cut short" if reading.cut else ""
    return Verdict(str(reading.path), "same", len(done), remark=remark)


def _differs(again: Again, reading: Reading, done: list[Replayed], one: Replayed, difference: Difference) -> Verdict:
    flow = again.flow
    made = Compared.made(flow, one.step)
    lead = tell_steps(flow, [as_recorded(each) for each in done]) if done else []
    before = done[-1].step.snapshot.configuration if done else ()
    state, time = ", ".join(before), one.line["time"]
    what, recorded = happened(one.line), tuple(_side(one.line))
    if difference.key == OVERTAKES and one.step.event is not None:
        time, what, recorded = one.step.event.time, "a timer comes due", ("nothing comes due",)
        change = Change(state, _on(made), "way", "nothing comes due", _way(made))
    else:
        change = _change(state, one.line, made, difference)
    return Verdict(
        str(reading.path),
        "differs",
        len(done) + 1,
        line=one.number,
        seconds=time - reading.head["time"],
        lead=tuple(lead[-LEAD:]),
        happened=what,
        recorded=recorded,
        made=tuple(_side(made)),
        change=change,
        onward=onward(again, [each.step for each in done], one, iter(reading.lines)),
    )


def _side(line: Line) -> Iterator[str]:
    yield from came(line)
    yield f"in {', '.join(line['states']) or 'no state'}"


def _change(state: str, line: Line, made: Line, difference: Difference) -> Change:
    on = (
        _on(line)
        or _on(made)
        or line.get("event")
        or (f"the end of {line.get('verb')}" if "ended" in line else "a timer")
    )
    key = difference.key
    if key in ("moves", "states", "phase"):
        return Change(state, on, "way", _way(line), _way(made))
    if key in ("start", "cancel", "forward"):
        was, now = _verbs(line), _verbs(made)
        if was != now:
            return Change(state, on, "effects", was or "nothing", now or "nothing")
        return Change(state, on, "words", *_arguments(line, made))
    was, now = _notes(line, key), _notes(made, key)
    return Change(state, on, key, was or "nothing", now or "nothing")


def _on(line: Line) -> str:
    return next((str(move["on"]) for move in line.get("moves", ()) if move["on"]), "")


def _way(line: Line) -> str:
    """Where a step has led, by which rows."""
    rows = [row for move in line.get("moves", ()) for row in move.get("rows", ())]
    entered = [state for move in line.get("moves", ()) for state in move.get("entered", ())]
    way = (
        f"to {entered[-1]}" if entered else f"stays in {', '.join(line['states'])}" if line["states"] else "to no state"
    )
    return f"{way} ({', '.join(rows)})" if rows else way


def _verbs(line: Line) -> str:
    begun = [f"{start['verb']}" for start in line.get("start", ())]
    return ", ".join([*begun, *(["a cancelling"] if line.get("cancel") else [])])


def _arguments(line: Line, made: Line) -> tuple[str, str]:
    """The first effect that is given something else: its verb, where it is written, and what of it."""
    for was, now in zip(line.get("start", ()), made.get("start", ()), strict=True):
        for name in {**was["arguments"], **now["arguments"]}:
            before, after = was["arguments"].get(name), now["arguments"].get(name)
            if str(before) != str(after):
                return f"{was['verb']}.{name} of {was.get('at', '?')}", f"{now['verb']}.{name} of {now.get('at', '?')}"
        if was.get("timeout") != now.get("timeout"):
            return f"{was['verb']} within {was.get('timeout')} s", f"{now['verb']} within {now.get('timeout')} s"
    return "the same", "the same"


def _notes(line: Line, key: str) -> str:
    if key != "notes":
        return str(line.get(key, ""))
    return ", ".join(_noted(note) for note in line.get("notes", ()) if note["kind"] not in ("guard_error", "own"))


def _noted(note: Mapping[str, Any]) -> str:
    return f"{note['kind']} {note['name']}" if "name" in note else str(note["kind"])
