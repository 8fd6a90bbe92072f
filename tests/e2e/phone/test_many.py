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

from tests.e2e.phone.script import RINGS_FOR_EVER, HangUp, Refer, Script, StopRtp, Wait, refuses
from tests.e2e.worker import worker

MIXED = int(os.environ.get("CALLFLOW_E2E_CALLS", "36"))
"""How many mixed calls there are: two of each kind, or as many as one has patience for."""
AT_ONCE = 6
ENDS = 40
"""Seconds: on a machine so busy that a telephone comes into its room only when the agent that dialled it has gone, it
rings to the end of its `ringing_timeout`, and the room ends 20 s after it."""


@frozen
class Kind:
    """What a telephone does, and the outcomes that a call of `flow` with it may have."""

    script: Script
    outcomes: frozenset[str]
    flow: str = "reminder"


def _kind(script, *outcomes, flow="reminder"):
    return Kind(script, frozenset(outcomes), flow)


KINDS = {
    "answers": _kind(Script(), "completed"),
    "hangs up": _kind(Script(acts=(Wait(1.0), HangUp())), "hung_up"),
    "hangs up at once": _kind(Script(acts=(Wait(0.01), HangUp())), "hung_up"),
    "hangs up during the goodbye": _kind(Script(acts=(Wait(3.0), HangUp())), "completed", "hung_up"),
    "busy": _kind(refuses(486), "busy"),
    "declines": _kind(refuses(603), "declined"),
    "invalid": _kind(refuses(404), "invalid"),
    "fails": _kind(refuses(503), "failed"),
    "no answer": _kind(RINGS_FOR_EVER, "no_answer"),
    "given up": _kind(RINGS_FOR_EVER, "gave_up", flow="impatient"),
    "crosses": _kind(Script(rings=20, answers_on_cancel=True), "gave_up", flow="impatient"),
    "answers as it is given up": _kind(Script(rings=1.5), "gave_up", "completed", flow="hasty"),
    "silent": _kind(Script(rtp=False), "completed"),
    "goes silent": _kind(Script(acts=(Wait(0.5), StopRtp())), "completed"),
    "no answer to the bye": _kind(Script(answers_bye=False), "completed"),
    "handed over": _kind(Script(), "transferred", flow="hands_over"),
    "not handed over": _kind(Script(refer=Refer(603)), "completed", flow="hands_over"),
    "hangs up in the transfer": _kind(
        Script(refer=Refer(202, None, bye_after=0.3)), "hung_up", "transferred", flow="hands_over"
    ),
}


@frozen
class Called:
    room: str
    kind: str
    telephone: object
    job: object

    def __str__(self):
        return f"{self.room}, a telephone that {self.kind}"


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
    """No room, no leg on the bridge, no task, one record each. Raises AssertionError that names the calls."""
    wrong = []
    for one in calls:
        records = [json.loads(path.read_text()) for path in one.job.path.parent.glob("journal/*.json")]
        outcomes = [record["outcome"] for record in records]
        if len(outcomes) != 1 or outcomes[0] not in KINDS[one.kind].outcomes:
            wrong.append(f"{one}: {[(record['outcome'], record['cause']) for record in records]}")
        if any(record["forced"] or record["fault"] or record["error"] for record in records):
            wrong.append(f"{one}: {[(r['forced'], r['fault'], r['error']) for r in records]}")
        [done] = one.job.notes("entrypoint_done")
        if done["tasks"] or one.job.notes("raised"):
            wrong.append(f"{one}: {done['tasks']}, {one.job.notes('raised')}")
        if len(one.telephone.calls) > 1 or (not one.telephone.calls and "gave_up" not in outcomes):
            wrong.append(f"{one}: {len(one.telephone.calls)} INVITEs")
    assert wrong == []
    mine = {one.room for one in calls}
    deadline = time.monotonic() + ENDS
    while rooms := mine & {room.name for room in (await line.lk.room.list_rooms(api.ListRoomsRequest())).rooms}:
        assert time.monotonic() < deadline, f"rooms that are left: {rooms}"
        await asyncio.sleep(0.1)
    while left := [leg for leg in await network.left() if line.room in leg]:
        assert time.monotonic() < deadline, f"legs that are left: {left}"
        await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def threads(_proxy, folder):
    """A worker whose jobs are threads: twenty processes would take longer to start than their calls last."""
    with worker(_proxy.url, folder, name="callflow-e2e-threads", threads=True) as running:
        yield running


@pytest.mark.timeout(300)
async def test_twenty_calls_at_once(line, network, threads):
    began = time.monotonic()
    calls = await asyncio.gather(
        *(call(line, network, threads, number, "answers", rings="30s") for number in range(20))
    )
    await nothing_is_left(line, network, calls)
    for one in calls:
        [seen] = one.telephone.calls
        assert len(seen.got("BYE")) == 1
    invited = sorted(one.telephone.calls[0].got("INVITE")[0].at for one in calls)
    print(f"20 calls: {time.monotonic() - began:.1f} s, all INVITEs within {invited[-1] - invited[0]:.1f} s")  # noqa: T201 - with -s


@pytest.mark.timeout(600)
async def test_mixed_calls_leave_nothing_behind(line, network, shared_worker):
    kinds = itertools.chain.from_iterable(itertools.repeat(list(KINDS)))
    mixed = list(itertools.islice(kinds, MIXED))
    random.Random(7).shuffle(mixed)
    free = asyncio.Semaphore(AT_ONCE)

    async def made(number, kind):
        async with free:
            return await call(line, network, shared_worker, number, kind)

    began = time.monotonic()
    calls = await asyncio.gather(*(made(number, kind) for number, kind in enumerate(mixed)))
    await nothing_is_left(line, network, calls)
    for one in calls:
        await one.job.process_gone(within=20)
    print(f"{MIXED} mixed calls in {time.monotonic() - began:.0f} s: {dict(Counter(mixed))}")  # noqa: T201 - with -s
