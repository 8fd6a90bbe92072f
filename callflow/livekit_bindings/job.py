"""What LiveKit's JobContext knows of a call's job, in the words of `call.<name>`."""

from __future__ import annotations

from typing import Any

from livekit.agents import JobContext


def facts_of(ctx: JobContext) -> dict[str, Any]:
    """What is known; what LiveKit leaves empty is left out. The room's name and the job's metadata are not among them:
    the room may be another one by now, and the metadata are the flow's variables."""
    job = ctx.job
    known = {
        "room_sid": job.room.sid,
        "job": job.id,
        "worker_id": ctx.worker_id,
        "dispatch_id": job.dispatch_id,
        "agent_name": job.agent_name,
        "agent_identity": "" if ctx.is_fake_job() else ctx.token_claims().identity,
        "deployment": job.deployment,
        "job_attributes": dict(job.attributes),
    }
    flags = {"enable_recording": job.enable_recording, "enable_redaction": job.enable_redaction}
    return {name: value for name, value in known.items() if value} | flags
