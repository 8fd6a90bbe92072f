"""Nothing that is marked private reaches a file, in whatever spelling."""

from __future__ import annotations

import re

import pytest

import callflow
from callflow.core.events import Event
from callflow.core.snapshot import Start
from callflow.runtime.redact import Redactor

FLOW = callflow.loads("""
callflow: 1
name: private
vars:
  phone: {type: phone, default: "+15551234567", pii: true}
  name: {type: string, default: Ann Lee, pii: true}
  pin: {type: integer, default: 4711, pii: true}
  city: {type: string, default: Berlin}
events:
  app.paid: {card: {type: string, pii: true}, amount: integer}
tools:
  find: {description: Finds., parameters: {account: {type: string, pii: true}, kind: {type: string}}}
python:
  check: {parameters: {pin: {type: string, pii: true}, kind: {type: string}}, returns: {token: {type: string, pii: true}, ok: boolean}}
initial: talking
states:
  talking:
    tools: [find]
    on: {app.paid: ending, dtmf.1: ending, tool.find: ending}
    entry: [{python: {name: check, arguments: {pin: x, kind: y}}}]
""")

DIGEST = re.compile(r"pii:[0-9a-f]{16}")


@pytest.fixture
def redactor():
    redactor = Redactor(FLOW, b"a key")
    redactor.variables({"phone": "+15551234567", "name": "Ann Lee", "pin": 4711, "city": "Berlin"})
    return redactor


def test_equal_values_have_equal_digests_under_one_key():
    one, two, other = Redactor(FLOW, b"k"), Redactor(FLOW, b"k"), Redactor(FLOW)
    assert one.digest("+15551234567") == two.digest("+15551234567") != one.digest("+15551234568")
    assert one.digest("+15551234567") != other.digest("+15551234567"), "a call's own key, unless one is given"
    assert one.digest(one.digest("x")) == one.digest("x")


def test_variables(redactor):
    hidden = redactor.variables({"phone": "+15551234567", "name": None, "pin": 4711, "city": "Berlin"})
    assert hidden == {
        "phone": redactor.digest("+15551234567"),
        "name": None,
        "pin": redactor.digest(4711),
        "city": "Berlin",
    }


@pytest.mark.parametrize(
    "text",
    [
        "Call +15551234567 now",
        "Call 15551234567 now",
        "Call +1 555 123-4567.",
        "Call 1 5 5 5 1 2 3 4 5 6 7, please",
        "sip:+15551234567@trunk.example",
        "https://crm.example/?phone=%2B15551234567&x=1",
        "sip_15551234567",
    ],
)
def test_a_number_inside_a_text(redactor, text):
    hidden = redactor.text(text)
    assert redactor.digest("+15551234567") in hidden
    assert "4567" not in hidden
    assert "5 5 5" not in hidden


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Hello Ann Lee!", "Hello {name}!"),
        ("HELLO ANN LEE", "HELLO {name}"),
        ("https://x.example/Ann%20Lee?n=Ann+Lee", "https://x.example/{name}?n={name}"),
        ("Annabel Leeds", "Annabel Leeds"),
        ("Your PIN is 4711.", "Your PIN is {pin}."),
        ("order 147112", "order 147112"),
        ("Berlin", "Berlin"),
    ],
)
def test_a_value_inside_a_text(redactor, text, hidden):
    expected = hidden.format(name=redactor.digest("Ann Lee"), pin=redactor.digest(4711))
    assert redactor.text(text) == expected


def test_payloads_as_their_events_declare_them(redactor):
    paid = redactor.event(Event("app.paid", {"card": "4000123412341234", "amount": 5}))
    assert paid == {"card": redactor.digest("4000123412341234"), "amount": 5}
    assert DIGEST.search(redactor.text("card 4000 1234 1234 1234"))
    found = redactor.event(Event("tool.find", {"account": "DE-99", "kind": "gold", "result": None}))
    assert found == {"account": redactor.digest("DE-99"), "kind": "gold", "result": None}
    said = redactor.event(Event("session.user_input_transcribed", {"transcript": "yes please", "is_final": True}))
    assert said == {"transcript": redactor.digest("yes please"), "is_final": True}
    assert redactor.text("yes please") == "yes please", "what people say is hidden, not searched for"


def test_what_is_known_of_a_leg(redactor):
    data = {
        "leg": "far_end",
        "identity": "sip_+49301234567",
        "number": "+49301234567",
        "attributes": {"sip.callStatus": "active", "sip.phoneNumber": "+49301234567"},
    }
    hidden = redactor.event(Event("call.answered", data))
    assert hidden["leg"] == "far_end"
    assert all(
        DIGEST.fullmatch(value) for value in (hidden["identity"], hidden["number"], *hidden["attributes"].values())
    )
    assert hidden["number"] == hidden["attributes"]["sip.phoneNumber"]
    assert redactor.text("the call is active") == "the call is active"


def test_arguments_and_results(redactor):
    dial = redactor.arguments(Start(1, "dial", {"to": "+4930999999", "trunk": "ST_1", "leg": "far_end"}, 35.0))
    assert dial == {"to": redactor.digest("+4930999999"), "trunk": "ST_1", "leg": "far_end"}
    check = Start(2, "python", {"name": "check", "arguments": {"pin": "8822", "kind": "a"}}, 5.0)
    assert redactor.arguments(check)["arguments"] == {"pin": redactor.digest("8822"), "kind": "a"}
    result = redactor.result(check, {"token": "t-000-1", "ok": True})
    assert result == {"token": redactor.digest("t-000-1"), "ok": True}
    assert (
        redactor.text("token t-000-1 for 8822") == f"token {redactor.digest('t-000-1')} for {redactor.digest('8822')}"
    )
    keys = redactor.result(Start(3, "collect_digits", {}, None), {"digits": "9876", "tries": 1})
    assert keys == {"digits": redactor.digest("9876"), "tries": 1}
    say = redactor.arguments(Start(4, "say", {"text": "I call +15551234567.", "interruptible": True}, 60.0))
    assert say == {"text": f"I call {redactor.digest('+15551234567')}.", "interruptible": True}


def test_a_key_for_which_the_flow_has_no_row_is_hidden(redactor):
    assert redactor.name("dtmf.1") == "dtmf.1", "whoever reads the flow knows it"
    assert redactor.name("dtmf.4") == f"dtmf.{redactor.digest('4')}"
    assert redactor.name("leg.human.dtmf.pound") == f"leg.human.dtmf.{redactor.digest('pound')}"
    assert redactor.name("dtmf.input") == "dtmf.input"


def test_what_json_cannot_hold_becomes_text(redactor):
    assert redactor.data({1: {2, 3}, "x": object, "n": 4711, "t": ("Ann Lee",)}) == {
        "1": ["2", "3"],
        "x": "<class 'object'>",
        "n": redactor.digest(4711),
        "t": [redactor.digest("Ann Lee")],
    }


def test_many_values_at_once(redactor):
    for number in range(500):
        redactor.learn(f"customer-{number:04d}")
    text = redactor.text("from customer-0007 to customer-0499 and customer-9999")
    assert text == f"from {redactor.digest('customer-0007')} to {redactor.digest('customer-0499')} and customer-9999"


def test_an_identity_that_is_a_role_is_hidden_in_its_field_and_left_alone_as_a_word() -> None:
    redactor = Redactor(FLOW)
    event = Event("call.answered", {"leg": "far_end", "identity": "caller", "number": "+15551234567"})
    assert redactor.event(event)["identity"].startswith("pii:")
    assert redactor.text("Greet the caller and help.") == "Greet the caller and help."
    assert "5551234567" not in redactor.text("from +1 555 123 4567")


def test_an_identity_that_is_a_name_is_looked_for_whatever_letters_it_has() -> None:
    redactor = Redactor(FLOW)
    redactor.event(Event("room.participant_connected", {"identity": "MariaHuber"}))
    assert redactor.text("MariaHuber is here") == f"{redactor.digest('MariaHuber')} is here"


def test_which_numbers_are_looked_for(redactor):
    """Keys may be made a number of. A number of one digit is no secret, nor is what digits with zeros before them amount to."""
    redactor.learn({"count": 9, "pin": 10, "keys": "4711", "code": "0042"})
    hidden = redactor.data({"a": 9, "b": 10, "c": 4711, "d": 42, "e": "0042", "f": True})
    assert (hidden["a"], hidden["d"], hidden["f"]) == (9, 42, True)
    assert all(DIGEST.fullmatch(hidden[name]) for name in "bce")


def test_a_number_that_is_known_as_a_text_is_hidden_as_a_number(redactor):
    known = {"a": 15551234567, "b": 5551234567.0, "c": -15551234567}
    assert redactor.data(known) == dict.fromkeys("abc", redactor.digest("+15551234567"))
    others = {"a": 15551234568, "b": 1e300, "c": 10**400, "d": float("inf"), "e": 2.5}
    assert redactor.data(others) == others


@pytest.mark.parametrize("identity", ["sip_+4930987654", "tel:+4930987654", "Ann (+4930987654)"])
def test_a_number_inside_an_identity_is_looked_for_by_itself(redactor, identity):
    redactor.event(Event("room.participant_connected", {"identity": identity}))
    hidden = redactor.digest("+4930987654")
    assert redactor.text("+49 30 987654, 030 987654") == f"{hidden}, {hidden}"


@pytest.mark.parametrize(
    "spelt", ["Ann\u00a0LEE", "ann_lee", "Ann%20Lee", r"\u0041nn Lee", "\uff21nn  Lee", "A\u0301nn Lee"]
)
def test_a_value_that_is_spelt_otherwise_is_hidden_everywhere(redactor, spelt):
    """As a text, a name of a field, in a list, as what a value is learned by."""
    hidden = redactor.digest("Ann Lee")
    assert redactor.data({spelt: [f"It is {spelt}."]}) == {hidden: [f"It is {hidden}."]}


@pytest.mark.parametrize(
    "said",
    ["486 for +1 (555) 271-8281", "no route to sip:15552718281@example.com", "tel:+15552718281 is busy", "sip_+15552718281 has gone",
     "GET /?to=%2B15552718281", r'{"to": "\u002b15552718281"}', "0015552718281 declined"],
)  # fmt: skip
def test_a_telephone_number_in_an_error_is_private_though_no_event_has_brought_it(redactor, said):
    redactor.overhear(said)
    assert "8281" not in redactor.text(said)
    assert redactor.text("+15552718281") == redactor.digest("+15552718281")


@pytest.mark.parametrize(
    "said", ["took 12345678 ms at 1700000000.25", "+5 tries", "error 0x0012345678", "00:47:11", "id 15552718281"]
)
def test_what_does_not_call_itself_a_telephone_number_is_left_alone(redactor, said):
    redactor.overhear(said)
    assert redactor.text(said) == said


@pytest.mark.parametrize("field", ["error", "sip_status"])
def test_a_number_in_what_a_server_says_is_private(redactor, field):
    said = {field: "Busy: +15552718281"}
    hidden = {field: f"Busy: {redactor.digest('+15552718281')}"}
    assert redactor.event(Event("dial.busy", said))[field] == hidden[field]
    assert Redactor(FLOW, b"a key").result(Start(5, "dial", {}, 10.0), said)[field] == hidden[field]


def test_what_a_result_brings_that_nothing_declares_is_private(redactor):
    check = Start(2, "python", {"name": "check", "arguments": {}}, 5.0)
    brought = {"token": "7", "ok": True, "later": ["Ann Lee", 7]}
    hidden = redactor.result(check, brought)
    assert hidden == {
        "token": redactor.digest("7"),
        "ok": True,
        "later": [redactor.digest("Ann Lee"), redactor.digest(7)],
    }
    assert redactor.effects([{"id": 2, "result": brought}]) == [{"id": 2, "result": hidden}], "and so in the record"
    said = {"transcript": "It is Ford.", "result": "machine-vm", "category": "machine", "brought_later": "Ford"}
    detected = redactor.result(Start(3, "detect_machine", {}, 5.0), said)
    assert (detected["result"], detected["category"]) == ("machine-vm", "machine")
    assert "Ford" not in str(detected) + str(redactor.effects([{"id": 3, "result": said}]))
    assert redactor.result(Start(4, "task", {}, None), {"result": "completed", "value": "4711"}) == {
        "result": "completed", "value": redactor.digest("4711"),
    }  # fmt: skip


def test_half_a_letter_has_a_digest_and_is_found(redactor):
    name = "Ann \ud83d Lee"
    assert redactor.hide(name) == redactor.digest(name)
    assert redactor.text(f"It is {name}.") == f"It is {redactor.digest(name)}."


def test_too_much_to_look_for_hides_too_much():
    redactor = Redactor(FLOW, b"a key")
    for letter in "ab":
        redactor.learn(letter * 90_000)
    assert not redactor.full
    redactor.learn("c" * 30_000)
    assert redactor.full
    hidden = redactor.data({"text": "anything", "none": "", "few": 9, "many": 10, "yes": True})
    assert (hidden["none"], hidden["few"], hidden["yes"]) == ("", 9, True)
    assert all(DIGEST.fullmatch(hidden[name]) for name in ("text", "many"))
