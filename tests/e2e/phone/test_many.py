"""Many calls at once, and many after each other: each ends with its one record, and nothing is left behind."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import time
from collections import Counter
from contextlib import suppress

import pytest
from attrs import frozen
from livekit import api

from callflow.telephony.network import FarEnd, HangUp, Refer, StopRtp, Wait
from tests.e2e.phone.calling import events_of
from tests.e2e.phone.far_ends import RINGS_FOR_EVER, picks_up, refuses
from tests.e2e.phone.network import Telephone
from tests.e2e.worker import AgentJob, worker

pytestmark = pytest.mark.alone

MIXED = int(os.environ.get("CALLFLOW_E2E_CALLS", "24"))
"""How many mixed calls there are: each kind at least once, or as many as one has patience for."""
AT_ONCE = 4
TOGETHER = int(os.environ.get("CALLFLOW_E2E_TOGETHER", min(20, 4 * (os.cpu_count() or 1))))
"""Calls that begin at the same moment: as many as the machine carries, with its server, its worker and its telephones. Two
cores were measured to carry 8 with time to spare, and not 20: there the server takes longer than 15 s to delete a room."""
LEAVES = 5.0
"""Seconds after the last call in which its room, and its telephone, are gone."""
LATE = 40.0
"""The same for a dial that was given up: on a machine so busy that a telephone comes into its room only when the agent has
gone, it rings to the end of its `ringing_timeout`, and the room ends 20 s after it. For a line that the worker's guard had to
drop. And for a room in which nobody is: an agent on such a machine may miss that its room was deleted, come back, and
leave."""


@frozen
class Kind:
    """What a telephone does, and the outcomes that a call of `flow` with it may truly have: more than one, where what the
    telephone does and what the flow does may cross."""

    script: FarEnd
    outcomes: frozenset[str]
    flow: str = "reminder"


def _kind(script, *outcomes, flow="reminder"):
    return Kind(script, frozenset(outcomes), flow)


KINDS = {
    "answers": _kind(picks_up(), "completed"),
    "hangs up": _kind(picks_up(acts=(Wait(1.0), HangUp())), "hung_up", "completed"),  # within 1 s of the flow's end
    "hangs up at once": _kind(picks_up(acts=(Wait(0.01), HangUp())), "hung_up", "completed"),
    "hangs up during the goodbye": _kind(picks_up(acts=(Wait(3.0), HangUp())), "completed", "hung_up"),
    "busy": _kind(refuses(486), "busy"),
    "declines": _kind(refuses(603), "declined"),
    "invalid": _kind(refuses(404), "invalid"),
    "fails": _kind(refuses(503), "failed"),
    "no answer": _kind(RINGS_FOR_EVER, "no_answer"),
    "given up": _kind(RINGS_FOR_EVER, "gave_up", flow="impatient"),
    "crosses": _kind(picks_up(rings=20, on_cancel=200), "gave_up", flow="impatient"),
    "answers as it is given up": _kind(picks_up(rings=1.5), "gave_up", "completed", flow="hasty"),
    "silent": _kind(picks_up(rtp=False), "completed"),
    "goes silent": _kind(picks_up(acts=(Wait(0.5), StopRtp())), "completed"),
    "no answer to the bye": _kind(picks_up(answers_bye=False), "completed"),
    "handed over": _kind(picks_up(), "transferred", flow="hands_over"),
    "not handed over": _kind(picks_up(refer=Refer(603)), "completed", flow="hands_over"),
    "hangs up in the transfer": _kind(
        picks_up(refer=Refer(202, None, bye_after=0.3)), "hung_up", "transferred", flow="hands_over"
    ),
}


@frozen
class Called:
    room: str
    kind: str
    telephone: Telephone
    job: AgentJob

    def __str__(self):
        return f"{self.room}, a telephone that {self.kind}"

    def records(self):
        return [json.loads(path.read_text()) for path in (self.job.path.parent / "journal").glob("*.json")]

    def wrong(self):
        """What no call may have, on no machine."""
        records, [done] = self.records(), self.job.notes("entrypoint_done")
        if len(records) != 1:
            yield f"{len(records)} records"
        for one in records:
            yield from (f"{what}: {one[what]}" for what in ("fault", "error") if one[what])
            if one["forced"] and not any("no answer" in note for note in one["notes"]):
                yield f"forced: {one['forced']}"
        if done["tasks"] or self.job.notes("raised"):
            yield f"tasks: {done['tasks']}, raised: {self.job.notes('raised')}"
        if len(self.telephone.calls) > 1:
            yield f"{len(self.telephone.calls)} INVITEs"

    def stood(self):
        """Whether its line could not be dropped at once: a server on a machine that busy does not answer for a while."""
        return any(one["forced"] or one["line"] != "dropped" for one in self.records())

    def odd(self):
        """What a call of its kind does not come to."""
        [record] = self.records()
        if record["outcome"] not in KINDS[self.kind].outcomes:
            yield f"{record['outcome']}, by {record['cause']}, after {events_of(self.job)}"
        if not self.telephone.calls and record["outcome"] != "gave_up":
            yield "no INVITE"


async def call(line, network, by, number, kind, **given):
    """One call in a room of its own, until its record is there; `given`: more of the flow's variables."""
    script = KINDS[kind].script
    telephone = await network.telephone(script)
    room, folder = f"{line.room}-{number}", line.folder / str(number)
    folder.mkdir()
    given |= {"number": telephone.number, "trunk": telephone.trunk}
    order = {"flow": f"{KINDS[kind].flow}.yaml", "vars": given}
    for attempt in range(3):  # LiveKit loses a dispatch now and then where many come at once
        job = await by.dispatch(line.lk, room, folder / f"notes-{attempt}.jsonl", "phone:call", **order)
        with suppress(AssertionError):
            await job.note("job", within=15)
            break
    await job.note("entrypoint_done", within=90)
    return Called(room, kind, telephone, job)


async def nothing_is_left(line, network, calls):
    """One record each, no task, no room, no leg on the bridge; then what became of the calls. Raises AssertionError that
    names all of them that are not as they should be."""
    assert [f"{one}: {what}" for one in calls for what in one.wrong()] == []
    now, rooms = time.monotonic(), {one.room for one in calls}
    late = {one.room for one in calls if "gave_up" in KINDS[one.kind].outcomes or one.stood()}
    while left := await still_there(line, network, rooms):
        waits = LEAVES if any(legs for room, legs in left.items() if room not in late) else LATE
        assert time.monotonic() < now + waits, f"left after {waits:g} s: {left}"
        await asyncio.sleep(0.1)
    assert [f"{one}: {what}" for one in calls for what in one.odd()] == []


async def still_there(line, network, rooms):
    """Those of the rooms that there are, each with its telephones."""
    listed = {room.name for room in (await line.lk.room.list_rooms(api.ListRoomsRequest())).rooms}
    legs = [leg.rpartition(" in ")[::2] for leg in await network.left()]
    rooms_left = (listed | {room for _, room in legs}) & rooms
    return {name: [who for who, room in legs if room == name] for name in sorted(rooms_left)}


@pytest.fixture(scope="module")
def waiting(_proxy, folder):
    """A worker whose processes have started: that takes two cores longer than the calls last."""
    with worker(_proxy.url, folder, name="callflow-e2e-many", idle=TOGETHER) as running:
        yield running


@pytest.fixture
async def many(line):
    """Where calls are made in rooms of their own. Nothing of them burdens the tests that follow, also where one failed."""
    yield line
    rooms = (await line.lk.room.list_rooms(api.ListRoomsRequest())).rooms
    for room in rooms:
        if room.name.startswith(f"{line.room}-"):
            await line.lk.room.delete_room(api.DeleteRoomRequest(room=room.name))


@pytest.mark.timeout(300)
async def test_many_calls_at_once(many, network, waiting):
    began = time.monotonic()
    calls = await asyncio.gather(
        *(call(many, network, waiting, number, "answers", rings="30s") for number in range(TOGETHER))
    )
    await nothing_is_left(many, network, calls)
    for one in calls:
        [seen] = one.telephone.calls
        assert len(seen.got("BYE")) == 1
    invited = sorted(one.telephone.calls[0].got("INVITE")[0].at for one in calls)
    print(f"{TOGETHER} calls: {time.monotonic() - began:.1f} s, INVITEs within {invited[-1] - invited[0]:.1f} s")  # noqa: T201 - with -s


@pytest.mark.timeout(600)
async def test_mixed_calls_leave_nothing_behind(many, network, shared_worker):
    kinds = itertools.chain.from_iterable(itertools.repeat(list(KINDS)))
    mixed = list(itertools.islice(kinds, MIXED))
    random.Random(7).shuffle(mixed)
    free = asyncio.Semaphore(AT_ONCE)

    async def made(number, kind):
        async with free:
            return await call(many, network, shared_worker, number, kind)

    began = time.monotonic()
    calls = await asyncio.gather(*(made(number, kind) for number, kind in enumerate(mixed)))
    await nothing_is_left(many, network, calls)
    for one in calls:
        await one.job.process_gone(within=20)
    print(f"{MIXED} mixed calls in {time.monotonic() - began:.0f} s: {dict(Counter(mixed))}")  # noqa: T201 - with -s
