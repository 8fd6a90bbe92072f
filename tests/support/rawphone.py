"""What LiveKit does by itself on the telephone: its own calls, on a simulated server and SIP bridge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from attrs import define, field
from livekit import api

from callflow.telephony.network import FarEnd, PhoneCall, PhoneNetwork
from callflow.testing import SimulatedJob, SimulatedServer
from callflow.testing.phone import SimulatedPhone
from tests.support.phone import NUMBER


@define
class RawPhone:
    """A job that is connected to its room, `room` on `server`, and a telephone network."""

    server: SimulatedServer
    phone: SimulatedPhone
    job: SimulatedJob
    pending: list[asyncio.Task[Any]] = field(factory=list)

    @property
    def calls(self) -> list[PhoneCall]:
        return self.phone.network.calls

    def dial(self, to: str = NUMBER, **options: Any) -> asyncio.Task[Any]:
        """As examples do it: `ctx.api.sip.create_sip_participant`, in a task."""
        asked = {"sip_trunk_id": "ST_1", "participant_identity": "phone", "wait_until_answered": True, **options}
        request = api.CreateSIPParticipantRequest(sip_call_to=to, room_name="room", **asked)
        task = asyncio.ensure_future(self.job.ctx.api.sip.create_sip_participant(request))
        self.pending.append(task)
        return task

    def seen(self) -> Mapping[str, str]:
        """Who is in the room as the agent sees it, with the `sip.callStatus` of each."""
        others = self.job.room.remote_participants
        return {identity: one.attributes.get("sip.callStatus", "") for identity, one in others.items()}


@asynccontextmanager
async def raw_phone(
    far: FarEnd | Sequence[FarEnd] | Mapping[str, FarEnd | Sequence[FarEnd]],
    server: SimulatedServer | None = None,
    after_connect: Any = None,
) -> AsyncIterator[RawPhone]:
    """An agent that is in its room, and telephones; whatever hangs is cancelled at the end."""
    before = asyncio.all_tasks()
    async with server or SimulatedServer() as server:
        numbers = far if isinstance(far, Mapping) else {NUMBER: far}
        phone = SimulatedPhone(server, PhoneNetwork(numbers), room="room")

        async def entrypoint(ctx):
            await ctx.connect()
            if after_connect is not None:
                await after_connect(ctx)

        job = SimulatedJob(server, entrypoint)
        job.start()
        await asyncio.sleep(0.5)
        try:
            yield RawPhone(server, phone, job)
        finally:
            await phone.close()
            left = asyncio.all_tasks() - before
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)


async def transferred(raw: RawPhone, to: str = "tel:+15550100100", *, ringing: float | None = None) -> Any:
    """What LiveKit makes of a transfer of `phone`: None, a success, or its error."""
    request = api.TransferSIPParticipantRequest(room_name="room", participant_identity="phone", transfer_to=to)
    if ringing is not None:
        request.ringing_timeout.FromMilliseconds(round(ringing * 1000))
    try:
        await raw.job.ctx.api.sip.transfer_sip_participant(request)
    except api.ServerError as error:
        return error
    return None
