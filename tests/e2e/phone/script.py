"""What a telephone does with a call: data, so that one scenario runs on every telephone network of these tests.

All times are in seconds. A script is about what goes over the wire, not about what LiveKit makes of it.
"""

from __future__ import annotations

import math
from typing import TypeAlias

from attrs import frozen


@frozen
class Wait:
    seconds: float


@frozen
class Say:
    """A tone; the next act begins when it is over."""

    hz: float
    seconds: float


@frozen
class Press:
    """One key after the other: RFC 4733 events of 0.1 s, 0.15 s apart. `digits` are of 0-9, *, #, A-D."""

    digits: str


@frozen
class StopRtp:
    """No packet is sent any more: its network is gone, and its telephone does not know."""


@frozen
class HangUp:
    """BYE."""


Act: TypeAlias = Wait | Say | Press | StopRtp | HangUp


@frozen
class Refer:
    """What it says to a REFER: a final status, or nothing where that is None; after a 202, how the referred call went, in
    a NOTIFY `after` seconds later (None: none comes). It hangs up `bye_after` seconds after the REFER, if at all."""

    status: int | None = 202
    notify: int | None = 200
    after: float = 0.3
    bye_after: float | None = None


@frozen
class Script:
    """What a telephone that is called does.

    It rings (180; with `early_media`: 183, and a tone of 425 Hz) `rings` seconds, and then answers with the final
    `status`; `math.inf`: it rings until it is cancelled. Once answered it sends RTP (silence where it says nothing),
    unless `rtp` is off, and does its `acts` one after the other, from the ACK on; then it stays on the line.
    """

    rings: float = 0.5
    status: int = 200
    early_media: bool = False
    rtp: bool = True
    acts: tuple[Act, ...] = ()
    refer: Refer = Refer()
    answers_bye: bool = True
    answers_on_cancel: bool = False  # its 200 and our CANCEL cross: it gets the CANCEL, and has just picked up


@frozen
class CallIn:
    """What a telephone does that calls: it gives up (CANCEL) after so many seconds of ringing; see `Script` for the rest."""

    gives_up: float = math.inf
    rtp: bool = True
    acts: tuple[Act, ...] = ()
    refer: Refer = Refer()
    answers_bye: bool = True


ANSWERS = Script()
RINGS_FOR_EVER = Script(rings=math.inf)


def refuses(status: int, *, rings: float = 0.3) -> Script:
    return Script(rings=rings, status=status)
