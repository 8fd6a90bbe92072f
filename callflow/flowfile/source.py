"""The text of a flow file: read with care, since a path may lead to anything."""

from __future__ import annotations

import os
import stat
import sys
from itertools import islice

from callflow.core.suggest import closest
from callflow.errors import Defect

MAX_BYTES = 1_000_000
STDIN = "-"
SCENARIOS = ".scenario.yaml"
"""How the names of files end that hold no flow, but scenarios of one."""


def read_text(path: str | os.PathLike[str]) -> tuple[str, Defect | None]:
    """The text at `path` (`-`: standard input), or the defect that keeps it from being read.

    Reads regular files only, and never more than `MAX_BYTES`: a device or a named pipe could keep it waiting for ever.
    """
    name = os.fspath(path)
    if name == STDIN:
        if sys.stdin is None:
            return "", Defect("unreadable-file", "standard input is closed", "<stdin>", 1, 1, 1, 1)
        return decode(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>")
    try:
        data = _read_regular(name)
    except _Unreadable as refusal:
        return "", Defect(refusal.code, refusal.message, name, 1, 1, 1, 1, hint=refusal.hint)
    except FileNotFoundError:
        return "", Defect("no-such-file", "there is no such file", name, 1, 1, 1, 1, hint=_similar(name))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return "", Defect("unreadable-file", f"the file cannot be read: {reason}", name, 1, 1, 1, 1)
    return decode(data, name)


def decode(data: bytes, name: str) -> tuple[str, Defect | None]:
    """The text that `data` encodes in UTF-8, with or without a byte order mark."""
    if len(data) > MAX_BYTES:
        return "", too_large(name)
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    hint = "save the file with the encoding UTF-8"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:64].count(0) > len(data[:64]) // 4:
        message = "the file is encoded in UTF-16 or UTF-32, not in UTF-8"
        return "", Defect("not-utf8", message, name, 1, 1, 1, 2, hint=hint)
    try:
        return data.decode(), None
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        message = f"byte {error.start} of the file (0x{data[error.start]:02x}) is not UTF-8"
        return "", Defect("not-utf8", message, name, line, column, line, column + 1, hint=hint)


class _Unreadable(Exception):
    def __init__(self, code: str, message: str, hint: str = "") -> None:
        self.code, self.message, self.hint = code, message, hint


def _read_regular(name: str) -> bytes:
    _demand_regular(os.stat(name or os.curdir), name)  # noqa: PTH116 - a path object would take as long as the rest
    # Between the look and the opening somebody may have put a pipe there: O_NONBLOCK keeps even that from hanging.
    descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        _demand_regular(os.fstat(descriptor), name)
        return file.read(MAX_BYTES + 1)


def _demand_regular(found: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise _Unreadable("not-a-file", "this is a directory, not a flow file", "name a file inside it")
    if not stat.S_ISREG(found.st_mode):
        raise _Unreadable("not-a-file", "this is not a regular file", "a flow is read from a regular file, or from `-`")
    if found.st_size > MAX_BYTES:
        defect = too_large(name, found.st_size)
        raise _Unreadable(defect.code, defect.message, defect.hint)


def too_large(name: str, size: int | None = None) -> Defect:
    has = f"has {size:,} bytes" if size is not None else "is longer than that"
    message = f"a flow file has at most {MAX_BYTES:,} bytes; this one {has}"
    return Defect("file-too-large", message, name, 1, 1, 1, 1, hint="split it into sub-flows (`use:`)")


def _similar(name: str) -> str:
    from pathlib import Path

    path = Path(name)
    try:
        beside = [entry.name for entry in islice(path.parent.iterdir(), 1000)]
    except (OSError, ValueError):
        return ""
    near = closest(path.name, beside)
    return f"did you mean {path.parent / near[0]}?" if near else ""
