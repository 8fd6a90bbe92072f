"""Far ends in words, one line each."""

from __future__ import annotations

import math

import pytest
from click.testing import CliRunner

from callflow.cli import main
from callflow.telephony.described import describe
from callflow.telephony.network import FAR_ENDS, FarEnd, Refer

PRESETS = {
    "answers": "rings 4 s, then 200 OK",
    "busy": "rings 0.5 s, then 486 Busy Here",
    "no_answer": "rings for ever",
    "declines": "rings 3 s, then 603 Decline",
    "invalid": "rings 0.2 s, then 404 Not Found",
    "unavailable": "rings 0.5 s, then 480 Temporarily Unavailable",
    "fails": "rings 0.2 s, then 503 Service Unavailable",
    "unreachable": "nobody answers at all",
    "voicemail": "rings 18 s, then 200 OK, a machine (machine-vm)",
    "mailbox_full": "rings 18 s, then 200 OK, a machine (machine-unavailable)",
    "menu": "rings 2 s, then 200 OK, a machine (machine-ivr)",
    "screening": "rings 2 s, then 200 OK, a machine (machine-ivr), says “Please say your name and why you are calling.”, listens, "
    "waits 3 s, says “Thank you, I will put you through.”, waits 1 s, says “Hello?”",
    "screens_out": "rings 2 s, then 200 OK, a machine (machine-ivr), says “Please say your name and why you are calling.”, listens, "
    "waits 3 s, says “They cannot take your call.”, hangs up",
    "hangs_up_at_once": "rings 4 s, then 200 OK, hangs up 20 ms after the answer",
    "no_sound": "rings 4 s, then 200 OK, never makes a sound",
    "sound_stops": "rings 4 s, then 200 OK, waits 5 s, falls silent for good",
    "deaf_to_bye": "rings 4 s, then 200 OK, does not answer our BYE",
    "refuses_transfer": "rings 4 s, then 200 OK, answers a transfer with 603 Decline",
    "silent_on_transfer": "rings 4 s, then 200 OK, does not answer a transfer",
    "crosses_cancel": "rings for ever, picks up just as it is cancelled",
    "early_media": "rings with early media 3 s, then 486 Busy Here",
    "service_absent": "no SIP service is there",
    "service_exhausted": "the SIP service is full",
    "bridge_dies": "rings 4 s, then 200 OK, its SIP node is gone 5 s after the answer",
}


def test_every_preset_says_what_it_does_and_no_two_the_same():
    assert {name: describe(far) for name, far in FAR_ENDS.items()} == PRESETS
    assert len(set(PRESETS.values())) == len(PRESETS)


@pytest.mark.parametrize(
    ("far", "says"),
    [
        (FarEnd(math.inf, on_cancel=None), "rings for ever, does not answer our CANCEL"),
        (FarEnd(math.inf, on_cancel=None, late=2.0), "rings for ever, does not answer our CANCEL and picks up 2 s later"),
        (FarEnd(refer=Refer(notify=486)), "rings 4 s, then 200 OK, says 486 Busy Here of a transfer 0.3 s later"),
        (FarEnd(refer=Refer(notify=None, bye_after=1.0)), "rings 4 s, then 200 OK, never says what became of a transfer and hangs up 1 s after it"),
        (FarEnd(ghost=True, hangs_up=3.0), "rings 4 s, then 200 OK, hangs up 3 s after the answer, stays in the room after its own BYE"),
        (FarEnd(progress=None), "rings unheard 4 s, then 200 OK"),
    ],
)  # fmt: skip
def test_one_of_your_own(far, says):
    assert describe(far) == says


def test_the_command_lists_them():
    lines = CliRunner().invoke(main, ["phone", "--presets"]).output.splitlines()
    assert [line.split(maxsplit=1)[0] for line in lines] == list(FAR_ENDS)
    assert "deaf_to_bye          rings 4 s, then 200 OK, does not answer our BYE" in lines
    assert "inf" not in "\n".join(lines)
