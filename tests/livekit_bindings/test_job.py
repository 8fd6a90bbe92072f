"""What LiveKit's JobContext knows of a call: in `call.*`, the record, the journal's first line, and every line of the log."""

from __future__ import annotations

import json
import logging

import callflow
from callflow.core.flow import Flow
from callflow.journal import read_journal, replay
from callflow.livekit_bindings.job import facts_of
from callflow.testing import SimulatedJob
from tests.livekit_bindings.conftest import console_job

FLOW = """
callflow: 1
name: shop
initial: talking
states:
  talking:
    entry:
      - say: Hello.
      - log: "{{ call.worker_id }} {{ call.dispatch_id }} {{ call.room_sid }} {{ call.agent_name }} {{ call.job }}"
    on: {done: {target: ending, do: [{outcome: completed}]}}
"""

IDS = ("room_sid", "job", "worker_id", "dispatch_id", "agent_name")


def named(job, **more):
    """The job of a named agent."""
    job.ctx.job.agent_name = "front-desk"
    for name, value in more.items():
        setattr(job.ctx.job, name, value)
    return {
        "room_sid": job.ctx.job.room.sid,
        "job": job.ctx.job.id,
        "worker_id": "simulated",
        "dispatch_id": job.ctx.job.dispatch_id,
        "agent_name": "front-desk",
    }


async def test_it_is_in_the_flow_the_record_the_journal_and_the_log(stage, tmp_path, caplog, monkeypatch):
    known = {}
    monkeypatch.setattr(SimulatedJob, "start", _named_first(SimulatedJob.start, known))
    with caplog.at_level(logging.INFO):
        flow = stage.flow(FLOW)
        record = await stage.play(flow, journal=tmp_path)
    assert all(known.values())
    assert {name: getattr(record, name) for name in IDS} == known
    assert record.digest == flow.digest
    written = json.loads((tmp_path / f"{record.call}.json").read_text())
    assert {name: written[name] for name in IDS} == known
    assert written["digest"] == flow.digest
    head = read_journal(tmp_path / f"{record.call}.jsonl").head
    assert head["digest"] == flow.digest
    assert {name: head["facts"][name] for name in IDS} == known
    assert (head["facts"]["enable_recording"], head["facts"]["enable_redaction"]) == (False, False)
    [line] = [one for one in caplog.records if one.name == "callflow" and "simulated" in one.message]
    assert line.message.split() == [
        known[name] for name in ("worker_id", "dispatch_id", "room_sid", "agent_name", "job")
    ]


def _named_first(start, known):
    def named_then_start(job):
        known.update(named(job))
        start(job)

    return named_then_start


async def test_every_line_of_the_job_tells_whose_it_is(stage, caplog, monkeypatch):
    """Ours, LiveKit's and the program's."""
    known = {}
    monkeypatch.setattr(SimulatedJob, "start", _named_first(SimulatedJob.start, known))

    def note():
        logging.getLogger("program").warning("I was here")

    flow = FLOW.replace("- say: Hello.", "- say: Hello.\n      - python: note") + "python: {note: {}}\n"
    with caplog.at_level(logging.DEBUG):
        record = await stage.play(flow, actions={"note": note})
    expected = {"call": record.call, "flow": "shop", **known}
    lines = {one.name: one for one in caplog.records if hasattr(one, "call")}
    assert {"callflow", "program", "livekit.agents"} <= lines.keys()
    for one in lines.values():
        assert {name: getattr(one, name) for name in expected} == expected, one.name


async def test_what_the_program_says_of_its_log_lines_stays(stage, caplog):
    stage.begin(FLOW)
    stage.job.ctx.log_context_fields = {"flow": "mine", "tenant": "a"}
    with caplog.at_level(logging.INFO):
        await stage.ended()
    fields = stage.job.ctx.log_context_fields
    assert (fields["flow"], fields["tenant"], fields["worker_id"]) == ("mine", "a", "simulated")


async def test_a_callflow_line_outside_of_a_job_tells_its_call_too(caplog):
    """Without LiveKit's own filter: the console's fake job has none."""
    with console_job() as ctx, caplog.at_level(logging.INFO):
        from livekit.agents import AgentSession

        from callflow.testing import SpelledTTS

        flow = callflow.loads(
            FLOW[: FLOW.index('"{{')] + '"{{ call.worker_id }} it is"' + FLOW[FLOW.index("\n    on:") :]
        )
        record = await callflow.run(flow, ctx, AgentSession(tts=SpelledTTS(), vad=None))
    [line] = [one for one in caplog.records if one.message == "fake it is"]
    assert (line.call, line.flow, line.worker_id, line.job) == (record.call, "shop", "fake", "fake-job")
    assert not hasattr(line, "dispatch_id")


async def test_what_may_be_anybodys_is_private(stage, tmp_path, caplog, monkeypatch):
    """An identity that the program chose, and what came with the dispatch; the rest is LiveKit's or the author's."""
    secret, number = "agent-for-Mrs-Miller", "+15550147733"
    monkeypatch.setattr(
        "callflow.livekit_bindings.binding.facts_of",
        lambda ctx: facts_of(ctx) | {"agent_identity": secret, "job_attributes": {"callers": number}},
    )
    flow = FLOW.replace("- say: Hello.", '- log: "{{ call.agent_identity }} {{ call.job_attributes.callers }}"')
    with caplog.at_level(logging.DEBUG, "callflow"):
        record = await stage.play(flow, journal=tmp_path)
    files = [path.read_text() for path in tmp_path.iterdir()]
    assert len(files) == 2
    for text in [*files, *(str(vars(one)) for one in caplog.records if one.name == "callflow")]:
        assert secret not in text
        assert number not in text
    assert stage.call.snapshot.memory.call["agent_identity"] == secret
    recorded = read_journal(tmp_path / f"{record.call}.jsonl")
    assert recorded.head["facts"]["agent_identity"].startswith("pii:")
    assert replay(stage.call.flow, recorded)[-1].snapshot.ended


async def test_what_livekit_leaves_empty_reads_as_nothing(stage, caplog):
    """A worker without a name, say."""
    stage.begin(FLOW.replace("{{ call.agent_name }}", "{{ default(call.agent_name, 'nobody') }}"))
    with caplog.at_level(logging.INFO, "callflow"):
        record = await stage.ended()
    assert record.agent_name is None
    assert "nobody" in "".join(caplog.messages)
    assert record.outcome == "completed"


async def test_journals_of_before_still_replay(stage, tmp_path):
    """Whose first line had neither a digest nor more than the room and the job."""
    record = await stage.play(FLOW, journal=tmp_path)
    path = tmp_path / f"{record.call}.jsonl"
    head, *lines = path.read_text().splitlines()
    old = json.loads(head)
    del old["digest"]
    old["journal"] = 2
    old["facts"] = {name: old["facts"][name] for name in ("id", "direction", "room", "job")}
    shorter = [line for line in lines if '"log"' not in line]
    assert len(shorter) < len(lines)  # what the flow makes of the new facts could not have been recorded
    flow: Flow = callflow.loads(FLOW.replace(FLOW[FLOW.index("      - log:") : FLOW.index("    on:")], ""))
    path.write_text("\n".join([json.dumps(old), *lines[:2], ""]))
    assert len(replay(flow, read_journal(path))) == 2


def test_a_digest_names_the_text_of_a_flow_and_of_its_sub_flows(tmp_path):
    inner = FLOW.replace("target: ending, do: [{outcome: completed}]", "target: over").rstrip()
    (tmp_path / "inner.yaml").write_text(inner + "\n  over: {final: true}\n")
    outer = "callflow: 1\nname: outer\ninitial: a\nuse: {inner: inner.yaml}\nstates: {a: {flow: inner, on: {done: ending}}}\n"
    first = callflow.loads(outer, folder=tmp_path)
    assert first.digest == callflow.loads(outer, "elsewhere.yaml", folder=tmp_path).digest
    assert len(first.digest) == 12
    (tmp_path / "inner.yaml").write_text(inner.replace("Hello", "Hullo") + "\n  over: {final: true}\n")
    assert callflow.loads(outer, folder=tmp_path).digest != first.digest
    assert callflow.loads(outer + "# more\n", folder=tmp_path).digest != first.digest
