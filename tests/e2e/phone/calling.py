"""One call of an agent with a telephone, from the dispatch to its aftermath."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from attrs import define

from callflow.core.actions import VERBS
from callflow.telephony.network import FarEnd
from tests.e2e import aftermath
from tests.e2e.fixtures import Line
from tests.e2e.phone.network import Network, PhoneCall, Telephone, call_of
from tests.e2e.worker import AgentJob, json_lines


@define
class _Call:
    """A room with an agent in it, that talks with a telephone."""

    line: Line
    network: Network
    job: AgentJob

    async def record(self, *, within: float) -> dict[str, Any]:
        """See `aftermath.one_record`; and no leg is left on the bridge."""
        record = await aftermath.one_record(self.line, self.job, within=within)
        await no_leg(self.network, self.line.room)
        assert record["forced"] == []
        assert record["fault"] is record["error"] is None
        return record

    @property
    def answered(self) -> bool:
        """Whether the far end is on the line, as far as the agent knows."""
        return "call.answered" in self.events()

    def events(self) -> list[str]:
        """See `events_of`."""
        return events_of(self.job)


@define
class Outbound(_Call):
    """An agent calls `telephone`."""

    telephone: Telephone

    async def call(self) -> PhoneCall:
        """As the telephone sees it, once it has the INVITE."""
        return await call_of(self.telephone)


@define
class Inbound(_Call):
    """A telephone calls: `call` is what it sees of it."""

    call: PhoneCall


TELEPHONY = ("call.", "leg.", "dial.", "amd.", "dtmf.", "transfer.", "consult.")
RESULTS = {verb.name: verb.results[0].split(".")[0] for verb in VERBS.values() if verb.results}
"""What the results of a verb are called: `dial` ends with a `dial.*`, `detect_machine` with an `amd.*`."""


def events_of(job: AgentJob) -> list[str]:
    """What the call has taken of the line, and the results of its telephony verbs, in order."""
    journals = (job.path.parent / "journal").glob("*.jsonl")
    names = [_name(line) for path in journals for line in json_lines(path)]
    return [name for name in names if name.startswith(TELEPHONY)]


def _name(step: dict[str, Any]) -> str:
    if step.get("verb") in RESULTS and step.get("status") == "ok":
        return f"{RESULTS[step['verb']]}.{step['result']['result']}"
    return step.get("event", "")


async def calls(
    line: Line, network: Network, *far_ends: FarEnd, flow: str = "reminder", given: Mapping[str, Any] | None = None, **more: Any
) -> Outbound:  # fmt: skip
    """An agent calls a new telephone, whose nth call meets the nth of these far ends; `given` are more of the flow's variables, `more` are arguments of `tests.e2e.scenarios.phone`."""
    telephone = await network.telephone(*far_ends)
    variables = {"number": telephone.number, "trunk": telephone.trunk, **(given or {})}
    job = await line.agent("phone:call", flow=f"{flow}.yaml", vars=variables, **more)
    return Outbound(line, network, job, telephone)


async def no_leg(network: Network, room: str, *, within: float = 5) -> None:
    """Until the bridge has no leg of this room. Raises AssertionError."""
    until = time.monotonic() + within
    while left := [leg for leg in await network.left() if room in leg]:
        assert time.monotonic() < until, f"still on the bridge: {left}"
        await asyncio.sleep(0.05)
