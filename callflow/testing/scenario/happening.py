"""What comes from outside, brought about where it comes from: in the room, at its server, in the session, by the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from attrs import define, field
from livekit import rtc
from livekit.agents import CloseReason

from callflow.core.events import DIGITS, KEYS, MAIN_LEG, PROGRAM
from callflow.errors import CallflowError
from callflow.livekit_bindings import livekit_internals
from callflow.runtime.call import Call
from callflow.scenario.call import Impossible
from callflow.scenario.model import Occurs
from callflow.testing.caller import Caller
from callflow.testing.play import Stage

_SIGNS = {name: sign for sign, name in KEYS.items()}

_REASONS: Mapping[str, rtc.DisconnectReason.ValueType] = {
    "caller": rtc.DisconnectReason.CLIENT_INITIATED,
    "network": rtc.DisconnectReason.CONNECTION_TIMEOUT,
    "operator": rtc.DisconnectReason.PARTICIPANT_REMOVED,
    "server": rtc.DisconnectReason.SERVER_SHUTDOWN,
}
"""LiveKit's reason of somebody's leaving, by who has ended it."""

_KINDS = {
    "standard": rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    "agent": rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
    "sip": rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    "ingress": rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS,
    "egress": rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS,
}

COMES, ALREADY = "comes by itself", "is so already"
"""What other things bring about, and is waited for; what LiveKit has found by itself, and told."""


@define(eq=False)
class Happening:
    """One call's surroundings. `guests` are those who are in the room beside the call's own parties, by identity."""

    stage: Stage
    far_end: Callable[[], Caller | None]
    comes_in: Callable[[], None]
    guests: dict[str, Caller] = field(factory=dict, init=False)

    def bring(self, act: Occurs) -> str | None:
        """Brings an event about. `COMES` where it is only to be waited for, `ALREADY` where nothing more is to be told. Raises
        Impossible."""
        family, _, what = act.name.partition(".")
        if family == "app":
            self._app(act)
            return None
        if family in ("call", "leg", "dtmf"):
            leg = MAIN_LEG
            if family == "leg":
                leg, _, what = what.partition(".")
            return self._of_a_leg(leg, act.name if family == "dtmf" else what, act.data)
        acts = _ACTS.get(act.name)
        if acts is None:
            raise Impossible(f"nobody brings {act.name} about in a room")
        return acts(self, act.data)

    def can_be_told(self, name: str) -> bool:
        """Whether whoever tells of this is there: the agent is in the room, and its session runs."""
        if name.startswith("room."):
            return self.stage.job.room.isconnected()
        return not name.startswith("session.") or livekit_internals.has_started(self._session)

    def press(self, keys: str, leg: str) -> None:
        self._party(leg).press(keys)

    # -- parties

    def _of_a_leg(self, leg: str, what: str, data: Mapping[str, Any]) -> str | None:
        key = what.removeprefix("dtmf.")
        if what.startswith("dtmf.") and key in DIGITS:
            self.press(_SIGNS.get(key, key), leg)
            return None
        if what == "hangup":
            return self._hangs_up(leg, str(data.get("by") or "caller"))
        if what in ("offered", "ringing"):
            if leg == MAIN_LEG:
                self.comes_in()
            return COMES
        if what == "answered":
            telephone = self.stage.telephones.legs.get(leg)
            if telephone is not None and not telephone.leg.call.inbound:
                telephone.leg.decide(200)
            elif leg == MAIN_LEG:
                self.comes_in()
            return COMES
        if what == "dropped":
            self._drop(self._party(leg))
            return None
        if what == "restored":
            self._party(leg).join()
            return None
        raise Impossible(f"nobody brings {what} of {leg} about in a room")

    def _party(self, leg: str) -> Caller:
        party = self.far_end() if leg == MAIN_LEG else self.stage.telephones.legs.get(leg) or self.guests.get(leg)
        if party is None:
            raise Impossible(f"nobody is on the leg {leg}")
        return party

    def _hangs_up(self, leg: str, by: str) -> str | None:
        party = self._party(leg)
        if by == "agent":
            return COMES
        if by == "caller":
            party.hang_up()
        else:
            party.leave(_REASONS.get(by, rtc.DisconnectReason.UNKNOWN_REASON))
        return None

    def _drop(self, party: Caller) -> None:
        """They are seen to be gone, for no reason that anybody knows."""
        state = self.stage.server.rooms.get(self.stage.room)
        party.vanish()
        if state is not None:
            self.stage.server.leave(state, party, rtc.DisconnectReason.UNKNOWN_REASON)

    # -- the program, the job, the session, the room

    def _app(self, act: Occurs) -> None:
        data = {name: value for name, value in act.data.items() if name != "sender"}
        try:
            self._call.receive(act.name, data, str(act.data.get("sender") or PROGRAM))
        except (CallflowError, ValueError) as error:
            raise Impossible(str(error)) from error

    @property
    def _call(self) -> Call:
        return self.stage.call

    def job_ends(self, data: Mapping[str, Any]) -> None:
        self.stage.job.request_shutdown(str(data.get("reason") or "parent process shutdown"))

    def session_closes(self, data: Mapping[str, Any]) -> None:
        given = str(data.get("reason") or CloseReason.ERROR.value)
        reason = next((one for one in CloseReason if one.value == given), CloseReason.ERROR)
        self._session._close_soon(reason=reason)  # noqa: SLF001 - as LiveKit's session does when a model has failed for good

    @property
    def _session(self) -> Any:
        return self.stage.session

    def user_speaks(self, data: Mapping[str, Any]) -> str | None:
        state = data.get("new_state", "speaking")
        if self._session.user_state == state:
            return ALREADY
        self._session._update_user_state(state)  # noqa: SLF001 - as LiveKit does when it hears them
        return None

    def room_ends(self, data: Mapping[str, Any]) -> None:
        name = str(data.get("reason") or "UNKNOWN_REASON")
        names = rtc.DisconnectReason.keys()
        reason = rtc.DisconnectReason.Value(name if name in names else "UNKNOWN_REASON")
        self.stage.job.room.dropped(cast(Any, reason))

    def loses_network(self, _data: Mapping[str, Any]) -> None:
        self.stage.job.room.lose_network()

    def finds_network(self, _data: Mapping[str, Any]) -> None:
        self.stage.job.room.find_network()

    def somebody_joins(self, data: Mapping[str, Any]) -> None:
        identity = str(data.get("identity") or "guest")
        kind = _KINDS.get(str(data.get("kind") or "standard"), _KINDS["standard"])
        guest = Caller(
            self.stage.server, self.stage.room, identity, kind=kind, attributes=dict(data.get("attributes") or {})
        )
        self.guests[identity] = guest
        guest.join()

    def somebody_leaves(self, data: Mapping[str, Any]) -> None:
        identity, far_end = str(data.get("identity") or "guest"), self.far_end()
        guest = self.guests.get(identity)
        if guest is None and far_end is not None and far_end.identity == identity:
            guest = far_end
        if guest is None or not guest.on_line:
            raise Impossible(f"{identity} is not in the room")
        guest.hang_up()


_ACTS: Mapping[str, Callable[[Happening, Mapping[str, Any]], str | None]] = {
    "job.shutdown": Happening.job_ends,
    "session.close": Happening.session_closes,
    "session.user_state_changed": Happening.user_speaks,
    "room.disconnected": Happening.room_ends,
    "room.reconnecting": Happening.loses_network,
    "room.reconnected": Happening.finds_network,
    "room.participant_connected": Happening.somebody_joins,
    "room.participant_disconnected": Happening.somebody_leaves,
}


def is_brought(name: str) -> bool:
    """Whether this event can be brought about in a room."""
    family, _, what = name.partition(".")
    if family in ("app", "tool", "dtmf"):
        return True
    if family in ("call", "leg"):
        return what.rpartition(".")[2] in _OF_LEGS or "dtmf." in what
    return name in _ACTS


_OF_LEGS = ("hangup", "offered", "ringing", "answered", "dropped", "restored")
