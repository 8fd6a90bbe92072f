"""A scenario is played on the pure core: what it says happens, what it does not say happens by itself, and what it expects is asked."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

import callflow
from callflow.scenario import load, play, reads

DESK = """
callflow: 1
name: desk
vars: {day: {type: string, default: ""}}
outcomes: [abandoned]
tools:
  end_call: {description: The caller is done.}
  book: {description: A day was named., parameters: {day: string}}
initial: asking
states:
  asking:
    entry: [{say: For which day?}]
    tools: [book, end_call]
    silence: {8s: {do: [{say: Are you there?}]}, 20s: {target: ending, do: [{outcome: abandoned}]}}
    on:
      tool.book: {target: booked, do: [{set: {day: "{{ event.day }}"}}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  booked:
    entry: [{say: "See you on {{ vars.day }}."}, {outcome: completed}]
    tools: [end_call]
    on:
      done: ending
      tool.end_call: ending
"""


def played(text: str, flow: str = DESK):
    """One scenario of a flow: its result."""
    whole = f"callflow: 1\nscenarios:\n  this:\n{indent(dedent(text), '    ')}"
    [scenario], defects = reads(whole, flows=callflow.loads(flow))
    assert defects == []
    return play(scenario)


def why(text: str, flow: str = DESK) -> str:
    failure = played(text, flow).failure
    assert failure is not None
    return "\n".join([failure.message, *(f"{one.what}: {one.expected} / {one.seen}" for one in failure.unmet)])


def test_a_step_without_a_time_comes_when_nothing_is_under_way():
    result = played("""
        steps:
          - tool: {book: {day: friday}}
          - expect: {state: booked, heard: [See you on friday.], vars: {day: friday}}
        expect: {outcome: completed, heard: [For which day?, See you on friday.], at: 1800ms}
    """)
    assert result.failure is None
    assert [one.time for one in result.taken][:3] == [0.0, 0.7, 0.7]  # 14 letters of 50 ms


def test_what_is_said_is_cut_by_a_hang_up_and_heard_as_far_as_it_came():
    result = played("""
        steps:
          - 300ms: call.hangup
        expect: {heard: [For wh…], ended: {by: caller, event: call.hangup, cause: hung_up}}
    """)
    assert result.failure is None
    assert (result.heard[0].text, result.heard[0].cut) == ("For wh", True)


def test_two_tools_in_one_turn_are_both_of_the_state_that_offered_them():
    result = played("""
        steps:
          - tool: [{book: {day: friday}}, end_call]
        expect: {states: [asking, booked, ending, closed], outcome: none, heard: [For which day?, ...]}
    """)
    assert result.failure is None
    called = [one.step.event for one in result.taken if getattr(one.step.event, "name", "").startswith("tool.")]
    assert [one.offered_in for one in called] == [("asking",), ("asking",)]


def test_timers_come_due_by_themselves():
    assert played(
        "steps: [{expect: {heard: Are you there?, at: 9400ms, within: 10s}}, {timer: silence 20s}]\nexpect: {outcome: abandoned}"
    ).passed


def test_what_runs_until_its_time_limit_is_waited_for_where_it_is_said_how_long():
    flow = DESK.replace(
        "entry: [{say: For which day?}]",
        "entry: [{http: {url: https://example.com, timeout: 5s}}]\n    on: {failed: booked}",
        1,
    ).replace("    on:\n      tool.book: {target", "    x-on:\n      tool.book: {target", 1)
    early = why("effects: {http: never}\nsteps: [{expect: {state: booked}}]", flow)
    assert early.startswith(
        "not as expected, at 0 s (http runs until its time limit: `within` waits for what comes then)"
    )
    assert played("effects: {http: never}\nsteps: [{expect: {state: booked, within: 6s}}]", flow).passed


def test_what_cannot_happen_says_why():
    assert why("steps: [{2s: call.answered}]").startswith(
        "far_end is on_line, and call.answered comes only where it is absent or dialing"
    )
    assert why("steps: [{2s: {drain: failed}}]").startswith("no drain is running: nothing runs")
    assert why("steps: [{tool: {book: {day: friday}}}, {tool: {book: {day: monday}}}]").startswith(
        "tool.book: the session is closed"
    )
    assert why("steps: [{wait: 4s}, {2s: job.shutdown}]").startswith("2 s is over: it is 4 s")
    assert "(at 4 s, in closed)" in why("steps: [{4s: call.hangup}, call.hangup]")


def test_what_is_not_as_expected_is_told_with_what_is_seen():
    assert why("steps: [{tool: end_call}, {expect: {state: booked, heard: Goodbye}}]") == (
        'not as expected, at 1.3 s\nstate: booked / closed\nheard: "Goodbye" / ["Goodbye."]'
    )
    assert why("expect: {outcome: completed, states: [asking, ..., booked, ..., closed]}") == (
        "not as expected\nstates: [asking, ..., booked, ..., closed] / [asking, ending, closed]\noutcome: completed / abandoned"
    )


def test_what_must_not_happen():
    assert why("never: {heard: Are you there?}\nsteps: [{wait: 30s}]") == "it happens, at 9.4 s"
    assert (
        why("steps: [{never: {heard: Are you there?}, within: 10s}]") == "what must not happen has happened, at 9.4 s"
    )
    assert played("steps: [{never: {heard: Are you there?}, within: 9s}]").passed


def test_one_scenario_in_several_cases():
    text = """
        callflow: 1
        flow: x
        scenarios:
          a day:
            steps: [{tool: {book: {day: friday}}}]
            expect: {outcome: completed}
            cases:
              friday: {expect: {vars: {day: friday}}}
              monday: {steps: [{tool: {book: {day: monday}}}], expect: {vars: {day: monday}}}
              nobody: {steps: [{4s: call.hangup}], expect: {outcome: hung_up}}
              wrong: {expect: {vars: {day: monday}}}
    """
    scenarios, defects = reads(dedent(text), flows=callflow.loads(DESK))
    assert defects == []
    assert {one.name: play(one).passed for one in scenarios} == {
        "a day, friday": True,
        "a day, monday": True,
        "a day, nobody": True,
        "a day, wrong": False,
    }


def test_a_sub_flow_by_itself_is_no_defect(tmp_path):
    (tmp_path / "pin.yaml").write_text(
        "callflow: 1\nname: pin\nvars: {account: string}\ninitial: a\n"
        'states: {a: {entry: [{say: "{{ vars.account }}"}], on: {done: right}}, right: {final: true, returns: {ok: true}}}\n'
    )
    (tmp_path / "pin.scenario.yaml").write_text(
        "callflow: 1\nflow: pin.yaml\nvars: {account: '4711'}\nscenarios: {a: {expect: {heard: ['4711'], states: [a, right]}}}\n"
    )
    [scenario] = load(tmp_path / "pin.scenario.yaml")
    assert play(scenario).failure is None


def test_parts_and_values_are_shared(tmp_path):
    (tmp_path / "desk.yaml").write_text(DESK)
    (tmp_path / "common.yaml").write_text("parts:\n  leaves: [{tool: end_call}, {expect: {state: ending}}]\n")
    (tmp_path / "a.scenario.yaml").write_text(
        dedent("""
            callflow: 1
            flow: desk.yaml
            parts:
              books:
                - tool: {book: {day: "{{ day }}"}}
                - expect: {state: booked, heard: "See you on {{ day }}."}
              leaves: common.yaml
            scenarios:
              a day:
                with: {day: friday}
                steps: [part: books]
                expect: {vars: {day: "{{ day }}"}, outcome: completed}
                cases:
                  friday: {}
                  monday: {with: {day: monday}}
              nobody books: {steps: [part: leaves], expect: {outcome: completed}}
              another day: {steps: [{part: books, with: {day: sunday}}], expect: {vars: {day: sunday}}}
              too late: {steps: [{30s: {part: books, with: {day: sunday}}}]}
        """)
    )
    results = {one.name: play(one) for one in load(tmp_path / "a.scenario.yaml")}
    assert [name for name, one in results.items() if not one.passed] == ["too late"]
    failure = results["too late"].failure
    assert (failure.position.line, failure.message.partition(":")[0]) == (6, "tool.book")
    common = next(step for step in load(tmp_path / "a.scenario.yaml")[2].steps)
    assert (common.position.file, common.position.line) == (str(tmp_path / "common.yaml"), 2)


OUTBOUND = Path(__file__).parents[2] / "flows" / "outbound.yaml"


@pytest.mark.parametrize(
    ("effects", "outcome", "at"),
    [
        ("{dial: busy}", "busy", 2),
        ("{dial: no_answer}", "no_answer", 30),
        ("{dial: declined}", "declined", 2),
        ("{dial: invalid}", "invalid", 2),
        ("{dial: failed}", "failed", 2),
        ("{dial: {hangs_up: 20ms}}", "hung_up", 4.02),
        ("{dial: {after: 25s, hangs_up: 3s}}", "hung_up", 28),
        ("{dial: {after: 25s}, detect_machine: machine-vm}", "voicemail", 30.5),
        ("{detect_machine: machine-ivr}", "machine", 6),
        ("{detect_machine: machine-unavailable}", "machine", 6),
    ],
)
def test_all_that_a_number_does_is_said_in_one_line(effects, outcome, at):
    text = f"""
        callflow: 1
        vars: {{phone_number: "+15550123456"}}
        env: {{SIP_OUTBOUND_TRUNK_ID: ST_test}}
        scenarios: {{a: {{effects: {effects}, expect: {{outcome: {outcome}}}}}}}
    """
    [scenario], defects = reads(dedent(text), flows=callflow.load(OUTBOUND))
    assert defects == []
    result = play(scenario)
    assert result.failure is None
    left = next(one.time for one in result.taken if "ending" in one.step.entered)
    assert left == pytest.approx(at)


def test_each_outage_is_waited_for_anew():
    """What was given up once may come back, and be lost again."""
    flow = DESK.replace(
        "on:\n      tool.book", "on:\n      room.disconnected: {do: [{log: Out of reach.}]}\n      tool.book", 1
    )
    flow = flow.replace(
        "    silence: {8s: {do: [{say: Are you there?}]}, 20s: {target: ending, do: [{outcome: abandoned}]}}\n", ""
    )
    text = """
    callflow: 1
    scenarios:
      this:
        steps:
          - 1s: room.reconnecting
          - room.disconnected: {reason: OUT_OF_REACH}
          - 30s: room.reconnected
          - 40s: room.reconnecting
          - room.disconnected: {reason: OUT_OF_REACH}
          - expect: {at: 1m}
    """
    [scenario], defects = reads(dedent(text), flows=callflow.loads(flow, check=False))
    assert defects == []
    result = play(scenario)
    assert result.failure is None
    assert [round(one.time) for one in result.taken if getattr(one.step.event, "name", "") == "room.disconnected"] == [
        21,
        60,
    ]
