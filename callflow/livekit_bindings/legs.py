"""A leg: one party's connection, and what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from attrs import define, field

Status = Literal["absent", "ringing", "on_line", "dropped", "gone", "down"]
"""down: the room itself is gone, or the flow has dropped it."""

Asked = Literal["", "leave", "transfer"]
"""What we ourselves have asked of a leg, which LiveKit's reasons do not tell: to leave, or to be handed over."""


@define(eq=False)
class Leg:
    """One party's connection. It is told by its `identity` and `sid`, never by its name: the dead leg of a refused dial
    is seen for 2 s more, beside its successor of the same name.

    `dialled`: one of ours calls it. `dialling`: and that dial is not over yet. Times are on the loop's clock.
    """

    name: str
    identity: str
    status: Status = "absent"
    sid: str = ""
    kind: str = ""
    dialled: bool = False
    dialling: bool = False
    asked: Asked = ""
    sip_status: str = ""
    """The last `sip.callStatus`: dialing, ringing, automation, active, hangup."""
    rang: bool = False
    answered_late: bool = False  # after it was asked to leave
    since: float = 0.0  # when it was dialled, or was first seen
    answered_at: float | None = None
    limit: float | None = None  # the bridge's own limit, in seconds from the dial
    reason: int | None = None  # LiveKit's, when it left
    fields: Mapping[str, Any] = field(factory=dict)
    """What its `answered` event says: number, trunk, attributes …"""
    dropped_at: float = 0.0
    hung_up: bool = False  # it is over, and was told to be
    lost: bool = False  # its connection has broken, and it has not come back
    timer: asyncio.TimerHandle | None = None  # what becomes of it if it does not come back
    untold: Mapping[str, Any] | None = None  # its hangup, until its dial is over

    @property
    def is_telephone(self) -> bool:
        return self.kind == "sip"

    @property
    def was_answered(self) -> bool:
        return self.answered_at is not None

    @property
    def on_line(self) -> bool:
        return self.status in ("on_line", "dropped")

    @property
    def over(self) -> bool:
        return self.status in ("gone", "down")

    def stop(self) -> None:
        """Nothing becomes of it by itself any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def leg_fields(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of `call.answered` and its like, from a participant's fields."""
    attributes = fields["attributes"]
    return {
        "leg": name,
        "identity": fields["identity"],
        "sid": fields["sid"],
        "kind": fields["kind"],
        "name": fields["name"],
        "number": attributes.get("sip.phoneNumber"),
        "trunk": attributes.get("sip.trunkID"),
        "trunk_number": attributes.get("sip.trunkPhoneNumber"),
        "sip_call_id": attributes.get("sip.callID"),
        "attributes": attributes,
    }
