"""The script of a telephone network: which telephones there are, and what each of them does with a call.

It is data, and says what goes over the wire. What LiveKit makes of it is the business of a SIP bridge
(`callflow.telephony.bridge`), which knows nothing of the transport either: the same scripts run on a simulated server in
virtual time and beside a real one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

from attrs import define, field, frozen

Category = Literal["human", "machine-ivr", "machine-vm", "machine-unavailable", "uncertain"]
Reach = Literal["telephone", "nobody", "refused", "unknown", "no_codec"]
Service = Literal["works", "absent", "exhausted", "fails", "hangs"]

REACHED = 0.3
"""Seconds from the INVITE until the far telephone rings (180 Ringing)."""


# -- what it does once it is on the line, one act after the other


def _a_time(_act: object, attribute: Any, value: float) -> None:
    if not 0 <= value <= math.inf:
        raise ValueError(f"{attribute.name} is a time in seconds, not {value!r}")


@frozen
class Wait:
    seconds: float = field(validator=_a_time)


@frozen
class Say:
    """Words; the next act begins when they have been said."""

    text: str


@frozen
class Tone:
    """A beep; the next act begins when it is over."""

    hz: float = 1000.0
    seconds: float = 0.5


@frozen
class Hear:
    """Listens until somebody has spoken and been quiet for `quiet` seconds, `within` seconds at most."""

    quiet: float = field(default=0.8, validator=_a_time)
    within: float = field(default=15.0, validator=_a_time)


@frozen
class Press:
    """Keys of 0-9, *, #, a-d, one after the other. Raises ValueError for any other."""

    digits: str = field()

    @digits.validator
    def _check(self, _attribute: object, value: str) -> None:
        if not value or not set(value.lower()) <= set(KEYS):
            raise ValueError(f"keys are {KEYS}, not {value!r}")


@frozen
class StopRtp:
    """No packet is sent any more: its network is gone, and its telephone does not know."""


@frozen
class HangUp:
    """BYE."""


Act: TypeAlias = Wait | Say | Tone | Hear | Press | StopRtp | HangUp

KEYS = "0123456789*#abcd"
"""Of a telephone; a key's code is its place."""


# -- one telephone


@frozen
class Refer:
    """What it says to a REFER (a transfer).

    `status` is its response, None: none ever. After a 202 it tells in a NOTIFY what became of the call to the target:
    the code `notify`, `after` seconds later; "target": what the target's own script says, when it says it; None: it
    never tells. `bye_after` seconds after the REFER it hangs up, if at all.
    """

    status: int | None = 202
    notify: int | Literal["target"] | None = "target"
    after: float = 0.3
    bye_after: float | None = None


@frozen
class FarEnd:
    """One telephone, and what becomes of a call to it, or of its own call to us. All times are in seconds.

    The call: the telephone is `reached` after that time, and says `progress` (180 to 183; None: nothing but 100); its
    final response is `code` with the words `status` (SIP's own unless set), `rings` seconds after the INVITE; with
    `math.inf` it rings until the dialler gives up. `reach` is what stands in the way of the call: `nobody` answers at
    all, its connection is `refused`, its host is `unknown`, there is `no_codec` in common. Calling us, it gives up after
    `gives_up` seconds of ringing.

    Once on the line it does its `acts`, and hangs up `hangs_up` seconds after the answer, whatever it does then. Without
    `rtp` it never sends a packet. `refer` is what it makes of a transfer. `answers_bye=False`: our BYE gets no answer.
    `ghost`: after its own BYE its participant stays in the room, as happens now and then.

    While we cancel: `on_cancel` is its final response to the INVITE once it has the CANCEL; 200: it has just picked up;
    None: it does not answer the CANCEL, and picks up `late` seconds after it, if at all.

    Who answers is a `category` of LiveKit's answering machine detection. It says its `greeting` `greets_after` seconds
    after the answer (None: what its kind says; empty: nothing), on a stage only to a flow that wants to know who it is.

    What may be wrong with the SIP service: `absent` (no node answers), `exhausted` (its processors), `fails` (500),
    `hangs`. `bridge_dies` seconds after the answer the node is gone.
    """

    rings: float = 4.0
    code: int = 200
    status: str = ""
    reached: float = REACHED
    progress: int | None = 180
    reach: Reach = "telephone"
    gives_up: float = math.inf

    acts: tuple[Act, ...] = field(default=())
    hangs_up: float | None = None
    rtp: bool = True
    refer: Refer = Refer()
    answers_bye: bool = True
    ghost: bool = False

    on_cancel: int | None = 487
    late: float | None = None

    category: Category = "human"
    greeting: str | None = None
    greets_after: float = 0.4

    service: Service = "works"
    bridge_dies: float | None = None

    @acts.validator
    def _check(self, _attribute: object, acts: tuple[Act, ...]) -> None:
        for act in acts:
            if not isinstance(act, Act):
                raise TypeError(
                    f"{act!r} is nothing that a telephone does: Wait, Say, Tone, Hear, Press, StopRtp or HangUp"
                )

    @property
    def answers(self) -> bool:
        return self.code < 300

    @property
    def first_words(self) -> str:
        """What it says when it has picked up."""
        return GREETINGS[self.category] if self.greeting is None else self.greeting

    @property
    def phrase(self) -> str:
        """The words of its final response."""
        return self.status or phrase(self.code)


GREETINGS: Mapping[Category, str] = {
    "human": "Hello?",
    "machine-ivr": "For sales press one, for support press two.",
    "machine-vm": "You have reached my voicemail, please leave a message after the tone.",
    "machine-unavailable": "The mailbox is full.",
    "uncertain": "",
}
"""What picks up says, by what it is."""

FAR_ENDS: Mapping[str, FarEnd] = {
    "answers": FarEnd(),
    "busy": FarEnd(0.5, 486),
    "no_answer": FarEnd(math.inf),
    "declines": FarEnd(3.0, 603),
    "invalid": FarEnd(0.2, 404),
    "unavailable": FarEnd(0.5, 480),
    "fails": FarEnd(0.2, 503),
    "unreachable": FarEnd(reach="nobody"),
    "voicemail": FarEnd(18.0, category="machine-vm"),
    "mailbox_full": FarEnd(18.0, category="machine-unavailable"),
    "menu": FarEnd(2.0, category="machine-ivr"),
    "screening": FarEnd(
        2.0,
        category="machine-ivr",
        greeting="Please say your name and why you are calling.",
        acts=(Hear(), Wait(3.0), Say("Thank you, I will put you through."), Wait(1.0), Say("Hello?")),
    ),
    "screens_out": FarEnd(
        2.0,
        category="machine-ivr",
        greeting="Please say your name and why you are calling.",
        acts=(Hear(), Wait(3.0), Say("They cannot take your call."), HangUp()),
    ),
    "hangs_up_at_once": FarEnd(hangs_up=0.02),
    "no_sound": FarEnd(rtp=False),
    "sound_stops": FarEnd(acts=(Wait(5.0), StopRtp())),
    "deaf_to_bye": FarEnd(answers_bye=False),
    "refuses_transfer": FarEnd(refer=Refer(603)),
    "silent_on_transfer": FarEnd(refer=Refer(None)),
    "crosses_cancel": FarEnd(math.inf, on_cancel=200),
    "early_media": FarEnd(3.0, 486, progress=183),
    "service_absent": FarEnd(service="absent"),
    "service_exhausted": FarEnd(service="exhausted"),
    "bridge_dies": FarEnd(bridge_dies=5.0),
}
"""Telephones to call, by what they do."""


# -- the network


@frozen
class Signal:
    """A SIP message between the bridge and a telephone: a request's method or a response's code ("486"); `at` is on the
    event loop's clock. `about`: the method that a response answers, the target of a REFER."""

    at: float
    message: str
    by_telephone: bool
    about: str = ""


@define(eq=False)
class PhoneCall:
    """One call, as the telephone saw it: the SIP messages, and the keys that came to it with their times. `request` is
    the bridge's, where the call is one of its own (`callflow.telephony.bridge.Dial`); `transfers` are those to transfer it
    (`callflow.telephony.bridge.Transfer`)."""

    number: str
    far_end: FarEnd
    request: Any = None
    transfers: list[Any] = field(factory=list)
    signals: list[Signal] = field(factory=list)
    keys: list[tuple[float, str]] = field(factory=list)
    inbound: bool = False

    def got(self, message: str) -> list[Signal]:
        """What the bridge sent it: "INVITE", "CANCEL", "ACK", "BYE", "REFER", or a code."""
        return [signal for signal in self.signals if signal.message == message and not signal.by_telephone]

    def sent(self, message: str) -> list[Signal]:
        """What it sent to the bridge."""
        return [signal for signal in self.signals if signal.message == message and signal.by_telephone]

    @property
    def digits(self) -> str:
        return "".join(digit for _, digit in self.keys)

    @property
    def messages(self) -> list[str]:
        """All of it in order: "INVITE" came, "> 486" was sent."""
        return [f"> {signal.message}" if signal.by_telephone else signal.message for signal in self.signals]


@define(eq=False)
class PhoneNetwork:
    """Numbers and the telephones behind them; `otherwise` is behind every other number.

    A sequence of far ends is one telephone, whose nth call meets the nth of them, and further ones the last. `trunks`
    are the outbound trunks that there are, any unless set. `calls` are those that reached a telephone, in order.
    """

    numbers: Mapping[str, FarEnd | Sequence[FarEnd]] = field(factory=dict)
    otherwise: FarEnd = FAR_ENDS["invalid"]
    trunks: frozenset[str] | None = None
    calls: list[PhoneCall] = field(factory=list, init=False)
    _met: dict[str, int] = field(factory=dict, init=False)

    @property
    def dialled(self) -> list[str]:
        """The numbers that were called, in order."""
        return [call.number for call in self.calls if not call.inbound]

    def far_end(self, number: str) -> FarEnd:
        """Who is at this number, for the next call to it."""
        found = self.numbers.get(number, self.otherwise)
        if isinstance(found, FarEnd):
            return found
        return found[min(self._met.get(number, 0), len(found) - 1)]

    def meet(self, number: str) -> FarEnd:
        """The next call to this number is made: whom it meets."""
        far = self.far_end(number)
        self._met[number] = self._met.get(number, 0) + 1
        return far

    def call_of(self, number: str) -> PhoneCall:
        """The last call to or from this number. Raises LookupError when there was none."""
        for call in reversed(self.calls):
            if call.number == number:
                return call
        raise LookupError(f"there was no call to {number}")


_PHRASES: Mapping[int, str] = {
    302: "Moved Temporarily",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    503: "Service Unavailable",
    504: "Server Time-out",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}


def phrase(code: int) -> str:
    """SIP's words for a code; those that it shares with HTTP are HTTP's."""
    if code in _PHRASES:
        return _PHRASES[code]
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return ""
