"""Flow files -> `Flow`: what an author writes is what the flow says, and what cannot be meant is said, all at once."""

from __future__ import annotations

import gc
from pathlib import Path

import attrs
import pytest

from callflow.core.expressions import Template
from callflow.errors import FlowFileError
from callflow.flowfile import keys, load, loads, read
from callflow.flowfile.loader import read_loads
from callflow.proof.codes import CODES as PROOF
from tests.support.cost import within

HEAD = "callflow: 1\nname: example\ninitial: talking\n"
SHIPPED = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))

SMALLEST = """\
callflow: 1
name: front-desk
initial: talking
tools:
  end_call: {description: The caller is done and wants to hang up.}
states:
  talking:
    entry: [{generate_reply: {instructions: Greet the caller and help.}}]
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
"""

SPELLED_OUT = """\
callflow: 1
name: front-desk
standard: false
initial: talking
ending: ending
limits: {call: 1h, silence: 2m, answer: 60s, reconnecting: 20s, no_progress: 50}
tools:
  end_call: {description: The caller is done and wants to hang up.}
on:
  call.hangup:       {target: ending, do: [{outcome: hung_up}]}
  session.close:     {target: ending, do: [{outcome: failed}]}
  job.shutdown:      {target: ending, do: [{outcome: cancelled}]}
  room.disconnected: {target: ending, do: [{outcome: line_lost}]}
states:
  talking:
    entry: [{generate_reply: {instructions: Greet the caller and help.}}]
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  ending:
    entry:
      - drain: {timeout: 10s, tail: 200ms}
      - delete_room
      - aclose: {timeout: 10s}
      - shutdown: {reason: "{{ call.outcome }}"}
    on: {done: closed}
  closed: {final: true}
"""


def defects_of(text: str, head: str = HEAD):
    return read_loads(head + text)[1]


def only(text: str, head: str = HEAD):
    defects = defects_of(text, head)
    assert len(defects) == 1, [str(defect) for defect in defects]
    return defects[0]


def flow_of(text: str, head: str = HEAD):
    return loads(head + text)


def structure(flow):
    """What a flow says, without places and marks of who wrote it."""

    def plain(value):
        if isinstance(value, Template):
            return ("template", value.source)
        fields = attrs.fields_dict(type(value)) if attrs.has(type(value)) else getattr(value, "_fields", ())
        if fields:
            return {
                name: plain(getattr(value, name))
                for name in fields
                if name not in ("position", "supplied", "id", "file", "texts", "_run", "table")
            }
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return value

    return plain(flow)


class TestStandardParts:
    def test_the_smallest_flow_is_the_one_that_is_spelled_out(self):
        assert structure(loads(SMALLEST)) == structure(loads(SPELLED_OUT))

    def test_what_is_supplied_says_so(self):
        flow = loads(SMALLEST)
        assert [path for path, state in flow.states.items() if state.supplied] == ["ending", "closed"]
        assert all(row.transitions[0].supplied for row in flow.root.rows)
        assert flow.states["ending"].position.file == "<standard>"

    def test_the_ending_must_finish(self):
        assert loads(SMALLEST).states["ending"].must_finish

    def test_what_the_author_writes_replaces_one_by_one(self):
        flow = flow_of("on: {call.hangup: bye}\nstates: {talking: {}, bye: {on: {done: closed}}}\nending: bye\n")
        targets = {row.pattern: row.transitions[0].target for row in flow.root.rows}
        assert targets == dict.fromkeys(["call.hangup", "session.close", "job.shutdown", "room.disconnected"], "bye")
        assert not flow.root.rows[0].transitions[0].supplied
        assert list(flow.states) == ["", "talking", "bye", "closed"]
        assert flow.ending == "bye"

    def test_an_own_closed_state(self):
        flow = flow_of("states: {talking: {}, closed: {final: true, entry: [{log: Over.}]}}\n")
        assert [action.verb for action in flow.states["closed"].entry] == ["log"]
        assert list(flow.states) == ["", "talking", "closed", "ending"]

    def test_all_that_the_proof_finds_can_be_accepted(self):
        assert set(keys.ACCEPT) == set(PROOF) - {"accepted-for-nothing"}  # a code that is new stands in both

    def test_limits_become_rows_of_the_top_level(self):
        flow = flow_of("limits: {call: 30m, silence: 45s}\nstates: {talking: {}}\n")
        rows = [(row.kind, row.seconds, row.text, row.transitions[0].target) for row in flow.root.timers]
        assert rows == [("after", 1800.0, "30m", "ending"), ("silence", 45.0, "45s", "ending")]
        assert flow.limits.no_progress == 50

    def test_without_the_standard_parts_nothing_is_supplied(self):
        flow = flow_of("standard: false\nending: talking\nstates: {talking: {}}\n")
        assert (list(flow.states), flow.root.rows, flow.root.timers) == (["", "talking"], (), ())
        assert set(attrs.astuple(flow.limits)) == {None}

    def test_without_the_standard_parts_an_ending_is_named(self):
        assert only("standard: false\nstates: {talking: {}}\n").code == "missing-key"


class TestModel:
    def test_actions(self):
        flow = flow_of(
            'vars: {who: {type: string, default: you}}\nstates: {talking: {entry: [{say: "Hi {{ vars.who }}"},'
            " {say: {text: Hello., interruptible: false, wait: false, timeout: 5s, optional: true}}, delete_room,"
            " {http: {url: https://example.com, json: {a: [1, '{{ vars.who }}']}, as: reply, retry: {times: 2, backoff: 1s}}},"
            " {set: {who: '{{ text(vars.reply.status) }}'}}]}}\n"
        )
        hi, hello, room, http, put = flow.states["talking"].entry
        assert isinstance(hi.arguments["text"], Template)
        assert (hi.timeout, hi.wait, hi.arguments["interruptible"]) == (60.0, True, None)
        assert (hello.arguments["text"], hello.wait, hello.timeout, hello.optional) == ("Hello.", False, 5.0, True)
        assert (room.timeout, room.tries, room.backoff) == (5.0, 3, 0.5)
        assert (http.save_as, http.tries, http.backoff) == ("reply", 3, 1.0)
        assert http.arguments["json"]["a"][0] == 1
        assert isinstance(put.arguments["values"]["who"], Template)
        assert hi.position.line == 5
        assert hi.position.path == "states.talking.entry[0].say"

    def test_time_limits_that_are_the_sum_of_their_parts(self):
        flow = flow_of(
            "states: {talking: {entry: [{dial: {to: '+15551234567', trunk: ST_1, ringing_timeout: 20s, detect_machine: {timeout: 9s}}},"
            " {collect_digits: {prompt: PIN?, count: 4, tries: 2}}, {play: {file: a.wav, loop: true}}]}}\n"
        )
        dial, digits, play = flow.states["talking"].entry
        assert (dial.timeout, dial.arguments["detect_machine"]) == (25.0, {"timeout": 9.0, "ivr_detection": False})
        assert digits.timeout == 2 * (60 + 5 + 4 * 3)
        assert (play.timeout, play.wait) == (None, False)
        assert flow.outbound

    def test_rows(self):
        flow = flow_of(
            "states:\n  talking:\n    on:\n      dtmf.1: [{target: other, when: 'event.leg == \"far_end\"'}, {do: [{say: No.}]}]\n"
            "      dtmf.*: other\n    ignore: [room.*]\n    after: {20s: other, 1m: {do: [{log: y}]}}\n    every: {5s: {do: [{log: x}]}}\n"
            "    silence: {12s: {do: [{say: There?}]}}\n    always: {target: other, when: state.visits > 3}\n  other: {}\n"
        )
        talking = flow.states["talking"]
        assert [(row.pattern, row.ignore, len(row.transitions)) for row in talking.rows] == [
            ("dtmf.1", False, 2), ("dtmf.*", False, 1), ("room.*", True, 0),
        ]  # fmt: skip
        assert [(timer.kind, timer.seconds, timer.index) for timer in talking.timers] == [
            ("after", 20.0, 0), ("after", 60.0, 1), ("every", 5.0, 2), ("silence", 12.0, 3),
        ]  # fmt: skip
        assert talking.always[0].guard.source == "state.visits > 3"
        assert [row.id for row in flow.transitions] == list(range(len(flow.transitions)))

    def test_targets_are_looked_up_outward_and_dots_lead_inward(self):
        flow = flow_of(
            "states:\n  talking:\n    initial: a\n    states:\n      a: {on: {dtmf.1: b, dtmf.2: talking, dtmf.3: other.x, dtmf.4: other}}\n"
            "      b: {}\n    on: {dtmf.5: b}\n  other: {initial: x, states: {x: {on: {dtmf.6: talking.b}}}}\n"
        )
        found = {row.pattern: row.transitions[0].target for state in flow.states.values() for row in state.rows}
        assert [found[f"dtmf.{digit}"] for digit in range(1, 7)] == [
            "talking.b", "talking", "other.x", "other", "talking.b", "talking.b",
        ]  # fmt: skip

    def test_states_stand_in_document_order(self):
        flow = flow_of("states: {talking: {initial: a, states: {a: {always: b}, b: {}}, on: {dtmf.1: z}}, z: {}}\n")
        assert list(flow.states) == ["", "talking", "talking.a", "talking.b", "z", "ending", "closed"]

    def test_history(self):
        flow = flow_of(
            "states: {talking: {initial: a, states: {a: {always: b}, b: {}, back: {history: deep}}, on: {dtmf.1: z}},"
            " z: {on: {dtmf.2: talking.back}}}\n"
        )
        back = flow.states["talking.back"]
        assert (back.kind, back.history, back.initial) == ("history", "deep", "talking.a")

    def test_notes_may_stand_anywhere(self):
        flow = flow_of(
            "x-a: {b: [1]}\nvars: {x-c: 1}\nstates: {talking: {x-d: e, on: {x-f: g, dtmf.1: {target: ending, x-h: i}},"
            " entry: [{say: {text: A., x-j: k}, x-l: m}]}, x-n: o}\n"
        )
        assert flow.notes == {"x-a": {"b": [1]}}
        assert flow.states["talking"].notes == {"x-d": "e"}

    def test_tools(self):
        flow = flow_of(
            "tools:\n  look_up:\n    description: Finds an order.\n    parameters: {number: {type: string, description: Its number.}}\n"
            "    run: {http: {url: 'https://example.com/{{ event.number }}'}}\n    result: '{{ result.body }}'\n"
            "  own: {own: true}\nstates: {talking: {tools: [look_up], on: {tool.own: ending,"
            " tool.look_up: {do: [{log: '{{ event.number }} {{ event.result.status }}'}]}}}}\n"
        )
        tool = flow.tools["look_up"]
        assert (tool.run.verb, tool.result.source, tool.parameters["number"].description) == (
            "http",
            "{{ result.body }}",
            "Its number.",
        )
        assert flow.tools["own"].own

    def test_python_results_are_typed(self):
        text = (
            "python: {verify: {parameters: {pin: string}, returns: {ok: boolean}, timeout: 5s}}\nstates:\n  talking:\n"
            "    entry: [{python: {name: verify, arguments: {pin: '1'}, as: answer}}]\n    on: {done: {target: ending, when: %s}}\n"
        )
        assert flow_of(text % "vars.answer.ok").states["talking"].entry[0].timeout == 5.0
        assert only(text % "vars.answer.okay").code == "unknown-name"
        assert only(text % "vars.answer.ok == 'yes'").code == "wrong-type"

    def test_what_the_program_supplies_is_listed(self):
        flow = flow_of(
            "states: {talking: {task: {name: get_email, arguments: {a: 1}}, on: {done: {do: [{update_agent: billing}]}}}}\n"
        )
        assert (flow.tasks, flow.agents) == ({"get_email"}, {"billing"})

    def test_wrap_up_reads_the_record_and_says_nothing(self):
        text = "states: {talking: {}}\nwrap_up: [{http: {url: https://example.com, json: {t: '{{ call.transcript }}'}}}%s]\n"
        assert len(flow_of(text % "").wrap_up) == 1
        assert only(text % ", {say: Bye.}").code == "speech-after-drain"

    def test_the_session_block(self):
        flow = flow_of(
            "session: {llm: openai/gpt-4o-mini, tts: {plugin: cartesia, voice: x}, user_away_timeout: 20s, allow_interruptions: false}\n"
            "agent: {instructions: Help.}\nstates: {talking: {}}\n"
        )
        assert flow.session == {
            "llm": "openai/gpt-4o-mini", "tts": {"plugin": "cartesia", "voice": "x"}, "user_away_timeout": 20.0,
            "allow_interruptions": False,
        }  # fmt: skip
        assert flow.agent == {"instructions": "Help."}
        assert "user_away_timeout" in only("session: {user_away_timeouts: 20s}\nstates: {talking: {}}\n").hint


class TestDefects:
    def test_every_defect_is_found_at_once_in_the_order_of_the_file(self):
        defects = defects_of(
            "vars: {n: {type: strin}}\nenv: [lower]\nstates:\n  talking:\n    entrie: []\n    entry: [{sya: Hello.}, {outcome: copleted}, {say: 12}]\n"
            "    on: {call.hangop: ending, dtmf.1: endign}\n    after: {30: ending}\n"
        )
        assert [(defect.line, defect.code) for defect in defects] == [
            (4, "unknown-type"), (5, "bad-name"), (8, "unknown-key"), (9, "unknown-verb"), (9, "unknown-outcome"),
            (9, "number-for-text"), (10, "unknown-event"), (10, "unknown-target"), (11, "bad-duration"),
        ]  # fmt: skip
        hints = " ".join(f"{defect.message} {defect.hint}" for defect in defects)
        for word in ('"string"', '"entry"', '"say"', '"completed"', '"call.hangup"', '"ending"', "write 30s"):
            assert word in hints

    @pytest.mark.parametrize(
        ("text", "code", "says"),
        [
            # a comma in braces or brackets
            ("states: {talking: {entry: [{say: Hello, Ann}]}}", "unknown-key", "a comma ends the text"),
            ("states: {talking: {entry: [say: Hello, Ann]}}", "unknown-verb", "a comma ends the text"),
            # numbers, truth values
            ("states: {talking: {entry: [{send_dtmf: 12}]}}", "number-for-text", '"12"'),
            ("states: {talking: {entry: [{say: true}]}}", "wrong-kind", '"true"'),
            ("vars: {p: {type: phone, default: +15551234567}}\nstates: {talking: {}}", "number-for-text", '"+15551234567"'),
            ("states: {talking: {entry: [{say: {text: A., interruptible: no}}]}}", "wrong-type", "write false"),
            ("vars: {b: {type: boolean, default: yes}}\nstates: {talking: {}}", "wrong-type", "write true"),
            ("vars: {n: {type: list of int, default: [1]}}\nstates: {talking: {}}", "unknown-type", "`list of integer`"),
            # one slip, one defect
            ("vars: {n: {type: int, default: 0}}\nstates: {talking: {on: {dtmf.1: {do: [{set: {n: '{{ vars.n + 1 }}'}}], when: vars.n < 3}}}}", "unknown-type", "`integer`"),
            ("vars: {n: {default: 0}}\nstates: {talking: {on: {dtmf.1: {target: ending, when: vars.n < 3}}}}", "missing-key", "needs a `type`"),
            ("events: {app.n: {n: int}}\nstates: {talking: {on: {app.n: {target: ending, when: event.n < 3}}}}", "unknown-type", "`integer`"),
            ("statess: {talking: {}}", "unknown-key", "states"),
            ("x-states: {talking: {}}", "missing-key", "states"),
            ("states: [talking]", "wrong-kind", "a list"),
            # durations
            ("states: {talking: {after: 30}}", "bad-duration", "after: {30s: {target: …}}"),
            ("states: {talking: {after: 30s}}", "wrong-kind", "after: {30s: {target: …}}"),
            ("states: {talking: {silence: {0s: ending}}}", "bad-duration", "longer than 0s"),
            ("states: {talking: {entry: [{say: {text: A., timeout: 5}}]}}", "bad-duration", "write 5s"),
            ("reconnect_grace: 12\nstates: {talking: {}}", "bad-duration", "write 12s"),
            ("limits: {call: 1.5h}\nstates: {talking: {}}", "bad-duration", "write 90m"),
            # lists
            ("states: {talking: {entry: say}}", "wrong-kind", "[say]"),
            ("states: {talking: {entry: {say: A.}}}", "wrong-kind", "as an item"),
            ("states: {talking: {tools: end_call}}", "wrong-kind", "[end_call]"),
            ("states: {talking: {entry: [[{say: A.}]]}}", "wrong-kind", "one pair of brackets"),
            # verbs of other languages
            ("states: {talking: {entry: [{goto: ending}]}}", "unknown-verb", "rows"),
            ("states: {talking: {entry: [Hello there.]}}", "unknown-verb", "say: Hello there."),
            ("states: {talking: {entry: [{say: A., timeout: 5s}]}}", "unknown-key", "say: {text"),
            ("states: {talking: {entry: [{outcome: {name: completed, timeout: 5s}}]}}", "unknown-key", "at once"),
            ("states: {talking: {entry: [{shutdown: {reason: x, timeout: 5s}}]}}", "unknown-key", "no timeout"),
            ("states: {talking: {entry: [{delete_room: now}]}}", "wrong-kind", "- delete_room"),
            ("states: {talking: {entry: [{hang_up: {for: me}}]}}", "bad-value", "everyone"),
            ("states: {talking: {entry: [{http: {url: https://example.com, method: get}}]}}", "bad-value", '"GET"'),
            # events
            ("states: {talking: {on: {dtmf.#: ending}}}", "unknown-event", "dtmf.pound"),
            ("states: {talking: {on: {hangup: ending}}}", "unknown-event", "call.hangup"),
            ("states: {talking: {on: {leg.far_end.hangup: ending}}}", "unknown-event", "write `call.hangup`"),
            ("states: {talking: {on: {\"*\": ending}}}", "unknown-event", "a pattern ends in"),
            ("states: {talking: {on: {call.*.x: ending}}}", "unknown-event", "a pattern ends in"),
            ("states: {talking: {on: {diall.*: ending}}}", "unknown-event", "dial.*"),
            ("events: {app.gone: {}}\nstates: {talking: {on: {app.arrived: ending}}}", "unknown-event", "events: {app.arrived: {}}"),
            ("events: {app.gone: {}}\nstates: {talking: {on: {app.go: ending}}}", "unknown-event", "app.gone"),
            ("events: {app.approved: {}}\nstates: {talking: {on: {app.aproved: ending}}}", "unknown-event", "app.approved"),
            ("events: {approved: {}}\nstates: {talking: {}}", "bad-name", "app.approved"),
            ("events: {app.a: {by: string}}\nstates: {talking: {entry: [{emit: app.a}]}}", "missing-argument", "`by`"),
            # rows
            ("states: {talking: {on: {dtmf.1: {reenter: true, do: [{log: x}]}}}}", "missing-key", "target: talking"),
            ("states: {talking: {on: {dtmf.1: {target: 12}}}}", "number-for-text", "quotes"),
            ("states: {talking: {on: {dtmf.1: []}}}", "empty-row", "ignore"),
            ("states: {talking: {on: {dtmf.1: {target: ending, when: true}}}}", "wrong-kind", "leave `when` out"),
            ("states: {talking: {on: {dtmf.1: {target: ending, when: '{{ true }}'}}}}", "bad-expression", "no braces"),
            ("states: {talking: {on: {amd.*: {target: ending, when: event.digit == '1'}}}}", "unknown-name", "digit"),
            ("states: {talking: {on: {dtmf.1: {target: ending, when: event.leg > 3}}}}", "wrong-type", "text"),
            ("states: {talking: {after: {5s: {target: ending, when: event.digit == '1'}}}}", "unknown-name", "digit"),
            ("states: {talking: {always: {target: ending, when: event.digit == '1'}}}", "no-event", "event"),
            ("states: {talking: {exit: [{log: '{{ event.digit }}'}]}}", "no-event", "the `do` of the rows"),
            ("states: {talking: {on: {dtmf.1: {do: [{set: {n: 1}}]}}}}\nvars: {n: {type: string, default: a}}", "number-for-text", '"1"'),
            ("states: {talking: {entry: [{log: '{{ vars.x }}'}]}}", "unknown-name", "vars"),
            ("env: [CRM_KEY]\nstates: {talking: {entry: [{log: '{{ env.CRM_KEI }}'}]}}", "unknown-name", "CRM_KEY"),
            # states
            ("states: {talking: {initial: a}}", "unknown-key", "`initial` goes with `states`"),
            ("states: {talking: {initial: b, states: {a: {}}}}", "unknown-target", "a"),
            ("states: {talking: {with: {a: 1}}}", "unknown-key", "`with` goes with `flow`"),
            ("states: {talking: {returns: {a: 1}}}", "bad-final", "only a final state"),
            ("states: {talking: {initial: a, states: {a: {final: true, returns: {b: 1}}}}}", "bad-final", "top of a file"),
            ("states: {talking: {parallel: true, states: {a: {final: true}, b: {}}}}", "bad-parallel", "region"),
            ("states: {talking: {parallel: true, initial: a, states: {a: {}, b: {}}}}", "bad-parallel", "no `initial`"),
            ("states: {talking: {initial: a, states: {a: {}, h: {history: yes}}, on: {dtmf.1: h}}}", "bad-value", "shallow"),
            ("states: {talking: {initial: h, states: {a: {}, h: {history: deep, initial: a}}}}", "bad-history", "name the state"),
            ("states: {talking: {tools: [end_cal]}}\ntools: {end_call: {description: x}}", "unknown-tool", "end_call"),
            ("states: {talking: {tools: [a]}}\ntools: {a: {own: true}}", "bad-value", "agent's own"),
            ("states: {talking: {}}\ntools: {a: {description: x, run: {say: A.}}}", "bad-value", "`http` or `python`"),
            ("states: {talking: {on: {dtmf.1: inner}, initial: in, states: {in: {initial: inner, states: {inner: {}}}}}}",
             "unknown-target", "`in.inner`"),
            # the top level
            ("state: {talking: {}}\nstates: {talking: {}}", "unknown-key", '"states"'),
            ("ending: bye\nstates: {talking: {}}", "unknown-target", "bye"),
            ("outcomes: [completed]\nstates: {talking: {}}", "duplicate-item", "every flow has"),
            ("use: {pin: flows/inbound.yaml}\nstates: {talking: {flow: pni}}", "unknown-sub-flow", '"pin"'),
            ("use: {pin: no-such.yaml}\nstates: {talking: {flow: pin}}", "no-such-file", "no-such.yaml"),
        ],
    )  # fmt: skip
    def test_one(self, text, code, says):
        defect = only(text + "\n")
        assert defect.code == code
        assert says in f"{defect.message} ({defect.hint})"

    def test_places_inside_a_text(self):
        defect = only('states:\n  talking:\n    entry:\n      - say: "Hello {{ vars.nam }}"\n')
        assert (defect.line, defect.column, defect.end_column) == (7, 24, 32)
        assert defect.path == "states.talking.entry[0].say"

    @pytest.mark.parametrize("text", ["callflow: 2\nnme: x\n", 'callflow: "1"\n', "callflow: one\n", "callflow: [1]\n"])
    def test_of_another_version_nothing_else_is_said(self, text):
        _, defects = read_loads(text)
        assert [defect.code for defect in defects] == ["unknown-version"]

    def test_what_is_missing_at_the_top(self):
        _, defects = read_loads("description: Empty.\n")
        assert sorted(defect.code for defect in defects) == [
            "missing-initial",
            "missing-key",
            "missing-key",
            "missing-key",
        ]

    def test_loads_raises_all_of_them(self):
        with pytest.raises(FlowFileError) as caught:
            loads(HEAD + "states: {talking: {entry: [{sya: A.}, {sya: B.}]}}\n", name="flows/a.yaml")
        assert len(caught.value.defects) == 2
        assert str(caught.value).startswith("flows/a.yaml:4:")

    def test_a_thousand_mistakes_take_no_longer_than_a_second(self):
        states = "".join(f"  state_number_{n}: {{on: {{dtmf.1: stat_number_{n}x}}}}\n" for n in range(3000))
        defects = within(2, lambda: defects_of("states:\n  talking: {}\n" + states))
        assert len(defects) == 101
        assert defects[-1].code == "too-many-defects"


class TestSubFlows:
    PIN = """\
callflow: 1
name: pin
vars: {tries: {type: integer, default: 3}, greeting: {type: string}}
initial: asking
on: {dtmf.0: cancelled}
after: {1m: cancelled}
states:
  asking: {entry: [{say: "{{ vars.greeting }}"}], on: {dtmf.1: accepted}}
  accepted: {final: true, returns: {ok: true, left: "{{ vars.tries }}"}}
  cancelled: {final: true, returns: {ok: false, left: 0}}
"""
    MAIN = """\
callflow: 1
name: main
initial: talking
use: {pin: parts/pin.yaml}
states:
  talking:
    flow: pin
    with: {greeting: Your PIN?}
    on:
      done: [{target: in, when: event.returns.ok}, ending]
  in: {on: {dtmf.1: talking}}
"""

    @pytest.fixture
    def files(self, tmp_path):
        def write(**texts):
            (tmp_path / "parts").mkdir(exist_ok=True)
            for name, text in {"main": self.MAIN, "pin": self.PIN, **texts}.items():
                (tmp_path / ("" if name == "main" else "parts") / f"{name}.yaml").write_text(text)
            return tmp_path / "main.yaml"

        return write

    def test_it_is_the_inside_of_its_host(self, files):
        flow = load(files())
        host = flow.states["talking"]
        assert (host.kind, host.initial, host.subflow) == ("compound", "talking.asking", "talking")
        assert host.children == ("talking.asking", "talking.accepted", "talking.cancelled")
        assert [(row.pattern, row.level) for row in host.rows] == [("done", "own"), ("dtmf.0", "inner")]
        assert [(timer.text, timer.level) for timer in host.timers] == [("1m", "inner")]
        assert [row.scope for row in host.rows[1].transitions] == ["talking"]
        assert flow.states["talking.asking"].scope == "talking"
        assert flow.scopes["talking"].flow_name == "pin"
        assert host.arguments == {"greeting": "Your PIN?"}
        assert set(flow.states["talking.accepted"].returns) == {"ok", "left"}

    def test_nothing_standard_is_supplied_in_it(self, files):
        assert "talking.ending" not in load(files()).states

    def test_it_may_be_checked_by_itself(self, files):
        assert read(files().parent / "parts" / "pin.yaml")[1] == []

    def test_it_may_stand_in_two_places(self, files):
        main = self.MAIN.replace("in: {on", "in: {flow: pin, with: {greeting: Again?}, on")
        flow = load(files(main=main))
        assert [path for path in flow.states if path.endswith("asking")] == ["talking.asking", "in.asking"]
        assert flow.states["in.asking"].rows[0].transitions[0].target == "in.accepted"

    @pytest.mark.parametrize(
        ("old", "new", "code", "says"),
        [
            ("with: {greeting: Your PIN?}", "description: none", "missing-argument", "`greeting`"),
            ("greeting: Your", "greetin: a, greeting: Your", "unknown-field", '"greeting"'),
            ("Your PIN?", "12", "number-for-text", '"12"'),
            ("event.returns.ok", "event.returns.okay", "unknown-name", "okay"),
            ("event.returns.ok", "event.returns.left > 'a'", "wrong-type", "text"),
            ("event.returns.ok", "event.final == 'acepted'", "bad-value", "accepted"),
            ("target: in,", "target: asking,", "unknown-target", "asking"),
            ("parts/pin.yaml", "parts", "not-a-file", "directory"),
            ("parts/pin.yaml", "main.yaml", "sub-flow-cycle", "main.yaml → main.yaml"),
        ],
    )
    def test_defects_of_the_host(self, files, old, new, code, says):
        assert old in self.MAIN
        found = read(files(main=self.MAIN.replace(old, new)))[1]
        assert {defect.code for defect in found} - {"no-way-in"} == {code}
        assert says in " ".join(f"{defect.message} {defect.hint}" for defect in found)

    def test_defects_inside_name_its_file_once(self, files):
        main = self.MAIN.replace("in: {on", "in: {flow: pin, with: {greeting: Again?}, on")
        path = files(main=main, pin=self.PIN.replace("dtmf.1: accepted", "dtmf.1: talking"))
        (defect,) = read(path)[1]
        assert (defect.code, defect.line) == ("unknown-target", 8)
        assert defect.file.endswith("parts/pin.yaml")

    def test_a_circle_over_two_files(self, files):
        pin = self.PIN.replace("initial:", "use: {other: other.yaml}\ninitial:").replace(
            "asking: {", "asking: {flow: other, "
        )
        other = "callflow: 1\nname: other\nuse: {pin: pin.yaml}\ninitial: a\nstates: {a: {flow: pin, with: {greeting: x}}}\n"
        found = read(files(pin=pin, other=other))[1]
        assert [defect.code for defect in found] == ["sub-flow-cycle"]
        assert "pin.yaml → other.yaml → pin.yaml" in found[0].message

    def test_a_bomb_of_sub_flows_is_refused(self, files):
        texts = {}
        for level in range(9):
            states = (
                "".join(f"  s{n}: {{flow: next, on: {{done: s{n + 1}}}}}\n" for n in range(9)) + "  s9: {final: true}\n"
            )
            texts[f"l{level}"] = (
                f"callflow: 1\nname: l\nuse: {{next: l{level + 1}.yaml}}\ninitial: s0\nstates:\n{states}"
            )
        texts["l9"] = "callflow: 1\nname: l\ninitial: a\nstates: {a: {final: true}}\n"
        main = files(main=texts["l0"].replace("l1.yaml", "parts/l1.yaml"), **texts)
        found = within(2, lambda: read(main))[1]
        assert "too-many-sub-flows" in {defect.code for defect in found}

    def test_the_main_flow_names_what_a_sub_flow_needs(self, files):
        pin = self.PIN.replace("initial:", "env: [PIN_KEY]\npython: {check: {}}\ninitial:")
        found = read(files(pin=pin))[1]
        assert [defect.code for defect in found] == ["undeclared-in-main", "undeclared-in-main"]
        main = self.MAIN.replace("initial:", "env: [PIN_KEY]\npython: {check: {}}\ninitial:")
        assert read(files(pin=pin, main=main))[1] == []

    def test_tools_of_two_files_do_not_differ(self, files):
        tool = "tools: {ask: {description: %s}}\ninitial:"
        found = read(
            files(pin=self.PIN.replace("initial:", tool % "One"), main=self.MAIN.replace("initial:", tool % "Two"))
        )[1]
        assert [defect.code for defect in found] == ["conflict"]

    @pytest.mark.parametrize("where", ["", "vars: {x: {type: integer, default: 1}}\n"])
    @pytest.mark.parametrize(
        "tool",
        [
            "{description: One, parameters: {n: integer}}",
            "{description: One, own: true}",
            "{description: One, run: {python: {name: f, arguments: {a: '{{ call.id }}'}}}, result: 'It is {{ result.a }}.'}",
            "{description: One, run: {http: {url: 'https://example.com/{{ call.id }}', json: {a: [1, '{{ call.id }}']}}}}",
        ],
    )
    def test_tools_of_two_files_are_the_same_wherever_they_stand(self, files, tool, where):
        head = "python: {f: {parameters: {a: string}, returns: {a: string}}}\ntools: {ask: %s}\ninitial:"
        pin = self.PIN.replace("initial:", head % tool)
        main = self.MAIN.replace("initial:", where + head % f"\n  {tool}\n  ")
        assert read(files(pin=pin, main=main))[1] == []
        for other in (
            tool.replace("One", "Two"),
            tool.replace("call.id", "call.room"),
            tool.replace("integer", "string"),
        ):
            if other != tool:
                found = read(files(pin=pin, main=main.replace(tool, other)))[1]
                assert [defect.code for defect in found] == ["conflict"]

    def test_its_ending_is_its_own(self, files):
        flow = load(files(pin=self.PIN.replace("initial:", "ending: cancelled\ninitial:")))
        assert flow.scopes["talking"].ending == "talking.cancelled"
        assert flow.scopes[""].ending == "ending"


def test_a_flow_that_declares_no_events_may_listen_to_any_of_its_own() -> None:
    flow = loads("callflow: 1\nname: x\ninitial: a\nstates: {a: {on: {app.approved: b, app.more.*: b}}, b: {}}\n")
    assert dict(flow.events) == {"app.approved": {}}


def test_a_row_may_wait_for_a_tool_of_the_agents_own() -> None:
    flow = loads("callflow: 1\nname: x\ninitial: a\nstates: {a: {on: {tool.book_table: b}}, b: {}}\n")
    assert flow.tools["book_table"].own


MISSPELT = (
    HEAD
    + "states: {talking: {on: {done: endign}, after: {5m: {do: [{hang_up: {for: agent}}, {hold: {leg: othr}}]}}}}\n"
)
HOST = HEAD + "use: {pin: pin.yaml}\nstates: {talking: {flow: pin, on: {done: ending}}}\n"
PIN = "callflow: 1\nname: pin\ninitial: asking\nstates: {asking: {on: {app.right: right}}, right: {final: true}}\n"


@pytest.mark.parametrize("name", [*(path.name for path in SHIPPED), "misspelt.yaml", "host.yaml"])
def test_what_was_made_on_the_way_is_freed_at_once(name, tmp_path):
    texts = {"misspelt.yaml": MISSPELT, "host.yaml": HOST, "pin.yaml": PIN} | {
        one.name: one.read_text() for one in SHIPPED
    }
    for file, text in texts.items():
        (tmp_path / file).write_text(text)
    assert (read(tmp_path / name)[0] is None) == (name == "misspelt.yaml")  # what is kept for all files is made once
    gc.collect()
    gc.disable()
    try:
        read(tmp_path / name)
        assert gc.collect() == 0
    finally:
        gc.enable()


def telephones(verb, arguments):
    trunk = "" if verb == "transfer" else ", trunk: ST_1"
    text = (
        "callflow: 1\nname: a\ninitial: one\nstates:\n  one:\n    after: {1m: ending}\n"
        f"    on: {{{verb}.*: ending}}\n    entry: [{{{verb}: {{to: '+15551234567'{trunk}, {arguments}}}}}]\n"
    )
    return [(defect.code, defect.message, defect.hint) for defect in read_loads(text)[1]]


SHOWN = (
    'sip_number: "+15550100300", display_name: "{{ call.number }}", hide_phone_number: true, headers: {X-Case: "4711"}'
)
CALLED = "dtmf: ww12, krisp_enabled: true, media_encryption: require, max_call_duration: 5m"


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("dial", f"{SHOWN}, {CALLED}, play_dialtone: true"),
        ("consult", f"{SHOWN}, {CALLED}"),
        ("transfer", 'headers: {X-Case: "4711", X-Count: 3}, play_dialtone: true'),
        ("dial", 'display_name: ""'),
        ("dial", 'sip_number: "1000"'),
    ],
)
def test_what_a_call_shows_is_said_in_livekits_words(verb, arguments):
    assert telephones(verb, arguments) == []


@pytest.mark.parametrize("verb", ["dial", "consult"])
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ('from: "+15550100300"', "unknown-key", 'did you mean "sip_number"?'),
        ('caller_id: "+15550100300"', "unknown-key", 'did you mean "sip_number"?'),
        ("krisp: true", "unknown-key", 'did you mean "krisp_enabled"?'),
        ("sip_numbr: x", "unknown-key", 'did you mean "sip_number"?'),
        ("sip_number: +15550100300", "number-for-text", "put quotes around it"),
        ('sip_number: "+1"', "bad-value", ""),
        ('sip_number: "one two"', "bad-value", "takes a phone number"),
        ('dtmf: "12x"', "bad-value", "takes keys: 0-9"),
        ("display_name: 'Ann \"A\" Lee'", "bad-value", "without quotation marks"),
        ('display_name: "a\\r\\nb"', "bad-value", "of one line"),
        ('headers: {"X Case": a}', "bad-name", "the name of a header"),
        ('headers: {"X-Case\\r\\nVia": a}', "bad-name", "the name of a header"),
        ('headers: {X-Case: "a\\nb"}', "bad-value", "of one line"),
        ("headers: {From: a}", "bad-name", "the bridge's own"),
        ("headers: {VIA: a}", "bad-name", "the bridge's own"),
        (f"display_name: {'a' * 129}", "bad-value", "128 characters"),
        ("headers: {X-Case: [a]}", "wrong-kind", "takes a text"),
        ("headers: [X-Case]", "wrong-kind", "takes keys with values"),
        ("media_encryption: on", "bad-value", ""),
        ("hide_phone_number: yes", "wrong-type", "write true"),
    ],
)
def test_what_cannot_be_shown_is_a_defect(verb, arguments, code, said):
    [(found, message, hint)] = telephones(verb, arguments)
    assert found == code
    assert said in f"{message} {hint}"
