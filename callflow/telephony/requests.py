"""What a SIP bridge is asked for, and what it does in a room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from attrs import field, frozen

from callflow.telephony.network import Say, Tone
from callflow.telephony.refusals import CLIENT_INITIATED

CallStatus = Literal["dialing", "ringing", "automation", "active", "hangup"]
"""The `sip.callStatus` of a leg."""


@frozen
class Entry:
    """A participant that is to be put in a room, of kind SIP."""

    room: str
    identity: str
    name: str
    metadata: str
    attributes: Mapping[str, str]


class Presence(Protocol):
    """A telephone's participant in a room, with a track. Where it is out already, each of these does nothing."""

    @property
    def sid(self) -> str: ...

    async def set_attributes(self, attributes: Mapping[str, str]) -> None:
        """Changes these of its attributes."""

    async def open(self) -> None:
        """The telephone is on the line: it hears the room from now on, and its sound reaches it."""

    async def sound(self, what: Say | Tone) -> None:
        """Makes this sound; returns when it is over."""

    async def hear(self, quiet: float) -> None:
        """Returns when somebody has spoken, and then been quiet for so long; unbounded."""

    async def press(self, digit: str) -> None:
        """A key: everybody in the room gets it."""

    async def silence(self) -> None:
        """Its network is gone: it makes no sound and hears nothing any more."""

    async def leave(self, reason: int) -> None:
        """Leaves, for this DisconnectReason."""

    async def vanish(self) -> None:
        """Is gone without leaving: the server has to notice by itself."""


# -- requests


@frozen
class Dial:
    """A CreateSIPParticipant request. `ringing_timeout` and `max_call_duration` are in seconds, None where not set."""

    to: str
    room: str
    trunk: str = ""
    identity: str = ""
    name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(factory=dict)
    ringing_timeout: float | None = None
    max_call_duration: float | None = None
    dtmf: str = ""
    wait: bool = False
    headers: Mapping[str, str] = field(factory=dict)
    trunk_number: str = ""
    display_name: str | None = None
    hide_phone_number: bool = False
    play_dialtone: bool = False
    krisp: bool = False
    media_encryption: str = ""


@frozen
class Transfer:
    """A TransferSIPParticipant request. `ringing_timeout` is in seconds, None where not set."""

    room: str
    identity: str
    to: str
    ringing_timeout: float | None = None
    headers: Mapping[str, str] = field(factory=dict)
    play_dialtone: bool = False


@frozen
class Dialled:
    """What the API answers to a dial."""

    participant_id: str
    identity: str
    room: str
    call_id: str


@frozen
class CallIn:
    """A telephone calls. `number` is its own, `to` the trunk's; `ringing_timeout` the trunk's."""

    room: str
    number: str = "+15550199"
    to: str = "+15550100"
    trunk: str = "ST_inbound"
    rule: str = "SDR_inbound"
    attributes: Mapping[str, str] = field(factory=dict)
    ringing_timeout: float | None = None


@frozen
class End:
    """What ended a leg, and why its participant leaves."""

    by: Literal["room", "telephone", "bridge", "death"]
    reason: int = CLIENT_INITIATED
    hangup: bool = False  # `sip.callStatus` says so
