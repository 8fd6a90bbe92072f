"""What the guard does for calls whose process has died: tests/e2e/test_faults_jobs.py kills real ones."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import asdict, evolve
from livekit import api
from livekit.agents import AgentServer

import callflow
from callflow.livekit_bindings import lease
from callflow.livekit_bindings import watchdog as guards
from callflow.livekit_bindings.lease import Lease
from callflow.livekit_bindings.returning import Lookout, Party
from callflow.runtime.redact import Redactor


@pytest.fixture
def dead():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def rooms(monkeypatch):
    """What the API is asked, and what it answers: exceptions to raise, in turn, then success. `there`: who is found in the
    room, one look after the other; `up`: how many the list of rooms says are in it."""
    asked, answers, there, up = [], [], [], []

    class Api:
        def __init__(self):
            self.room = self

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            return None

        async def list_participants(self, _request):
            return SimpleNamespace(participants=[there.pop(0)] if there else [])

        async def list_rooms(self, request):
            return SimpleNamespace(rooms=[SimpleNamespace(num_participants=up.pop(0) if up else 0)])

        async def create_room(self, request):
            asked.append(f"make {request.name}")

        async def delete_room(self, request):
            asked.append(request.room)
            if told.seconds:
                await asyncio.sleep(told.seconds)
            if answers:
                raise answers.pop(0)

    monkeypatch.setattr(guards.api, "LiveKitAPI", Api)
    monkeypatch.setattr(guards, "PAUSE_SECONDS", 0.0)
    told = SimpleNamespace(asked=asked, answers=answers, seconds=0.0, there=there, up=up)
    return told


def held(tmp_path, pid, *, born=1.0, job="AJ_1"):
    about = {
        "digest": "0123456789ab",
        "room_sid": "RM_1",
        "worker_id": "AW_1",
        "dispatch_id": "AD_1",
        "agent_name": "desk",
        "shown": "the room",
    }
    return Lease(job, job, "room", "desk", "desk.yaml", 100.0, pid, born, str(tmp_path / "records"), **about)


def write(folder, one):
    path = folder / f"{one.job}.json"
    path.write_text(json.dumps(asdict(one)))
    return path


async def test_the_line_drops_and_the_record_is_written(tmp_path, dead, rooms, caplog):
    one = held(tmp_path, dead)
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "AJ_1.jsonl").write_text(
        '{"states": ["greeting"]}\n{"states": ["talking"]}\n{"ended": 1}\n{"states": ["en'
    )
    path = write(tmp_path, one)
    await guards._end(path, one)
    assert rooms.asked == ["room"]
    record = json.loads((tmp_path / "records" / "AJ_1.json").read_text())
    assert (record["outcome"], record["cause"]["event"], record["cause"]["state"]) == (
        "failed",
        "job.killed",
        "talking",
    )
    assert (record["call"], record["room"], record["started"], record["forced"]) == (
        "AJ_1",
        "the room",
        100.0,
        ["line"],
    )
    ids = {"room_sid": "RM_1", "worker_id": "AW_1", "dispatch_id": "AD_1", "agent_name": "desk", "job": "AJ_1"}
    assert {name: record[name] for name in ids} == ids
    assert record["digest"] == "0123456789ab"
    [told] = caplog.records
    assert {name: getattr(told, name) for name in ids} == ids
    assert not path.exists()


async def test_a_line_that_cannot_be_dropped_is_said_in_the_record(tmp_path, dead, rooms, monkeypatch):
    one, alarms = held(tmp_path, dead), []
    monkeypatch.setattr(guards, "STANDING_SECONDS", 5.0)
    rooms.answers += [OSError("no route")] * 1000
    await guards._end(write(tmp_path, one), one, [alarms.append])
    assert len(rooms.asked) > guards.TRIES
    record = json.loads((tmp_path / "records" / "AJ_1.json").read_text())
    assert (record["line"], record["line_dropped"]) == ("stands", None)
    assert record["notes"][0] == "the line could not be dropped: no route"
    assert [(alarm["call"], alarm["line"]) for alarm in alarms] == [("AJ_1", "stands")]


async def test_a_server_that_comes_back_late_has_the_line_dropped_all_the_same(tmp_path, dead, rooms):
    one, alarms = held(tmp_path, dead), []
    rooms.answers += [OSError("no route")] * (guards.TRIES + 20)
    path = write(tmp_path, one)
    await guards._end(path, one, [alarms.append])
    record = json.loads((tmp_path / "records" / "AJ_1.json").read_text())
    assert (record["line"], record["line_dropped"] > 100.0) == ("dropped", True)
    assert record["notes"][1].startswith("the line was dropped ")
    assert (path.exists(), alarms) == (False, [])


async def test_a_telephone_of_a_dead_job_that_comes_back_is_dropped_again(tmp_path, dead, rooms):
    one = held(tmp_path, dead)
    telephone = api.ParticipantInfo(
        identity="sip_+15551234567", kind=api.ParticipantInfo.Kind.SIP, attributes={"sip.callID": "SCL_1"}
    )
    rooms.there += [telephone, telephone]
    await guards._end(write(tmp_path, one), one)
    assert rooms.asked == ["room", "room"]
    text = (tmp_path / "records" / "AJ_1.json").read_text()
    assert "a telephone came back after the room was deleted, and was dropped again" in text
    assert "15551234567" not in text


async def test_a_room_that_is_gone_is_done(tmp_path, dead, rooms):
    one = held(tmp_path, dead)
    rooms.answers.append(api.TwirpError("not_found", "no such room", status=404))
    await guards._end(write(tmp_path, one), one)
    assert len(rooms.asked) == 1
    record = json.loads((tmp_path / "records" / "AJ_1.json").read_text())
    assert (record["line"], record["line_dropped"] is not None) == ("dropped", True)


async def test_a_room_that_livekit_does_not_find_is_looked_for(tmp_path, dead, rooms):
    """Its redis is empty, and the telephone alone in the room; as the server notices that the agent is gone, it counts."""
    one = held(tmp_path, dead)
    rooms.answers.append(api.TwirpError("not_found", "no such room", status=404))
    rooms.up += [0, 0, 1, 1, 1, 1, 1]
    await guards._end(write(tmp_path, one), one)
    assert rooms.asked == ["room", "room"]
    record = json.loads((tmp_path / "records" / "AJ_1.json").read_text())
    assert (record["line"], record["line_dropped"] > 100.0) == ("dropped", True)


async def test_a_room_that_was_left_a_moment_ago_is_not_looked_for(tmp_path, rooms):
    left_standing(tmp_path, stands=False)
    rooms.up += [1, 1, 1, 1, 0, 1]
    await looked(watching(), tmp_path)
    assert rooms.asked == []


async def test_a_record_that_its_process_wrote_itself_stays(tmp_path, dead, rooms):
    one = held(tmp_path, dead)
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "AJ_1.json").write_text("its own")
    await guards._end(write(tmp_path, one), one)
    assert rooms.asked == ["room"]
    assert (tmp_path / "records" / "AJ_1.json").read_text() == "its own"


TELEPHONE = Party("sip_1", "far_end", "SCL_1")


def left_standing(tmp_path, *, stands=True):
    """The lease and the record of a call that has ended, in a process that may live on, and whose line may stand."""
    path = write(tmp_path, held(tmp_path, os.getpid()))
    (tmp_path / "records").mkdir()
    record = {
        "call": "AJ_1",
        "outcome": "line_lost",
        "ended": 100.0,
        "line": "stands" if stands else "unknown",
        "line_dropped": None if stands else 90.0,
        "notes": ["may still be up"],
    }
    file = tmp_path / "records" / "AJ_1.json"
    file.write_text(json.dumps(record))
    lease.leave_to_guard(path, Lookout(None, "room", (TELEPHONE,), stands=stands), file)
    return path


def watching(**options):
    server = SimpleNamespace(active_jobs=[SimpleNamespace(job=SimpleNamespace(id="AJ_1"))])
    watch = guards._Watch(server)
    watch.alarms += options.get("alarms", [])
    return watch


async def looked(watch, tmp_path):
    watch._look(tmp_path)
    watch._look(tmp_path)  # once is enough
    await asyncio.gather(*watch._ending.values())
    return json.loads((tmp_path / "records" / "AJ_1.json").read_text())


async def test_a_line_that_stands_after_its_call_is_tried_on(tmp_path, rooms):
    path, alarms = left_standing(tmp_path), []
    rooms.answers += [OSError("no route")] * 3
    record = await looked(watching(alarms=[alarms.append]), tmp_path)
    assert rooms.asked == ["room"] * 4
    assert (record["outcome"], record["line"], record["line_dropped"] > 100.0) == ("line_lost", "dropped", True)
    assert record["notes"][0] == "may still be up"
    assert record["notes"][1].startswith("the line was dropped ")
    assert (path.exists(), alarms) == (False, [])


async def test_who_comes_back_is_dropped_again(tmp_path, rooms):
    left_standing(tmp_path, stands=False)
    kind = api.ParticipantInfo.Kind.SIP
    mine = api.ParticipantInfo(identity="sip_1", kind=kind, attributes={"sip.callID": "SCL_1"})
    next_call = api.ParticipantInfo(identity="sip_1", kind=kind, attributes={"sip.callID": "SCL_2"})
    rooms.there += [mine, next_call]
    record = await looked(watching(), tmp_path)
    assert rooms.asked == ["room"], "the same telephone's next call is none of ours"
    assert (record["line"], record["line_dropped"] > 100.0) == ("dropped", True)
    assert record["notes"][1] == "far_end came back after the room was deleted, and was dropped again"


async def test_a_room_that_livekit_does_not_find_is_made_known_again(tmp_path, rooms):
    left_standing(tmp_path)
    rooms.answers.append(api.TwirpError("not_found", "no such room", status=404))
    record = await looked(watching(), tmp_path)
    assert rooms.asked == ["room", "make room", "room"]
    assert record["line"] == "dropped"


async def test_it_is_not_tried_for_ever(tmp_path, rooms, monkeypatch):
    alarms = []
    left_standing(tmp_path)
    monkeypatch.setattr(guards, "STANDING_SECONDS", 5.0)
    rooms.answers += [OSError("no route")] * 100
    record = await looked(watching(alarms=[alarms.append]), tmp_path)
    assert 2 <= len(rooms.asked) < 10
    assert (record["line"], record["line_dropped"]) == ("stands", None)
    assert record["notes"][1].endswith(": no route")
    assert lease.leases(tmp_path) == {}
    assert [(one["call"], one["line"]) for one in alarms] == [("AJ_1", "stands")]


async def test_calls_whose_process_or_job_lives_are_left_alone(tmp_path, dead, rooms):
    living = lease.psutil.Process(os.getpid())
    write(tmp_path, held(tmp_path, os.getpid(), born=living.create_time(), job="AJ_living"))
    write(tmp_path, held(tmp_path, dead, job="AJ_running"))
    write(tmp_path, held(tmp_path, dead, job="AJ_dead"))
    write(tmp_path, held(tmp_path, os.getpid(), born=1.0, job="AJ_reused"))  # its id is another process's now
    (tmp_path / "torn.json").write_text("{")
    server = SimpleNamespace(active_jobs=[SimpleNamespace(job=SimpleNamespace(id="AJ_running"))])
    watch = guards._Watch(server)
    watch._look(tmp_path)
    watch._look(tmp_path)  # once is enough
    await asyncio.gather(*watch._ending.values())
    assert sorted(path.stem for path in (tmp_path / "records").glob("*.json")) == ["AJ_dead", "AJ_reused"]
    assert sorted(lease.leases(tmp_path)) == [tmp_path / "AJ_living.json", tmp_path / "AJ_running.json"]


async def test_said_twice_it_counts_once(monkeypatch):
    runs = []

    async def run(self, **options):
        runs.append((options, os.environ[lease.FOLDER]))

    monkeypatch.setattr(AgentServer, "run", run)
    server = AgentServer()
    callflow.guard(server)
    guarded = server.run
    callflow.guard(server)
    assert server.run is guarded
    await server.run(devmode=True)
    [(options, folder)] = runs
    assert options == {"devmode": True}
    assert lease.FOLDER not in os.environ
    assert not await asyncio.to_thread(os.path.exists, folder)


@pytest.fixture
def guarded(monkeypatch, rooms):
    """A guarded server that runs `act`, with the folder of its calls' leases; none of its jobs lives."""

    async def run(act):
        async def runs(self):
            await act(server, Path(os.environ[lease.FOLDER]))

        async def closes(self):
            return None

        monkeypatch.setattr(AgentServer, "run", runs)
        monkeypatch.setattr(AgentServer, "aclose", closes)
        monkeypatch.setattr(AgentServer, "active_jobs", [])
        server = AgentServer()
        callflow.guard(server)
        await server.run()

    return run


async def test_a_look_that_fails_is_not_the_last_one(tmp_path, dead, rooms, guarded, monkeypatch, caplog):
    looks = []

    def leases(folder):
        looks.append(folder)
        if len(looks) == 1:
            raise PermissionError("not today")
        return real(folder)

    real = lease.leases
    monkeypatch.setattr(lease, "leases", leases)

    async def act(_, folder):
        write(folder, held(tmp_path, dead))
        await asyncio.sleep(2.5)

    await guarded(act)
    assert rooms.asked == ["room"]
    assert "could not look after its calls" in caplog.text


async def test_who_was_killed_as_the_server_closed_is_looked_after_at_last(tmp_path, dead, rooms, guarded):
    async def act(server, folder):
        write(folder, held(tmp_path, dead))
        await server.aclose()
        assert rooms.asked == ["room"]
        assert lease.leases(folder) == {}

    await guarded(act)
    assert json.loads((tmp_path / "records" / "AJ_1.json").read_text())["outcome"] == "failed"


async def test_nobody_waits_for_ever_for_the_last_of_them(tmp_path, dead, rooms, guarded, monkeypatch):
    monkeypatch.setattr(guards, "TRY_SECONDS", 1000.0)
    rooms.seconds = 1000.0

    async def act(server, folder):
        write(folder, held(tmp_path, dead))
        began = asyncio.get_running_loop().time()
        await server.aclose()
        assert asyncio.get_running_loop().time() - began == guards.LAST_SECONDS

    await guarded(act)
    for task in asyncio.all_tasks():
        if task.get_name().startswith("callflow guard of"):
            task.cancel()


async def test_a_server_that_does_not_answer_is_asked_again(tmp_path, dead, rooms):
    rooms.seconds = 1000.0
    began = asyncio.get_running_loop().time()
    one = held(tmp_path, dead)
    await guards._end(write(tmp_path, one), one)
    assert len(rooms.asked) > guards.TRIES
    took = asyncio.get_running_loop().time() - began
    tries = guards.TRIES * guards.TRY_SECONDS
    assert tries + guards.STANDING_SECONDS <= took < tries + guards.STANDING_SECONDS + 5


async def test_a_record_that_cannot_be_written_or_amended_is_tried_once(tmp_path, dead, rooms, caplog):
    """Its lease is given back all the same: else the guard would delete the room of that name each second."""
    (tmp_path / "records").write_text("a file, where the folder should be")
    one = held(tmp_path, dead)
    await guards._end(write(tmp_path, one), one)
    assert "the record of a dead job could not be written" in caplog.text
    left = evolve(one, record=str(tmp_path / "records" / "AJ_1.json"))
    await guards._try_on(write(tmp_path, left), left)
    assert "a record could not be amended" in caplog.text
    assert lease.leases(tmp_path) == {}


async def test_who_has_been_looked_after_and_comes_again_is_looked_after_again(tmp_path, dead, rooms):
    """A job's id is its own; one that a test or a console uses twice is not."""
    watch = guards._Watch(SimpleNamespace(active_jobs=[]))
    for n in (1, 2):
        write(tmp_path, held(tmp_path, dead))
        watch._look(tmp_path)
        await asyncio.gather(*watch._ending.values())
        await asyncio.sleep(0)
        assert len(rooms.asked) == n
    assert watch._ending == {}


def a_job(*, fake=False):
    return SimpleNamespace(is_fake_job=lambda: fake, job=SimpleNamespace(id="AJ_1"))


@pytest.fixture
def call(tmp_path):
    flow = SimpleNamespace(name="desk", file="desk.yaml", digest="0123456789ab")
    notes = []
    return SimpleNamespace(
        id="AJ_1", flow=flow, folder=tmp_path / "records", now=lambda: 100.0, note=notes.append, notes=notes,
        redactor=Redactor(callflow.loads("callflow: 1\nname: desk\ninitial: a\nstates: {a: {}}\n")),
        log_fields={"call": "AJ_1", "flow": "desk", "worker_id": "AW_1", "dispatch_id": "AD_1", "agent_name": "desk"},
    )  # fmt: skip


async def test_a_call_holds_a_lease_from_its_start_to_its_record(tmp_path, call, monkeypatch):
    monkeypatch.setenv(lease.FOLDER, str(tmp_path))
    path = lease.take(call, a_job(), "room")
    [(found, one)] = lease.leases(tmp_path).items()
    assert found == path
    assert (one.call, one.job, one.room, one.records, one.pid) == (
        "AJ_1",
        "AJ_1",
        "room",
        str(call.folder),
        os.getpid(),
    )
    assert (one.digest, one.worker_id, one.dispatch_id, one.room_sid) == ("0123456789ab", "AW_1", "AD_1", None)
    assert one.log_fields == call.log_fields | {"job": "AJ_1", "room": "room"}
    assert not one.holder_is_gone()
    assert not one.is_left
    lease.leave_to_guard(path, Lookout(None, "room", (TELEPHONE,), stands=True), None)
    [left] = lease.leases(tmp_path).values()
    assert (left.is_left, left.stands, left.left) == (True, True, [asdict(TELEPHONE)])
    lease.give_back(path)
    assert list(tmp_path.iterdir()) == []
    lease.give_back(path)  # once more costs nothing


async def test_a_number_in_the_rooms_name_is_in_nothing_that_is_written(tmp_path, call, monkeypatch, rooms, caplog):
    """LiveKit's dispatch rules put the caller's there. The room is deleted by its real name all the same."""
    monkeypatch.setenv(lease.FOLDER, str(tmp_path))
    path = lease.take(call, a_job(), "call-+15550147733_x7")
    [one] = lease.leases(tmp_path).values()
    await guards._end(path, one)
    assert rooms.asked == ["call-+15550147733_x7"]
    [record] = (tmp_path / "records").glob("*.json")
    written = [record.read_text(), *(str(vars(line)) for line in caplog.records)]
    assert len(written) > 1
    for text in written:
        assert "5550147733" not in text
    assert json.loads(written[0])["room"].startswith("call-pii:")


@pytest.mark.parametrize("why", ["nobody guards", "a fake job"])
async def test_there_is_no_lease_where_nobody_could_do_anything_with_it(tmp_path, call, monkeypatch, why):
    if why == "a fake job":
        monkeypatch.setenv(lease.FOLDER, str(tmp_path))
    else:
        monkeypatch.delenv(lease.FOLDER, raising=False)
    assert lease.take(call, a_job(fake=why == "a fake job"), "room") is None
    assert list(tmp_path.iterdir()) == []
    assert call.notes == []


async def test_a_lease_that_cannot_be_written_is_said_in_the_record(tmp_path, call, monkeypatch):
    monkeypatch.setenv(lease.FOLDER, str(tmp_path / "gone"))
    assert lease.take(call, a_job(), "room") is None
    assert call.notes == ["nobody guards this call: its lease could not be written: No such file or directory"]


def test_a_process_that_has_ended_is_gone_also_while_nobody_has_asked_for_its_status(tmp_path):
    """LiveKit's own reaping of a job's process may come later than the guard's look."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        one = held(tmp_path, process.pid, born=lease.psutil.Process(process.pid).create_time())
        assert not one.holder_is_gone()
        process.kill()
        for _ in range(200):
            if one.holder_is_gone():
                break
            time.sleep(0.05)
        assert one.holder_is_gone()
        assert process.returncode is None
    finally:
        process.stdin.close()
        process.wait()
