"""The stories of what a proof has found, saved as scenarios, which `callflow test` plays."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Literal

from callflow.errors import Defect
from callflow.flowfile.source import SCENARIOS, read_text
from callflow.proof.kept import put
from callflow.proof.proved import Proved
from callflow.scenario.writing import write_bodies

_HEAD = "# A story of `callflow check`, which passes as long as what it tells can happen; as it was saved: "
_OURS = re.compile(rf"{re.escape(_HEAD)}([0-9a-f]{{16}})\n(.*)", re.DOTALL)
"""A file as it was saved: what is behind the first line has this digest."""


def save(proofs: Mapping[str, Proved], folder: Path) -> Iterator[str]:
    """Writes each story into a file of its own, `FLOW.CODE.scenario.yaml`, a second one `FLOW.CODE-2.…`; says in a sentence what
    became of each. What somebody has changed since it was saved, or has written, stays as it is. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    names: set[str] = set()
    for file, proved in proofs.items():
        for told in (one for one in proved.told if one.defect.story):
            where = f"{told.defect.file}:{told.defect.line}: {told.defect.code}"
            text = "" if file.startswith("<") else _file(file, told.defect, told.scenario, folder)
            if not text:
                why = "it has no file that a scenario could name" if file.startswith("<") else "no scenario can hold it"
                yield f"{where}: its story is not saved, since {why}"
                continue
            path, stands = next(
                (path, stands)
                for path in _paths(folder, f"{Path(file).stem}.{told.defect.code}")
                if path.name not in names and (stands := _stands(path, text)) != "another"
            )
            names.add(path.name)
            if stands == "changed":
                yield f"{where}: its story is not saved, since {path} has been changed; without that file it is"
            else:
                put(path, text)
                yield f"{where}: its story is in {path}"


def _paths(folder: Path, name: str) -> Iterator[Path]:
    for number in count(1):
        yield folder / f"{name}{'' if number == 1 else f'-{number}'}{SCENARIOS}"


def _file(flow: str, defect: Defect, scenario: str, folder: Path) -> str:
    """The file of a story; empty where none can be written."""
    if not scenario:
        return ""
    name = f"{defect.code} at {defect.path}" if defect.path else defect.code
    try:
        text = write_bodies(os.path.realpath(flow), [(name, scenario)], os.path.realpath(folder))
    except ValueError:
        return ""
    return f"{_HEAD}{_digest(text)}\n{text}"


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _stands(path: Path, text: str) -> Literal["free", "changed", "another"]:
    """What a file is that stands where this text is to be: none, or this or an older story of this flow; one that somebody has
    changed or written; a story of another flow."""
    there, defect = read_text(path)
    if defect is not None:
        return "free" if defect.code == "no-such-file" else "changed"
    ours = _OURS.fullmatch(there)
    if ours is None or ours[1] != _digest(ours[2]):
        return "changed"
    return "free" if _flow(there) == _flow(text) else "another"


def _flow(text: str) -> str:
    return next(line for line in text.split("\n") if line.startswith("flow: "))
