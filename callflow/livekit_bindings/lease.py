"""The lease of a running call: a small file that tells the worker which line a job's process holds.

It is written when the call begins and removed when its record is written, so that what is left of a process that was
killed is its lease, and `guard` can do for it what it cannot do any more.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from attrs import asdict, frozen
from livekit.agents import JobContext

from callflow.livekit_bindings.returning import Lookout
from callflow.runtime.ending import file_name
from callflow.runtime.logs import log_fields
from callflow.runtime.ports import CallOf

logger = logging.getLogger("callflow")

FOLDER = "CALLFLOW_LEASES"
"""The environment variable by which a guarded worker tells its jobs' processes where leases are kept."""


@frozen
class Lease:
    """`started` is the call's, in seconds since the epoch; `born` the process's. `records` is the folder for its record,
    None where it writes none. `digest` is the flow's, `room_sid`, `worker_id`, `dispatch_id` and `agent_name` are LiveKit's,
    as in a record. Once the call is over and has its record (`record`, a file): `left` are those that may be on its line, or
    come back to it, and `stands` says that it could not be dropped."""

    call: str
    job: str
    room: str
    flow: str
    file: str
    started: float
    pid: int
    born: float
    records: str | None = None
    stands: bool = False
    digest: str = ""
    room_sid: str | None = None
    worker_id: str | None = None
    dispatch_id: str | None = None
    agent_name: str | None = None
    left: tuple[Mapping[str, Any], ...] | None = None
    record: str | None = None
    shown: str = ""  # the room's name without private values, for what is written

    @property
    def log_fields(self) -> dict[str, Any]:
        """What a line of the worker's log says of this call."""
        return {**log_fields(self.call, self.flow, asdict(self)), "room": self.shown}

    @property
    def is_left(self) -> bool:
        """Whether the call is over, and has left its line to the guard."""
        return self.left is not None

    def holder_is_gone(self) -> bool:
        """Whether the process that holds it has ended."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() != self.born or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def take(call: CallOf, ctx: JobContext, room: str) -> Path | None:
    """Writes the lease of a call that begins; None where nobody guards it."""
    folder = os.environ.get(FOLDER)
    if folder is None or ctx.is_fake_job():
        return None
    records = None if call.folder is None else str(call.folder.absolute())
    pid = os.getpid()
    born = psutil.Process(pid).create_time()
    about: dict[str, Any] = {
        name: call.log_fields.get(name) for name in ("room_sid", "worker_id", "dispatch_id", "agent_name")
    }
    call.redactor.room({"room": room})
    about["shown"] = call.redactor.searched(room)
    flow = call.flow
    lease = Lease(
        call.id, ctx.job.id, room, flow.name, flow.file, call.now(), pid, born, records, digest=flow.digest, **about
    )
    path = Path(folder) / f"{file_name(call.id)}.json"
    try:
        _write(path, asdict(lease))
    except OSError as error:
        call.note(f"nobody guards this call: its lease could not be written: {error.strerror}")
        return None
    return path


def leave_to_guard(path: Path, lookout: Lookout, record: Path | None) -> None:
    """The call is over, and its line may stand: whoever guards it is to go on."""
    fields = {
        "stands": lookout.stands,
        "left": [asdict(party) for party in lookout.parties],
        "record": None if record is None else str(record.absolute()),
    }
    try:
        _write(path, json.loads(path.read_text(encoding="utf-8")) | fields)
    except (OSError, ValueError) as error:
        logger.warning("a line that may stand has no guard", extra={"path": str(path), "error": str(error)})


def _write(path: Path, fields: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(fields), encoding="utf-8")
    draft.replace(path)


def give_back(path: Path | None) -> None:
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def leases(folder: Path) -> dict[Path, Lease]:
    """Those that are held, or were when their holders died; one that cannot be read is no lease."""
    found = {}
    for path in folder.glob("*.json"):
        try:
            fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            found[path] = Lease(**fields)
        except FileNotFoundError:  # given back meanwhile
            continue
        except (OSError, ValueError, TypeError):
            logger.warning("a lease cannot be read", extra={"path": str(path)}, exc_info=True)
    return found
