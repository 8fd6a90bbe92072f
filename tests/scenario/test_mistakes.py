"""Mistakes in scenario files: each is told with its place and what to do, and all of them at once."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

import callflow
from callflow.scenario import read, reads

FLOW = callflow.loads("""
callflow: 1
name: desk
vars: {phone: phone, tries: {type: integer, default: 0}}
env: [TRUNK]
events: {app.approved: {by: string}}
senders: {app.approved: program}
python: {look: {returns: {ok: boolean}}}
outcomes: [abandoned]
tools:
  end_call: {description: The caller is done.}
  book: {description: A day was named., parameters: {day: {type: string, enum: [friday, monday]}}}
initial: asking
states:
  asking:
    entry: [{python: look}, {consult: {to: "{{ vars.phone }}", trunk: "{{ env.TRUNK }}"}}]
    tools: [book, end_call]
    after: {20s: ending}
    on:
      consult.*: booking
      tool.book: {target: booking, do: [{set: {tries: 1}}]}
      tool.end_call: ending
      app.approved: {do: [{outcome: abandoned}]}
  booking:
    initial: day
    states: {day: {on: {done: noted}}, noted: {final: true}}
    on: {done: ending}
""")

HEAD = 'callflow: 1\nflow: desk.yaml\nvars: {phone: "+15550100100"}\nenv: {TRUNK: ST_1}\nscenarios:\n  a:\n'


def defects(body: str):
    return reads(HEAD + indent(dedent(body), "    "), flows=FLOW)[1]


@pytest.mark.parametrize(
    ("step", "code", "says"),
    [
        ("call.hangpu", "unknown-event", 'did you mean "call.hangup"?'),
        ("hangup", "unknown-event", "write `- call.hangup`"),
        ("user: Hello.", "unknown-event", "write `- caller: …`"),
        ("after 20s", "unknown-event", "write `- timer: after 20s`"),
        ("end_call", "unknown-event", "write `- tool: end_call`"),
        ("outcome: abandoned", "unknown-event", "write `- expect: {outcome: …}`"),
        ("set: {tries: 1}", "unknown-event", "takes no time"),
        ("done", "unknown-event", "raised by the call itself"),
        ("tool: end_cal", "unknown-tool", 'did you mean "end_call"?'),
        ("tool: book", "missing-argument", "write `day: …`"),
        ("tool: {book: {dy: friday}}", "unknown-field", 'did you mean "day"?'),
        ("tool: {book: {day: 3}}", "wrong-type", "takes text"),
        ("tool: {book: {day: fryday}}", "bad-value", 'did you mean "friday"?'),
        ("tool: {book: {day: sunday}}", "bad-value", "`day` takes `friday` or `monday`, not `sunday`"),
        ("tool: {book: sunday}", "wrong-kind", "write {day: …}"),
        ("call.hangup: {bye: caller}", "unknown-field", 'did you mean "by"?'),
        ("call.hangup: {by: nobody}", "wrong-type", "takes one of caller, agent"),
        ("app.aproved: {by: Ann}", "unknown-event", 'did you mean "app.approved"?'),
        ("app.approved", "missing-argument", "write `by: …`"),
        ("leg.humn.hangup", "unknown-leg", 'did you mean "human"?'),
        ("leg.human.hungup", "unknown-event", 'did you mean "hangup"?'),
        ("consult: acepted", "bad-value", 'did you mean "accepted"?'),
        ("consult.accepted: {elapsd: 3s}", "unknown-field", 'did you mean "elapsed"?'),
        ("consult: {ends: faild}", "bad-value", 'did you mean "failed"?'),
        ("4: call.hangup", "bad-duration", "write 4s"),
        ("4 sec: call.hangup", "bad-duration", "write 4s"),
        ("4s:", "missing-key", "nothing happens at this time"),
        ("4s: {5s: call.hangup}", "bad-value", "a time inside another time"),
        ("{wait: 3s, tool: end_call}", "two-actions", "each is a step of its own"),
        ("wait: 3", "bad-duration", "write 3s"),
        ('press: "1x"', "bad-value", "0-9, a-d, * and #"),
        ("timer: after 21s", "bad-value", 'did you mean "after 20s"?'),
        ("caller:", "empty-text", "says nothing"),
        ("[]", "wrong-kind", "not a list"),
        ("expect: {stat: asking}", "unknown-key", 'did you mean "state"?'),
        ("expect: {state: askng}", "unknown-target", 'did you mean "asking"?'),
        ("expect: {states: [asking, ending, closd]}", "unknown-target", 'did you mean "closed"?'),
        ("expect: {outcome: abandond}", "unknown-outcome", 'did you mean "abandoned"?'),
        ("expect: {vars: {tris: 1}}", "unknown-variable", 'did you mean "tries"?'),
        ('expect: {vars: {tries: "1"}}', "wrong-type", "takes an integer"),
        ("expect: {heard: 3}", "number-for-text", "put quotes around it"),
        ('expect: {heard: {pattern: "("}}', "bad-value", "no regular expression"),
        ("expect: {heard: {pattern: '(a+)+b'}}", "bad-value", "may take for ever"),
        ("expect: {heard: {pattern: '((a|b)c)*'}}", "bad-value", "may take for ever"),
        ("expect: {heard: {part: a, exactly: b}}", "missing-key", "one of `exactly`, `part` and `pattern`"),
        ("expect: {heard: {part: a, by: humn}}", "unknown-leg", 'did you mean "human"?'),
        ("expect: {effects: [conslt]}", "unknown-verb", 'did you mean "consult"?'),
        ('expect: {effect: {consult: {too: "+15550100100"}}}', "unknown-key", 'did you mean "to"?'),
        ("expect: {effect: log}", "bad-value", "takes no time"),
        ("expect: {ended: {byy: caller}}", "unknown-key", 'did you mean "by"?'),
        ("expect: {at: [9s, 3s]}", "bad-value", "put the shorter one first"),
        ("expect: {}", "missing-key", "nothing is expected here"),
        ("expect: {state: asking, within: 3}", "bad-duration", "write 3s"),
        ("expect: asking", "wrong-kind", "write `{state: asking}`"),
        ("expect: {states: asking}", "wrong-kind", "or [..., asking, ...]"),
        ("expect: {ended: {by: caler}}", "bad-value", 'did you mean "caller"?'),
        ("expect: {ended: {event: call.hangpu}}", "unknown-event", 'did you mean "call.hangup"?'),
        ("expect: {never: {heard: Hello.}}", "unknown-key", "what is expected has no key `never`"),
        ("{tool: end_call, within: 3s}", "unknown-key", "it stands beside `expect`"),
        ("{caller: Hello., now: }", "two-actions", "write `- now: {caller: …}`"),
        ("{part: greeted, wiht: {day: friday}}", "two-actions", 'did you mean "with"?'),
        ("{state: asking}", "missing-key", "write `- expect: {state: …}`"),
        ("4s", "unknown-event", "what happens then stands behind it: `- 4s: call.hangup`"),
        ("dial.busy", "unknown-verb", "the flow has no `dial`"),
        ("call.hangup: caller", "wrong-kind", "write {leg: …}, one of leg, identity, by"),
        ("part: greeted", "unknown-name", "parts stand at the top"),
        ("part: [greeted]", "wrong-kind", "takes text"),
        ('caller: "{{ day }}"', "unknown-name", "`with: {day: …}`"),
        ('caller: "On {{ day }}, {{ dya }}."', "unknown-name", "`with` has no `day`"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)  # fmt: skip
def test_a_step_that_says_what_cannot_be(step, code, says):
    [found] = defects(f"steps:\n  - call.hangup\n  - {step}")
    assert (found.code, found.line) == (code, 9)
    assert says in f"{found.message} ({found.hint})"


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ("stpes: []\nexpect: {ended: true}", "unknown-key", 'did you mean "steps"?'),
        ("description: nothing", "missing-key", "a scenario has `steps`"),
        ("at: tomorrow\nexpect: {ended: true}", "bad-value", "write 2026-11-27 18:30 Europe/Berlin"),
        ("at: 2026-11-31 18:30 Europe/Berlin\nexpect: {ended: true}", "bad-value", "no such time"),
        ("at: 2026-03-29 02:30 Europe/Berlin\nexpect: {ended: true}", "bad-value", "the clocks were put forward"),
        ("at: 2026-11-27 18:30 Europe/Berln\nexpect: {ended: true}", "bad-value", "did you mean Europe/Berlin?"),
        ("vars: {phon: x}\nexpect: {ended: true}", "unknown-variable", 'did you mean "phone"?'),
        ("vars: {phone: x}\nexpect: {ended: true}", "wrong-type", "E.164"),
        ("env: {TRUNC: x}\nexpect: {ended: true}", "unknown-name", 'did you mean "TRUNK"?'),
        ("call: {nmber: x}\nexpect: {ended: true}", "unknown-field", 'did you mean "number"?'),
        ("effects: {consutl: failed}\nexpect: {ended: true}", "unknown-verb", 'did you mean "consult"?'),
        ("effects: {python.lok: {ok: true}}\nexpect: {ended: true}", "unknown-python", 'did you mean "look"?'),
        ("effects: {python.look: {okk: true}}\nexpect: {ended: true}", "unknown-field", 'did you mean "ok"?'),
        ("effects: {python.look: {ok: 1}}\nexpect: {ended: true}", "wrong-type", "true or false"),
        ("effects: {transfer: failed}\nexpect: {ended: true}", "unknown-verb", "it has aclose, consult,"),
        ("effects: {consult.humn: failed}\nexpect: {ended: true}", "unknown-leg", 'did you mean "human"?'),
        ("effects: {drain.x: failed}\nexpect: {ended: true}", "bad-value", "of `drain` there is only one kind"),
        ("effects: {consult: {hangs_up: 3}}\nexpect: {ended: true}", "bad-duration", "write 3s"),
        ("effects: {python.look: {hangs_up: 3s}}\nexpect: {ended: true}", "unknown-field", "no field `hangs_up`"),
        ("cases: {}", "missing-key", "there is no case here"),
        ("cases:", "missing-key", "each has a name"),
        ("cases: [busy]", "wrong-kind", "each has a name"),
        ("cases: {b: {cases: {c: {}}}}", "bad-value", "a case has no cases"),
        ("steps: {tool: end_call}", "wrong-kind", "each step begins with `- `"),
        ("steps: [{4s: call.hangup}, {2s: call.dropped}]", "bad-value", "2s is over by then: it is 4s in line 7"),
        ("steps: [{5s: call.hangup}, {expect: {at: [1s, 3s]}}]", "bad-value", "3s is over by then"),
        ("with: {days: x}\nsteps: [caller: '{{ day }}']", "unknown-name", 'did you mean "days"?'),
        ("with: {day: [x]}\nsteps: [caller: 'on {{ day }}']", "wrong-type", "is no text"),
        ("steps:\n- 2s: tool: end_call", "colon-in-text", "put braces around what stands there"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_a_scenario_that_says_what_cannot_be(body, code, says):
    [found] = defects(body)
    assert found.code == code
    assert says in f"{found.message} ({found.hint})"


def test_all_are_told_at_once_and_what_is_shared_only_once():
    text = 'callflow: 1\nflow: x\nvars: {phone: "+15550100100", trys: 1}\nscenarios:\n  a: {steps: [nope]}\n  b: {steps: [nope, {wait: 1}]}\n'
    found = reads(text, flows=FLOW)[1]
    assert [(one.code, one.line) for one in found] == [
        ("unknown-variable", 3),
        ("unknown-event", 5),
        ("unknown-event", 6),
        ("bad-duration", 6),
    ]


@pytest.mark.parametrize(
    ("top", "code", "says"),
    [
        ("steps: [call.hangup]", "unknown-key", "it stands in a scenario"),
        ("parts: {a: x.yaml}\nscenarios: {a: {steps: [part: a]}}", "no-such-file", "`x.yaml`: there is no such file"),
        ("parts: {a: }\nscenarios: {a: {steps: [part: a]}}", "missing-key", "nothing happens in this part"),
        ("parts: {a: {}}\nscenarios: {a: {steps: [part: a]}}", "wrong-kind", "a list of steps, or the file"),
        ("parts: [a]\nscenarios: {a: {expect: {ended: true}}}", "wrong-kind", "each has a name"),
        ("parts: {a: [part: b], b: [part: a]}\nscenarios: {a: {steps: [part: a]}}", "bad-value", "comes round to itself"),
        ("parts: {a: [wait: 3s], b: [nope]}\nscenarios: {a: {steps: [{part: b}, {part: b}]}}", "unknown-event", "`nope`"),
        ("scenarios: {a: {expect: {ended: true}}, a: {expect: {ended: true}}}", "duplicate-key", "keep one of the two"),
        ("scenarios: [a]", "wrong-kind", "each has a name"),
        ("scenario: {a: {expect: {ended: true}}}", "unknown-key", 'did you mean "scenarios"?'),
    ],
)  # fmt: skip
def test_a_file_that_says_what_cannot_be(top, code, says):
    text = 'callflow: 1\nflow: desk.yaml\nvars: {phone: "+15550100100"}\nenv: {TRUNK: ST_1}\n' + top + "\n"
    if "scenario" not in top:
        text += "scenarios: {a: {expect: {ended: true}}}\n"
    [found] = reads(text, flows=FLOW)[1]
    assert found.code == code
    assert says in f"{found.message} ({found.hint})"


def test_what_the_call_needs_to_start_is_missing():
    found = reads("callflow: 1\nflow: x\nscenarios:\n  a: {expect: {ended: true}}\n", flows=FLOW)[1]
    assert [one.message for one in found] == [
        "the call cannot start: vars.phone is missing",
        "the call cannot start: the environment variable TRUNK is not set",
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-file"),
        ("- a\n", "not-a-mapping"),
        ("a: [\n", "unclosed-bracket"),
        ("a: &a [*a]\n", "recursive-alias"),
        ("a: 1\na: 2\n", "duplicate-key"),
        ("[" * 200, "too-deep"),
        (
            "a: &x [1,1,1,1,1,1,1,1,1,1]\nb: &y [*x,*x,*x,*x,*x,*x,*x,*x,*x,*x]\nc: &z [*y,*y,*y,*y,*y,*y,*y,*y,*y,*y]\nd: &w [*z,*z,*z,*z,*z,*z,*z,*z,*z,*z]\ne: [*w,*w,*w,*w,*w,*w,*w,*w,*w,*w]\n",
            "too-many-values",
        ),
        ("#" * 1_000_001, "file-too-large"),
    ],
    ids=["empty", "list", "bracket", "circle", "twice", "deep", "aliases", "large"],
)
def test_files_of_strangers(text, code):
    scenarios, found = reads(text, flows=FLOW)
    assert scenarios == []
    assert code in {one.code for one in found}


def test_a_file_that_is_none_and_a_flow_that_is_none(tmp_path: Path):
    assert read(tmp_path)[1][0].code == "not-a-file"
    assert read(tmp_path / "none.scenario.yaml")[1][0].code == "no-such-file"
    file = tmp_path / "a.scenario.yaml"
    file.write_text("callflow: 1\nflow: none.yaml\nscenarios: {a: {expect: {ended: true}}}\n")
    assert [(one.code, one.line, one.column) for one in read(file)[1]] == [("no-such-file", 2, 7)]
    (tmp_path / "none.yaml").write_text("callflow: 1\nname: x\n")
    assert {one.file for one in read(file)[1]} == {str(tmp_path / "none.yaml")}


@pytest.mark.parametrize("pattern", ["a+b*", "(a+)b", r"\(a+\)+", "[(a+)]+", "(a)+", "(?:yes|no)", "a{2,3}(b){2}"])
def test_a_pattern_that_is_fine(pattern):
    assert defects(f"expect: {{heard: {{pattern: '{pattern}'}}}}") == []


def test_a_flow_is_no_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.scenario.yaml").write_text("callflow: 1\nflow: '-'\nscenarios: {a: {expect: {ended: true}}}\n")
    assert [one.code for one in read("a.scenario.yaml")[1]] == ["no-such-file"]


def test_a_hundred_defects_are_enough():
    found = reads(HEAD + "    steps: [" + "nope, " * 1000 + "]", flows=FLOW)[1]
    assert found[-1].code == "too-many-defects"
    assert len(found) == 101
