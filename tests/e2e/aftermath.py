"""What is left of a call that went wrong: one record, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.fixtures import Line
from tests.e2e.worker import AgentJob, json_lines

LOOKS = 100
"""Seconds for which a job's process may look for who comes back, where somebody was out of reach."""


async def one_record(line: Line, job: AgentJob, *, within: float, process: float = 15) -> dict[str, Any]:
    """The call's one record, written within so many seconds from now; then no room, no participant, no task, one close
    of the session, and `process` seconds later, or `LOOKS` more, no process. Raises AssertionError."""
    done = await job.note("entrypoint_done", within=within)
    assert job.notes("raised") == []
    [record] = job.notes("record")
    assert done["tasks"] == []
    await line.view.wait_until_gone(line.room, within=3)
    assert await line.view.participants(line.room) == {}
    await job.process_gone(within=process + LOOKS)
    [written] = [json.loads(path.read_text()) for path in (job.path.parent / "journal").glob("*.json")]
    assert (written["outcome"], written["cause"]) == (record["outcome"], record["cause"])
    return record


def events(job: AgentJob) -> list[str]:
    """The names of the events that the call took, in their order, from its journal."""
    [path] = (job.path.parent / "journal").glob("*.jsonl")
    return [step["event"] for step in json_lines(path) if "event" in step]
