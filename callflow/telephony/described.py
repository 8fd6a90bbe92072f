"""A far end in words: what becomes of a call to it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from callflow.telephony.network import (
    Act,
    FarEnd,
    HangUp,
    Hear,
    Press,
    Reach,
    Refer,
    Say,
    Service,
    StopRtp,
    Tone,
    Wait,
    phrase,
)

REACHES: Mapping[Reach, str] = {
    "nobody": "nobody answers at all",
    "refused": "its connection is refused",
    "unknown": "its host is unknown",
    "no_codec": "there is no codec in common",
}
SERVICES: Mapping[Service, str] = {
    "absent": "no SIP service is there",
    "exhausted": "the SIP service is full",
    "fails": "the SIP service fails with 500",
    "hangs": "the SIP service never answers",
}
ORDINARY = Refer()


def describe(far: FarEnd) -> str:
    """One line: how long it rings, what its answer is, what it does then, and what is out of the ordinary."""
    if far.service != "works":
        return SERVICES[far.service]
    if far.reach != "telephone":
        return REACHES[far.reach]
    return ", ".join([_ringing(far), *(_afterwards(far) if far.answers else ()), *_cancelled(far)])


def seconds(time: float) -> str:
    """`4 s`, `20 ms`, `for ever`."""
    if math.isinf(time):
        return "for ever"
    return f"{time * 1000:g} ms" if 0 < time < 0.1 else f"{time:g} s"


def _ringing(far: FarEnd) -> str:
    early = {183: " with early media", None: " unheard"}.get(far.progress, "")
    if math.isinf(far.rings):
        return f"rings{early} for ever"
    return f"rings{early} {seconds(far.rings)}, then {far.code} {far.phrase}".rstrip()


def _afterwards(far: FarEnd) -> Iterator[str]:
    if far.category != "human":
        yield f"a machine ({far.category})" if far.category.startswith("machine") else "nobody can tell who"
    if far.greeting:
        yield f"says “{far.greeting}”"
    yield from (_act(act) for act in far.acts)
    if far.hangs_up is not None:
        yield f"hangs up {seconds(far.hangs_up)} after the answer"
    if not far.rtp:
        yield "never makes a sound"
    if far.refer != ORDINARY:
        yield _transfer(far.refer)
    if not far.answers_bye:
        yield "does not answer our BYE"
    if far.ghost:
        yield "stays in the room after its own BYE"
    if far.bridge_dies is not None:
        yield f"its SIP node is gone {seconds(far.bridge_dies)} after the answer"


def _cancelled(far: FarEnd) -> Iterator[str]:
    if far.on_cancel == 200:
        yield "picks up just as it is cancelled"
    elif far.on_cancel is None:
        yield "does not answer our CANCEL" + ("" if far.late is None else f" and picks up {seconds(far.late)} later")
    elif far.on_cancel != 487:
        yield f"answers our CANCEL with {far.on_cancel} {phrase(far.on_cancel)}".rstrip()


def _act(act: Act) -> str:
    match act:
        case Wait():
            return f"waits {seconds(act.seconds)}"
        case Say():
            return f"says “{act.text}”"
        case Tone():
            return f"beeps {seconds(act.seconds)}"
        case Hear():
            return "listens"
        case Press():
            return f"presses {act.digits}"
        case StopRtp():
            return "falls silent for good"
        case HangUp():
            return "hangs up"


def _transfer(refer: Refer) -> str:
    if refer.status is None:
        said = "does not answer a transfer"
    elif refer.status != 202:
        said = f"answers a transfer with {refer.status} {phrase(refer.status)}"
    elif refer.notify is None:
        said = "never says what became of a transfer"
    elif refer.notify == "target":
        said = "transfers"
    else:
        said = f"says {refer.notify} {phrase(refer.notify)} of a transfer {seconds(refer.after)} later"
    return said if refer.bye_after is None else f"{said} and hangs up {seconds(refer.bye_after)} after it"
