"""Agents whose server looks like LiveKit Cloud to livekit-api, which repeats requests for no other host."""

from __future__ import annotations

from livekit.api import twirp_client
from livekit.api._failover import failover_attempts

from tests.e2e.agent import Job
from tests.e2e.scenarios import phone


def attempts(enabled: bool, host: str | None, force: bool = False, timeout: float | None = None) -> int:
    """How often a client that may (`enabled`) sends a request."""
    return failover_attempts(enabled, host, True, timeout)


async def call(job: Job) -> None:
    """See `phone.call`."""
    twirp_client.failover_attempts = attempts  # a job has a process of its own
    await phone.call(job)
