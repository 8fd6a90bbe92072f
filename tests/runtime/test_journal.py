"""A call's journal: one line for each step, nothing private in it, whole or honest about it; and read back, replayed."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

import callflow
import callflow.runtime.journal as journal_module
from callflow.errors import JournalError
from callflow.journal import read_journal, replay
from callflow.runtime.ports import Facts
from tests.support.worlds import EPOCH, SMALL, FakeWorld, a_call

PRIVATE = """
callflow: 1
name: private
vars:
  phone: {type: phone, pii: true}
  name: {type: string, default: Ann Lee, pii: true}
  tries: {type: integer, default: 0}
  pin: {type: integer, default: 47110815, pii: true}
events:
  app.paid: {card: {type: string, pii: true}, amount: integer}
tools:
  end_call: {description: Done.}
  find: {description: Finds., parameters: {account: {type: string, pii: true}}}
wrap_up: [{http: {url: "https://crm.example", method: POST, json: {said: "{{ call.transcript }}", record: "{{ call.record }}"}}}]
initial: talking
states:
  talking:
    entry:
      - say: "Hello {{ vars.name }}, may I call you back at {{ vars.phone }}?"
      - log: "PIN {{ vars.pin }}"
    tools: [end_call, find]
    on:
      tool.find:
        - {when: 'event.account == "DE-99"', do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}
        - {do: [{say: "No account {{ event.account }}."}]}
      app.paid: {when: event.amount > 3, target: paid}
      tool.end_call: {target: ending, do: [{outcome: completed}]}
  paid:
    entry: [{say: Thanks.}]
    on:
      dtmf.1: {target: ending, when: vars.pin == 47110815}
"""

SAID = "My dog is called Rex"
SECRETS = ("15551234567", "Ann Lee", "47110815", "DE-99", "DE-17", "4000123412341234", "sip_")


def place(words):
    """Where these words stand in the flow."""
    return f"<text>:{PRIVATE[: PRIVATE.index(words)].count(chr(10)) + 1}"


async def recorded(tmp_path, **options):
    """A call with something private in everything that it meets."""
    world = FakeWorld()
    world.last = Facts(
        room="call-_+15551234567_x", participant="sip_15551234567", transcript=({"role": "user", "text": SAID},)
    )
    call = a_call(world, PRIVATE, id="c-1", vars={"phone": "+15551234567"}, folder=tmp_path, **options)
    steps = []

    async def watch(stream):
        steps.extend([step async for step in stream])

    watching = asyncio.create_task(watch(call.steps()))
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    call.post("call.restored", {"leg": "far_end", "identity": "sip_15551234567", "away": 1.0})
    await call.tool_called("find", {"account": "DE-99"})
    await call.tool_called("find", {"account": "DE-17"})
    call.post("session.user_input_transcribed", {"transcript": "I am Ann Lee", "is_final": True})
    await asyncio.sleep(3)
    call.send("app.paid", {"card": "4000123412341234", "amount": 2})
    call.send("app.paid", {"card": "4000123412341234", "amount": 5})
    await asyncio.sleep(3)
    call.post("dtmf.7", {"digit": "7", "leg": "far_end"})
    call.post("dtmf.1", {"digit": "1", "leg": "far_end"})
    record = await running
    await watching
    return record, steps


async def test_one_line_for_each_step_with_its_place_in_the_flow(tmp_path):
    record, steps = await recorded(tmp_path)
    journal = read_journal(tmp_path / "c-1.jsonl")
    assert record.journal == str(tmp_path / "c-1.jsonl")
    assert (record.notes, journal.cut) == ((), False)
    assert len(journal.lines) == len(steps) == record.steps
    assert (journal.head["call"], journal.head["flow"], journal.head["time"]) == ("c-1", "private", EPOCH)

    by_event = {line["event"]: line for line in journal.lines if "event" in line}
    paid = by_event["app.paid"]
    assert paid["guards"] == [[next(iter(paid["moves"]))["ids"][0], True]]
    assert paid["moves"][0]["rows"] == [place("app.paid: {when")]
    assert (paid["moves"][0]["exited"], paid["states"]) == (["talking"], ["paid"])
    assert [(one["verb"], one["at"]) for one in paid["start"]] == [("say", place("say: Thanks."))]
    ended = next(line for line in journal.lines if line.get("ended") == 1)
    assert (ended["verb"], ended["status"], ended["seconds"]) == ("say", "ok", 1.0)
    first = next(line for line in journal.lines if line.get("event") == "tool.find")
    assert [note["value"] for note in first["notes"] if note["kind"] == "set"] == [1]
    assert journal.lines[-1]["phase"] == "ended"
    assert [line["time"] for line in journal.lines] == sorted(line["time"] for line in journal.lines)


async def test_nothing_private_is_in_the_files(tmp_path):
    await recorded(tmp_path)
    for path in tmp_path.iterdir():
        text = path.read_text()
        assert text
        for secret in SECRETS:
            assert secret not in text, f"{secret} in {path.name}"
        assert (SAID in text) == (path.suffix == ".json"), "the conversation is in the record, and only there"
        assert path.stat().st_mode & 0o077 == 0, "and for its owner's eyes"
        assert "dtmf.7" not in text
        assert "dtmf.1" in text if path.suffix == ".jsonl" else True


async def test_equal_values_can_be_compared_between_calls_under_one_key(tmp_path):
    digests = []
    for name in ("a", "b"):
        await recorded(tmp_path / name, key=b"one key")
        digests.append(read_journal(tmp_path / name / "c-1.jsonl").head["vars"]["phone"])
    assert digests[0] == digests[1]
    assert re.fullmatch("pii:[0-9a-f]{16}", digests[0])


async def test_nothing_private_is_in_a_record_without_a_journal(tmp_path):
    world = FakeWorld()
    world.last = Facts(
        participant="sip_15551234567", transcript=({"role": "user", "text": "DE-17, 4000 1234 1234 1234"},)
    )
    call = a_call(world, PRIVATE, vars={"phone": "+15551234567"})
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    await call.tool_called("find", {"account": "DE-17"})
    call.send("app.paid", {"card": "4000123412341234", "amount": 5})
    world.hang_up()
    record = await running
    for secret in (*SECRETS[:-1], "4000 1234"):
        assert secret not in json.dumps(record.to_json())
    assert record.vars["phone"] == "+15551234567", "the program itself sees it"
    assert "DE-17" in json.dumps(record.to_json(private=True))


async def test_two_calls_of_one_id_do_not_write_into_one_file(tmp_path):
    first, _ = await recorded(tmp_path)
    second, _ = await recorded(tmp_path)
    assert [record.journal for record in (first, second)] == [
        str(tmp_path / "c-1.jsonl"),
        str(tmp_path / "c-1-2.jsonl"),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c-1-2.json", "c-1-2.jsonl", "c-1.json", "c-1.jsonl"]
    assert len(read_journal(second.journal).lines) == second.steps


async def test_a_redacted_journal_replays_to_the_same_steps(tmp_path):
    _, steps = await recorded(tmp_path)
    journal = read_journal(tmp_path / "c-1.jsonl")
    assert journal.redacted
    again = replay(callflow.loads(PRIVATE), journal)
    assert len(again) == len(steps)
    for one, other in zip(steps, again, strict=True):
        assert (one.moves, one.snapshot.configuration) == (other.moves, other.snapshot.configuration) or "dtmf" in str(
            one
        )
        assert [getattr(effect, "verb", None) for effect in one.effects] == [
            getattr(effect, "verb", None) for effect in other.effects
        ]
        assert one.snapshot.outcome == other.snapshot.outcome
        assert one.snapshot.memory.timers == other.snapshot.memory.timers


async def test_a_journal_with_nothing_private_replays_to_equal_steps(tmp_path):
    text = SMALL.replace(", pii: true", "")
    world = FakeWorld(answers=False)
    call = a_call(world, text, id="c-2", folder=tmp_path, waiting=False)
    steps = []

    async def watch(stream):
        steps.extend([step async for step in stream])

    watching = asyncio.create_task(watch(call.steps()))
    running = asyncio.create_task(call.run())
    await asyncio.sleep(20)
    call.send("app.approved", {"amount": 3})
    call.send("app.moved")
    await asyncio.sleep(20)
    await call.tool_called("end_call", {})
    await running
    await watching
    journal = read_journal(tmp_path / "c-2.jsonl")
    assert not journal.redacted
    assert replay(callflow.loads(text), journal) == tuple(steps)


async def test_a_flow_that_behaves_differently_now_is_found_out(tmp_path):
    await recorded(tmp_path)
    journal = read_journal(tmp_path / "c-1.jsonl")
    changed = callflow.loads(PRIVATE.replace("say: Thanks.", "say: Thank you."))
    with pytest.raises(JournalError) as raised:
        replay(changed, journal)
    assert "`start` comes out differently" in str(raised.value)
    assert re.search(r"c-1\.jsonl:\d+: ", str(raised.value))


async def test_a_comment_in_the_flow_changes_no_old_call(tmp_path):
    await recorded(tmp_path)
    journal = read_journal(tmp_path / "c-1.jsonl")
    commented = callflow.loads(PRIVATE.replace("callflow: 1", "# a comment\n\ncallflow: 1"), name="elsewhere.yaml")
    assert len(replay(commented, journal)) == len(journal.lines)
    with pytest.raises(JournalError, match="a call of the flow private, not of small"):
        replay(callflow.loads(SMALL), journal)


async def test_a_cut_last_line_is_tolerated(tmp_path):
    record, _ = await recorded(tmp_path)
    path = tmp_path / "c-1.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    journal = read_journal(path)
    assert journal.cut
    assert len(journal.lines) == record.steps - 1
    replay(callflow.loads(PRIVATE), journal)


HEAD = '{"journal":3,"call":"c","flow":"f","file":"f.yaml","digest":"","time":1,"vars":{},"env":{},"facts":{},"waiting":false}\n'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "bad.jsonl:1: this is no journal"),
        (HEAD + 'nonsense\n{"seq":1}\n', "bad.jsonl:2: this line is no JSON"),
        (HEAD + "[]\n", "bad.jsonl:2: this line is no JSON object"),
        ('{"journal":99}\n', "bad.jsonl:1: a journal of version 99"),
        (HEAD + '{"seq":0,"time":1,"states":[]}\n{"seq":2}\n', "bad.jsonl:3: step 1 should stand here, not step 2"),
        ('{"a":1}\n', "bad.jsonl:1: this is no journal"),
    ],
)
def test_what_is_no_journal_is_told_with_its_line(tmp_path, content, sentence):
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    with pytest.raises(JournalError) as raised:
        read_journal(path)
    assert sentence in str(raised.value)


def test_a_journal_that_is_not_there(tmp_path):
    with pytest.raises(JournalError, match="No such file"):
        read_journal(tmp_path / "none.jsonl")


async def test_a_disk_that_is_full_stops_no_call(tmp_path, monkeypatch):
    real = journal_module.Journal._write
    count = 0

    def write(self, batch):
        nonlocal count
        count += 1
        if count > 3 and batch is not None:
            raise OSError(28, "No space left on device")
        return real(self, batch)

    monkeypatch.setattr(journal_module.Journal, "_write", write)
    record, _ = await recorded(tmp_path)
    assert record.outcome == "completed" or record.outcome == "none"
    assert any("is not whole: No space left on device" in note for note in record.notes)
    assert read_journal(tmp_path / "c-1.jsonl").lines
    saved = json.loads((tmp_path / "c-1.json").read_text())
    assert any("No space left" in note for note in saved["notes"])


async def test_steps_do_not_wait_for_the_disk(tmp_path, monkeypatch):
    """What is taken while the writer is at it is written together, when it is done."""
    batches = []
    real = journal_module.Journal._write

    def write(self, batch):
        batches.append(len(batch or ()))
        return real(self, batch)

    monkeypatch.setattr(journal_module.Journal, "_write", write)
    world = FakeWorld()
    call = a_call(world, id="c-3", folder=tmp_path)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    for _ in range(200):
        call.post("room.active_speakers_changed", {"identities": []})
    await asyncio.sleep(1)
    world.hang_up()
    record = await running
    assert len(read_journal(tmp_path / "c-3.jsonl").lines) == record.steps > 200
    assert len(batches) < 50


async def test_what_comes_within_the_pause_after_a_write_is_written_at_its_end_and_what_comes_later_at_once(
    tmp_path, monkeypatch
):
    loop = asyncio.get_running_loop()
    began = []
    real = journal_module.Journal._write_on

    def write_on(self):
        waiting = len(self._pending)
        real(self)
        if len(self._pending) < waiting:
            began.append((loop.time(), waiting))

    monkeypatch.setattr(journal_module.Journal, "_write_on", write_on)
    world = FakeWorld()
    call = a_call(world, id="c-3", folder=tmp_path)
    running = asyncio.create_task(call.run())
    await asyncio.sleep(2)
    began.clear()
    start = loop.time()
    for _ in range(4):  # each in a turn of the loop of its own
        call.post("room.active_speakers_changed", {"identities": []})
        await asyncio.sleep(0.001)
    await asyncio.sleep(2)
    call.post("room.active_speakers_changed", {"identities": []})
    await asyncio.sleep(0.001)
    assert [(round(when - start, 4), steps) for when, steps in began] == [(0.0, 1), (0.005, 3), (2.004, 1)]
    world.hang_up()
    record = await running
    assert [line["seq"] for line in read_journal(tmp_path / "c-3.jsonl").lines] == list(range(record.steps))


async def test_what_is_made_of_a_private_value_is_hidden_also_where_it_is_too_short_to_be_looked_for(tmp_path):
    async def speaks(world, effect):
        return {"interrupted": False, "spoken": effect.arguments["text"], "heard": True}

    text = """
    callflow: 1
    name: spells
    vars: {word: {type: string, default: qzxwvy, pii: true}}
    initial: talking
    states:
      talking: {entry: [{say: "{{ first(vars.word, 3) }}"}], on: {done: ending}}
    """
    call = a_call(FakeWorld(say=speaks), text, id="c-1", folder=tmp_path)
    record = await call.run()
    assert record.effects[0].result["spoken"] == "qzx", "in the clear where the program has asked for it"
    for path in tmp_path.iterdir():
        assert "qzx" not in path.read_text()
    assert "qzx" not in json.dumps(record.to_json())
