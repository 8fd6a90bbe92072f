"""Values planted in what every verb is given, in what it brings, and in what it fails with: none is written anywhere."""

from __future__ import annotations

import json
import logging

import pytest
from livekit.agents import Agent
from livekit.agents.telemetry import set_tracer_provider, tracer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import callflow
from callflow.core.actions import VERBS
from callflow.core.events import EVENTS
from callflow.core.expressions import TEXT
from callflow.errors import EffectError
from callflow.journal import read_journal, replay
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, hangs_up
from tests.strangers.test_planted import written

NAME, TELEPHONE, KEYS = "Zarquon.Prophet", "+15553141592", "993147"
UNHEARD_OF = "+1 (555) 271-8281"
"""A number that nothing has brought before an error tells of it."""

PLANTED = ("Zarquon", "Prophet", "3141592", "993147", "271-8281", "2718281", "MAGRATHEA", "Slartibart")

GIVEN = {
    "say": {"text": "Hello {{ vars.name }} at {{ vars.telephone }}."},
    "generate_reply": {"instructions": "Greet {{ vars.name }}.", "user_input": "I am {{ vars.name }}"},
    "play": {"file": "{{ env.SOUNDS }}/{{ vars.name }}.wav"},
    "wait_for_speech": {}, "interrupt": {}, "mute": {}, "unmute": {}, "drain": {}, "aclose": {}, "close_models": {}, "delete_room": {},
    "remove_participant": {}, "shutdown": {}, "stand_by": {}, "answer": {}, "cancel_dial": {}, "detect_machine": {}, "hold": {}, "resume": {},
    "stop_recording": {}, "outcome": {"name": "failed"}, "tag": {"tags": ["a"]}, "update_agent": {"agent": "other"},
    "hang_up": {"goodbye": "Goodbye {{ vars.name }}."},
    "reject": {"reason": "{{ vars.name }}"},
    "dial": {
        "to": "{{ vars.telephone }}", "trunk": "ST_1", "leg": "human", "display_name": "{{ vars.name }}",
        "headers": {"X-Who": "{{ vars.name }}"}, "dtmf": "{{ vars.keys }}",
    },
    "send_dtmf": {"digits": "{{ vars.keys }}"},
    "collect_digits": {"prompt": "Hello {{ vars.name }}", "retry_prompt": "Again, {{ vars.name }}", "count": 4},
    "transfer": {"to": "{{ vars.telephone }}", "headers": {"X-Who": "{{ vars.name }}"}},
    "consult": {
        "to": "{{ vars.telephone }}", "trunk": "ST_1", "briefing": "This is {{ vars.name }}.", "display_name": "{{ vars.name }}",
        "headers": {"X-Who": "{{ vars.name }}"},
    },
    "start_recording": {"file": "{{ vars.name }}.ogg"},
    "set": {"values": {"other": "{{ vars.name }}"}},
    "emit": {"event": "app.part", "data": {"text": "{{ vars.name }}"}},
    "log": {"message": "{{ vars.name }} {{ vars.telephone }}"},
    "send_data": {"data": {"who": ["{{ vars.name }}"]}, "topic": "{{ vars.name }}"},
    "http": {
        "url": "https://example.com/{{ vars.name }}?t={{ vars.telephone }}", "headers": {"X-Who": "{{ vars.name }}"},
        "json": {"a": ["{{ vars.name }}"]}, "method": "POST",
    },
    "python": {"name": "look", "arguments": {"who": "{{ vars.name }}"}},
}  # fmt: skip

FLOW = """
callflow: 1
name: planted
env: [SOUNDS]
vars:
  name: {{type: string, pii: true, default: {name}}}
  telephone: {{type: phone, pii: true, default: "{telephone}"}}
  keys: {{type: string, pii: true, default: "{keys}"}}
  other: {{type: string, default: ""}}
events: {{app.part: {{text: string}}}}
python: {{look: {{parameters: {{who: string}}, returns: {{found: {{type: string, pii: true, required: false}}}}}}}}
initial: doing
ending: ending
states:
  doing:
    entry: [{{say: Hello.}}, {action}]
    on:
      failed: {{do: [{{log: "failed: {{{{ event.error }}}}"}}]}}
      app.part: {{do: [{{log: "part {{{{ event.text }}}}"}}]}}
      call.hangup: ending
      room.disconnected: ending
      job.shutdown: ending
      session.close: ending
    after: {{30s: ending}}
wrap_up: [{{http: {{url: "https://example.com/x", method: POST, json: "{{{{ call.transcript }}}}", optional: true}}}}]
"""


def a_flow(verb: str) -> callflow.Flow:
    action = json.dumps({verb: GIVEN[verb]}) if GIVEN[verb] else verb
    text = FLOW.format(name=NAME, telephone=TELEPHONE, keys=KEYS, action=action)
    return callflow.loads(text, check=False)


def results_of(verb: str):
    """What it may bring: each of its results with each of its private fields, and one that nobody knows of yet; and how it may
    fail."""
    entry = VERBS[verb]
    if entry.at_once:
        yield "done", None
        return
    for event in entry.results:
        told = {
            name: f"MAGRATHEA {TELEPHONE}"
            for name, kind in EVENTS[event].fields.items()
            if name in EVENTS[event].pii and kind == TEXT
        }
        status = {"sip_status": f"Busy: {UNHEARD_OF}"} if "sip_status" in EVENTS[event].fields else {}
        yield event, {**told, **status, "result": event.rpartition(".")[2], "brought_later": "Slartibartfast"}
    if verb == "python":
        yield "done", {"found": "MAGRATHEA", "brought_later": "Slartibartfast"}
    elif not entry.results:
        yield (
            "done",
            {
                **{name: NAME for name, kind in entry.result.items() if kind == TEXT},
                "brought_later": ["Slartibartfast"],
            },
        )
    yield "failed", EffectError(f"no {NAME} at sip:15553141592@example.com; try {UNHEARD_OF} or sip_+15552718281")
    yield "broken", ValueError(f"{NAME.upper()} pressed {KEYS}, and {UNHEARD_OF}")


@pytest.fixture
def spans():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_tracer_provider(provider)
    yield exporter
    tracer.set_provider(trace.get_tracer_provider())
    provider.shutdown()


def test_every_verb_is_tried():
    assert GIVEN.keys() == VERBS.keys()


TRIED = [
    pytest.param(verb, said, journal, id=f"{verb}-{how}-{journal}")
    for verb in VERBS
    for number, (how, said) in enumerate(results_of(verb))
    for journal in (
        ["whole", "none", "on a full disk"]
        if (number == 0 and VERBS[verb].results) or verb in ("http", "python")
        else ["whole"]
    )
]


@pytest.mark.parametrize(("verb", "said", "journal"), TRIED)
async def test_nothing_that_a_verb_was_given_or_brought_is_written(
    verb, said, journal, tmp_path, caplog, monkeypatch, spans
):
    caplog.set_level(logging.DEBUG, "callflow")
    monkeypatch.setenv("SOUNDS", str(tmp_path))
    if journal == "on a full disk":
        monkeypatch.setattr("callflow.runtime.journal.Journal._open", full)
    flow = a_flow(verb)
    agents = {"agents": {"other": Agent(instructions="Be another.")}} if verb == "update_agent" else {}
    async with SimulatedServer() as server:
        stage = Stage(
            flow, server, caller=hangs_up(after=8), journal=None if journal == "none" else tmp_path,
            fakes={"http": {"status": 200, "body": ""}} | ({} if VERBS[verb].at_once else {verb: said}), options={"actions": {"look": str}, **agents},
        )  # fmt: skip
        record = await stage.play()
    data = record.to_json()
    data.pop("transcript")
    shown = {"record": json.dumps(data), "repr": repr(record), "span": "\n".join(one.to_json() for one in ours(spans))}
    shown |= {f"line {number}": written(one) for number, one in enumerate(caplog.records)}
    files = list(tmp_path.glob("*.jsonl"))
    shown |= {file.name: file.read_text() for file in files}
    for where, text in ((place, line) for place, whole in shown.items() for line in whole.splitlines()):
        assert not [part for part in PLANTED if part.casefold() in text.casefold()], (where, text)
    assert len(files) == (journal == "whole")
    for file in files:
        assert len(replay(flow, read_journal(file))) == record.steps


def full(_):
    raise OSError(28, "No space left on device")


def ours(spans):
    return [one for one in spans.get_finished_spans() if one.name.startswith(("call ", "state ", "effect "))]
