"""What proofs came to, kept in the user's cache: what was proved once is not explored again.

An entry is named by a digest of all that its answer depends on: the texts of a flow and of its sub-flows, and the sources of
callflow. It is JSON under a checksum; files are numbers in it, so that it holds wherever the flow lies. Whoever may write in the
cache may write anything there: an entry is data, and one that is not as it should be is none.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import callflow
from callflow.core.flow import Flow
from callflow.errors import Defect
from callflow.flowfile.source import MAX_BYTES, read_text
from callflow.proof.proved import Proved, Told

MOST = 1_000
"""Entries that are kept, those that were used last."""

MADE_BY = ("core", "flowfile", "proof", "runtime", "scenario", "verify", "errors.py", "__init__.py")
"""The sources on which an answer depends: the version in a release, and more than that in a checkout."""

_SHAPE = Defect("", "", "", 1, 1, 1, 1)


def kept(flow: Flow) -> Iterator[Proved]:
    """What was proved of this flow, by this callflow: one answer for each budget."""
    folder = _folder()
    if folder is None or not _ours(folder):
        return
    files = _files(flow)
    for path in sorted(folder.glob(f"{digest(flow)}-*.json")):
        text, defect = read_text(path)
        found = None if defect is not None else _read(text, files)
        if found is not None:
            with suppress(OSError):  # only when it is used again matters
                os.utime(path)
            yield found


def keep(flow: Flow, proved: Proved) -> None:
    """Keeps an answer, in place of one with the same budget. Where nothing can be written nothing is kept."""
    folder = _folder()
    text = _written(proved, _files(flow))
    if folder is None or proved.broken_off or len(text) > MAX_BYTES:
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _ours(folder):
            return
        put(folder / f"{digest(flow)}-{proved.budget}.json", text)
        _prune(folder)


def put(path: Path, text: str) -> None:
    """Writes a file so that whoever reads it finds the old text or the new one, whole. Raises OSError."""
    fresh = path.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with fresh.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def digest(flow: Flow) -> str:
    """Names a flow and the callflow that proves it."""
    texts = [sha256(text.encode(errors="surrogatepass")).hexdigest() for text in flow.texts]
    real = [os.path.realpath(one.file) for one in flow.scopes.values()]
    parts = [(path, real.index(file)) for path, file in zip(flow.scopes, real, strict=True)]
    return sha256(json.dumps([_made_by(), texts, parts]).encode()).hexdigest()[:32]


@cache
def _made_by() -> list[str]:
    """Python, callflow's version, and its sources."""
    package = Path(callflow.__file__).parent
    found = sha256()
    for part in MADE_BY:
        inside = sorted((package / part).rglob("*.py")) if (package / part).is_dir() else [package / part]
        for path in filter(Path.is_file, inside):
            found.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes() + b"\0")
    return [sys.version, callflow.__version__, found.hexdigest()]


# -- where


def _folder() -> Path | None:
    """Where entries are, as the platform has it; None where it has no such place."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # which is ignored then (XDG Base Directory Specification)
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA", ""))
        else:
            home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path's own raises where there is none
            base = home / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return base / "callflow" / "proofs" if base.is_absolute() else None


def _ours(folder: Path) -> bool:
    """Whether nobody else may write there."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return os.name != "posix" or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)


def _prune(folder: Path) -> None:
    used = sorted(((entry.lstat().st_mtime, entry) for entry in folder.iterdir()), reverse=True)
    for _, entry in used[MOST:]:
        with suppress(OSError):  # a folder, which is none of ours
            entry.unlink(missing_ok=True)


# -- as text


def _files(flow: Flow) -> list[str]:
    return list(dict.fromkeys(one.file for one in flow.scopes.values()))


def _written(proved: Proved, files: Sequence[str]) -> str:
    data = {
        "budget": proved.budget,
        "situations": proved.situations,
        "steps": proved.steps,
        "left": proved.left,
        "quiet": proved.quiet,
        "after_hang_up": proved.after_hang_up,
        **{
            name: [{"defect": _plain(one.defect, files), "scenario": one.scenario} for one in each]
            for name, each in (("told", proved.told), ("accepted", proved.accepted))
        },
        "doubts": [_plain(one, files) for one in proved.doubts],
    }
    body = json.dumps(data, indent=1)
    return f"{sha256(body.encode()).hexdigest()}\n{body}"


def _plain(defect: Defect, files: Sequence[str]) -> dict[str, Any]:
    return {**defect._asdict(), "file": files.index(defect.file) if defect.file in files else defect.file}


_NUMBERS = ("budget", "situations", "steps", "left", "quiet", "after_hang_up")


def _read(text: str, files: Sequence[str]) -> Proved | None:
    """An entry; None where it is damaged, or none of ours."""
    checksum, _, body = text.partition("\n")
    if sha256(body.encode()).hexdigest() != checksum:
        return None
    try:
        data = json.loads(body)
        told, accepted = (
            tuple(Told(_defect(one["defect"], files), _text(one["scenario"])) for one in data[name])
            for name in ("told", "accepted")
        )
        doubts = tuple(_defect(one, files) for one in data["doubts"])
        budget, situations, steps, left, quiet, alone = (_number(data[name]) for name in _NUMBERS)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None
    return Proved(budget, situations, steps, left, told, doubts, accepted, quiet, alone)


def _defect(data: Any, files: Sequence[str]) -> Defect:
    file = data["file"] if isinstance(data["file"], str) else files[_number(data["file"])]
    found = Defect(**{**data, "file": file, "story": tuple(map(_text, data["story"]))})
    if any(type(value) is not type(like) for value, like in zip(found, _SHAPE, strict=True)):
        raise TypeError(found)
    if found.level not in ("error", "warning"):
        raise ValueError(found.level)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value
