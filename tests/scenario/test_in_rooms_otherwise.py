"""What scenarios of shipped flows do not say, held to the same on the pure core and in simulated rooms."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

import callflow
from callflow.scenario import play, reads
from callflow.scenario.playing import Result
from callflow.testing.scenario import out_of_reach, play_in_rooms
from tests.support.alike import agrees

CALLS = """
callflow: 1
name: calls
outcomes: [late]
vars: {said: {type: string, default: none}, ok: {type: boolean, default: false}}
events: {app.go: {by: string}}
senders: {app.go: program}
tools:
  note: {description: Notes it., parameters: {text: string}}
  stop: {description: Ends the call.}
python: {verify: {parameters: {pin: string}, returns: {ok: boolean}}}
initial: talking
on: {call.hangup: {target: ending, do: [{outcome: hung_up}]}}
states:
  talking:
    entry: [{say: Hello.}]
    tools: [note, stop]
    after: {40s: {target: ending, do: [{outcome: late}]}}
    on:
      tool.note: {do: [{set: {said: "{{ event.text }}"}}]}
      tool.stop: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
      app.go: asking
  asking:
    entry:
      - http: {url: https://example.com/x, as: answer}
      - python: {name: verify, arguments: {pin: "1"}, as: found}
      - set: {ok: "{{ vars.found.ok }}"}
    on:
      done: {target: ending, do: [{say: Done.}, {outcome: completed}]}
      failed: {target: ending, do: [{say: That failed.}, {outcome: no_answer}]}
"""

DIALS = """
callflow: 1
name: dials
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_test, ringing_timeout: 20s}}]
    on:
      dial.answered: talking
      dial.*: {target: ending, do: [{outcome: "{{ event.result }}"}]}
  talking:
    entry: [{say: Hello.}]
    after: {30s: {target: ending, do: [{outcome: completed}]}}
    on: {call.hangup: {target: ending, do: [{outcome: hung_up}]}}
"""


KEYS = """
callflow: 1
name: keys
initial: menu
states:
  menu:
    entry: [{collect_digits: {prompt: Press one or two., count: 1, tries: 2}}]
    on:
      dtmf.input: {target: away, do: [{say: "You have pressed {{ event.digits }}."}]}
      dtmf.no_input: {target: ending, do: [{outcome: no_answer}]}
  away:
    entry: [{transfer: {to: "+15550100100"}}]
    on:
      transfer.failed: {target: ending, do: [{say: Nobody is there.}, {outcome: failed}]}
"""

REPLIES = """
callflow: 1
name: replies
initial: talking
states:
  talking:
    entry: [{generate_reply: Greet them.}]
    every: {4s: {do: [{say: Are you there?}]}}
    after: {12s: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}}
"""

LOOKS = """
callflow: 1
name: looks
tools: {stop: {description: Ends the call.}}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "+15550123456", trunk: ST_test, detect_machine: {timeout: 10s}}}]
    on:
      dial.answered: screening
      dial.*: {target: ending, do: [{outcome: failed}]}
  screening:
    on:
      amd.human: talking
      amd.uncertain:
        - {target: ending, when: event.reason == "detection_timeout", do: [{outcome: no_answer}]}
        - {target: ending, do: [{outcome: machine}]}
      amd.*: {target: ending, do: [{outcome: machine}]}
  talking:
    entry: [{say: Hello.}]
    tools: [stop]
    on: {tool.stop: {target: ending, do: [{outcome: completed}]}}
    after: {30s: ending}
"""

LISTENS = """
callflow: 1
name: listens
initial: listening
states:
  listening:
    entry: [{detect_machine: {timeout: 8s}}]
    on:
      amd.uncertain:
        - {target: ending, when: event.reason == "detection_timeout", do: [{outcome: no_answer}]}
        - {target: ending, do: [{outcome: machine}]}
      amd.*: ending
"""


def both(flow: str, body: str) -> tuple[Result, Result]:
    text = f"callflow: 1\nflow: x\nscenarios:\n  a:\n{indent(dedent(body), '    ')}"
    [scenario], defects = reads(text, flows=callflow.loads(flow, check=False))
    assert defects == []
    return play(scenario), play_in_rooms(scenario)


@pytest.mark.parametrize(
    ("flow", "body"),
    [
        (CALLS, 'steps: [{tool: [{note: {text: a loom}}, stop]}]\nexpect: {outcome: completed, vars: {said: a loom}}'),
        (CALLS, "steps: [{caller: Hello?}, {model: What is it?}, {tool: stop}]\nexpect: {heard: [Hello., What is it?, Goodbye.]}"),
        (CALLS, "steps: [{app.go: {by: Ann}}]\nexpect: {outcome: completed, vars: {ok: true}}"),
        (CALLS, "effects: {python.verify: {ok: false}}\nsteps: [{app.go: {by: Ann}}]\nexpect: {vars: {ok: false}}"),
        (CALLS, "effects: {python: failed}\nsteps: [{app.go: {by: Ann}}]\nexpect: {heard: [..., That failed.]}"),
        (CALLS, "effects: {http: {status: 404}}\nsteps: [{app.go: {by: Ann}}]\nexpect: {outcome: no_answer}"),
        (CALLS, "steps: [{app.go: {by: Ann}}, {http: timed_out}]\nexpect: {outcome: no_answer}"),
        (CALLS, "steps: [{app.go: {by: Ann}}, {http: {status: 503}}]\nexpect: {outcome: no_answer}"),
        (CALLS, "steps: [{timer: after 40s}]\nexpect: {outcome: late}"),
        (CALLS, "effects: {say: failed}\nexpect: {outcome: failed}"),
        (CALLS, "effects: {delete_room: failed}\nsteps: [{tool: stop}]\nexpect: {outcome: completed}"),
        (CALLS, "steps: [{5s: {call.hangup: {by: network}}}]\nexpect: {ended: {by: network}}"),
        (CALLS, "steps: [{5s: call.dropped}, {8s: call.restored}, {tool: stop}]\nexpect: {outcome: completed}"),
        (CALLS, "steps: [{5s: room.reconnecting}, {8s: room.reconnected}, {tool: stop}]\nexpect: {outcome: completed}"),
        (DIALS, "effects: {dial: {hangs_up: 5s}}\nexpect: {outcome: hung_up, ended: {by: caller}}"),
        (DIALS, "effects: {dial: {result: busy, after: 7s}}\nexpect: {outcome: busy}"),
        (DIALS, "steps: [dial.declined]\nexpect: {outcome: declined}"),
        (DIALS, "steps: [{9s: dial.no_answer}]\nexpect: {outcome: no_answer}"),
        (DIALS, "steps: [{10s: dial.answered}, {20s: call.hangup}]\nexpect: {outcome: hung_up}"),
        (DIALS, "effects: {dial: failed}\nexpect: {outcome: failed}"),
        (CALLS, "steps: [{1950ms: {call.hangup: {by: caller}}}]\nexpect: {outcome: hung_up}"),
        (CALLS, "steps: [{3s: {caller: And there is something that I wanted to tell you.}}, {now: {caller: Wait.}}, {tool: stop}]\nexpect: {outcome: completed}"),
        (REPLIES, "steps: [{1s: call.dropped}, {6s: call.restored}]\nexpect: {outcome: completed}"),
        (LOOKS, "effects: {detect_machine: never}\nexpect: {outcome: no_answer, at: [14s, 16s]}"),
        (LOOKS, "effects: {detect_machine: uncertain}\nexpect: {outcome: no_answer, at: [14s, 16s]}"),
        (LOOKS, "effects: {detect_machine: {result: uncertain, after: 5s}}\nexpect: {outcome: no_answer, at: [9s, 11s]}"),
        (LOOKS, "effects: {detect_machine: never}\nsteps: [{10s: call.dropped}]\nexpect: {outcome: no_answer}"),
        (LOOKS, "effects: {detect_machine: {result: machine-vm, after: 8s}}\nsteps: [{10s: call.dropped}]\nexpect: {outcome: machine}"),
        (LOOKS, "steps: [dial.answered, amd.uncertain]\nexpect: {outcome: no_answer}"),
        (LOOKS, "effects: {detect_machine: machine-vm}\nexpect: {outcome: machine, at: [6s, 7s]}"),
        (LOOKS, "steps: [{6s: {tool: stop}}]\nexpect: {outcome: completed}"),
        # Before the session runs, and as soon as it does.
        (CALLS, "steps: [{0s: {model: Well.}}, {5s: call.hangup}]\nexpect: {outcome: hung_up, heard: [Hello., Well.]}"),
        (CALLS, "steps: [{0s: {room.disconnected: {reason: SERVER_SHUTDOWN}}}]\nexpect: {outcome: line_lost}"),
        (DIALS, "steps: [{0s: {room.disconnected: {reason: SERVER_SHUTDOWN}}}]\nexpect: {outcome: line_lost}"),
        (DIALS, "steps: [{0s: session.close}]\nexpect: {outcome: failed}"),
        # Our own connection is given up when its time is up, and not before.
        (CALLS, "steps: [{1s: room.reconnecting}, {room.disconnected: {reason: OUT_OF_REACH}}]\nexpect: {outcome: line_lost, at: [21s, 24s]}"),
        # What is said to somebody who is away waits: nothing is under way.
        (CALLS, "steps: [{500ms: call.dropped}, {room.disconnected: {reason: ROOM_DELETED}}]\nexpect: {outcome: line_lost}"),
        (CALLS, "steps: [{500ms: room.reconnecting}, {room.disconnected: {reason: ROOM_DELETED}}]\nexpect: {outcome: line_lost}"),
        # The worker that closes drops speech.
        (CALLS, "steps: [{tool: stop}, {now: job.shutdown}]\nexpect: {outcome: completed}"),
        # What is said of keys needs no prompt to its end, and no code but SIP's.
        (KEYS, "steps: [{1s: {dtmf.input: {digits: '1'}}}, {transfer.failed: {result: {sip_status_code: 1}}}]\nexpect: {outcome: failed, at: [8s, 14s]}"),
        # A step at the moment at which something ends by itself comes after it.
        (CALLS, "steps: [{550ms: {tool: stop}}]\nexpect: {outcome: completed}"),
        (CALLS, "steps: [{300ms: {say: failed}}]\nexpect: {outcome: failed}"),
        (LISTENS, "effects: {detect_machine: never}\nexpect: {outcome: no_answer}"),
        (LISTENS, "effects: {detect_machine: uncertain}\nexpect: {outcome: no_answer}"),
        (LISTENS, "effects: {detect_machine: {result: uncertain, reason: no_speech_timeout}}\nexpect: {outcome: machine}"),
    ],
)  # fmt: skip
def test_it_comes_out_alike(flow, body):
    agrees(*both(flow, body))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("exactly: true\nsteps: [{2s: call.hangup}]", "it says `exactly` when"),
        ("steps: [{say: {spoken: Hello.}}]", "it says when say ends"),
        ("steps: [session.error]", "nobody brings session.error about in a room"),
        ("call: {room: x}\nsteps: [{2s: call.hangup}]", "it says what `call.room` is"),
    ],
)
def test_what_no_room_can_do_is_said(body, why):
    _, there = both(CALLS, body)
    assert there.skipped.startswith(why)
    assert not there.passed
    assert there.taken == ()
    assert out_of_reach(there.scenario) == there.skipped


def test_what_cannot_happen_is_said_in_the_same_words():
    here, there = both(CALLS, "steps: [{tool: stop}, {tool: stop}]")
    assert here.failure is not None
    assert there.failure is not None
    assert here.failure.position == there.failure.position
    assert here.failure.message.partition(" (at ")[0] == there.failure.message.partition(" (at ")[0]


@pytest.mark.parametrize(
    "body",
    [
        "steps: [{tool: stop}, {expect: {effect: drain}}, {now: {model: Well.}}]",
        "steps: [{3s: {room.disconnected: {reason: SERVER_SHUTDOWN}}}, {now: {model: Well.}}]",
        "steps: [{3s: {room.disconnected: {reason: OUT_OF_REACH}}}]",
        "steps: [{3s: {room.disconnected: {reason: SERVER_SHUTDOWN}}}, {now: job.shutdown}]",
    ],
)
def test_what_cannot_happen_at_the_end_of_a_call(body):
    here, there = both(CALLS, body)
    assert here.failure is not None
    assert there.failure is not None
    assert here.failure.position == there.failure.position


@pytest.mark.parametrize("steps", ["[{1s: {model: Well.}}]", "[{dial.answered: {}}, {now: {model: Well.}}]"])
def test_a_model_says_nothing_before_it_is_known_who_is_there(steps):
    here, _ = both(LOOKS, f"steps: {steps}")
    assert here.failure is not None
    assert here.failure.message.startswith("the model has no turn: ")


def test_an_expectation_that_never_comes_true_and_what_must_not_happen():
    here, there = both(CALLS, "steps: [{expect: {heard: Good evening.}}]")
    assert (here.failure.unmet, here.failure.position) == (there.failure.unmet, there.failure.position)
    here, there = both(CALLS, "steps: [{tool: stop}]\nexpect: {ended: true}\nnever: {heard: Goodbye.}")
    assert here.failure.position == there.failure.position
    assert there.failure.message.startswith("it happens, at ")
