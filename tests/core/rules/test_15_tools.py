"""Rule 15: when a tool returns, and whether the model gets a turn."""

from __future__ import annotations

from itertools import permutations

import pytest

import callflow
from tests.support.play import Play

FLOW = """
vars: {found: {type: string, default: ""}}
tools:
  look_up:
    description: Looks an order up.
    parameters: {order: {type: string}}
    run: {http: {url: "https://example.com/{{ event.order }}"}}
    result: found
  book: {description: Books.}
  talk: {description: Talks.}
initial: talking
states:
  talking:
    tools: [look_up, book, talk]
    on:
      tool.look_up: {do: [{set: {found: "{{ event.order }}"}}]}
      tool.book: booking
      tool.talk: chatting
  booking: {entry: [{say: One moment.}]}
  chatting: {instructions: Chat., tools: [talk]}
"""


def test_a_tool_without_run_returns_when_its_event_was_taken() -> None:
    play = Play(FLOW).send("tool.talk", id="1")
    assert play.state == "chatting"
    assert play.noted("tool_returned") == [{"id": "1", "result": None, "error": None, "reply": True}]


def test_a_state_that_speaks_by_itself_takes_the_turn() -> None:
    play = Play(FLOW).send("tool.book", id="1")
    assert play.noted("tool_returned")[0]["reply"] is False


def test_a_tool_with_run_returns_its_result_when_that_is_through() -> None:
    play = Play(FLOW).send("tool.look_up", id="1", order="42")
    assert play.doing == ["http https://example.com/42"]
    assert not play.noted("tool_returned")
    play.end("http")
    assert play.vars["found"] == "42"
    assert play.noted("tool_returned")[0]["id"] == "1"


def test_a_run_that_cannot_begin_is_told_to_the_model() -> None:
    flow = FLOW.replace("{{ event.order }}", "{{ event.order / 2 }}").replace(
        "order: {type: string}", "order: {type: integer}"
    )
    play = Play(flow.replace('{set: {found: "{{ event.order / 2 }}"}}', "{log: found}"))
    play.send("tool.look_up", id="1")
    assert play.noted("tool_returned") == [
        {"id": "1", "result": None, "error": play.noted("failure")[0]["error"], "reply": True}
    ]
    assert play.state == "talking"
    assert not play.last.snapshot.memory.lists


def test_a_tool_that_no_state_offers_is_refused_in_words_and_its_event_is_none() -> None:
    play = Play(FLOW).send("tool.talk", id="1").send("tool.book", id="2")
    assert play.state == "chatting"
    assert play.noted("tool_returned")[1]["error"] == "no state offers book now: this was not carried out"
    assert play.noted("not_carried_out") == [
        {"tool": "book", "error": "no state offers book now: this was not carried out"}
    ]


CALLS = """
vars: {note: {type: string, default: ""}, name: {type: string, default: nobody}}
tools:
  save_note:
    description: Saves.
    parameters: {note: {type: string}}
    run: {http: {url: "https://example.com/{{ event.note }}", timeout: 10s}}
  set_name: {description: Names., parameters: {who: {type: string}}}
  end_call: {description: Ends.}
  move: {description: Moves.}
  chat: {description: Chats.}
initial: talking
states:
  talking:
    entry: [{say: Hello.}]
    tools: [save_note, set_name, end_call, move, chat]
    on:
      tool.save_note: {target: noted, do: [{set: {note: "{{ event.note }}"}}]}
      tool.set_name: {do: [{set: {name: "{{ event.who }}"}}, {say: "Noted, {{ event.who }}."}]}
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
      tool.move: next
      tool.chat: quiet
  next: {entry: [{say: One moment.}]}
  quiet: {instructions: Chat.}
  noted: {}
wrap_up: [{log: "{{ vars.note }} {{ vars.name }}"}]
"""

SAVE, NAME = ("tool.save_note", {"note": "tuesday"}), ("tool.set_name", {"who": "Ann"})
END, MOVE, CHAT = ("tool.end_call", {}), ("tool.move", {}), ("tool.chat", {})


def turn(*calls: tuple[str, dict[str, str]], flow: str = CALLS) -> Play:
    """The model calls all of these in one turn, in which it was offered what `talking` offers."""
    play = Play(flow).end("say Hello.")
    for number, (name, data) in enumerate(calls):
        play.send(name, id=str(number), offered_in=("talking",), **data)
    return play


@pytest.mark.parametrize("calls", [*permutations((SAVE, NAME, END)), (SAVE, END), (END, SAVE)])
def test_every_call_of_a_turn_that_ends_the_call_is_carried_out(calls) -> None:
    play = turn(*calls)
    assert play.state == "ending"
    assert "http https://example.com/tuesday" in play.doing
    assert "cancel http https://example.com/tuesday" not in play.trace
    [told] = [one for one in play.noted("tool_returned") if one["id"] == str(calls.index(SAVE))]
    assert told == {**told, "result": "This is being carried out.", "error": None, "reply": False}
    play.end("http")
    assert play.state == "ending"  # where the row leads is past
    play.finish()
    assert play.vars == {"note": "tuesday", "name": "Ann" if NAME in calls else "nobody"}
    assert play.outcome == "completed"
    assert len(play.noted("tool_returned")) == len(calls)


def test_the_caller_waits_for_no_run_and_wrap_up_does() -> None:
    play = turn(END, SAVE).end("say Goodbye.").end("drain").end("delete_room").end("aclose").end("shutdown")
    assert (play.state, play.phase, play.doing) == ("closed", "final", ["http https://example.com/tuesday"])
    play.end("http")
    assert play.phase == "closing"  # what wrap_up reads holds what the run has brought
    assert play.vars["note"] == "tuesday"
    play.end("close")
    assert play.phase == "ended"
    assert play.noted("log")[0]["message"] == "tuesday nobody"


def test_what_is_open_at_the_end_is_closed_while_a_run_goes_on() -> None:
    flow = CALLS.replace("{target: ending, do: [{say: Goodbye.}, {outcome: completed}]}", "closed")
    play = turn(SAVE, END, flow=flow)
    assert (play.state, play.phase) == ("closed", "dropping")
    play.end("close")
    assert (play.phase, play.doing) == ("dropping", ["http https://example.com/tuesday"])
    play.end("http")
    assert (play.phase, play.doing) == ("closing", ["close"])
    play.end("close")
    assert play.noted("log")[0]["message"] == "tuesday nobody"


def test_a_call_that_comes_after_the_final_state_is_carried_out_and_one_that_comes_after_wrap_up_is_told_so() -> None:
    play = turn(END)
    for verb in ("say Goodbye.", "drain", "delete_room", "aclose", "shutdown"):
        play.end(verb)
    play.send("tool.set_name", id="8", offered_in=("talking",), who="Ann")
    play.send("tool.save_note", id="9", offered_in=("talking",), note="tuesday")
    play.finish()
    assert play.vars == {"note": "tuesday", "name": "Ann"}
    play.send("tool.save_note", id="10", offered_in=("talking",), note="late")
    assert play.noted("tool_returned")[-1]["error"] == "the call is over: this was not carried out"
    assert play.noted("not_carried_out")[-1]["tool"] == "save_note"


@pytest.mark.parametrize("calls", [(SAVE, MOVE), (MOVE, SAVE)])
def test_between_ordinary_states_the_model_waits_for_no_run_where_the_next_one_speaks(calls) -> None:
    play = turn(*calls)
    assert play.state == "next"
    assert [one["reply"] for one in play.noted("tool_returned")] == [False, False]
    play.end("http")
    assert (play.state, play.vars["note"]) == ("next", "tuesday")
    assert len(play.noted("tool_returned")) == 2


@pytest.mark.parametrize("calls", [(SAVE, CHAT), (CHAT, SAVE)])
def test_and_gets_the_result_and_its_turn_where_it_does_not(calls) -> None:
    play = turn(*calls)
    assert play.state == "quiet"
    assert [one["id"] for one in play.noted("tool_returned")] == [str(calls.index(CHAT))]
    play.end("http")
    told = play.noted("tool_returned")[-1]
    assert (told["id"], told["error"], told["reply"]) == (str(calls.index(SAVE)), None, True)
    assert play.vars["note"] == "tuesday"


def test_the_state_that_is_active_by_then_has_its_own_row() -> None:
    flow = CALLS.replace("quiet: {instructions: Chat.}", "quiet: {on: {tool.save_note: next}}")
    play = turn(CHAT, SAVE, flow=flow).end("http")
    assert (play.state, play.vars["note"]) == ("next", "")


def test_of_a_state_that_was_left_all_is_done_while_the_call_goes_on_and_nothing_that_needs_the_line_in_its_ending() -> (
    None
):
    assert "say Noted, Ann." in turn(CHAT, NAME).doing
    play = turn(END, NAME)
    assert "say Noted, Ann." not in play.doing
    assert play.noted("passed_over") == [{"action": "say", "state": "talking"}]


@pytest.mark.parametrize(("status", "error"), [("failed", "no route"), ("timed_out", None)])
def test_a_run_that_fails_after_its_state_was_left_is_recorded(status, error) -> None:
    play = turn(SAVE, END).end("http", status, error)
    assert play.noted("not_carried_out") == [{"tool": "save_note", "error": error or "out of time"}]
    assert play.finish().vars["note"] == ""


def test_a_guard_of_the_state_that_was_left_is_asked_when_the_event_comes() -> None:
    flow = CALLS.replace("tool.set_name: {do:", 'tool.set_name: {when: event.who == "Bob", do:')
    assert turn(END, NAME, flow=flow).vars["name"] == "nobody"
    assert turn(END, ("tool.set_name", {"who": "Bob"}), flow=flow).vars["name"] == "Bob"


def test_an_outer_row_that_the_ending_bars_is_done_at_the_end() -> None:
    row = next(line for line in CALLS.splitlines(keepends=True) if "tool.set_name: {do" in line)
    flow = CALLS.replace(row, "")
    flow += 'on: {tool.set_name: {target: noted, do: [{set: {name: "{{ event.who }}"}}]}}\n'
    play = turn(END, NAME, flow=flow)
    assert [event.name for event in play.last.snapshot.kept] == ["tool.set_name"]
    assert play.finish().vars["name"] == "Ann"
    assert play.noted("log")[0]["message"] == " Ann"


REGIONS = """
vars: {note: {type: string, default: ""}}
tools:
  save: {description: Saves., parameters: {note: {type: string}}}
  move: {description: Moves.}
initial: both
states:
  both:
    parallel: true
    states:
      left:
        initial: one
        states:
          one: {tools: [save, move], on: {tool.move: two, tool.save: {target: two, do: [{set: {note: "left {{ event.note }}"}}]}}}
          two: {}
      right:
        initial: one
        states:
          one: {ROW}
"""


@pytest.mark.parametrize(
    ("row", "note"), [("", "left x"), ('on: {tool.save: {do: [{set: {note: "right {{ event.note }}"}}]}}', "right x")]
)
def test_in_a_region_the_others_are_asked_first(row, note) -> None:
    play = Play(REGIONS.replace("ROW", row))
    play.send("tool.move", id="1").send("tool.save", id="2", offered_in=("both.left.one", "both.right.one"), note="x")
    assert play.vars["note"] == note


def test_in_a_sub_flow_that_is_over_its_variables_are_still_there(tmp_path) -> None:
    (tmp_path / "pin.yaml").write_text(
        "callflow: 1\nname: pin\nvars: {n: {type: integer, default: 1}, given: string}\n"
        "tools: {save: {description: Saves.}, done: {description: Done.}}\ninitial: one\nstates:\n"
        "  one: {tools: [save, done], on: {tool.done: two, tool.save: {do: [{set: {n: '{{ vars.n + 1 }}'}}, {log: '{{ vars.given }} {{ vars.n }}'}]}}}\n"
        "  two: {final: true}\n"
    )
    text = "callflow: 1\nname: main\nuse: {pin: pin.yaml}\ninitial: host\nstates: {host: {flow: pin, with: {given: hi}, on: {done: after}}, after: {}}\n"
    play = Play(callflow.loads(text, folder=tmp_path, check=False))
    play.send("tool.done", id="1")
    assert play.state == "after"
    play.send("tool.save", id="2", offered_in=("host.one",)).send("tool.save", id="3", offered_in=("host.one",))
    assert [one["message"] for one in play.noted("log")] == ["hi 2", "hi 3"]


def test_the_caller_has_hung_up_meanwhile() -> None:
    play = (
        turn(SAVE).send("call.hangup", leg="far_end").send("tool.set_name", id="7", offered_in=("talking",), who="Ann")
    )
    play.end("http").finish()
    assert play.vars == {"note": "tuesday", "name": "Ann"}
    assert play.outcome == "hung_up"


def test_states_that_no_flow_has_are_nobody_s(tmp_path) -> None:
    play = Play(CALLS).send("tool.set_name", id="1", offered_in=("nowhere", ""), who="Ann")
    assert play.noted("tool_returned")[0]["error"]


RESULTS = FLOW.replace("    result: found\n", "")


def test_without_result_the_model_and_the_row_get_all_of_what_the_run_brought() -> None:
    flow = RESULTS.replace('{set: {found: "{{ event.order }}"}}', '{log: "{{ event.order }}: {{ event.result.body }}"}')
    play = Play(flow).send("tool.look_up", id="1", order="42").wait(3)
    play.end("http", body="shipped")
    [returned] = play.noted("tool_returned")
    assert returned == {
        "id": "1",
        "result": {"body": "shipped"},
        "error": None,
        "reply": True,
    }
    assert play.noted("log")[0]["message"] == "42: shipped"


def test_result_is_made_of_the_arguments_and_of_what_the_run_brought() -> None:
    flow = FLOW.replace("result: found", 'result: "{{ event.order }} is {{ result.body }}"')
    play = Play(flow).send("tool.look_up", id="1", order="42").end("http", body="shipped")
    assert [one["result"] for one in play.noted("tool_returned")] == ["42 is shipped"]


def test_a_result_that_cannot_be_made_is_told_to_the_model_as_an_error() -> None:
    flow = FLOW.replace("result: found", 'result: "{{ result.body / 2 }}"')
    play = Play(flow).send("tool.look_up", id="1", order="42").end("http", body="shipped")
    [returned] = play.noted("tool_returned")
    assert (returned["id"], returned["result"], returned["reply"]) == ("1", None, True)
    assert returned["error"] == "{{ result.body / 2 }}: a number is due, and there is text"
    assert play.vars["found"] == "42"  # its event comes all the same


def test_a_run_that_fails_is_told_to_the_model_and_to_the_journal_with_the_state() -> None:
    play = Play(FLOW).send("tool.look_up", id="1", order="42").end("http", "failed", "no route")
    assert play.noted("failure") == [
        {"action": "tool.look_up", "error": "no route", "state": "talking", "optional": True}
    ]
    assert play.noted("tool_returned") == [{"id": "1", "result": None, "error": "no route", "reply": True}]
    assert (play.state, play.vars["found"]) == ("talking", "")
