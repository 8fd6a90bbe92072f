"""A call as spans of LiveKit's tracer: what is in them, how they nest, that they end, and that nothing private is told."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents.telemetry import set_tracer_provider, tracer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import callflow
from callflow.core.snapshot import Microstep
from callflow.livekit_bindings import tracing
from callflow.testing import Tool

FLOW = """
callflow: 1
name: shop
vars: {pin: {type: string, pii: true, default: "48151623"}}
python: {look_up: {parameters: {pin: {type: string, pii: true}}}}
initial: desk
tools: {end_call: {description: Done.}}
states:
  desk:
    initial: hello
    states:
      hello: {entry: [{say: "Your PIN is {{ vars.pin }}."}], on: {done: looking}}
      looking:
        entry: [{python: {name: look_up, arguments: {pin: "{{ vars.pin }}"}, timeout: 2s}}]
        on:
          failed: {do: [{log: No.}]}
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
"""


class Spans:
    def __init__(self, exporter):
        self._exporter = exporter

    @property
    def all(self):
        return self._exporter.get_finished_spans()

    @property
    def ours(self):
        return [one for one in self.all if one.name.split()[0] in ("call", "state", "effect")]

    def one(self, name):
        [found] = [one for one in self.all if one.name == name]
        return found

    def parent(self, span):
        """Its parent's name."""
        names = {one.context.span_id: one.name for one in self.all}
        return None if span.parent is None else names[span.parent.span_id]


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_tracer_provider(provider)
    yield Spans(exporter)
    tracer.set_provider(trace.get_tracer_provider())
    provider.shutdown()


async def look_up(pin):
    with tracer.start_as_current_span("crm"):
        await asyncio.sleep(0.5)


def assert_whole(spans):
    """Each of ours has ended, once, inside one that began before it; all are of one trace."""
    by_id = {one.context.span_id: one for one in spans.all}
    assert len(by_id) == len(spans.all)
    [call] = [one for one in spans.ours if one.name.startswith("call ")]
    for one in spans.ours:
        assert one.end_time is not None
        if one is not call:
            parent = by_id[one.parent.span_id]
            assert parent.context.trace_id == one.context.trace_id == call.context.trace_id
            assert parent.start_time <= one.start_time
    return call


async def test_a_call_its_states_and_its_effects(stage, spans):
    stage.begin(FLOW, [Tool("end_call")], actions={"look_up": look_up})
    await asyncio.sleep(4)
    await stage.caller.say("bye")
    record = await stage.ended()
    call = assert_whole(spans)
    parents = {one.name: spans.parent(one) for one in spans.ours}
    assert parents["call shop"] == "job_entrypoint"
    assert parents["state desk"] == "call shop"
    assert parents["state desk.hello"] == parents["state desk.looking"] == "state desk"
    assert parents["effect python"] == "state desk.looking"
    assert parents["state ending"] == parents["state closed"] == "call shop"
    assert spans.parent(spans.one("agent_session")) == "call shop"
    assert spans.parent(spans.one("crm")) == "effect python"
    assert call.attributes["callflow.outcome"] == record.outcome == "completed"
    assert call.attributes["callflow.cause"] == record.cause.event
    assert call.attributes["callflow.hung_up_by"] == "agent"
    assert call.attributes["callflow.digest"] == record.digest
    assert call.attributes["lk.job_id"] == record.job
    assert call.attributes["lk.job.worker_id"] == "simulated"
    assert call.attributes["lk.dispatch_id"] == record.dispatch_id
    assert call.status.status_code is StatusCode.UNSET
    ran = sorted(
        (one.attributes["callflow.effect"], one.attributes["callflow.verb"])
        for one in spans.ours
        if "effect" in one.name
    )
    assert ran == sorted((one.id, one.verb) for one in record.effects if one.id > 0)
    assert {one.attributes["callflow.status"] for one in spans.ours if "effect" in one.name} == {"ok"}
    visits = [
        one.attributes["callflow.state"]
        for one in sorted(spans.ours, key=lambda one: one.start_time)
        if "state" in one.name
    ]
    assert visits == [one.state for one in record.states]


async def test_nothing_private_is_told(stage, spans):
    """Not a value, not a text, not what an exception says; also where a row is taken by a key that nobody names."""
    secret = "Mrs Miller, 48151623, +15550147733"

    async def fails(pin):
        raise ValueError(secret)

    flow = FLOW.replace(
        "failed: {do: [{log: No.}]}", "failed: {do: [{log: No.}]}\n          dtmf.*: {do: [{log: Key.}]}"
    )
    stage.begin(flow, [Tool("end_call")], actions={"look_up": fails})
    await asyncio.sleep(4)
    stage.caller.press("7")
    await asyncio.sleep(1)
    await stage.caller.say("bye")
    await stage.ended()
    assert_whole(spans)
    effect = spans.one("effect python")
    assert effect.status.status_code is StatusCode.ERROR
    assert effect.status.description is None
    assert effect.events == ()
    assert effect.attributes["callflow.status"] == "failed"
    for one in spans.ours:
        told = f"{one.name} {dict(one.attributes)} {[event.attributes for event in one.events]}"
        for private in ("48151623", "Miller", "5550147733", "PIN", "Goodbye", "dtmf.7"):
            assert private not in told, told


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        ("tool.end_call", "tool.end_call"),
        ("leg.colleague.hangup", "leg.colleague.hangup"),
        ("leg.sip_+15550147733.hangup", "leg.*"),
        ("dtmf.1", "dtmf.1"),
        ("dtmf.7", "dtmf.*"),
        ("room.participant_connected", "room.*"),
        ("silence 30s", "silence 30s"),
        ("failed", "failed"),
        ("", ""),
    ],
)
def test_what_a_state_was_entered_for_is_said_in_the_flows_own_words(trigger, told):
    rows = ["leg.*: desk", "leg.colleague.hangup: desk", "dtmf.1: desk", "dtmf.*: desk", ""]
    text = FLOW.replace("      tool.end_call: {", "      " + "\n      ".join(rows) + "tool.end_call: {")
    flow = callflow.loads(text + "legs: {colleague: {identity: mia}}\n")
    assert tracing.trigger_of(flow, Microstep(trigger, (), (), ("desk",))) == told


async def hang_up(stage):
    await asyncio.sleep(1)
    stage.caller.hang_up()


async def told_by_the_worker(stage):
    await asyncio.sleep(1)
    stage.job.request_shutdown()


async def told_by_the_program(stage):
    await asyncio.sleep(1)
    await stage.call.hang_up("Bye.")


async def broken(stage):
    await asyncio.sleep(1)
    stage.call.break_off(RuntimeError("a defect"))


async def cancelled(stage):
    await asyncio.sleep(1)
    stage.job.request_shutdown()
    await asyncio.sleep(0.1)


@pytest.mark.parametrize("how", [hang_up, told_by_the_worker, told_by_the_program, broken, cancelled])
async def test_spans_end_in_every_way_a_call_ends(stage, spans, how):
    stage.begin(FLOW, actions={"look_up": look_up})
    await how(stage)
    record = await stage.ended()
    call = assert_whole(spans)
    assert call.attributes["callflow.cause"] == record.cause.event
    assert (call.status.status_code is StatusCode.ERROR) == (how is broken)
    states = [one for one in spans.ours if one.name.startswith("state ")]
    assert len(states) == len(record.states)
    assert len([one for one in spans.ours if one.name.startswith("effect ")]) == len(
        [one for one in record.effects if one.id > 0]
    )


async def test_a_call_that_cannot_start_has_a_span_that_ends(stage, spans, monkeypatch):
    def start(*_, **__):
        raise RuntimeError("a defect")

    monkeypatch.setattr("callflow.runtime.actor.start", start)
    stage.begin(FLOW, actions={"look_up": look_up})
    await stage.ended()
    assert assert_whole(spans).status.status_code is StatusCode.ERROR


async def test_a_provider_that_fails_costs_no_call_anything(stage, spans, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("the exporter is down")

    monkeypatch.setattr(tracing.Tracing, "_moved", fail)
    stage.begin(FLOW, [Tool("end_call")], actions={"look_up": look_up})
    await asyncio.sleep(4)
    await stage.caller.say("bye")
    record = await stage.ended()
    assert (record.outcome, record.notes) == ("completed", ())
    assert caplog.text.count("the spans of a call have failed") == 1
    assert spans.one("call shop").end_time is not None


async def test_without_a_provider_there_is_nothing(stage, monkeypatch):
    """One question of the tracer for each call, and no more."""
    asked = []
    begin = tracer.start_span
    monkeypatch.setattr(tracer, "start_span", lambda name, **options: asked.append(name) or begin(name, **options))
    stage.begin(FLOW, [Tool("end_call")], actions={"look_up": look_up})
    await asyncio.sleep(4)
    await stage.caller.say("bye")
    await stage.ended()
    assert [name for name in asked if name.split()[0] in ("call", "state", "effect")] == ["call shop"]
