"""What `check` demands beside well-formedness."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflow.flowfile import load, loads
from callflow.flowfile.codes import CODES as FILE_CODES
from callflow.flowfile.codes import whole
from callflow.verify import check
from callflow.verify.codes import CODES


def found(text: str):
    return [(defect.code, defect.line) for defect in check(loads(whole(text)))]


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_shows_the_defect_alone(code):
    assert {name for name, _ in found(CODES[code].wrong)} == {code}


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_has_no_defect(code):
    assert found(CODES[code].right) == []


def test_codes_are_not_used_twice():
    assert not CODES.keys() & FILE_CODES.keys()


HEAD = "callflow: 1\nname: example\ninitial: talking\n"
FLOWS = Path(__file__).parents[2] / "flows"


@pytest.mark.parametrize("path", sorted(FLOWS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_flows_to_copy_keep_every_rule(path):
    assert check(load(path)) == []


def codes(text: str):
    """But for `program-alone` and `never-used`, which most texts with an event of their own, or a piece of a flow, would have."""
    aside = ("program-alone", "never-used")
    return [defect.code for defect in check(loads(HEAD + text)) if defect.code not in aside]


class TestEndings:
    @pytest.mark.parametrize(
        "text",
        [
            # an inner row may lead to the end in its own way
            "states: {talking: {on: {call.hangup: {target: ending, do: [{log: x}]}}}}",
            # a pattern that an exact outer name does not rescue, but which itself leads to the end
            "states: {talking: {on: {call.*: ending}}}",
            # a state that finishes something first
            "states: {talking: {must_finish: true, entry: [{log: x}], on: {dtmf.1: ending}}}",
            # by way of a state that leads on by itself, also by a timer, by its outer state, by `always`
            "states: {talking: {on: {call.hangup: saving}}, saving: {entry: [{log: x}], on: {done: ending}}}",
            "states: {talking: {on: {call.hangup: saving}}, saving: {after: {5s: ending}}}",
            "states: {talking: {on: {call.hangup: saving}}, saving: {always: ending}}",
            "states: {talking: {on: {call.hangup: saving.a}}, saving: {initial: a, states: {a: {always: b}, b: {final: true}}, on: {done: ending}}}",
            "states: {talking: {on: {call.hangup: over}}, over: {final: true}}",
            # a region that does something about it, and lets the top level lead
            "states: {talking: {parallel: true, states: {a: {on: {call.hangup: {do: [{log: x}]}}}, b: {}}}}",
            "states: {talking: {parallel: true, states: {a: {ignore: [call.*]}, b: {}}}}",
            # in the ending everything may happen
            "states: {talking: {}, ending: {ignore: [call.*], entry: [hang_up], on: {done: closed}}}",
            # a guard with something behind it
            "states: {talking: {on: {call.hangup: [{target: ending, when: event.by == 'caller'}, {target: ending, do: [{log: y}]}]}}}",
            # a guard, and the top level behind it
            "states: {talking: {on: {call.hangup: {target: ending, when: event.by == 'caller'}}}}",
        ],
    )
    def test_kept(self, text):
        assert codes(text) == []

    @pytest.mark.parametrize(
        ("text", "code", "times"),
        [
            ("states: {talking: {ignore: [call.hangup]}}", "hidden-end", 1),
            ("states: {talking: {ignore: [room.*]}}", "hidden-end", 1),
            ("states: {talking: {on: {job.*: {do: [{log: x}]}}}}", "hidden-end", 1),
            ("states: {talking: {initial: a, ignore: [call.hangup], states: {a: {always: b}, b: {}}}}", "hidden-end", 1),
            ("states: {talking: {initial: a, states: {a: {on: {dtmf.1: b}}, b: {on: {call.*: {do: [{log: x}]}}}}}}", "hidden-end", 1),
            ("states: {talking: {on: {call.hangup: [{do: [{log: x}], when: event.by == 'caller'}, ending]}}}", "hidden-end", 1),
            ("states: {talking: {must_finish: true, ignore: [call.hangup]}}", "hidden-end", 1),
            # all regions take it and none leads out
            ("states: {talking: {parallel: true, states: {a: {ignore: [call.*]}, b: {ignore: [call.hangup]}}}}", "hidden-end", 2),
            # one region moves inside itself, and so preempts the row of the top level
            ("states: {talking: {parallel: true, states: {a: {initial: x, states: {x: {on: {call.hangup: y}}, y: {}}}, b: {}}}}", "end-leads-nowhere", 1),
            ("states: {talking: {on: {call.hangup: waiting}}, waiting: {on: {dtmf.1: ending}}}", "end-leads-nowhere", 1),
            ("on: {job.shutdown: {target: ending, when: vars.a}}\nvars: {a: {type: boolean, default: true}}\nstates: {talking: {}}", "unhandled-end", 1),
        ],
    )  # fmt: skip
    def test_broken(self, text, code, times):
        assert codes(text) == [code] * times

    def test_inside_a_sub_flow(self, tmp_path):
        (tmp_path / "inner.yaml").write_text(
            "callflow: 1\nname: inner\ninitial: a\nstates: {a: {ignore: [call.hangup], on: {dtmf.1: b}}, b: {final: true}}\n"
        )
        main = tmp_path / "main.yaml"
        main.write_text(HEAD + "use: {inner: inner.yaml}\nstates: {talking: {flow: inner, on: {done: ending}}}\n")
        (defect,) = check(load(main))
        assert defect.code == "hidden-end"
        assert (defect.file, defect.line) == (str(tmp_path / "inner.yaml"), 4)


class TestBounds:
    BARE = (
        "standard: false\nending: over\non: {call.hangup: over, room.disconnected: over, job.shutdown: over}\n"
        "states:\n  over: {final: true}\n"
    )

    @pytest.mark.parametrize(
        "state",
        [
            "{after: {5m: over}}",
            "{initial: a, after: {5m: over}, states: {a: {}}}",
            "{entry: [{say: Hello.}], on: {done: over}}",
            "{always: over}",
        ],
    )
    def test_bounded(self, state):
        assert codes(f"{self.BARE}  talking: {state}\n") == []

    @pytest.mark.parametrize(
        "state",
        [
            "{}",
            "{silence: {12s: over}}",  # a caller who goes on talking is never silent
            "{every: {5m: {do: [{log: x}]}}}",
            "{after: {5m: {do: [{log: x}]}}}",
            "{after: {5m: {target: over, when: state.visits > 1}}}",
            '{entry: [{play: {file: "{{ call.id }}", loop: true}}], on: {dtmf.1: over}}',
        ],
    )
    def test_unbounded(self, state):
        assert codes(f"{self.BARE}  talking: {state}\n") == ["no-time-bound"]

    def test_the_limit_on_the_call_is_one(self):
        assert codes(f"limits: {{call: 1h}}\n{self.BARE}  talking: {{}}\n") == []

    def test_the_bound_of_the_top_level_is_one(self):
        assert codes(f"after: {{10m: over}}\n{self.BARE}  talking: {{}}\n") == []

    def test_before_the_answer_nobody_ends_a_wait_but_its_author(self):
        text = (
            "events: {app.free: {}}\nstates:\n  talking: {on: {app.free: dialing}%s}\n"
            "  dialing: {entry: [{dial: {to: '+15551234567', trunk: ST_1}}], on: {dial.answered: on, dial.*: ending}}\n  on: {}\n"
        )
        assert codes(text % "") == ["waits-for-nobody"]
        assert codes(text % ", waits: the dialler is slow at noon") == []
        assert codes(text % ", after: {5m: ending}") == []


class TestLists:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("{must_finish: true, entry: [{say: A.}], after: {60s: ending}}", []),
            ("{must_finish: true, entry: [{say: A.}], after: {59s: ending}}", ["after-cuts-must-finish"]),
            ("{must_finish: true, entry: [{say: {text: A., wait: false}}], after: {1s: ending}}", []),
            (
                "{must_finish: true, entry: [delete_room], after: {16s: ending}}",
                ["after-cuts-must-finish"],
            ),  # three tries of 5s, 0.5s and 1s between
            ("{must_finish: true, entry: [delete_room], after: {17s: ending}}", []),
            ("{must_finish: true, entry: [stand_by], after: {1h: ending}}", ["after-cuts-must-finish"]),
            ("{entry: [{say: A.}], after: {1s: ending}}", []),
        ],
    )
    def test_what_must_finish_is_not_cut(self, state, expected):
        assert codes(f"states: {{talking: {state}}}\n") == expected

    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            ("[{set: {ready: true}}, {say: A.}]", []),
            ("[{say: A.}, {set: {ready: true}}]", ["always-too-early"]),
            ("[{say: {text: A., wait: false}}, {set: {ready: true}}]", []),
            ("[{say: A.}, {set: {other: true}}]", []),
        ],
    )
    def test_always_reads_nothing_that_comes_later(self, entry, expected):
        text = (
            "vars: {ready: {type: boolean, default: false}, other: {type: boolean, default: false}}\n"
            f"states: {{talking: {{entry: {entry}, always: {{target: ending, when: vars.ready}}}}}}\n"
        )
        assert codes(text) == expected

    def test_nor_the_result_of_an_action(self):
        text = (
            "states: {talking: {entry: [{http: {url: https://example.com, as: reply}}],"
            " always: {target: ending, when: vars.reply.status == 200}}}\n"
        )
        assert codes(text) == ["always-too-early"]

    def test_nor_what_the_way_in_sets_later(self):
        text = (
            "vars: {ready: {type: boolean, default: false}}\nstates:\n"
            "  talking: {on: {dtmf.1: {target: asking, do: [{say: A.}, {set: {ready: true}}]}}}\n"
            "  asking: {always: {target: ending, when: vars.ready}}\n"
        )
        assert codes(text) == ["always-too-early"]


class TestWhatMustFinish:
    @pytest.mark.parametrize(
        "state",
        [
            "{must_finish: true, initial: a, states: {a: {on: {done: b}}, b: {final: true}}}",
            "{must_finish: true, initial: a, states: {a: {on: {dtmf.1: b}, after: {9s: b}}, b: {final: true}}}",
            "{must_finish: true, initial: a, after: {1m: ending}, states: {a: {on: {dtmf.1: b}}, b: {}}}",
            # what it waits for comes by itself: the result of its own action, an event that the flow emits
            "{must_finish: true, initial: a, states: {a: {entry: [{dial: {to: '+15551234567', trunk: t, leg: b}}], on: {dial.*: b}}, b: {final: true}}}",
            (
                "{must_finish: true, parallel: true, states: {a: {initial: x, states: {x: {on: {app.go: y}}, y: {final: true}}},"
                " b: {initial: z, states: {z: {always: w}, w: {final: true, entry: [{emit: app.go}]}}}}}"
            ),
            # each end leads out in its own way
            (
                "{must_finish: true, initial: a, on: {call.hangup: ending, room.disconnected: ending, job.shutdown: ending},"
                " states: {a: {on: {dtmf.1: b}}, b: {final: true}}}"
            ),
        ],
    )
    def test_done_by_itself(self, state):
        assert codes(f"states: {{talking: {state}}}\n") == []

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("{must_finish: true, initial: a, states: {a: {on: {dtmf.1: b}}, b: {on: {dtmf.2: a}}}}", "never-done"),
            ("{must_finish: true, initial: a, states: {a: {after: {1s: b}}, b: {after: {1s: a}}}}", "never-done"),
            # a region without a final state is never done, and so its parallel state is not
            ("{must_finish: true, parallel: true, states: {a: {initial: x, states: {x: {always: y}, y: {final: true}}}, b: {}}}", "never-done"),
            ("{must_finish: true, initial: a, states: {a: {on: {dtmf.1: b}}, b: {final: true}}}", "end-kept-for-ever"),
            ("{must_finish: true, initial: a, silence: {9s: ending}, states: {a: {on: {dtmf.1: b}}, b: {final: true}}}", "end-kept-for-ever"),
            ("{must_finish: true, initial: a, on: {call.hangup: ending}, states: {a: {on: {dtmf.1: b}}, b: {final: true}}}", "end-kept-for-ever"),
        ],
    )  # fmt: skip
    def test_waits_for_ever(self, state, expected):
        assert codes(f"states: {{talking: {state}}}\n") == [expected]


class TestTheEnding:
    HEAD = "vars: {tries: {type: integer, default: 0}}\nstates:\n  talking: {on: {dtmf.1: ending}}\n"

    @pytest.mark.parametrize(
        "ending",
        [
            "{entry: [hang_up], on: {done: [{target: closed, when: vars.tries > 1}, closed]}}",
            "{entry: [hang_up], on: {done: {target: closed, when: vars.tries > 1}}, after: {1m: closed}}",
            # round and round, which the limit on progress bounds
            "{on: {done: {target: closed, when: vars.tries > 1}}, after: {1s: ending}}",
            "{initial: a, states: {a: {always: b}, b: {final: true}}, on: {done: closed}}",
            "{parallel: true, states: {a: {initial: x, states: {x: {always: y}, y: {final: true}}}}, on: {done: closed}}",
            "{entry: [detect_machine], on: {amd.*: closed}}",
        ],
    )
    def test_ends(self, ending):
        assert codes(f"{self.HEAD}  ending: {ending}\n") == []

    @pytest.mark.parametrize(
        "ending",
        [
            "{entry: [hang_up], on: {done: {target: closed, when: vars.tries > 1}}}",
            "{initial: a, states: {a: {on: {done: {target: b, when: vars.tries > 1}}}, b: {final: true}}, on: {done: closed}}",
            "{initial: a, states: {a: {always: b}, b: {final: true}}, on: {done: {target: closed, when: vars.tries > 1}}}",
            "{parallel: true, states: {a: {initial: x, states: {x: {always: y}, y: {final: true}}}, b: {}}, on: {done: closed}}",
        ],
    )  # fmt: skip
    def test_may_stay(self, ending):
        assert set(codes(f"{self.HEAD}  ending: {ending}\n")) == {"ending-never-over"}

    def test_a_state_that_takes_the_name_of_the_final_one(self):
        text = f"{HEAD}states:\n  talking: {{on: {{dtmf.1: closed}}}}\n  closed: {{entry: [{{say: We are closed.}}], on: {{done: ending}}}}\n"
        [found] = [one for one in check(loads(text)) if one.code == "ending-never-over"]
        assert (found.line, found.column) == (6, 3)
        assert found.message.startswith("`closed` is the final state to which the `ending` that is supplied leads")

    def test_that_it_never_leads_on_is_said_once(self):
        ending = "{entry: [hang_up], on: {dtmf.1: closed}}"
        assert codes(f"{self.HEAD}  ending: {ending}\n") == ["ending-never-over"]


class TestRounds:
    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            ("{talking: {always: b}, b: {always: talking}}", ["endless-always"]),
            ("{talking: {always: b}, b: {initial: c, states: {c: {always: talking}}}}", ["endless-always"]),
            ("{talking: {always: talking}}", ["endless-always"]),
            ("{talking: {always: b}, b: {always: [{target: ending, when: state.visits > 3}, talking]}}", []),
            ("{talking: {always: b}, b: {on: {done: talking}}}", []),
        ],
    )
    def test_always_rows_without_a_guard(self, states, expected):
        assert codes(f"states: {states}\n") == expected


class TestSubFlows:
    INNER = "callflow: 1\nname: inner\ninitial: a\nstates: {a: {always: b}, b: {final: true, returns: {x: 1}}}\n"

    def test_what_a_main_flow_returns_arrives_nowhere(self):
        assert [one.code for one in check(loads(self.INNER))] == ["returns-to-nobody"]
        assert check(loads(self.INNER), as_subflow=True) == []


class TestTelephone:
    REDIAL = (
        "states:\n  talking: {entry: [{dial: {to: '+15551234567', trunk: t}}], on: {dial.answered: on_line, dial.*: pause}}\n"
        "  on_line: {entry: [{say: Hello.}]}\n  pause: {after: {%s: %s}}\n"
    )

    @pytest.mark.parametrize(
        ("pause", "target", "expected"),
        [("19s", "talking", []), ("20s", "talking", ["redial-too-late"]), ("5m", "ending", [])],
    )
    def test_a_pause_before_the_next_dial(self, pause, target, expected):
        found = check(loads(HEAD + self.REDIAL % (pause, target)))
        assert [one.code for one in found] == expected
        assert all(one.level == "warning" for one in found)

    def test_a_first_dial_may_wait(self):
        text = "initial: early\nstates:\n  early: {after: {30s: talking}}\n" + self.REDIAL[8:] % ("5s", "talking")
        assert check(loads(whole(text))) == []


DIAL = "{dial: {to: '+15551234567', trunk: t}}"
HUMAN = "to: '+15551234567', trunk: t, briefing: Hi."
TAKES = "tools: {take: {description: They take it.}}\n"
OTHER_LEG = "{dial: {to: '+15551234567', trunk: t, leg: other}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # what is for the far end, and nobody on the line
        (f"states: {{talking: {{entry: [{{send_dtmf: '1'}}, {DIAL}], on: {{dial.*: ending}}}}}}", ["nobody-on-the-line"]),
        (f"states: {{talking: {{entry: [{{log: x}}, {DIAL}, {{say: Hello.}}], on: {{dial.*: ending}}}}}}", []),
        (f"states: {{talking: {{entry: [{DIAL}], every: {{5s: {{do: [{{say: Wait.}}]}}}}, on: {{dial.*: ending}}}}}}", ["nobody-on-the-line"]),
        (f"states: {{talking: {{entry: [{{say: Wait.}}, {OTHER_LEG}], on: {{dial.*: ending}}}}}}", []),
        ("answer: manual\nstates: {talking: {entry: [{say: Hello.}, answer], on: {done: ending}}}", ["nobody-on-the-line"]),
        # offered calls
        ("answer: manual\nstates: {talking: {entry: [{log: x}], on: {done: ending}}}", ["never-answered"]),
        ("answer: manual\nstates: {talking: {entry: [reject], on: {done: ending}}}", []),
        (
            (
                "answer: manual\nstates:\n  talking:\n    parallel: true\n    entry: [answer]\n    states:\n      a: {initial: x, states: "
                "{x: {on: {dtmf.1: y}}, y: {entry: [{say: Hello.}], after: {5s: ending}}}}\n      b: {after: {9s: ending}}\n"
            ),
            [],
        ),
        ("answer: manual\nstates: {talking: {entry: [{say: Not now.}, reject], on: {done: ending}}}", ["nobody-on-the-line"]),
        ("states: {talking: {entry: [{say: Hello.}], on: {dtmf.1: {do: [reject]}, done: ending}}}", ["answered-already"]),
        # keys
        ("states: {talking: {entry: [{collect_digits: {count: 4, min: 2}}], on: {dtmf.*: ending}}}", ["unclear-digits"]),
        ("states: {talking: {entry: [{collect_digits: {min: 4, max: 2}}], on: {dtmf.*: ending}}}", ["unclear-digits"]),
        ("states: {talking: {entry: [{collect_digits: {min: 2, max: 4}}], on: {dtmf.*: ending}}}", []),
        # how a human decides
        (f"{TAKES}states: {{talking: {{entry: [{{consult: {{{HUMAN}, accept: {{tool: take}}}}}}], on: {{consult.*: ending}}}}}}", ["never-decided"]),
        (f"{TAKES}states: {{talking: {{tools: [take], entry: [{{consult: {{{HUMAN}, accept: {{tool: take}}}}}}], on: {{consult.*: ending}}}}}}", []),
        (f"{TAKES}states: {{talking: {{tools: [take], initial: inner, states: {{inner: {{entry: [{{consult: {{{HUMAN}, decline: {{tool: take}}}}}}], on: {{consult.*: ending}}}}}}}}}}", []),
        (f"{TAKES}states: {{talking: {{entry: [{{consult: {{{HUMAN}, accept: {{tool: take}}}}}}], on: {{consult.declined: other, consult.*: ending}}}}, other: {{tools: [take], after: {{5s: ending}}}}}}", ["never-decided"]),
        (f"states: {{talking: {{entry: [{{consult: {{{HUMAN}, accept: {{key: '1'}}, decline: {{key: '1'}}}}}}], on: {{consult.*: ending}}}}}}", ["never-decided"]),
        # results that nobody takes
        (f"states: {{talking: {{entry: [{OTHER_LEG}], on: {{dial.answered: ending, dial.busy: ending}}}}}}", ["result-not-taken"]),
        (f"states: {{talking: {{entry: [{OTHER_LEG}], on: {{dial.answered: ending, failed: ending}}}}}}", []),
        ("states: {talking: {entry: [{consult: {to: '+15551234567', trunk: t}}], on: {consult.accepted: ending}}}", ["result-not-taken"]),
        ("states: {talking: {entry: [{consult: {to: '+15551234567', trunk: t}}], on: {consult.*: ending}}}", []),
    ],
)  # fmt: skip
def test_the_telephone(text, expected):
    assert codes(text) == expected


@pytest.mark.parametrize(("what", "expected"), [("resume", ["nobody-resumes"]), ("hang_up", [])])
def test_a_call_that_nobody_resumes(what, expected):
    assert codes(f"on_crash: {what}\nstates: {{talking: {{after: {{5s: ending}}}}}}\n") == expected


SPEAKS_BEFORE = """\
answer: manual
states:
  talking: {entry: [{log: x}], on: {done: asking}}
  asking: {entry: [{say: Who?}], after: {5s: taking}}
  taking: {entry: [answer, {say: Hello.}], on: {done: ending}}
"""
SPEAKS_WHILE_IT_RINGS = """\
answer: manual
states:
  talking: {after: {1s: {do: [{say: Wait.}]}, 5s: {target: taking, do: [{say: Now.}, answer]}}}
  taking: {entry: [{say: Hello.}], on: {done: ending}}
"""
COMES_BACK = """\
answer: manual
states:
  talking: {entry: [{log: x}], on: {app.take: taking}, after: {5s: ending}}
  taking: {entry: [answer, {say: Hello.}], on: {done: talking, app.again: asking}, after: {9s: ending}}
  asking: {entry: [{say: Who?}], on: {done: taking}}
"""
TAKEN_IN_PLACE = """\
answer: manual
states:
  talking:
    initial: a
    states: {a: {on: {app.take: {do: [answer]}, app.ask: b}}, b: {entry: [{say: Who?}]}}
    on: {app.go: c}
    after: {9s: ending}
  c: {entry: [{say: Hello.}], on: {done: ending}}
"""
TAKEN_ANYWHERE = """\
answer: manual
states: {talking: {entry: [{say: Hello.}], after: {9s: ending}}}
on: {app.take: {do: [answer]}}
"""
TAKEN_BESIDE = """\
answer: manual
states:
  talking:
    parallel: true
    after: {9s: ending}
    states:
      left: {on: {app.take: {do: [answer]}}}
      right: {initial: a, states: {a: {on: {app.ask: b}}, b: {entry: [{say: Who?}]}}}
"""


TAKEN_ON_THE_WAY_OUT = """\
answer: manual
states:
  talking: {exit: [answer], on: {app.take: taking}, after: {9s: ending}}
  taking: {entry: [{say: Hello.}], on: {done: ending}}
"""
WHILE_IT_IS_TAKEN = """\
answer: manual
states:
  talking: {entry: [answer], after: {1s: {do: [{say: Hello.}]}, 9s: ending}}
"""
SOMEBODY_ELSE = """\
answer: manual
states:
  talking: {entry: [{dial: {to: "+15551234567", trunk: t, leg: other}}], on: {dial.answered: asking, dial.*: ending}}
  asking: {entry: [{say: {text: Take it?, to: other}}], on: {dtmf.1: taking}, after: {9s: ending}}
  taking: {entry: [answer], on: {done: ending}}
"""
BY_HISTORY = """\
answer: manual
states:
  talking: {on: {app.take: {target: inner.last, do: [answer]}, app.look: inner.b}, after: {9s: ending}}
  inner:
    initial: a
    states: {last: {history: deep, initial: a}, a: {entry: [{log: x}]}, b: {entry: [{say: Hello.}]}}
    after: {9s: ending}
"""
BY_A_REGION = """\
answer: manual
states:
  talking: {on: {app.take: {target: inner, do: [answer]}}, after: {9s: ending}}
  inner: {parallel: true, states: {a: {initial: b, states: {b: {entry: [{say: Hello.}]}}}}, after: {9s: ending}}
"""


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (TAKEN_ON_THE_WAY_OUT, []),
        (WHILE_IT_IS_TAKEN, []),
        (SOMEBODY_ELSE, []),
        (BY_HISTORY, []),
        (BY_A_REGION, []),
        (SPEAKS_BEFORE, ["states.asking.entry[0].say"]),
        (SPEAKS_WHILE_IT_RINGS, ["states.talking.after.1s.do[0].say", "states.talking.after.5s.do[0].say"]),
        (COMES_BACK, []),
        (TAKEN_IN_PLACE, []),
        (TAKEN_ANYWHERE, []),
        (TAKEN_BESIDE, []),
    ],
)
def test_nobody_speaks_before_the_call_is_taken(text, places):
    found = [one for one in check(loads(HEAD + text)) if one.code != "program-alone"]
    assert [(one.code, one.path) for one in found] == [("nobody-on-the-line", path) for path in places]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('states: {talking: {after: {5s: {target: ending, do: [{outcome: "{{ call.number }}"}]}}}}', ["private-value-shown"]),
        ('states: {talking: {after: {5s: {target: ending, do: [{outcome: "{{ call.direction }}"}]}}}}', []),
        ('states: {talking: {after: {5s: {target: ending, do: [{outcome: "{{ vars.pin }}"}]}}}}', ["private-value-shown"]),
        ("wrap_up: [{log: \"{{ call.number + 'x' }}\"}]\nstates: {talking: {after: {5s: ending}}}", ["private-line"]),
    ],
)  # fmt: skip
def test_private_values_are_shown_nowhere(text, found):
    assert codes("vars: {pin: {type: string, default: '1', pii: true}}\n" + text) == found
