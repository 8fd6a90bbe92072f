"""A call that hangs on private values replays from a journal that does not tell them: what failed fails, what held holds."""

from __future__ import annotations

import asyncio
import json

import pytest

import callflow
from callflow.errors import JournalError
from callflow.journal import read_journal, replay
from tests.support.worlds import FakeWorld, a_call

FLOW = """
callflow: 1
name: hangs
vars: {{code: {{type: string, pii: true}}, wait: {{type: duration, default: 1s}}, count: {{type: integer, default: 0}}, told: {{type: string, default: ""}}}}
events: {{app.go: {{code: {{type: string, pii: true}}}}}}
tools:
  end_call: {{description: Done.}}
  look: {{description: Looks., parameters: {{}}, run: {{python: {{name: look}}}}, result: "{{{{ duration(result.code) }}}}"}}
python: {{look: {{returns: {{code: {{type: string, pii: true}}}}}}}}
initial: talking
states:
  talking:
    entry: [{entry}]
    tools: [end_call, look]
    on:
      failed: {{do: [{{log: "failed"}}], target: elsewhere}}
      app.go: {{do: [{{set: {{count: "{{{{ round(number(event.code)) }}}}"}}}}, {{log: "went on"}}]}}
      tool.end_call: {{target: ending, do: [{{outcome: completed}}]}}
      call.hangup: ending
  elsewhere:
    entry: [{{say: Something has failed.}}]
    tools: [end_call]
    on:
      tool.end_call: {{target: ending, do: [{{outcome: failed}}]}}
      call.hangup: ending
wrap_up: [{wrap_up}]
"""


async def recorded(folder, text, code, *, waiting=None):
    world = FakeWorld(python=brings(code))
    call = a_call(world, text, id="c", folder=folder, vars={"code": code}, waiting=waiting)
    steps = []

    async def watch():
        steps.extend([step async for step in call.steps()])

    watching = asyncio.create_task(watch())
    running = asyncio.create_task(call.run())
    await asyncio.sleep(3)
    if not call.over:
        call.send("app.go", {"code": code})
        await asyncio.sleep(3)
        await call.tool_called("look", {})
        await call.tool_called("end_call", {})
    record = await running
    await watching
    return record, steps


def brings(code):
    async def look(world, effect):
        return {"code": code}

    return look


PLAIN = "{http: {url: 'https://crm.example', method: POST, json: {all: '{{ call.record }}'}}}"


@pytest.mark.parametrize("waiting", [True, False])
@pytest.mark.parametrize("code", ["30s", "12", "no number", "0", "9" * 18])
@pytest.mark.parametrize(
    "entry",
    [
        "{say: Hello.}",
        "{set: {wait: '{{ duration(vars.code) }}'}}, {say: 'I wait {{ vars.wait }}.'}",
        "{set: {count: '{{ round(number(vars.code)) }}'}}, {log: 'and on'}",
        "{http: {url: 'https://crm.example/{{ round(100 / number(vars.code)) }}', optional: true}}, {say: Hello.}",
        "{say: '{{ first(vars.code, 2) }}, {{ duration(vars.code) }}'}, {say: Hello.}",
        "{http: {url: 'https://crm.example/{{ duration(vars.code) }}'}}",
    ],
)
async def test_what_failed_fails_again_and_only_that(tmp_path, entry, code, waiting):
    flow = FLOW.format(entry=entry, wrap_up=PLAIN)
    record, steps = await recorded(tmp_path, flow, code, waiting=waiting)
    journal = read_journal(tmp_path / "c.jsonl")
    assert journal.redacted
    assert code not in {"30s", "no number"} or code not in (tmp_path / "c.jsonl").read_text()
    again = replay(callflow.loads(flow), journal)
    assert [one.snapshot.configuration for one in again] == [one.snapshot.configuration for one in steps]
    assert [one.moves for one in again] == [one.moves for one in steps]
    assert again[-1].snapshot.outcome == record.outcome


@pytest.mark.parametrize(
    "wrap_up",
    [
        "{http: {url: 'https://crm.example', method: POST, json: '{{ call.record.vars }}'}}",
        "{http: {url: 'https://crm.example', method: POST, json: {code: '{{ call.record.vars.code }}', who: '{{ call.record.hung_up_by }}'}}}",
        "{http: {url: 'https://crm.example/{{ call.record.outcome }}', method: POST, json: {said: '{{ call.transcript }}'}}}",
        "{set: {told: '{{ call.record.vars.code }}'}}, {http: {url: 'https://crm.example/{{ vars.told }}'}}",
    ],
)
async def test_a_wrap_up_that_reads_the_record_replays(tmp_path, wrap_up):
    flow = FLOW.format(entry="{say: Hello.}", wrap_up=wrap_up)
    record, steps = await recorded(tmp_path, flow, "4711-0815")
    journal = read_journal(tmp_path / "c.jsonl")
    assert "4711-0815" not in (tmp_path / "c.jsonl").read_text()
    assert [one.verb for one in record.effects].count("http") == 1
    assert [one.moves for one in replay(callflow.loads(flow), journal)] == [one.moves for one in steps]


async def test_a_journal_that_does_not_tell_what_failed_replays_as_it_did(tmp_path):
    """As they were written before."""
    flow = FLOW.format(entry="{say: 'Hello {{ vars.code }}.'}", wrap_up=PLAIN)
    flow = flow.replace(', result: "{{ duration(result.code) }}"', "")
    _, steps = await recorded(tmp_path, flow, "12")
    path = tmp_path / "c.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0].pop("tells") == ["guards", "broke"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    again = replay(callflow.loads(flow), read_journal(path))
    assert [one.moves for one in again] == [one.moves for one in steps]


async def test_a_flow_that_fails_elsewhere_now_is_found_out(tmp_path):
    flow = FLOW.format(entry="{set: {count: '{{ round(number(vars.code)) }}'}}", wrap_up=PLAIN)
    await recorded(tmp_path, flow, "no number")
    with pytest.raises(JournalError, match="comes out differently"):
        replay(
            callflow.loads(flow.replace("{set: {count", "{say: Hello.}, {set: {count", 1)),
            read_journal(tmp_path / "c.jsonl"),
        )
