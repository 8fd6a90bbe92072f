"""What comes from outside stands for all that may come: each answer that a flow can get of it is given by one of its representatives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import callflow
from callflow.core.events import EVENTS, EffectEnded, Event
from callflow.core.expressions import Context, EvaluationError, Expression
from callflow.core.inputs import inputs
from callflow.core.occurs import AT_FIRST
from callflow.core.values.reads import reads
from callflow.core.values.representatives import representatives_of
from tests.core.oracle.duel import load
from tests.core.oracle.generate import Dice, flow_text
from tests.docs.pages import PAGES, blocks, whole
from tests.support.play import HEAD


def flow_of(text: str) -> callflow.Flow:
    return load(HEAD + text)


def told(text: str, event: str, *fields: str) -> list[Any]:
    """What the payloads of an event have in these fields, of a flow with these parts."""
    found = representatives_of(flow_of(text)).payloads(event)
    return [tuple(data.get(field) for field in fields) if len(fields) > 1 else data.get(fields[0]) for data in found]


def asked(kind: str, *guards: str) -> list[Any]:
    """The representatives of a field of this type, of which rows ask this."""
    rows = ", ".join(f"{{when: '{guard}', target: b}}" for guard in guards)
    text = f"""
events: {{app.x: {{n: {kind}}}}}
initial: a
states: {{a: {{on: {{app.x: [{rows}]}}}}, b: {{}}}}
"""
    return told(text, "app.x", "n")


@pytest.mark.parametrize(
    ("kind", "guards", "values"),
    [
        ("string", ['event.n == "1"'], ["1", "something else"]),
        ("string", ['event.n == "1"', 'event.n == "2"'], ["1", "2", "something else"]),
        ("string", ['event.n in ["1", "2"]'], ["1", "something else"]),
        ("string", ['not (event.n != "1")'], ["1", "something else"]),
        ("string", ["is_set(event.n)"], ["something"]),
        ("string", ["len(event.n) == 4"], ["000", "0000"]),
        ("string", ['starts_with(event.n, "+49")', 'ends_with(event.n, "7")'], ["+49", "7", "+497", "something else"]),
        ("string", ['starts_with(event.n, "1") and len(event.n) == 4'], ["1", "1000", "0000", "000"]),
        ("string", ['lower(event.n) == "yes"'], ["yes", "something else"]),
        ("string", ["number(event.n) > 3"], ["3", "4"]),
        ("string", ['"a" in event.n'], ["a", "something else"]),
        ("string", ['event.n == ""'], ["something", ""]),
        ("string", ["len(event.n) > 0"], ["", "0"]),
        ("integer", ["event.n == 3"], [2, 3]),
        ("integer", ["event.n < 3"], [2, 3]),
        ("integer", ["event.n > 3"], [3, 4]),
        ("integer", ["2 < event.n <= 4"], [2, 3]),
        ("integer", ["event.n + 1 == 4", "event.n * 2 < 20"], [2, 3, 10]),
        ("integer", ["10 - event.n > 4"], [6, 5]),
        ("integer", ["event.n // 10 == 2"], [19, 20]),
        ("number", ["event.n < 0.5"], [-0.5, 0.5]),
        ("boolean", ["event.n"], [True, False]),
        ("boolean", ["not event.n"], [True, False]),
        ("duration", ["event.n >= 30s"], [29.0, 30.0]),
        ("phone", ['event.n == "+4930"'], ["+4930", "+15550100100"]),
        ("list of string", ['"a" in event.n'], [["a"], ["something"]]),
        ("list of string", ["len(event.n) > 1"], [["something"], ["something", "something"]]),
        ("list of integer", ["event.n[0] == 3"], [[3], [2]]),
    ],
)  # fmt: skip
def test_a_value_for_each_answer(kind, guards, values):
    assert sorted(map(repr, asked(kind, *guards))) == sorted(map(repr, values))


def test_what_nobody_reads_is_one_value():
    assert asked("string", 'event.name == "app.x"') == ["something"]


# -- where values go


ROUND = """
vars: {n: {type: string, default: ""}, m: {type: string, default: ""}}
events: {app.x: {digits: string}}
initial: a
states:
  a: {on: {app.x: {target: b, do: [{set: {n: "{{ event.digits }}"}}, {set: {m: "{{ vars.n }}"}}]}}}
  b: {always: [{target: c, when: 'vars.m == "1"'}, {target: d, when: 'vars.m == "2"'}]}
  c: {}
  d: {}
"""


def test_a_value_is_followed_through_variables():
    assert told(ROUND, "app.x", "digits") == ["1", "2", "something else"]


def test_through_an_event_that_is_emitted():
    text = """
events: {app.x: {n: integer}, app.y: {m: integer}}
initial: a
states:
  a: {on: {app.x: {do: [{emit: {event: app.y, data: {m: "{{ event.n + 1 }}"}}}]}, app.y: {target: b, when: event.m > 5}}}
  b: {}
"""
    assert told(text, "app.x", "n") == [4, 5]
    assert told(text, "app.y", "m") == [5, 6]


def test_through_a_sub_flow_and_what_it_returns():
    text = """
use: {part: part.yaml}
events: {app.x: {n: string}, app.y: {n: string}}
vars: {n: {type: string, default: ""}}
initial: a
states:
  a: {on: {app.x: {target: b, do: [{set: {n: "{{ event.n }}"}}]}}}
  b:
    flow: part
    with: {given: "{{ vars.n }}"}
    on: {done: [{target: a, when: 'event.returns.said == "yes"'}, ending]}

# part.yaml
callflow: 1
name: part
vars: {given: string, got: {type: string, default: ""}}
events: {app.y: {n: string}}
initial: one
states:
  one:
    always: {target: two, when: 'vars.given == "7"'}
    on: {app.y: {target: two, do: [{set: {got: "{{ event.n }}"}}]}}
  two: {final: true, returns: {said: "{{ vars.got }}"}}
"""
    assert told(text, "app.x", "n") == ["7", "something else"]
    assert told(text, "app.y", "n") == ["yes", "something else"]


READ_BY = """
env: [CRM]
vars: {n: {type: string, default: ""}, m: {type: string, default: x}, tenant: {type: string, default: acme}}
events: {app.x: {n: string}}
initial: a
states:
  a: {on: {app.x: {target: b, do: [{set: {n: "{{ event.n }}"}}, {set: {m: "{{ vars.n }}"}}]}}}
  b: {entry: [%s]}
"""


@pytest.mark.parametrize(
    ("action", "values"),
    [
        ('{say: "{{ vars.n }}, is that right?"}', ["something"]),
        ('{http: "https://crm.example/drugs/{{ vars.n }}"}', ["something", ""]),
        ('{http: "{{ env.CRM }}/drugs/{{ vars.n }}"}', ["something", ""]),
        ('{http: "{{ env.CRM }}/drugs/{{ trim(vars.n) }}/stock"}', ["something", ""]),
        ('{http: "{{ env.CRM }}/drugs/{{ vars.n }}?at={{ vars.tenant }}"}', ["something", ""]),
        ('{http: "{{ env.CRM }}/drugs/{{ vars.m }}#top"}', ["something", ""]),
        ('{http: "{{ env.CRM }}/drugs/{{ default(vars.n, vars.m) }}"}', ["something", ""]),
        ('{http: "{{ env.CRM }}/{{ vars.tenant }}{{ vars.n }}"}', ["something", ""]),
        ('{http: "{{ env.CRM }}/drugs/x{{ vars.n }}"}', ["something"]),
        ('{http: "{{ env.CRM }}/drugs?name={{ vars.n }}"}', ["something"]),
        ('{http: {url: "{{ env.CRM }}/drugs", json: {name: "{{ vars.n }}"}}}', ["something"]),
        ('{dial: {to: "+15551234567", trunk: T, leg: human, media_encryption: "{{ vars.n }}"}}', ["disable", "something"]),
        ('{dial: {to: "{{ vars.n }}", trunk: "{{ env.CRM }}", leg: human}}', ["+15550100100", "something"]),
    ],
)  # fmt: skip
def test_a_text_is_usual_and_what_is_refused_where_something_refuses_it(action, values):
    assert told(READ_BY % action, "app.x", "n") == values


def test_the_environment_is_what_the_flow_was_set_up_with():
    text = """
env: [CRM, TENANT, MODE]
initial: a
states: {a: {entry: [{http: "{{ env.CRM }}/{{ env.TENANT }}"}], on: {done: [{target: b, when: 'env.MODE == "night"'}]}}, b: {}}
"""
    assert [dict(one.env) for one in representatives_of(flow_of(text)).beginnings()] == [
        {"MODE": "night"}, {"MODE": "something else"},
    ]  # fmt: skip


def test_what_a_text_shows_matters_where_it_may_be_absent():
    text = """
events: {app.x: {n: {type: string, required: false}, m: string, k: {type: string, required: false}}}
initial: a
states: {a: {on: {app.x: {do: [{log: "{{ event.n }} and {{ event.m }}"}]}}}}
"""
    assert told(text, "app.x", "n", "m", "k") == [("something",) * 3, (None, "something", "something")]


def test_a_text_that_shows_another_value_beside_asks_whether_it_is_there():
    text = """
vars: {nobody: {type: string, default: x}}
initial: a
states:
  a:
    on:
      room.participant_disconnected: {do: [{log: "{{ default(event.attributes.home, vars.nobody) }} is gone"}]}
      dtmf.1: {do: [{set: {nobody: y}}]}
"""
    found = representatives_of(flow_of(text))
    assert [data["attributes"] for data in found.payloads("room.participant_disconnected")] == [
        {"home": "something"},
        {},
    ]
    assert found.has_payload("room.participant_disconnected", {"attributes": {"home": "Vogsphere", "account": "1"}})
    assert found.has_payload("room.participant_disconnected", {"attributes": {"account": "1"}})
    assert not found.has_payload("room.participant_disconnected", {"attributes": {"home": ["a", "list"]}})


def test_a_word_of_few_and_what_the_name_of_an_event_says():
    text = """
initial: a
states:
  a:
    on:
      call.hangup: [{target: b, when: 'event.by == "caller"'}, ending]
      dtmf.star: {target: b, when: 'event.digit == "*"'}
      amd.*: {target: b, when: 'event.category == "human"'}
  b: {}
"""
    assert told(text, "call.hangup", "by") == ["caller", "operator"]
    assert told(text, "dtmf.star", "digit", "code") == [("*", 10)]
    assert told(text, "dtmf.4", "digit", "code") == [("4", 4)]
    assert told(text, "amd.uncertain", "category") == ["uncertain"]


def test_what_the_step_itself_asks_of_an_event_is_there_beside_what_rows_ask():
    text = """
initial: a
states:
  a:
    on:
      room.disconnected: [{target: b, when: 'event.reason == "ROOM_CLOSED"'}, ending]
      session.user_state_changed: {target: b, when: 'event.new_state == "away"'}
  b: {}
"""
    reasons = ["ROOM_DELETED", "SERVER_SHUTDOWN", "OUT_OF_REACH", "ROOM_CLOSED"]
    assert told(text, "room.disconnected", "reason") == reasons
    assert told("initial: a\nstates: {a: {}}", "room.disconnected", "reason") == reasons[:3]
    assert told(text, "session.user_state_changed", "new_state") == ["speaking", "listening", "away"]
    assert told(text, "session.agent_state_changed", "new_state") == ["speaking", "listening"]
    assert told(text, "room.track_muted", "leg", "muted") == [("far_end", True), ("far_end", False)]


def test_who_has_sent_an_event_is_who_may():
    text = """
legs: {supervisor: {identity: supervisor}}
events: {app.x: {}, app.y: {}, app.z: {}}
senders: {app.x: [program, supervisor], app.y: anyone}
initial: a
states:
  a:
    on:
      app.x: [{target: b, when: 'event.sender == "supervisor"'}]
      app.y: [{target: b, when: 'event.sender in ["far_end", "supervisor"]'}]
      app.z: [{target: b, when: 'event.sender == "far_end"'}]
  b: {}
"""
    assert told(text, "app.x", "sender") == ["program", "supervisor"]
    assert told(text, "app.y", "sender") == ["program", "far_end"]
    assert told(text, "app.z", "sender") == ["program"]


def test_the_far_end_is_who_the_call_was_answered_by():
    text = """
vars: {blocked: {type: list of phone, default: ["+491", "+492"]}}
initial: a
states: {a: {on: {call.answered: [{target: b, when: call.number in vars.blocked}]}}, b: {on: {dtmf.1: {target: a, when: 'starts_with(call.number, "+44")'}}}}
"""
    assert told(text, "call.answered", "number") == ["+491", "+44", "something else", None]


def test_a_combination_of_fields_for_each_answer():
    text = """
events: {app.x: {a: integer, b: boolean, c: string}}
initial: s
states: {s: {on: {app.x: [{target: t, when: 'event.a > 1 and event.b'}]}}, t: {}}
"""
    found = sorted(told(text, "app.x", "a", "b", "c"))
    assert found == [(a, b, "something") for a in (1, 2) for b in (False, True)]


def test_two_values_that_are_compared_can_be_the_same_and_not():
    text = """
vars: {pin: {type: string}}
events: {app.x: {pin: string}}
initial: a
states: {a: {on: {app.x: [{target: b, when: event.pin == vars.pin}]}}, b: {}}
"""
    found = representatives_of(flow_of(text))
    begun = {one.vars["pin"] for one in found.beginnings()}
    assert begun == {data["pin"] for data in found.payloads("app.x")}
    assert len(begun) == 2
    assert found.not_followed == ()


def test_what_is_compared_with_keys_is_tried_as_keys_wherever_it_comes_from():
    text = """
use: {part: part.yaml}
vars: {pin: {type: string}, tool: {type: string, default: ""}}
tools: {tell: {description: Told., parameters: {pin: string}}}
initial: a
states:
  a: {tools: [tell], on: {tool.tell: {target: b, do: [{set: {tool: "{{ event.pin }}"}}]}, dtmf.1: c}}
  b: {flow: part, with: {wanted: "{{ vars.tool }}"}, on: {done: ending}}
  c: {flow: part, with: {wanted: "{{ vars.pin }}"}, on: {done: ending}}

# part.yaml
callflow: 1
name: part
vars: {wanted: string, got: {type: string, default: ""}}
initial: one
states:
  one:
    entry: [{collect_digits: {prompt: Keys., count: 4}}]
    on: {dtmf.input: {target: two, do: [{set: {got: "{{ event.digits }}"}}]}, dtmf.*: three}
  two: {always: [{target: three, when: vars.got == vars.wanted}, three]}
  three: {final: true}
"""
    assert {"0000", "1111"} <= set(told(text, "tool.tell", "pin"))
    assert {"0000", "1111"} <= {one.vars["pin"] for one in representatives_of(flow_of(text)).beginnings()}


@pytest.mark.parametrize(
    ("guard", "field", "values", "said"),
    [
        ("event.said == vars.language", "said", {"en", "de", "fr"}, False),
        ("event.said in vars.language", "said", {"en", "de", "fr"}, True),
        ("event.n == vars.tries", "n", {-1, 0, 1}, True),
        ("event.n == vars.level", "n", {1, 2, 4, 5}, False),
    ],
)
def test_what_is_compared_with_a_variable_may_be_what_the_flow_sets_there(guard, field, values, said):
    text = f"""
vars: {{language: {{type: string, default: en}}, other: {{type: string, default: fr}}, tries: {{type: integer, default: 0}}, level: {{type: integer, default: 1}}}}
events: {{app.x: {{said: string, n: integer}}}}
initial: a
states:
  a:
    on:
      app.x: [{{target: b, when: {guard}}}]
      dtmf.1: {{do: [{{set: {{language: de, level: 4, tries: "{{{{ vars.tries + 1 }}}}"}}}}]}}
      dtmf.2: {{do: [{{set: {{language: "{{{{ vars.other }}}}"}}}}]}}
  b: {{}}
"""
    assert set(told(text, "app.x", field)) >= values
    assert bool(representatives_of(flow_of(text)).not_followed) is said


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        ("event.n + event.m > 3", True),
        ("event.n % 2 == 0", True),
        ("event.n > vars.most", False),  # nothing sets it
        ("event.n > vars.limit", True),
        ("vars.tries > vars.most", False),
        ("event.n > 3 and event.m > 3", False),
    ],
)
def test_what_cannot_be_followed_is_said(guard, said):
    text = f"""
vars: {{most: {{type: integer, default: 3}}, limit: integer, tries: {{type: integer, default: 0}}}}
events: {{app.x: {{n: integer, m: integer}}}}
initial: a
states: {{a: {{on: {{app.x: [{{target: b, when: "{guard}"}}], dtmf.1: {{do: [{{set: {{tries: "{{{{ vars.tries + 1 }}}}"}}}}]}}}}}}, b: {{}}}}
"""
    found = representatives_of(flow_of(text))
    assert [one.source for one in found.not_followed] == ([guard] if said else [])
    assert len(found.payloads("app.x")) > 1 or "tries" in guard


# -- what actions give


def ends(text: str, *events: Event) -> list[dict[str, Any]]:
    """What the one effect gives that runs after these events, where it ends well."""
    flow = flow_of(text)
    snapshot = callflow.start(flow, env=dict.fromkeys(flow.env, "x")).snapshot
    for event in events:
        snapshot = callflow.step(flow, snapshot, event).snapshot
    found = inputs(flow, snapshot, AT_FIRST, 0.0)
    return [dict(one.result) for one in found if isinstance(one, EffectEnded) and one.status == "ok"]


@pytest.mark.parametrize(
    ("arguments", "digits"),
    [
        ("count: 1", {"input": ["1", "2", "7"], "no_match": [], "no_input": [""]}),
        ("count: 1, terminator: '#'", {"input": ["1", "2", "7"], "no_match": [""], "no_input": [""]}),
        ("count: 4", {"input": ["0000"], "no_match": ["1", "2", "12"], "no_input": [""]}),
        ("min: 2, max: 3", {"input": ["12"], "no_match": ["1", "2", "0"], "no_input": [""]}),
        ("max: 3, terminator: '2'", {"input": ["1", "7"], "no_match": [""], "no_input": [""]}),
    ],
)
def test_keys_are_as_many_as_were_asked_for(arguments, digits):
    text = f"""
initial: a
states:
  a:
    entry: [{{collect_digits: {{prompt: Keys., {arguments}}}}}]
    on:
      dtmf.input: [{{target: b, when: event.digits == "1"}}, {{target: c, when: 'event.digits == "2"'}}, ending]
      dtmf.no_match: [{{target: b, when: event.digits == "1"}}, {{target: c, when: 'event.digits == "2"'}}, ending]
      dtmf.no_input: [{{target: b, when: event.digits == "1"}}, ending]
  b: {{}}
  c: {{on: {{dtmf.input: {{target: b, when: event.digits == "7"}}}}}}
"""
    found: dict[str, list[str]] = {"input": [], "no_match": [], "no_input": []}
    for data in ends(text):
        found[data["result"]].append(data["digits"])
    assert found == digits


HTTP = """
initial: a
states:
  a:
    entry: [{http: {url: "https://crm.example/", as: reply%s}}]
    on:
      done:
        - {target: b, when: vars.reply.status == 404}
        - {target: c, when: vars.reply.body.open}
        - {target: d, when: vars.reply.body.places > 3}
        - ending
  b: {}
  c: {}
  d: {}
"""


def test_an_answer_holds_each_combination_of_what_is_asked():
    found = ends(HTTP % ", expect: [200, 404]")
    assert {one["status"] for one in found} == {200, 404}
    bodies = [one["body"] for one in found if one["status"] == 200 and isinstance(one.get("body"), dict)]
    said = {(bool(body.get("open")), (body.get("places") or 0) > 3) for body in bodies}
    assert said == {(True, True), (True, False), (False, True), (False, False)}
    assert {one["status"] for one in ends(HTTP % "")} == {200}


def test_what_a_program_gives():
    text = """
python: {verify: {parameters: {}, returns: {ok: boolean, kind: {type: string, enum: [a, b]}, left: {type: integer, required: false}}}}
initial: a
states:
  a:
    entry: [{python: {name: verify, as: v}}]
    on: {done: [{target: b, when: 'vars.v.ok and vars.v.kind == "a"'}, {target: c, when: vars.v.left < 1}, ending]}
  b: {}
  c: {}
"""
    found = {(one["ok"], one["kind"], one.get("left")) for one in ends(text)}
    assert found >= {(True, "a", 0), (True, "b", 0), (False, "a", 1)}


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ('set: {n: "{{ vars.reply.body.count }}"}', [int, str]),
        ('log: "{{ vars.reply.body.count + 1 }} left"', [int, str]),
        ('log: "{{ vars.reply.body.name }}"', [str, dict]),
        ('log: "{{ vars.reply.body.names[0] }} is first"', [list, list]),
    ],
)
def test_what_has_to_be_of_a_type_may_be_of_another(texts, found):
    text = f"""
vars: {{n: {{type: integer, default: 0}}}}
initial: a
states:
  a: {{entry: [{{http: {{url: "https://crm.example/", as: reply}}}}, {{{texts}}}], on: {{done: b}}}}
  b: {{}}
"""
    bodies = [one["body"] for one in ends(text)]
    assert [type(value) for body in bodies if isinstance(body, dict) for value in body.values()] == found


def test_why_something_has_failed():
    text = """
initial: a
states:
  a: {entry: [{http: "https://crm.example/"}], on: {failed: [{target: b, when: '"refused" in event.error'}, ending]}}
  b: {}
"""
    flow = flow_of(text)
    found = inputs(flow, callflow.start(flow).snapshot, AT_FIRST, 0.0)
    errors = [one.error for one in found if isinstance(one, EffectEnded) and one.status == "failed"]
    assert ["refused" in (error or "") for error in errors] == [True, False]


def test_what_a_task_gives():
    text = """
initial: a
states: {a: {task: collect, on: {task.completed: [{target: b, when: event.result.ok}, ending]}}, b: {}}
"""
    assert {repr(one["value"]) for one in ends(text)} >= {"{'ok': True}", "{'ok': False}"}


def test_what_an_agents_own_tool_is_called_with_nobody_has_declared():
    text = """
tools: {own: {own: true}}
initial: a
states: {a: {on: {tool.own: [{target: b, when: 'event.why == "sales"'}, ending]}}, b: {}}
"""
    assert told(text, "tool.own", "why") == ["sales", "something else"]


def test_what_a_tool_looks_up():
    text = """
tools: {look: {description: Looks., parameters: {n: string}, run: {http: {url: "https://crm.example/", expect: [200, 404]}}}}
initial: a
states:
  a: {tools: [look], on: {tool.look: [{target: b, when: event.result.status == 404}]}}
  b: {}
"""
    found = ends(text, Event("tool.look", {"n": "1"}))
    assert [one["status"] for one in found] == [404, 200]


def test_what_nothing_sets_the_program_may():
    text = """
vars: {vip: {type: boolean, default: false}, most: {type: integer, default: 3}, tries: {type: integer, default: 0}, shown: {type: string, default: x}}
initial: a
states:
  a:
    always: {target: b, when: vars.vip}
    on: {dtmf.1: [{target: b, when: vars.tries >= vars.most}, {do: [{set: {tries: "{{ vars.tries + 1 }}"}}, {log: "{{ vars.shown }}"}]}]}
  b: {}
"""
    found = representatives_of(flow_of(text))
    assert [dict(one.vars) for one in found.beginnings()] == [{"vip": False}, {"vip": True}]
    assert found.not_followed == ()
    assert reads(flow_of(text)).variables[""]["tries"].most == 3


def test_a_call_begins_with_each_answer():
    text = """
vars: {day: {type: string}, plan: {type: integer}}
env: [MODE]
initial: a
states:
  a:
    always: [{target: b, when: vars.plan > 2}, {target: c, when: 'env.MODE == "night"'}]
    on: {dtmf.1: {target: d, when: 'in_hours(event.time, "Mon-Fri 09:00-17:00", "Europe/Berlin")'}}
  b: {}
  c: {}
  d: {}
"""
    found = representatives_of(flow_of(text))
    begun = [(one.vars["day"], one.vars["plan"], one.env["MODE"], one.time) for one in found.beginnings()]
    assert len(begun) == len(set(begun)) == 8
    assert {plan for _, plan, _, _ in begun} == {2, 3}
    assert {mode for _, _, mode, _ in begun} == {"night", "something else"}
    assert found.by_the_clock[0].source.startswith("in_hours")


# -- any value at all

TESTS = {
    "string": (
        '{0} == "1"', '{0} != "ab"', '{0} in ["1", "22"]', 'len({0}) > 2', 'starts_with({0}, "1")', 'ends_with({0}, "2")', '"b" in {0}',
        'upper({0}) == "AB"', 'trim({0}) == "1"', 'number({0}) >= 22', 'first({0}, 1) == "2"', '{0} < "2"', 'is_set({0})', 'digits({0}) == "22"',
        'default({0}, "1") == "1"', '{0}[0] == "a"',
    ),
    "integer": (
        "{0} == 3", "{0} < 3", "2 <= {0} < 7", "{0} * 2 > 9", "10 - {0} >= 4", "{0} // 3 == 1", "{0} in [1, 5]", "min({0}, 4) == 4",
        'text({0}) == "7"', "-{0} > 2", "6 // {0} == 2", "not ({0} != 5)", "{0} / 2 > 3",
    ),
    "boolean": ("{0}", "not {0}", "{0} == false", "is_set({0})"),
    "list of string": ('"a" in {0}', "len({0}) == 2", '{0}[0] == "b"', '{0} == ["a", "b"]'),
    "duration": ("{0} > 30s", "{0} * 2 <= 10s"),
}  # fmt: skip
KEPT = {
    "string": ("{0}", "{0}1", "{{{{ trim({0}) }}}}", "{{{{ first({0}, 2) }}}}"),
    "integer": ("{0}", "{{{{ {0} + 2 }}}}", "{{{{ {0} * 2 }}}}", "{{{{ 5 - {0} }}}}"),
    "boolean": ("{0}", "{{{{ not {0} }}}}"),
    "list of string": ("{0}",),
    "duration": ("{0}",),
}
TEXTS = st.text(alphabet="12ab ", max_size=5)
DRAWN = {
    "string": TEXTS,
    "integer": st.integers(-12, 30),
    "boolean": st.booleans(),
    "list of string": st.lists(st.text(alphabet="ab", max_size=1), max_size=3),
    "duration": st.floats(0, 100),
}


@st.composite
def asking(draw: Any) -> tuple[str, dict[str, Any]]:
    """A flow whose rows ask about the fields of an event and about variables that are made of them, and such an event."""
    kinds = {f"n{number}": draw(st.sampled_from([*TESTS])) for number in range(draw(st.integers(1, 3)))}

    def guard(root: str) -> str:
        parts = []
        for _ in range(draw(st.integers(1, 2))):
            name = draw(st.sampled_from([*kinds]))
            parts.append(draw(st.sampled_from(TESTS[kinds[name]])).format(f"{root}.{name}"))
        return draw(st.sampled_from([" and ", " or "])).join(f"({part})" for part in parts)

    rows = [{"when": guard("event"), "do": [{"log": f"row {number}"}]} for number in range(draw(st.integers(0, 3)))]
    kept = {}
    for name, kind in kinds.items():
        if draw(st.booleans()):
            what = draw(st.sampled_from(KEPT[kind]))
            hole = f"{{{{ event.{name} }}}}" if what.startswith("{0}") else f"event.{name}"
            kept[name] = what.format(hole)
    every = [{"when": guard("vars"), "do": [{"log": f"later {number}"}]} for number in range(draw(st.integers(0, 3)))]
    data = {
        "vars": {name: {"type": kind, "default": PLAIN[kind]} for name, kind in kinds.items()},
        "events": {
            "app.x": {name: {"type": kind, "required": draw(st.booleans())} for name, kind in kinds.items()},
            "app.y": {},
        },
        "initial": "a",
        "states": {
            "a": {
                "on": {
                    "app.x": [*rows, {"target": "b", "do": [{"set": kept}] if kept else [{"log": "none"}]}],
                    "failed": "c",
                }
            },
            "b": {"on": {"app.y": [*every, {"target": "c"}]}},
            "c": {},
        },
    }
    given = {name: None if draw(st.integers(0, 9)) == 0 else draw(DRAWN[kind]) for name, kind in kinds.items()}
    required = {name for name, field in data["events"]["app.x"].items() if field["required"]}
    return yaml.safe_dump(data, sort_keys=False), {
        name: value for name, value in given.items() if value is not None or name not in required
    }


PLAIN = {"string": "", "integer": 0, "boolean": False, "list of string": [], "duration": "1s"}


def course(flow: callflow.Flow, data: Any) -> tuple[Any, ...]:
    """Where a call goes, and which guards hold, after this event and the next one."""
    found: list[Any] = []
    snapshot = callflow.start(flow).snapshot
    for event in (Event("app.x", data), Event("app.y")):
        for _ in range(4):  # a row that stays is asked once, and the next one then: each of them
            step = callflow.step(flow, snapshot, event)
            found.append(
                tuple((note.data["transition"], note.data["holds"]) for note in step.notes if note.kind == "guard")
            )
            found.append(step.snapshot.configuration)
            if step.snapshot.configuration != snapshot.configuration:
                break
        snapshot = step.snapshot
    return tuple(found)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(asking())
def test_whatever_comes_goes_the_way_of_a_representative(made):
    text, data = made
    flow = flow_of(text)
    found = representatives_of(flow)
    ways = {course(flow, one) for one in found.payloads("app.x")}
    if any("representatives" in one.source for one in found.not_followed):
        return  # there would be too many of them, and that is said
    whole = {name: data.get(name) for name in flow.events["app.x"]}
    given = {
        name: value for name, value in whole.items() if value is not None or not flow.events["app.x"][name].required
    }
    if all(name in given or not field.required for name, field in flow.events["app.x"].items()):
        assert course(flow, given) in ways


BODY = "vars.reply.body"
OF_BODY = (
    "{0}.open", "not {0}.open", "{0}.count > 3", "{0}.count == 2", '{0}.name == "a"', '{0}["name"] in ["a", "b"]', "is_set({0}.name)",
    "len({0}.items) > 1", '{0}.items[0] == "a"', "{0}.items[0].open", "default({0}.count, 5) < 4", "{0}.open and {0}.count < 2",
    '{0} == "a"', '"a" in {0}.items', 'lower({0}.name) == "b"', "{0}.count + 1 > 2", "{0}.items[1].count >= 2", "is_set({0})",
    "vars.reply.status == 201", "{0}.at.open == true", "{0}.count != 2", "round({0}.count) == 3",
)  # fmt: skip
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-1, 6), st.sampled_from(["a", "b", "A", "", "ab"]))
ITEMS = st.lists(st.one_of(LEAVES, st.fixed_dictionaries({}, optional={"open": LEAVES, "count": LEAVES})), max_size=3)
BODIES = st.one_of(
    LEAVES,
    ITEMS,
    st.fixed_dictionaries(
        {},
        optional={
            "open": LEAVES,
            "count": LEAVES,
            "name": LEAVES,
            "items": st.one_of(LEAVES, ITEMS),
            "at": st.one_of(LEAVES, st.fixed_dictionaries({}, optional={"open": LEAVES})),
        },
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(OF_BODY), min_size=1, max_size=3, unique=True), BODIES)
def test_whatever_is_answered_has_a_representative(asked, body):
    rows = [{"when": guard.format(BODY), "target": "b"} for guard in asked]
    data = {
        "initial": "a",
        "states": {"a": {"entry": [{"http": {"url": "https://crm.example/", "as": "reply"}}], "on": {"done": [*rows, {"target": "c"}]}}, "b": {}, "c": {}},
    }  # fmt: skip
    flow = flow_of(yaml.safe_dump(data, sort_keys=False))
    guards = [row.guard for row in flow.transitions if row.guard is not None]

    def verdicts(reply: Any) -> tuple[bool, ...]:
        found = []
        for guard in guards:
            try:
                found.append(bool(guard.evaluate(Context(vars={"reply": reply}))))
            except EvaluationError:
                found.append(False)
        return tuple(found)

    source = ("entry", "a", 0)
    tried = {verdicts(one) for one in representatives_of(flow).results(source, "http", "")}
    assert verdicts({"status": 200, "body": body}) in tried


def answers(guards: list[Expression], n: int) -> tuple[bool, ...]:
    return tuple(guard.evaluate(Context({"n": n})) for guard in guards)


@pytest.mark.parametrize("seed", range(60))
def test_random_flows_have_a_representative_for_each_payload(seed):
    flow = load(flow_text(Dice.seeded(seed)))
    found = representatives_of(flow)
    for name, fields in flow.events.items():
        if not fields:
            assert found.payloads(name) == ({},)
            continue
        rows = [
            row
            for state in flow.states.values()
            for one in state.rows
            if one.pattern == name
            for row in one.transitions
        ]
        guards = [row.guard for row in rows if row.guard is not None and "event.n" in row.guard.reads]
        assert {answers(guards, n) for n in range(-3, 90)} == {
            answers(guards, data["n"]) for data in found.payloads(name)
        }


SHIPPED = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_every_flow_that_is_shipped_is_followed_with_few_values(path):
    flow = callflow.load(path)
    found = representatives_of(flow)
    assert found.not_followed == ()
    assert len(found.beginnings()) <= 2
    for name in (*EVENTS, *flow.events, *(f"tool.{tool}" for tool in flow.tools)):
        assert 1 <= len(found.payloads(name)) <= 5, name


def test_the_same_file_gives_the_same_values_in_the_same_order_everywhere():
    code = f"""
from tests.core.test_values import HTTP, ROUND, ends, told
print(told({ROUND!r}, "app.x", "digits"), ends({HTTP % ", expect: [200, 404]"!r}))
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=SHIPPED[0].parents[1],
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


DOCS = [
    block
    for page in PAGES
    for block in blocks(page)
    if block.language == "yaml"
    and not block.marks.keys() & {"wrong", "file", "telephones", "scenario"}
    and page.name not in ("defects.md", "scenarios.md")
]


@pytest.mark.parametrize("block", DOCS, ids=str)
def test_every_flow_of_the_documentation_is_followed(block, tmp_path):
    for other in blocks(block.page):
        if name := other.marks.get("file"):
            (tmp_path / name).write_text(other.text, encoding="utf-8")
    flow = callflow.loads(whole(block), check=False, folder=tmp_path)
    found = representatives_of(flow)
    assert found.not_followed == ()
    assert 1 <= len(found.beginnings()) <= 4
    assert all(found.payloads(f"tool.{tool}") for tool in flow.tools)
    assert all(one.most is None or one.most <= 10 for one in reads(flow).variables[""].values())
