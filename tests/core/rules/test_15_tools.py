"""Rule 15: when a tool returns, and whether the model gets a turn."""

from __future__ import annotations

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


def test_its_run_is_cancelled_with_the_state() -> None:
    play = Play(FLOW).send("tool.look_up", id="1", order="42").send("call.hangup", leg="far_end")
    assert "cancel http https://example.com/42" in play.trace
    (returned,) = play.noted("tool_returned")
    assert returned["reply"] is False
    assert returned["error"]
