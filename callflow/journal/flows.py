"""The flow of a journal: one that was named, or the file that the journal names, where it is safe to read.

A journal may be a stranger's. The file that it names is read only if it is a YAML file in the current folder or below, all links
followed: what stands elsewhere somebody has to name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from callflow.core.flow import Flow
from callflow.errors import CallflowError, printable
from callflow.flowfile import read
from callflow.flowfile.source import SCENARIOS

_FLOW_FILES = (".yaml", ".yml")


class NoFlow(CallflowError):
    """The flow of a journal is not found, or has defects; the message says what to do."""


class Flows:
    """Flows by their names. `named` are files, and folders of such."""

    def __init__(self, named: Sequence[str] = ()) -> None:
        """Raises NoFlow for a file that is none."""
        self._read: dict[str, Flow | str] = {}
        self._named: dict[str, list[Flow]] = {}
        self._wrong: list[str] = []  # why files in the folders hold no flow: one may be the flow of a journal
        for path in named:
            folder = os.path.isdir(path)  # noqa: PTH112 - a path may be any text
            for file in _flow_files(Path(path)) if folder else [path]:
                flow = self._flow(file)
                if isinstance(flow, Flow):
                    self._named.setdefault(flow.name, []).append(flow)
                elif not folder:
                    raise NoFlow(flow)
                else:
                    self._wrong.append(flow)
        if named and not self._named:
            raise NoFlow(f"there is no flow in {', '.join(map(printable, named))}{self._unread()}")
        self._are_named = bool(named)

    def of(self, head: Mapping[str, Any]) -> Flow:
        """The flow of a journal that begins with this line. Raises NoFlow."""
        if not self._are_named:
            return self._recorded(str(head["file"]))
        found = self._named.get(head["flow"], [])
        if not found:
            known = ", ".join(sorted(self._named))
            raise NoFlow(
                f"this is a call of the flow {printable(head['flow'])}, and what --flow names is {printable(known)}{self._unread()}"
            )
        exact = [one for one in found if one.digest == head["digest"]] or found
        if len(exact) > 1:
            files = ", ".join(printable(one.file) for one in exact)
            raise NoFlow(
                f"{len(exact)} flows are named {printable(head['flow'])}: {files}; name one of them with --flow"
            )
        return exact[0]

    def _unread(self) -> str:
        return f" (not read: {'; '.join(self._wrong)})" if self._wrong else ""

    def _recorded(self, file: str) -> Flow:
        help_ = "name its flow with --flow FILE"
        if not file.endswith(_FLOW_FILES):
            raise NoFlow(f"its flow is recorded as {printable(file)}, which is no YAML file: {help_}")
        try:
            real, here = os.path.realpath(file), os.path.realpath(os.curdir)
        except (OSError, ValueError):
            raise NoFlow(f"its flow is recorded as {printable(file)}, which is no path here: {help_}") from None
        if not Path(real).is_relative_to(here):
            raise NoFlow(f"its flow is recorded as {printable(file)}, which is outside of this folder: {help_}")
        if not Path(real).is_file():
            raise NoFlow(f"its flow is recorded as {printable(file)}, which is not here: {help_}")
        flow = self._flow(file)
        if isinstance(flow, str):
            raise NoFlow(flow)
        return flow

    def _flow(self, file: str) -> Flow | str:
        """The flow of a file, or why there is none."""
        found = self._read.get(file)
        if found is None:
            flow, defects = read(file)
            wrong = [one for one in defects if one.level == "error"]
            if flow is None or wrong:
                found = str(wrong[0]) if wrong else f"{printable(file)} holds no flow"
                if wrong[1:]:
                    found += f"; and {len(wrong) - 1} more, which `callflow check` shows"
            else:
                found = flow
            self._read[file] = found
        return found


def _flow_files(folder: Path) -> Iterator[str]:
    for suffix in _FLOW_FILES:
        yield from (str(path) for path in sorted(folder.rglob(f"*{suffix}")) if not path.name.endswith(SCENARIOS))
