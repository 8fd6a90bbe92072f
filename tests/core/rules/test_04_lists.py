"""Rules 4 to 6: the order of exit, `do` and entry; what is owed; what is dropped."""

from __future__ import annotations

from tests.support.play import Play

TWO = """
vars: {n: {type: integer, default: 0}}
events: {app.go: {}, app.back: {}}
initial: a
states:
  a:
    entry: [{say: A in.}]
    exit: [{say: A out.}]
    on: {app.go: {target: b, do: [{say: On the way.}]}}
  b:
    entry: [{say: B in.}]
    on: {app.back: a}
"""


def test_the_configuration_changes_at_once_then_exit_do_entry_one_after_the_other() -> None:
    play = Play(TWO).end("say A in.").send("app.go")
    assert play.state == "b"
    assert play.doing == ["say A out."]
    assert play.end("say A out.").doing == ["say On the way."]
    assert play.end("say On the way.").doing == ["say B in."]
    assert play.end("say B in.").doing == []


def test_leaving_a_state_cancels_its_entry_list_and_waits_until_that_has_stopped() -> None:
    play = Play(TWO).send("app.go")
    assert play.trace[-1] == "cancel say A in."
    assert play.doing == []  # A's exit waits for A's speech to stop
    assert play.stopped("say A in.").doing == ["say A out."]


def test_an_effect_that_never_stops_holds_up_the_lists_after_it_for_five_seconds() -> None:
    play = Play(TWO).send("app.go").wait(4.9)
    assert play.doing == []
    assert play.wait(0.2).doing == ["say A out."]
    assert play.noted("never_stopped")[0]["verb"] == "say"


def test_what_is_owed_runs_to_its_end_also_when_the_call_moves_on() -> None:
    play = Play(TWO).end("say A in.").send("app.go").send("app.back")
    assert play.state == "a"
    assert play.doing == ["say A out."]
    play.end("say A out.")
    assert play.doing == ["say On the way."]
    play.end("say On the way.")
    assert play.doing == ["say A in."]
    assert "say B in." not in play.trace


def test_exit_runs_even_if_the_entry_list_never_began() -> None:
    play = (
        Play("""
events: {app.go: {}}
initial: a
states:
  a: {on: {app.go: b}, exit: [{say: Leaving a.}]}
  b: {entry: [{say: B in.}], exit: [{say: B out.}], on: {app.go: c}}
  c: {}
""")
        .send("app.go")
        .send("app.go")
    )
    assert play.state == "c"
    play.end("say Leaving a.")
    assert play.doing == ["say B out."]
    assert "say B in." not in play.trace


def test_set_acts_when_its_turn_comes_and_at_once_when_nothing_stands_before_it() -> None:
    play = Play("""
vars: {n: {type: integer, default: 0}}
events: {app.go: {}}
initial: a
states:
  a: {entry: [{set: {n: 1}}, {say: Hello.}, {set: {n: 2}}]}
""")
    assert play.vars["n"] == 1
    assert play.end("say").vars["n"] == 2


def test_the_inner_entry_list_waits_for_the_outer_one() -> None:
    play = Play("""
initial: outer
states:
  outer:
    entry: [{say: Outer.}]
    initial: inner
    states: {inner: {entry: [{say: Inner.}]}}
""")
    assert play.doing == ["say Outer."]
    assert play.end("say Outer.").doing == ["say Inner."]


def test_exit_lists_run_inner_first_and_entry_lists_outer_first() -> None:
    play = Play("""
events: {app.go: {}}
initial: one
states:
  one:
    exit: [{say: one}]
    initial: deep
    states: {deep: {exit: [{say: deep}]}}
    on: {app.go: two}
  two:
    entry: [{say: two}]
    initial: low
    states: {low: {entry: [{say: low}]}}
""").send("app.go")
    heard = []
    while play.doing:
        heard += play.doing
        play.end(play.doing[0])
    assert heard == ["say deep", "say one", "say two", "say low"]


def test_a_do_without_a_target_runs_beside_the_entry_list_and_goes_with_its_state() -> None:
    play = Play("""
vars: {asked: {type: integer, default: 0}, left: {type: boolean, default: false}}
events: {app.ask: {}, app.go: {}}
initial: a
states:
  a:
    entry: [{say: Entry.}]
    on:
      app.ask: {do: [{say: Asking.}, {set: {asked: 1}}, {say: Never said.}, {set: {left: true}}]}
      app.go: b
  b: {}
""").send("app.ask")
    assert play.doing == ["say Entry.", "say Asking."]
    play.send("app.go")
    assert play.doing == []
    assert play.vars == {"asked": 1, "left": True}  # what acts at once acts now; the speech is dropped
    assert "say Never said." not in play.trace


def test_two_dos_of_one_state_run_one_after_the_other() -> None:
    play = (
        Play("""
events: {app.ask: {}, app.tell: {}}
initial: a
states:
  a: {on: {app.ask: {do: [{say: Asking.}]}, app.tell: {do: [{say: Telling.}]}}}
""")
        .send("app.ask")
        .send("app.tell")
    )
    assert play.doing == ["say Asking."]
    assert play.end("say Asking.").doing == ["say Telling."]


def test_a_speech_that_is_not_waited_for_lets_the_list_go_on_and_is_cut_with_its_state() -> None:
    play = Play("""
events: {app.go: {}}
initial: a
states:
  a: {entry: [{say: {text: Music., wait: false}}, {say: Words.}], on: {app.go: b}}
  b: {}
""")
    assert play.doing == ["say Music.", "say Words."]
    play.end("say Words.")
    assert play.doing == ["say Music."]
    play.send("app.go")
    assert play.trace[-1] == "cancel say Music."


def test_the_speech_in_which_the_model_called_the_tool_is_not_cut_by_it() -> None:
    play = Play("""
tools: {end_call: {description: Done.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Talk.}}, {say: Never.}]
    tools: [end_call]
    on: {tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}}
""")
    speech = play.find("generate_reply")
    play.send("tool.end_call", effect=speech, id="call-1")
    assert not play.stopping
    assert play.doing == ["generate_reply Talk.", "say Goodbye."]
    assert play.noted("tool_returned") == [{"id": "call-1", "result": None, "error": None, "reply": False}]
    play.end("say Goodbye.")
    assert play.outcome == "completed"
    assert play.doing == ["generate_reply Talk.", "drain"]


def test_a_variable_that_is_set_to_null_is_absent() -> None:
    play = Play("""
vars: {name: {type: string, default: Ann}}
initial: talking
states:
  talking:
    entry: [{set: {name: null}}, {say: "Hello {{ default(vars.name, 'there') }}."}]
    on: {dtmf.1: {target: ending, when: 'vars.name != "Ann"'}, dtmf.2: {target: ending, when: not is_set(vars.name)}}
""")
    assert play.doing == ["say Hello there."]
    assert play.send("dtmf.1").state == "talking"  # every comparison with an absent value is false
    assert play.send("dtmf.2").state == "ending"


SIDE_BY_SIDE = """
events: {app.go: {}}
vars: {heard: {type: boolean, default: false}}
initial: both
states:
  both:
    parallel: true
    states:
      one: {on: {app.go: {do: [{say: One moment.}, {set: {heard: true}}]}}}
      two: {on: {app.go: TARGET}}
  after: {}
"""


def test_nothing_is_said_for_a_state_that_the_same_event_leaves() -> None:
    play = Play(SIDE_BY_SIDE.replace("TARGET", "after")).send("app.go")
    assert play.state == "after"
    assert play.doing == []
    assert play.vars["heard"] is True  # what takes no time has acted
    assert not play.last.snapshot.memory.lists


def test_what_a_failures_row_does_acts_before_the_list_goes_on() -> None:
    play = Play("""
vars: {known: {type: boolean, default: true}}
initial: a
states:
  a:
    entry: [{http: "https://crm.example/"}, {say: "Known: {{ vars.known }}"}, {outcome: completed}]
    on: {failed: {do: [{set: {known: false}}, {outcome: failed}]}}
""").end("http", "failed", error="refused")
    assert play.doing == ["say Known: false"]
    assert play.outcome == "failed"


def test_what_a_results_row_does_acts_before_the_list_goes_on() -> None:
    play = Play("""
vars: {what: {type: string, default: nothing}}
initial: a
states:
  a:
    entry: [{collect_digits: {count: 1}}, {say: "You typed {{ vars.what }}."}]
    on: {dtmf.input: {do: [{set: {what: "{{ event.digits }}"}}]}}
""").end("collect_digits", result="input", digits="4", tries=1)
    assert play.doing == ["say You typed 4."]
