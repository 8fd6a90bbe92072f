"""Verbs of the catalogue -> LiveKit: one function for each, in one file for each group. They are called with the world
and the effect, return the verb's result fields, and raise EffectError, or anything else, when the effect has failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from callflow.core.snapshot import Start
from callflow.livekit_bindings.verbs import (
    answering,
    consulting,
    conversation,
    detection,
    dialing,
    handoff,
    hanging_up,
    holding,
    keys,
    outside,
    recording,
    speech,
    standing_by,
    transferring,
)


class Given(
    answering.Given,
    consulting.Given,
    handoff.Given,
    keys.Given,
    outside.Given,
    recording.Recorded,
    standing_by.Given,
    Protocol,
):
    """What the verbs are given, all of them together."""


Perform = Callable[[Given, Start], Awaitable[Mapping[str, Any]]]

PERFORM: Mapping[str, Perform] = {
    "say": speech.say,
    "generate_reply": speech.generate_reply,
    "play": speech.play,
    "wait_for_speech": conversation.wait_for_speech,
    "interrupt": conversation.interrupt,
    "mute": conversation.mute,
    "unmute": conversation.unmute,
    "drain": conversation.drain,
    "aclose": conversation.aclose,
    "close_models": conversation.close_models,
    "delete_room": hanging_up.delete_room,
    "remove_participant": hanging_up.remove_participant,
    "hang_up": hanging_up.hang_up,
    "dial": dialing.dial,
    "cancel_dial": dialing.cancel_dial,
    "stand_by": standing_by.stand_by,
    "close": hanging_up.close,
    "tag": outside.tag,
    "send_data": outside.send_data,
    "http": outside.http,
    "python": outside.python,
    "transfer": transferring.transfer,
    "consult": consulting.consult,
    "hold": holding.hold,
    "resume": holding.resume,
    "update_agent": handoff.update_agent,
    "task": handoff.task,
    "detect_machine": detection.detect_machine,
    "send_dtmf": keys.send_dtmf,
    "collect_digits": keys.collect_digits,
    "answer": answering.answer,
    "reject": answering.reject,
    "start_recording": recording.start_recording,
    "stop_recording": recording.stop_recording,
}
