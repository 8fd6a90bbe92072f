"""The script of a telephone network: who is behind a number, and what a telephone has seen."""

from __future__ import annotations

import pytest

from callflow.telephony.network import FAR_ENDS, FarEnd, PhoneCall, PhoneNetwork, Signal, phrase

NUMBER = "+15550123456"


def test_a_number_that_nobody_has():
    assert PhoneNetwork().far_end(NUMBER) is FAR_ENDS["invalid"]


def test_the_second_call_to_a_telephone_meets_its_second_script_and_further_ones_the_last():
    busy, answers = FAR_ENDS["busy"], FAR_ENDS["answers"]
    network = PhoneNetwork({NUMBER: [busy, answers]})
    assert [network.meet(NUMBER) for _ in range(3)] == [busy, answers, answers]


def test_what_a_telephone_has_seen():
    call = PhoneCall(NUMBER, FarEnd())
    call.signals += [Signal(0.0, "INVITE", False), Signal(0.5, "486", True, "INVITE"), Signal(0.5, "ACK", False)]
    assert call.messages == ["INVITE", "> 486", "ACK"]
    assert [signal.at for signal in call.sent("486")] == [0.5]
    assert call.got("486") == []


@pytest.mark.parametrize(
    ("code", "words"),
    [(404, "Not Found"), (486, "Busy Here"), (302, "Moved Temporarily"), (603, "Decline"), (699, "")],
)
def test_the_words_of_a_code(code, words):
    assert phrase(code) == words
    assert FarEnd(code=code).phrase == words


def test_every_telephone_to_call_says_how_it_ends():
    network = PhoneNetwork(FAR_ENDS)
    assert {network.far_end(name).answers for name in ("answers", "voicemail", "menu", "screening")} == {True}
    assert not FAR_ENDS["declines"].answers
    with pytest.raises(LookupError, match="no call to"):
        network.call_of(NUMBER)
