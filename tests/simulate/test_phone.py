"""The simulated telephone network: what becomes of a dial, and when."""

from __future__ import annotations

import asyncio

import pytest

from callflow.simulate.phone import FAR_ENDS, FarEnd, PhoneNetwork

NUMBER = "+15550123456"


async def dial(far_end, ringing_timeout=30.0):
    """The result, and when the telephone rang."""
    loop = asyncio.get_running_loop()
    began, rang = loop.time(), []
    network = PhoneNetwork({NUMBER: far_end})
    result = await network.ring(NUMBER, ringing_timeout, lambda: rang.append(loop.time() - began))
    assert result["elapsed"] == pytest.approx(loop.time() - began)
    return result, rang


@pytest.mark.parametrize(
    ("name", "result", "code", "elapsed", "rings"),
    [
        ("answers", "answered", 200, 4.0, True),
        ("busy", "busy", 486, 0.5, True),
        ("no-answer", "no_answer", None, 30.0, True),
        ("declines", "declined", 603, 3.0, True),
        ("invalid", "invalid", 404, 0.0, False),
        ("fails", "failed", 503, 0.0, False),
        ("voicemail", "answered", 200, 18.0, True),
    ],
)
async def test_each_far_end(name, result, code, elapsed, rings):
    fields, rang = await dial(FAR_ENDS[name])
    assert (fields["result"], fields["sip_status_code"]) == (result, code)
    assert fields["elapsed"] == pytest.approx(elapsed)
    assert bool(rang) == rings


@pytest.mark.parametrize(("gives_up_after", "result"), [(3.9, "no_answer"), (4.0, "answered"), (10.0, "answered")])
async def test_the_dialler_gives_up(gives_up_after, result):
    fields, _ = await dial(FAR_ENDS["answers"], gives_up_after)
    assert (fields["result"], fields["elapsed"]) == (result, pytest.approx(min(gives_up_after, 4.0)))


async def test_a_number_that_nobody_has():
    network = PhoneNetwork()
    fields = await network.ring(NUMBER, 30.0, lambda: None)
    assert (fields["result"], network.dialled) == ("invalid", [NUMBER])


@pytest.mark.parametrize(
    ("far_end", "timeout", "after", "category"),
    [
        (FAR_ENDS["answers"], 15.0, 1.2, "human"),
        (FAR_ENDS["voicemail"], 15.0, 5.0, "machine-vm"),
        (FAR_ENDS["voicemail"], 2.0, 2.0, "uncertain"),
        (FarEnd(category="machine-unavailable", detected_after=1.0), 15.0, 1.0, "machine-unavailable"),
    ],
)
def test_who_has_answered(far_end, timeout, after, category):
    seconds, fields = PhoneNetwork({NUMBER: far_end}).detection(NUMBER, timeout)
    assert (seconds, fields["category"], fields["delay"]) == (after, category, after)
