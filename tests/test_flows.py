"""The flows to copy do what their first lines promise: each is played by hand, on the core alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import callflow
from callflow.core.events import EffectEnded
from tests.support.play import Play

FOLDER = Path(__file__).parent.parent / "flows"

MONDAY_NOON = 1_763_982_000.0  # 2025-11-24, 11:00 UTC: the desk in Berlin is open
SUNDAY_NOON = MONDAY_NOON - 86_400.0


def call(name: str, **more: Any) -> Play:
    return Play(callflow.load(FOLDER / f"{name}.yaml"), **more)


def outbound() -> Play:
    return call("outbound", vars={"phone_number": "+15551234567"}, env={"SIP_OUTBOUND_TRUNK_ID": "ST_1"})


def inbound(time: float = MONDAY_NOON) -> Play:
    play = call("inbound", time=time, env={"FRONT_DESK_NUMBER": "+15557654321"})
    return play.end("say the practice, good day. You are talking to an assistant.").end("generate_reply")


def how_it_ended(play: Play) -> tuple[str | None, list[str]]:
    """The outcome, and the verbs of the hang-up in their order."""
    mark = len(play.trace)
    running = [words.split()[0] for words in play.doing]
    play.finish()
    return play.outcome, [
        words
        for words in (*running, *(line.split()[0] for line in play.since(mark)))
        if words in {"drain", "delete_room", "aclose", "shutdown", "hang_up"}
    ]


HUNG_UP = ["drain", "delete_room", "aclose", "shutdown"]


def test_smallest():
    play = call("smallest").end("generate_reply").send("tool.end_call", id="1")
    assert play.doing == ["say Goodbye."]
    assert how_it_ended(play) == ("completed", HUNG_UP)


@pytest.mark.parametrize("result", ["busy", "no_answer", "declined", "invalid", "failed"])
def test_outbound_nobody_answers(result):
    play = outbound().end("dial", result=result, leg="far_end")
    assert how_it_ended(play) == (result, HUNG_UP)


def test_outbound_a_person():
    play = outbound().end("dial", result="answered", leg="far_end")
    assert (play.state, play.doing) == ("screening", [])
    play.send("amd.human", category="human")
    assert play.doing == ["generate_reply Greet there and ask about the appointment."]
    play.end("generate_reply").send("tool.end_call", id="1")
    assert play.doing == ["say Thank you, goodbye."]
    assert how_it_ended(play) == ("completed", HUNG_UP)


def test_outbound_a_voicemail_and_another_machine():
    voicemail = outbound().end("dial", result="answered", leg="far_end").send("amd.machine-vm", category="machine-vm")
    assert voicemail.doing == ["say Hello, this is a reminder about your appointment. Please call us back."]
    assert how_it_ended(voicemail) == ("voicemail", HUNG_UP)
    menu = outbound().end("dial", result="answered", leg="far_end").send("amd.machine-ivr", category="machine-ivr")
    assert how_it_ended(menu) == ("machine", HUNG_UP)


def test_outbound_nobody_can_tell_who_it_is():
    play = outbound().end("dial", result="answered", leg="far_end").send("amd.uncertain", category="uncertain")
    assert play.state == "talking"


def test_inbound_put_through_while_somebody_is_there():
    play = inbound().send("tool.speak_to_person", id="1", time=MONDAY_NOON)
    play.end("say One moment, I am putting you through.")
    assert play.doing == ["transfer +15557654321"]
    play.end("transfer", result="completed", leg="far_end")
    assert how_it_ended(play) == ("transferred", HUNG_UP)


def test_inbound_a_message_when_nobody_is_free():
    play = inbound().send("tool.speak_to_person", id="1").end("say One moment, I am putting you through.")
    play.end("transfer", result="failed", leg="far_end")
    assert play.state == "helping.message.asking"
    assert play.doing == ["say Nobody is free now, but I can take a message."]


def test_inbound_a_message_out_of_hours():
    play = inbound(SUNDAY_NOON).send("tool.speak_to_person", id="1")
    play.end("say We are closed now, but I can take a message.")
    play.send("tool.message_is_complete", id="2", caller="Ann", text="Please call me.")
    assert play.doing == ["say I have noted, from Ann: Please call me. Is that right?"]
    play.send("tool.message_is_wrong", id="3").stopped("say").send(
        "tool.message_is_complete", id="4", caller="Anne", text="Call me."
    )
    play.send("tool.message_is_right", id="5")
    assert play.vars == {"business": "the practice", "caller": "Anne", "message": "Call me."}
    assert how_it_ended(play) == ("message_taken", HUNG_UP)


def test_inbound_a_silent_caller():
    play = inbound().wait(8)
    assert play.doing == ["say Are you still there?"]
    play.end("say").wait(25)
    assert play.doing == ["say I cannot hear you, so I will hang up. Goodbye."]
    assert how_it_ended(play) == ("abandoned", HUNG_UP)


def test_silence_ladder():
    play = call("silence-ladder").end("generate_reply").wait(8)
    assert play.doing == ["say Are you still there?"]
    # A caller who speaks begins the ladder again.
    play.end("say").send("session.user_state_changed", old_state="listening", new_state="speaking")
    play.send("session.user_state_changed", old_state="speaking", new_state="listening").wait(8)
    assert play.doing == ["say Are you still there?"]
    play.end("say").wait(8)
    assert play.doing == ["say Take your time, I am listening."]
    play.end("say").wait(14)
    assert play.doing == ["say I cannot hear you, so I will hang up. Please call again."]
    assert how_it_ended(play) == ("abandoned", HUNG_UP)


def test_silence_ladder_a_caller_who_looks_something_up():
    play = (
        call("silence-ladder")
        .end("generate_reply")
        .send("tool.wait_for_caller", id="1")
        .end("say Of course, take your time.")
    )
    play.wait(59)
    assert (play.state, play.doing) == ("conversation.patient", [])
    play.send("session.user_state_changed", old_state="listening", new_state="speaking")
    assert play.state == "conversation.talking"


def test_maximum_duration():
    play = call("maximum-duration").end("generate_reply").send("tool.caller_is_known", id="1", number="1234")
    assert (play.state, play.vars) == ("talking", {"customer": "1234"})
    for _ in range(9):
        play.send("session.user_state_changed", old_state="listening", new_state="speaking")
        play.send("session.user_state_changed", old_state="speaking", new_state="listening").wait(60)
    assert play.doing == ["say We have one minute left."]
    play.end("say").wait(60)
    assert play.doing == ["say Our time is over. Please call again. Goodbye."]
    assert how_it_ended(play) == ("timed_out", HUNG_UP)


def test_hand_over():
    play = call("hand-over", call={"identity": "ann"}).end("say").wait(45)
    assert play.doing == ["say We are still waiting for your colleague."]
    play.send("room.participant_connected", identity="recorder", kind="egress")
    assert play.state == "waiting"
    play.send("room.participant_connected", identity="bob", kind="standard").stopped("say")
    play.end("say Here is your colleague. I will leave you to it.")
    assert [words.split()[0] for words in play.doing] == ["hang_up"]
    assert how_it_ended(play) == ("transferred", ["hang_up"])


def test_hand_over_nobody_comes():
    play = call("hand-over").end("say").wait(299)
    while play.doing:
        play.end(play.doing[0])
    play.wait(1)
    assert play.doing == ["say I am sorry, nobody has come. Goodbye."]
    assert how_it_ended(play) == ("no_answer", HUNG_UP)


def test_look_up_when_the_service_is_down():
    play = (
        call("look-up", env={"SHOP_URL": "https://shop.example"})
        .end("generate_reply")
        .send("tool.find_order", id="1", number="42")
    )
    play.end("http", "failed", "connection refused")
    [returned] = play.noted("tool_returned")
    # The model hears of it, and its instructions say what to tell the caller.
    assert (returned["error"], returned["reply"], play.state) == ("connection refused", True, "talking")


def test_look_up():
    play = (
        call("look-up", env={"SHOP_URL": "https://shop.example"})
        .end("generate_reply")
        .send("tool.find_order", id="1", number="42")
    )
    assert play.doing == ["http https://shop.example/orders"]
    assert play.running[play.find("http")].arguments["json"] == {"number": "42"}
    play._step(EffectEnded(play.find("http"), "ok", {"status": 200, "body": {"state": "on its way"}}, None, play.time))
    [returned] = play.noted("tool_returned")
    assert (returned["result"], returned["error"], returned["reply"]) == ({"state": "on its way"}, None, True)
    play.send("tool.end_call", id="2")
    assert how_it_ended(play) == ("completed", HUNG_UP)


def put_through() -> Play:
    play = (
        call("cold-transfer", env={"DESK_NUMBER": "+15557654321"})
        .end("generate_reply")
        .send("tool.speak_to_person", id="1")
    )
    play.end("say One moment, I am putting you through.")
    assert play.doing == ["transfer +15557654321"]
    return play


def test_cold_transfer():
    assert how_it_ended(put_through().end("transfer", result="completed", leg="far_end")) == ("transferred", HUNG_UP)


@pytest.mark.parametrize(
    ("code", "words"),
    [(486, "They are on the phone just now."), (480, "Nobody is free just now."), (None, "Nobody is free just now.")],
)
def test_cold_transfer_back_with_the_caller(code, words):
    play = put_through().end("transfer", result="failed", leg="far_end", sip_status_code=code)
    assert (play.state, play.doing) == ("conversation.back", [f"say {words}"])
    play.end("say").end("generate_reply")
    # The caller may try again, or wait to be called back.
    play.send("tool.call_back", id="2")
    assert how_it_ended(play) == ("call_back", HUNG_UP)


def test_cold_transfer_a_caller_who_hangs_up_meanwhile():
    play = put_through().send("call.hangup", leg="far_end", by="caller", cause="hung_up")
    assert play.state == "putting_through"  # the hang-up waits for the transfer's result
    play.end("transfer", result="completed", leg="far_end")
    assert how_it_ended(play) == ("transferred", HUNG_UP)


def consulted() -> Play:
    env = {"SIP_OUTBOUND_TRUNK_ID": "ST_1", "COLLEAGUE_NUMBER": "+15557654321"}
    play = call("warm-transfer", env=env).end("generate_reply")
    play.send("tool.speak_to_person", id="1", caller="Ann", reason="She wants a refund.")
    play.end("say One moment, I am asking a colleague.")
    assert play.doing == ["consult +15557654321"]
    briefing = play.running[play.find("consult")].arguments["briefing"]
    assert briefing.startswith("Ann is on the line. She wants a refund. To take the call press one")
    return play


def test_warm_transfer():
    play = consulted().end("consult", result="accepted", leg="human").end("say You are connected now.")
    assert (play.state, play.doing) == ("connected", ["stand_by"])
    # The two talk for as long as they like: no silence counts, and what ends it is that one of them leaves.
    play.wait(1800)
    assert (play.state, play.doing) == ("connected", ["stand_by"])
    play.send("call.hangup", leg="far_end", by="caller", cause="hung_up")
    assert how_it_ended(play) == ("transferred", [])


def test_warm_transfer_whoever_waits_hears_that_they_are_not_forgotten():
    play = consulted()
    for _ in range(2):
        play.wait(20)
        said = play.running[play.find("say I am still trying to reach a colleague.")]
        assert said.arguments["to"] == "far_end"  # alone: the colleague is being told what it is about
        play.end("say")
    assert (play.state, play.doing) == ("asking", ["consult +15557654321"])


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("declined", "My colleague cannot take your call just now."),
        ("no_answer", "I cannot reach anybody just now."),
        ("failed", "I cannot reach anybody just now."),
    ],
)
def test_warm_transfer_back_with_the_caller(result, words):
    play = consulted().end("consult", result=result, leg="human")
    assert (play.state, play.doing) == ("conversation.back", [f"say {words}"])
    play.end("say").end("generate_reply").send("tool.end_call", id="2")
    assert how_it_ended(play) == ("completed", HUNG_UP)


def keypad_menu() -> Play:
    return call("keypad-menu", env={"SHOP_URL": "https://shop.example", "OPERATOR_NUMBER": "+15557654321"})


def asks(play: Play) -> str:
    """The prompt of the collection that runs."""
    return str(play.running[play.find("collect_digits")].arguments["prompt"]).split(".")[0]


def pressed(play: Play, digits: str) -> Play:
    return play.end("collect_digits", result="input", digits=digits, tries=1)


def test_keypad_menu_an_order():
    play = pressed(keypad_menu(), "1")
    assert (play.state, asks(play)) == ("orders.choosing", "To hear where your order is press 1")
    pressed(play, "1")
    assert asks(play).startswith("Type your account number")
    pressed(play, "471100")
    assert play.running[play.find("http")].arguments["json"] == {"account": "471100"}
    play._step(EffectEnded(play.find("http"), "ok", {"status": 200, "body": {"state": "on its way"}}, None, play.time))
    play.end("say Your order is on its way.")
    assert (play.state, asks(play)) == ("menu", "Welcome")


@pytest.mark.parametrize("keys", [["1", "*"], ["2"], ["9"]])
def test_keypad_menu_back_to_the_menu(keys):
    play = keypad_menu()
    for key in keys:
        pressed(play, key)
    while play.state != "menu":
        play.end(play.doing[0])
    assert asks(play) == "Welcome"


def test_keypad_menu_nobody_presses_anything():
    play = keypad_menu().end("collect_digits", result="no_input", digits="", tries=3)
    assert play.doing == ["say Goodbye."]
    assert how_it_ended(play) == ("abandoned", HUNG_UP)


def test_keypad_menu_wrong_keys_for_ever():
    play = keypad_menu()
    for _ in range(4):
        pressed(play, "9").end("say There is nothing behind that key.")
    assert play.doing == ["say Goodbye."]
    assert how_it_ended(play) == ("abandoned", HUNG_UP)


def test_keypad_menu_a_person():
    play = pressed(keypad_menu(), "0").end("say One moment, please.").end("transfer", result="failed", leg="far_end")
    assert play.doing == ["say Nobody is free just now."]
    assert play.state == "menu"
    play = pressed(keypad_menu(), "0").end("say One moment, please.").end("transfer", result="completed", leg="far_end")
    assert how_it_ended(play) == ("transferred", HUNG_UP)


def voicemail() -> Play:
    play = call("voicemail", vars={"phone_number": "+15551234567"}, env={"SIP_OUTBOUND_TRUNK_ID": "ST_1"})
    return play.end("dial", result="answered", leg="far_end")


@pytest.mark.parametrize(
    ("category", "reason", "outcome"),
    [("machine-unavailable", "llm", "machine"), ("uncertain", "no_speech_timeout", "no_answer")],
)
def test_voicemail_nobody_to_talk_to(category, reason, outcome):
    play = voicemail().send(f"amd.{category}", category=category, reason=reason)
    assert how_it_ended(play) == (outcome, HUNG_UP)


def test_voicemail_a_screening_is_answered_once():
    play = voicemail().send("amd.machine-ivr", category="machine-ivr", reason="llm")
    assert play.state == "finding_out.answering"
    play.end("generate_reply")
    assert play.doing == ["detect_machine"]
    play.end("detect_machine", result="machine-ivr", category="machine-ivr")
    assert how_it_ended(play) == ("machine", HUNG_UP)


def test_voicemail_nobody_can_tell():
    play = voicemail().send("amd.uncertain", category="uncertain", reason="detection_timeout")
    assert play.state == "talking"
