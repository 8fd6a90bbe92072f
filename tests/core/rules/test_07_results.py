"""Rules 7 and 9: an action's named result is its end; a failure goes outward, then to the ending."""

from __future__ import annotations

import pytest

import callflow
from tests.support.play import Play

DIAL = """
env: [TRUNK]
vars: {phone: {type: phone, default: "+15551234567"}}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.phone }}", trunk: "{{ env.TRUNK }}"}}, {log: after the dial}]
    on:
      dial.answered: talking
      dial.busy: {target: ending, do: [{outcome: "{{ event.result }}"}]}
  talking: {}
"""


def test_leaving_on_the_result_cancels_nothing() -> None:
    play = Play(DIAL, env={"TRUNK": "t"})
    play.end("dial", result="answered", leg="far_end")
    assert play.state == "talking"
    assert not play.stopping
    assert not play.noted("log")  # the rest of the list is dropped


def test_an_unhappy_result_has_its_row() -> None:
    play = Play(DIAL, env={"TRUNK": "t"}).end("dial", result="busy", leg="far_end")
    assert (play.state, play.outcome) == ("ending", "busy")


def test_out_of_time_is_no_answer_and_a_result_that_no_row_takes_fails_after_all() -> None:
    play = Play(DIAL, env={"TRUNK": "t"}).end("dial", "timed_out")
    assert play.state == "ending"
    (failure,) = play.noted("unhandled_failure")
    assert failure["action"] == "dial"
    assert "dial.no_answer" in failure["error"]
    play.finish()
    assert play.last.snapshot.memory.fault


def test_an_error_of_the_dial_is_dial_failed() -> None:
    play = Play(DIAL.replace("dial.busy:", "dial.*:"), env={"TRUNK": "t"}).end(
        "dial", "failed", error="the trunk refused"
    )
    assert (play.state, play.outcome) == ("ending", "failed")
    assert play.last.moves[0].trigger == "dial.failed"


def test_leaving_the_state_cancels_the_dial_and_a_late_answer_is_dropped() -> None:
    play = Play(DIAL, env={"TRUNK": "t"}).send("job.shutdown", reason="deploy")
    assert play.state == "ending"
    assert "cancel dial +15551234567" in play.trace
    number = next(iter(play.stopping))
    from callflow.core.events import EffectEnded
    from callflow.core.step import step

    done = step(play.flow, play.last.snapshot, EffectEnded(number, "ok", {"result": "answered"}, None, play.time))
    assert any(getattr(one, "verb", "") == "remove_participant" for one in done.effects)
    assert "talking" not in done.entered


FAIL = """
vars: {n: {type: integer, default: 0}}
events: {app.go: {}}
initial: outer
states:
  outer:
    initial: a
    on: {failed: {do: [{set: {n: "{{ vars.n + 1 }}"}}]}}
    states:
      a:
        entry: [{say: One.}, {say: Two.}]
        on: {app.go: b}
      b: {}
"""


def test_a_failure_is_taken_outward_and_the_list_goes_on() -> None:
    play = Play(FAIL).end("say One.", "failed", error="no voice")
    assert play.vars["n"] == 1
    assert play.doing == ["say Two."]


def test_a_failure_that_nobody_handles_goes_to_the_ending() -> None:
    play = Play("""
initial: a
states: {a: {entry: [{say: One.}, {say: Two.}]}}
""").end("say One.", "timed_out")
    assert play.state == "ending"
    assert "say Two." not in play.trace
    play.finish()
    assert play.last.snapshot.memory.fault == "say failed: out of time"


def test_in_the_ending_the_next_action_runs() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states: {a: {on: {app.go: ending}}}
""").send("app.go")
    assert play.doing == ["drain"]
    play.end("drain", "timed_out")
    assert play.doing == ["delete_room"]
    play.end("delete_room", "failed", error="500")
    assert play.doing == ["aclose"]
    play.end("aclose")
    assert play.doing == ["shutdown none"]
    play.end("shutdown none")
    assert play.state == "closed"
    assert play.doing == ["close"]  # the line is still up: closed by force
    assert play.running[play.find("close")].arguments == {"session": False, "line": True}
    play.end("close")
    assert play.last.snapshot.ended


def test_optional_records_instead_of_raising() -> None:
    play = Play("""
initial: a
states: {a: {entry: [{http: {url: "https://example.com", optional: true}}, {say: Two.}]}}
""").end("http", "failed", error="refused")
    assert play.doing == ["say Two."]
    assert play.noted("failure")[0]["optional"] is True


def test_an_owed_list_goes_on_after_its_failure_was_taken() -> None:
    play = (
        Play("""
events: {app.go: {}}
initial: a
states:
  a: {on: {app.go: {target: b, do: [{say: One.}, {say: Two.}]}}}
  b: {on: {failed: {do: [{log: heard}]}}}
on: {failed: {do: [{log: "{{ event.action }}"}]}}
""")
        .send("app.go")
        .end("say One.", "failed", error="x")
    )
    assert play.state == "b"
    assert play.doing == ["say Two."]
    assert not play.noted("log")  # a list of the top level waits for what was owed before it
    play.end("say Two.")
    assert play.noted("log") == [{"level": "info", "message": "say"}]  # a's failure: b never hears of it


def test_a_template_that_cannot_be_rendered_is_a_failure_of_its_action() -> None:
    play = Play("""
initial: a
states: {a: {entry: [{say: "Hello {{ call.name }}"}], on: {failed: b}}, b: {}}
""")
    assert play.state == "b"
    assert play.doing == []


SUB = """callflow: 1
name: sub
initial: asking
on: {failed: over}
states:
  asking: {entry: [{say: Asking.}], on: {call.dropped: over}}
  over: {final: true}
"""
HOST = """callflow: 1
name: host
initial: checking
use: {sub: sub.yaml}
states:
  checking: {entry: [{say: One moment.}], flow: sub, on: {done: after, failed: apologising}}
  after: {}
  apologising: {}
"""


def test_a_sub_flow_hears_of_its_own_failures_and_not_of_its_hosts(tmp_path) -> None:
    (tmp_path / "sub.yaml").write_text(SUB, encoding="utf-8")
    (tmp_path / "host.yaml").write_text(HOST, encoding="utf-8")
    flow = callflow.load(tmp_path / "host.yaml")
    assert Play(flow).end("say One moment.", "failed", error="no voice").state == "apologising"
    assert Play(flow).end("say One moment.").end("say Asking.", "failed", error="no voice").state == "after"


CALLS = """
vars: {whom: {type: string, default: nobody}, gone: {type: string, default: ""}, how: {type: string, default: perhaps}}
initial: a
states:
  a:
    entry: [{set: {gone: null}}, {ACTION}, {log: on}]
    on: {"RESULT": {do: [{log: "{{ event.name }}: {{ event.error }}"}]}, "failed": other}
  other: {}
"""


@pytest.mark.parametrize(
    ("action", "result", "why"),
    [
        ('dial: {to: "{{ vars.whom }}", trunk: ST_1}', "dial.failed", "phone number in E.164 form"),
        ('dial: {to: "+15550100", trunk: "{{ vars.gone }}"}', "dial.failed", "there is no value"),
        ('dial: {to: "+15550100", trunk: ST_1, sip_number: "{{ vars.whom }}"}', "dial.failed", "phone number in E.164"),
        (
            'dial: {to: "+15550100", trunk: ST_1, media_encryption: "{{ vars.how }}"}',
            "dial.failed",
            "is one of disable",
        ),
        ('consult: {to: "{{ vars.whom }}", trunk: ST_1}', "consult.failed", "phone number in E.164 form"),
        ('transfer: "{{ vars.gone }}"', "transfer.failed", "there is no value"),
    ],
)
def test_what_cannot_be_rendered_is_that_verbs_own_failure(action: str, result: str, why: str) -> None:
    play = Play(CALLS.replace("ACTION", action).replace("RESULT", result))
    said, on = [note.data["message"] for note in play.notes if note.kind == "log"]
    assert said.startswith(f"{result}: ")
    assert why in said
    assert (on, play.state) == ("on", "a"), "the list goes on, as after any result that a row has taken"


def test_of_a_verb_without_results_it_is_a_failure() -> None:
    play = Play(CALLS.replace("ACTION", 'send_dtmf: "{{ vars.gone }}"').replace("RESULT", "dial.busy"))
    assert play.state == "other"


def test_nobody_takes_it_so_that_it_is_a_failure_after_all() -> None:
    play = Play(CALLS.replace("ACTION", 'dial: {to: "{{ vars.whom }}", trunk: ST_1}').replace("RESULT", "dial.busy"))
    assert play.state == "other"


def test_of_an_optional_one_the_list_goes_on() -> None:
    action = 'dial: {to: "{{ vars.whom }}", trunk: ST_1, optional: true}'
    play = Play(CALLS.replace("ACTION", action).replace("RESULT", "dial.busy"))
    assert ([note.data["message"] for note in play.notes if note.kind == "log"], play.state) == (["on"], "a")
