"""A disk that is full, a folder that takes no file, two calls at one name, a process that dies while it writes: the call goes
on, its record says so, and what was written reads back."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from callflow.journal import read_journal, replay
from tests.support.worlds import FakeWorld, a_call


@contextmanager
def files_hold(size):
    """A disk that takes no more than so many bytes of any file: the write that goes beyond is cut short, and fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def a_long_call(folder, id="c-1"):  # noqa: A002
    world = FakeWorld()
    call = a_call(world, id=id, folder=folder)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    for number in range(20):
        call.send("app.approved", {"amount": number})
        await asyncio.sleep(0.5)
        call.send("app.moved")
        await asyncio.sleep(0.5)
    world.hang_up()
    return call, await running


@pytest.mark.parametrize("size", [0, 1, 200, 999, 1000, 1001, 4000])
async def test_a_disk_that_is_full_in_the_middle_of_a_line(size, tmp_path):
    with files_hold(size):
        call, record = await a_long_call(tmp_path)
    assert record.outcome == "hung_up"
    assert record.error is None
    assert any("is not whole: File too large" in note for note in record.notes)
    assert any("record" in note and "could not be written: File too large" in note for note in record.notes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c-1.jsonl"], "half a record is none"
    raw = (tmp_path / "c-1.jsonl").read_bytes()
    assert len(raw) <= size
    if raw.count(b"\n") > 1:
        journal = read_journal(tmp_path / "c-1.jsonl")
        assert journal.cut == (not raw.endswith(b"\n"))
        assert len(replay(call.flow, journal)) == len(journal.lines) == raw.count(b"\n") - 1


async def test_a_folder_that_is_gone_in_the_middle_of_a_call(tmp_path):
    """The record makes it anew, and names no journal that is not there."""
    world = FakeWorld()
    call = a_call(world, id="c-1", folder=tmp_path / "calls")
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    shutil.rmtree(tmp_path / "calls")
    world.hang_up()
    record = await running
    assert record.outcome == "hung_up"
    assert record.notes == (
        f"the journal {tmp_path / 'calls' / 'c-1.jsonl'} is not whole: it was removed while it was written",
    )
    assert record.journal is None
    assert [path.name for path in (tmp_path / "calls").iterdir()] == ["c-1.json"]


@pytest.mark.parametrize("how", ["a file in its place", "no such device", "no permission"])
async def test_a_folder_that_takes_no_file(how, tmp_path):
    folder = tmp_path / "calls"
    if how == "a file in its place":
        folder.write_text("")
    elif how == "no such device":
        folder = Path("/proc/self/no/calls")
    else:
        folder.mkdir(mode=0o500)
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write anywhere")
    _, record = await a_long_call(folder)
    assert record.outcome == "hung_up"
    assert any("the journal" in note and "is not whole" in note for note in record.notes)
    assert any("the record" in note and "could not be written" in note for note in record.notes)
    assert record.journal is None, "no file is named that is not there"


async def test_calls_of_one_id_write_files_of_their_own(tmp_path):
    """Three at once, and one later."""
    pairs = await asyncio.gather(*(a_long_call(tmp_path, "same") for _ in range(3)))
    pairs.append(await a_long_call(tmp_path, "same"))
    files = sorted(path.name for path in tmp_path.iterdir())
    stems = ["same", "same-2", "same-3", "same-4"]
    assert files == sorted(f"{stem}.{kind}" for stem in stems for kind in ("json", "jsonl"))
    assert {record.journal for _, record in pairs} == {str(tmp_path / f"{stem}.jsonl") for stem in stems}
    for call, record in pairs:
        journal = read_journal(record.journal)
        assert len(replay(call.flow, journal)) == record.steps


PROGRAM = """
import asyncio, sys
from tests.support.worlds import FakeWorld, a_call

async def main():
    call = a_call(FakeWorld(), id="killed", folder=sys.argv[1])
    asyncio.create_task(call.run())
    await asyncio.sleep(0.2)
    print("begun", flush=True)
    while True:
        call.send("app.approved", {"amount": 1})
        call.send("app.moved")
        await asyncio.sleep(0)

asyncio.run(main())
"""


def _lines_in(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.parametrize("lines", [20, 500])
def test_a_process_that_is_killed_while_it_writes(lines, tmp_path):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "begun\n"
        until = time.monotonic() + 30
        while _lines_in(tmp_path / "killed.jsonl") < lines and time.monotonic() < until:
            time.sleep(0.005)  # a process of its own, in real time
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    finally:
        process.kill()
        process.stdout.close()
    journal = read_journal(tmp_path / "killed.jsonl")
    flow = a_call(FakeWorld()).flow
    assert len(replay(flow, journal)) == len(journal.lines) >= lines - 1


def test_every_cut_of_a_journal_reads_back_up_to_the_cut(tmp_path):
    asyncio.run(_one_call(tmp_path))
    raw = (tmp_path / "whole.jsonl").read_bytes()
    path = tmp_path / "cut.jsonl"
    first = raw.index(b"\n") + 1
    for size in range(first, min(len(raw), first + 900)):
        path.write_bytes(raw[:size])
        journal = read_journal(path)
        assert len(journal.lines) == raw[:size].count(b"\n") - 1
        assert journal.cut == (raw[size - 1 : size] != b"\n")


async def _one_call(folder):
    world = FakeWorld()
    call = a_call(world, id="whole", folder=folder, vars={"phone": "+4915112345678"})
    running = asyncio.create_task(call.run())
    await asyncio.sleep(0.01)
    for _ in range(5):
        call.send("app.approved", {"amount": 1, "by": "Zoë 世界"})
        call.send("app.moved")
    await asyncio.sleep(0.01)
    call.job_ends("worker closes", worker=True)
    await running
