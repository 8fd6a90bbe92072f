"""Row 44: the voicemail script is read to a phone that screens its calls: for "please state your name" there is no
category (livekit/agents-js#1374, livekit/agents#3643).

LiveKit's detector calls a screening `machine-ivr`, like a menu. A flow that answers it says who is calling, and listens
again who comes on the line then.
"""

from __future__ import annotations

from callflow.telephony.network import HangUp, Hear, Say, Wait
from callflow.testing import Tool
from tests.support.screening import HELLO, MESSAGE, SCREENS, WHO_CALLS, calls_ann, model, picks_up, verdicts


async def test_a_screening_is_told_who_calls_and_the_person_is_greeted(server, ended):
    acts = (Hear(), Wait(2.0), Say("Hello?"), Hear(), Say("that is all, bye"), Wait(20.0))
    call = calls_ann(server, picks_up(SCREENS, then=acts), model([WHO_CALLS, HELLO, Tool("end_call")]))
    record = await call.play()
    assert call.heard.splitlines()[:2] == [WHO_CALLS, HELLO]
    assert [verdict["category"] for verdict in verdicts(call)] == ["machine-ivr", "human"]
    assert record.outcome == "completed"
    ended(call)


async def test_a_screening_that_leads_to_the_voicemail(server, ended):
    acts = (Hear(), Wait(2.0), Say("Leave a message after the tone."), Wait(20.0))
    call = calls_ann(server, picks_up(SCREENS, then=acts), model([WHO_CALLS]))
    record = await call.play()
    assert call.heard.splitlines() == [WHO_CALLS, MESSAGE]
    assert record.outcome == "voicemail"
    ended(call)


async def test_a_screening_that_refuses(server, ended):
    acts = (Hear(), Wait(2.0), Say("They cannot take your call."), HangUp())
    call = calls_ann(server, picks_up(SCREENS, then=acts), model([WHO_CALLS]))
    record = await call.play()
    assert call.heard == WHO_CALLS
    assert record.outcome == "hung_up"
    ended(call)


async def test_a_menu_is_not_talked_to(server, ended):
    far = picks_up("For sales press one, for support press two.", then=(Wait(30.0),))
    call = calls_ann(server, far, model([Tool("is_a_menu")]))
    record = await call.play()
    assert (record.outcome, call.heard) == ("machine", "")
    ended(call)
