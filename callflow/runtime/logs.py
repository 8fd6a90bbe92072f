"""What every line of the log says of the call that it comes from, and what none says of its people."""

from __future__ import annotations

import contextvars
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

LOGGED = ("room_sid", "job", "worker_id", "dispatch_id", "agent_name")
"""By which a call is found at LiveKit: made up there, or the program's own, and nothing of it private."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FORMATTER = logging.Formatter()
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def log_fields(call: str, flow: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a call's log lines: its id, its flow, and of `facts` (as for `call.<name>`) what may stand in a log."""
    return {"call": call, "flow": flow, **{name: facts[name] for name in LOGGED if facts.get(name)}}


class Told(Protocol):
    """What a line of the log is told of the call that it comes from."""

    @property
    def log_fields(self) -> Mapping[str, Any]: ...

    def hidden(self, text: str, *, name: bool = False) -> str: ...


current: contextvars.ContextVar[Told] = contextvars.ContextVar("callflow_call")
"""The call in whose context this code runs."""


class CallFields(logging.Filter):
    """Adds the fields of the call in which a line is logged, and hides the call's private values in the line, in what the line
    says beside, and in the exception that it tells of. What the line says by itself stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        call = current.get(None)
        if call is not None:
            hide_in(record, call.hidden)
            for name, value in call.log_fields.items():
                if not hasattr(record, name):
                    setattr(record, name, call.hidden(str(value), name=True))
        show_in(record)
        return True


def show_in(record: logging.LogRecord) -> None:
    """What others have brought into a line, a file's name or an error, is text there, and nothing that a terminal obeys."""
    said = record.getMessage()
    if _OBEYED.search(said):
        record.msg, record.args = visible(said), None
    if record.exc_info:
        told = record.exc_text or _FORMATTER.formatException(record.exc_info)
        if _OBEYED.search(told):
            record.exc_info, record.exc_text = None, visible(told)
    elif record.exc_text:
        record.exc_text = visible(record.exc_text)


def visible(text: str) -> str:
    """A text of one line or more, with what a terminal would obey written out."""
    return _OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """A text as one line of a log: what a caller said cannot look like a line of its own, nor steer a terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def hide_in(record: logging.LogRecord, hidden: Callable[[str], str]) -> None:
    """`hidden` makes a text one without private values."""
    if record.args:  # else it is a sentence of ours
        record.msg, record.args = hidden(record.getMessage()), None
    for name, value in vars(record).items():
        if name not in _STANDARD:
            setattr(record, name, _hidden_in(value, hidden))
    if record.exc_info:
        told = _FORMATTER.formatException(record.exc_info)
        shown = hidden(told)
        if shown != told:  # the exception itself would tell it again
            record.exc_info, record.exc_text = None, shown


def _hidden_in(value: Any, hidden: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, Mapping):
        return {_hidden_in(name, hidden): _hidden_in(item, hidden) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_hidden_in(item, hidden) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return hidden(str(value))
