"""The catalogue of events, and the three kinds of input that a call's step takes.

One entry here is all that an event needs: the loader checks patterns and payload fields against it, the JSON Schema
and the reference are generated from it, the bindings fill its payload, and `keep` says what a state that must finish
does with it. Names of `session.*` and `room.*` are LiveKit's own (livekit-agents `voice/events.py`, livekit
`rtc/room.py`); `call.*`, `dial.*` … are callflow's normalised layer on top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from attrs import field, frozen

from callflow.core.expressions import ANY, BOOLEAN, DURATION, INTEGER, TEXT, ListOf, OneOf, Record, Type
from callflow.core.occurs import Occurs, occurs

Keep = Literal["all", "latest", "never"]
"""What a state that must finish does with an event that nobody takes meanwhile: all of them return in their order, the
latest of this name only, or none (speech and metrics, which nobody could act on later)."""

Flooded = Literal["keep", "latest", "drop"]
"""What becomes of an event that comes while a call's inbox is full, where no row of the flow takes it: it is kept all the
same, only the newest of its name is, or it is let go. What a row takes is always kept."""

MAIN_LEG = "far_end"

PROGRAM, AGENTS, ANYONE = "program", "agents", "anyone"
SENDERS = (PROGRAM, AGENTS, ANYONE)
"""Who may send an event of the author's own, beside a leg by its name: the embedding program (`call.send`), the other
agents in the room, whoever is in it."""

NO_DATA: Mapping[Any, Any] = {}


class Event(NamedTuple):
    """Something that happened: a fact from outside, or one that the step itself raised (`done`, `failed`, `app.*`).

    `time` is in seconds since the epoch. `effect` is the effect that the event is the end of (`dial.answered`), or the
    speech in which the model called the tool. `state` is the state that it is for: `done` is seen by that one alone,
    `failed` by it and outward. `id` tells a tool's call, so that the tool can return when its event has been taken;
    `offered_in` holds the active leaf states when the model was offered that tool, None where that is now.
    """

    name: str
    data: Mapping[str, Any] = NO_DATA
    time: float = 0.0
    effect: int | None = None
    state: str | None = None
    id: str | None = None
    offered_in: tuple[str, ...] | None = None


class Queued(NamedTuple):
    """An event that the step itself raised. `list` waits until it is taken; `result` says that it is a verb's named
    result, so that one other than success that nobody takes becomes a failure. Of one that is not `heard` nothing follows
    but that it counts (rule 3)."""

    event: Event
    list: int | None = None
    result: bool = False
    heard: bool = True


class EffectEnded(NamedTuple):
    """An effect's end. `result` holds a verb's result fields; `error` says why it failed, in a sentence."""

    id: int
    status: Literal["ok", "failed", "timed_out", "cancelled"]
    result: Mapping[str, Any] = NO_DATA
    error: str | None = None
    time: float = 0.0


class TimerFired(NamedTuple):
    """A timer of the snapshot has come due. One whose `generation` is no longer live is stale, and changes nothing."""

    generation: int
    time: float = 0.0


Input = Event | EffectEnded | TimerFired


PUBLIC = frozenset({
    "sid", "kind", "track_sid", "track_kind", "disconnect_reason", "reason", "state", "quality", "old_state", "new_state",
    "leg", "by", "cause", "trunk", "trunk_number", "sip_call_id", "sip_status_code", "sip_status", "category", "tries", "error",
    "language", "role", "item_id", "source", "speech_id", "type", "label", "usage", "names", "update", "action", "origin", "final",
})  # fmt: skip
"""Fields of payloads that say nothing of a person, in whatever event: states, reasons, ids that LiveKit makes up. In those that
are text, known private values are looked for. All other fields are private, also those that a later LiveKit brings."""

_PUBLIC_THERE = frozenset({("session.tool_execution_updated", "name")})  # a tool's

UNSEARCHABLE = frozenset({"transcript", "text", "message", "track_name", "topic", "speaker_id"})
"""Private fields that hold words, too common to be looked for elsewhere ("yes", "microphone"): what is made of one is hidden as
a whole."""


def _is_public(event: str, name: str, kind: Type) -> bool:
    """A field of one of a few words, of true or false, or a length of time, tells nothing of anybody."""
    closed = isinstance(kind, OneOf) or kind in (BOOLEAN, DURATION)
    return closed or name in PUBLIC or (event, name) in _PUBLIC_THERE


@frozen(eq=False, repr=False)
class EventType:
    """One event of the catalogue: its payload's fields, when it can happen, what becomes of it in a state that must finish, and
    in a flood."""

    name: str
    description: str
    fields: Mapping[str, Type] = field(factory=dict)
    keep: Keep = "all"
    flooded: Flooded = "keep"
    pii: frozenset[str] = field(init=False)

    @pii.default
    def _private(self) -> frozenset[str]:
        return frozenset(name for name, kind in self.fields.items() if not _is_public(self.name, name, kind))

    @property
    def occurs(self) -> tuple[Occurs, ...]:
        """When it can happen: the first of these ways that fits is taken."""
        return occurs(self.name)

    def private_in(self, data: Mapping[str, Any]) -> frozenset[str]:
        """The private fields of a payload: also those that the catalogue does not know."""
        return frozenset(name for name in data if name in self.pii or name not in self.fields)

    @property
    def record(self) -> Record:
        return Record(self.fields)


def _family(prefix: str, keep: Keep, rows: Mapping[str, tuple[str, dict[str, Type]]]) -> Iterator[EventType]:
    for name, (description, fields) in rows.items():
        full = f"{prefix}.{name}"
        yield EventType(full, description, fields, keep, flooded(full))


OUT_OF_REACH = "OUT_OF_REACH"
"""The reason of a `room.disconnected` that LiveKit has not said: the agent's own connection did not come back in time.
The far end may be on the line still, in silence."""

ROOM_IS_GONE = frozenset({"ROOM_DELETED", "ROOM_CLOSED", ""})
"""The reasons of a `room.disconnected` after which nobody is left in the room. After any other it is the agent that is out
of it: its server has died, or somebody has removed it, and the far end may be on the line still, in silence."""

DIGITS = (*"0123456789abcd", "star", "pound")

KEYS = {"*": "star", "#": "pound"}
"""Keys whose names in a flow are not what stands on them."""

_LET_GO = frozenset({
    "session.metrics_collected", "session.debug_message", "session.speech_created", "session.overlapping_speech",
    "session.agent_false_interruption", "session.user_transcription_timeout", "session.conversation_item_added",
    "session.tool_execution_updated", "session.function_tools_executed", "room.data_received",
    "room.transcription_received", "room.sip_dtmf_received",
})  # fmt: skip
"""Of what these say nothing is left that matters to a flow that does not listen."""

_MUST_BE_KEPT = frozenset({
    "session.error", "session.close", "room.disconnected", "room.reconnecting", "room.reconnected",
    "room.participant_connected", "room.participant_disconnected",
})  # fmt: skip


def flooded(name: str) -> Flooded:
    """What becomes of this event in a flood: who decides over the call is kept, of what is so now the newest."""
    if name in _LET_GO:
        return "drop"
    if name.startswith(("session.", "room.")) and name not in _MUST_BE_KEPT:
        return "latest"
    digit = name.rpartition("dtmf.")[2] if "dtmf." in name else ""  # also `leg.human.dtmf.1`
    return "latest" if digit in DIGITS else "keep"


_PARTICIPANT: dict[str, Type] = {
    "identity": TEXT,
    "sid": TEXT,
    "kind": TEXT,
    "name": TEXT,
    "attributes": Record({}, open=True),
}
_PUBLICATION: dict[str, Type] = {"identity": TEXT, "track_sid": TEXT, "track_name": TEXT, "track_kind": TEXT}
_MICROPHONE: dict[str, Type] = {**_PUBLICATION, "leg": TEXT, "muted": BOOLEAN}
_REASON: dict[str, Type] = {"reason": TEXT}
_LEG: dict[str, Type] = {
    "leg": TEXT,
    "identity": TEXT,
    "sid": TEXT,
    "kind": TEXT,
    "name": TEXT,
    "number": TEXT,
    "trunk": TEXT,
    "trunk_number": TEXT,
    "sip_call_id": TEXT,
    "attributes": Record({}, open=True),
}
_BY = OneOf("caller", "agent", "operator", "network", "server", "unknown")
_HANGUP: dict[str, Type] = {
    "leg": TEXT,
    "identity": TEXT,
    "by": _BY,
    "cause": TEXT,
    "disconnect_reason": TEXT,
    "sip_status_code": INTEGER,
}
_OUTCOMES_OF_DIAL = {
    "answered": "The far end has picked up.",
    "busy": "The line is busy.",
    "no_answer": "It rang and nobody answered.",
    "declined": "The far end refused the call.",
    "invalid": "There is no such number.",
    "failed": "The call could not be placed: the trunk, the network, the server.",
}
_AMD_CATEGORIES = {
    "human": "A person has answered.",
    "machine-ivr": "A menu has answered.",
    "machine-vm": "A voicemail has answered, and its greeting is over.",
    "machine-unavailable": "A machine says that the number cannot be reached.",
    "uncertain": "Nobody can tell; with the error if the detector failed.",
}
_DIAL: dict[str, Type] = {
    "result": OneOf(*_OUTCOMES_OF_DIAL),
    "leg": TEXT,
    "sip_status_code": INTEGER,
    "sip_status": TEXT,
    "cause": TEXT,
    "elapsed": DURATION,
    "error": TEXT,
}
_AMD: dict[str, Type] = {
    "category": OneOf(*_AMD_CATEGORIES),
    "reason": TEXT,
    "transcript": TEXT,
    "delay": DURATION,
    "error": TEXT,
}
_DTMF: dict[str, Type] = {"digit": TEXT, "leg": TEXT, "code": INTEGER}
ENDED_BY = OneOf("count", "terminator", "time")
_DTMF_RESULT: dict[str, Type] = {"digits": TEXT, "tries": INTEGER, "ended_by": ENDED_BY, "error": TEXT}
_TRANSFER: dict[str, Type] = {
    "leg": TEXT,
    "to": TEXT,
    "sip_status_code": INTEGER,
    "sip_status": TEXT,
    "cause": TEXT,
    "elapsed": DURATION,
    "error": TEXT,
}

# As livekit-agents has them (voice/events.py).
_USER_STATE = OneOf("speaking", "listening", "away")
_AGENT_STATE = OneOf("initializing", "idle", "listening", "thinking", "speaking")

# Speech and metrics are of no use later, so a state that must finish lets them go.
_SESSION_SPEECH: dict[str, tuple[str, dict[str, Type]]] = {
    "user_state_changed": (
        "The caller begins or stops to speak, or has been away.",
        {"old_state": _USER_STATE, "new_state": _USER_STATE},
    ),
    "agent_state_changed": (
        "The agent thinks, speaks, listens.",
        {"old_state": _AGENT_STATE, "new_state": _AGENT_STATE},
    ),
    "user_input_transcribed": (
        "What the caller says, while they say it (`is_final` false) and when it stands.",
        {"transcript": TEXT, "is_final": BOOLEAN, "language": TEXT, "speaker_id": TEXT},
    ),
    "user_transcription_timeout": ("Speech was heard and no transcript came.", {}),
    "conversation_item_added": (
        "A message has joined the conversation's history.",
        {"role": TEXT, "text": TEXT, "interrupted": BOOLEAN, "item_id": TEXT},
    ),
    "agent_false_interruption": ("The agent was interrupted by what was no speech.", {"resumed": BOOLEAN}),
    "overlapping_speech": ("Both spoke at once.", {"is_interruption": BOOLEAN}),
    "speech_created": ("A speech has been scheduled.", {"user_initiated": BOOLEAN, "source": TEXT, "speech_id": TEXT}),
    "metrics_collected": ("A model's measurements (deprecated by LiveKit).", {"type": TEXT, "label": TEXT}),
    "session_usage_updated": ("What the models have used so far.", {"usage": ANY}),
    "debug_message": ("LiveKit's own debugging.", {"message": TEXT}),
}
_SESSION_FACTS: dict[str, tuple[str, dict[str, Type]]] = {
    "function_tools_executed": ("The model's tools have run.", {"names": ListOf(TEXT)}),
    "tool_execution_updated": ("A tool reports on its way.", {"name": TEXT, "update": TEXT}),
    "error": ("A model or the session has failed.", {"error": TEXT, "source": TEXT, "recoverable": BOOLEAN}),
    "close": (
        "The session has closed, and not because the flow asked for it.",
        {"reason": TEXT, "error": TEXT, "by": TEXT},
    ),
}
_ROOM: dict[str, tuple[str, dict[str, Type]]] = {
    "participant_connected": ("A participant has joined.", _PARTICIPANT),
    "participant_disconnected": ("A participant has left.", {**_PARTICIPANT, "disconnect_reason": TEXT}),
    "participant_active": ("A participant can be heard and hear.", _PARTICIPANT),
    "participant_metadata_changed": ("", {**_PARTICIPANT, "old_metadata": TEXT, "metadata": TEXT}),
    "participant_name_changed": ("", {**_PARTICIPANT, "old_name": TEXT}),
    "participant_attributes_changed": ("", {**_PARTICIPANT, "changed": Record({}, open=True)}),
    "participant_permissions_changed": ("", _PARTICIPANT),
    "local_track_published": ("", _PUBLICATION),
    "local_track_unpublished": ("", _PUBLICATION),
    "local_track_subscribed": ("Somebody hears the agent.", _PUBLICATION),
    "track_published": ("", _PUBLICATION),
    "track_unpublished": ("", _PUBLICATION),
    "track_subscribed": ("", _PUBLICATION),
    "track_unsubscribed": ("", _PUBLICATION),
    "track_subscription_failed": ("", {"identity": TEXT, "track_sid": TEXT, "error": TEXT}),
    "track_muted": (
        "A track is muted, by its participant or as it comes. `leg` is theirs; `muted`: all their microphones are. No `silence` counts while the far end's are.",
        _MICROPHONE,
    ),
    "track_unmuted": ("A track is not muted any more; `leg` and `muted` as with `room.track_muted`.", _MICROPHONE),
    "active_speakers_changed": (
        "LiveKit's own event of this name. `legs` are those of them whom the session does not hear: they break a silence.",
        {"identities": ListOf(TEXT), "legs": ListOf(TEXT)},
    ),
    "room_metadata_changed": ("", {"old_metadata": TEXT, "metadata": TEXT}),
    "connection_quality_changed": ("", {"identity": TEXT, "quality": TEXT}),
    "data_received": (
        "A data packet that is not one of callflow's own.",
        {"topic": TEXT, "identity": TEXT, "text": TEXT},
    ),
    "sip_dtmf_received": (
        "A key, as LiveKit reports it; `dtmf.<digit>` is easier to use.",
        {"identity": TEXT, "code": INTEGER, "digit": TEXT},
    ),
    "transcription_received": ("", {"identity": TEXT, "text": TEXT}),
    "connection_state_changed": ("", {"state": TEXT}),
    "connected": ("", {}),
    "disconnected": (
        "The agent's own connection is gone for good, and not because the flow asked for it; with the reason `OUT_OF_REACH`: it has been away for `limits.reconnecting`.",
        _REASON,
    ),
    "reconnecting": ("The agent's own network is in trouble. Noticed some 15 s after it is gone.", {}),
    "reconnected": ("It is back.", {}),
    "moved": ("The agent was moved to another room.", {"room": TEXT}),
    "token_refreshed": ("", {}),
}
_CALL = {
    "offered": ("With `answer: manual`: an inbound call rings here.", _LEG),
    "ringing": ("The far end's phone rings.", _LEG),
    "answered": ("The far end is on the line (WebRTC: it has joined).", _LEG),
    "hangup": (
        "The far end has left, having been on the line, or having given up while it rang here: who, and why.",
        _HANGUP,
    ),
    "dropped": (
        "The far end vanished without having left: its network, a takeover, a server's restart.",
        {"leg": TEXT, "identity": TEXT},
    ),
    "restored": ("It is back within `reconnect_grace`.", {"leg": TEXT, "identity": TEXT, "away": DURATION}),
}


def _catalogue() -> Iterator[EventType]:
    yield from _family("session", "never", _SESSION_SPEECH)
    yield from _family("session", "all", _SESSION_FACTS)
    yield from _family("room", "latest", _ROOM)
    yield EventType("job.shutdown", "The job is told to end.", {"reason": TEXT}, "latest")
    yield from _family("call", "latest", _CALL)
    yield from _family("dial", "all", {name: (text, _DIAL) for name, text in _OUTCOMES_OF_DIAL.items()})
    yield from _family("amd", "all", {name: (text, _AMD) for name, text in _AMD_CATEGORIES.items()})
    keys = {digit: (f"The key {digit}.", _DTMF) for digit in DIGITS}
    yield from _family("dtmf", "all", keys)
    collected = {
        "input": ("`collect_digits` has its digits.", _DTMF_RESULT),
        "no_input": ("No key came, or the collection failed (`error`).", _DTMF_RESULT),
        "no_match": ("Keys came, but not what was asked for.", _DTMF_RESULT),
    }
    yield from _family("dtmf", "all", collected)
    handed: dict[str, Type] = {"result": OneOf("completed", "failed"), **_TRANSFER}
    yield from _family(
        "transfer",
        "all",
        {
            "completed": ("The far end was handed over, and has left.", handed),
            "failed": ("It was not. It is still here, unless `cause` says that it has hung up.", handed),
        },
    )
    consult = {
        "accepted": "The human has taken the call; the two hear each other.",
        "declined": "The human does not want it, is busy or has hung up.",
        "no_answer": "Nobody picked up, or nobody decided in time.",
        "failed": "The second leg could not be placed, or the far end has gone.",
    }
    yield from _family(
        "consult",
        "all",
        {name: (text, {"result": OneOf(*consult), **_TRANSFER}) for name, text in consult.items()},
    )
    yield EventType("task.completed", "The AgentTask of this state has its result.", {"result": ANY})
    yield EventType("task.failed", "The AgentTask of this state has failed.", {"error": TEXT})
    yield EventType(
        "done",
        "This state has finished: its entry actions are through, and its inside, if it has one, has reached a final state.",
        {"final": TEXT, "returns": Record({}, open=True)},
    )
    yield EventType(
        "failed",
        "One of this state's actions failed or ran out of time.",
        {"action": TEXT, "error": TEXT, "timeout": BOOLEAN, "origin": TEXT},
    )


EVENTS: Mapping[str, EventType] = {entry.name: entry for entry in _catalogue()}
"""Every event that has a name of its own, by name."""

LEG_EVENTS: Mapping[str, EventType] = {
    name.partition(".")[2] if name.startswith("call.") else name: EVENTS[name]
    for name in EVENTS
    if name.startswith("call.") or (name.startswith("dtmf.") and name.partition(".")[2] in DIGITS)
}
"""What may follow `leg.<name>.`: hangup, answered, dtmf.1 …"""

OPEN_FAMILIES: Mapping[str, str] = {
    "tool": "The model called this tool, one of the flow's or one of the agent's own; the payload is its arguments, for a tool with `run` also its `result`. A parameter called `name` or `time` is read in place of the event's own.",
    "app": "Sent by the program (`call.send`), by `emit`, or by those in the room whom `senders:` names; the payload is declared under `events:`, and `sender` says who has sent it.",
    "leg": "What a leg other than the main one does: `leg.<name>.hangup`, `leg.<name>.dtmf.1`.",
}
"""Families whose names come from the flow itself."""

CALL_FIELDS: Mapping[str, tuple[Type, str]] = {
    "id": (TEXT, "The call's id, unique."),
    "direction": (OneOf("inbound", "outbound"), "inbound or outbound."),
    "outcome": (TEXT, "The outcome so far; `none` or `failed` where nothing has named one."),
    "elapsed": (DURATION, "How long the call has lasted."),
    "answered": (BOOLEAN, "Whether the far end has been on the line."),
    "room": (TEXT, "The LiveKit room's name."),
    "room_sid": (TEXT, "LiveKit's own id of that room, which no other room ever has."),
    "job": (TEXT, "The LiveKit job's id."),
    "worker_id": (TEXT, "The id of the worker whose job it is."),
    "dispatch_id": (TEXT, "The id of the dispatch that brought the agent here."),
    "agent_name": (TEXT, "The name that the agent was dispatched by."),
    "agent_identity": (TEXT, "The identity of the agent's own participant."),
    "deployment": (TEXT, "The deployment of the agent, on LiveKit Cloud."),
    "enable_recording": (BOOLEAN, "Whether LiveKit records this session, as its dispatch says."),
    "enable_redaction": (BOOLEAN, "Whether LiveKit redacts what it records."),
    "job_attributes": (Record({}, open=True), "The attributes of the job's dispatch."),
    "identity": (TEXT, "The far end's participant identity."),
    "name": (TEXT, "The far end's name."),
    "kind": (TEXT, "The far end's participant kind: standard or sip."),
    "number": (TEXT, "The far end's phone number."),
    "trunk": (TEXT, "The SIP trunk's id."),
    "trunk_number": (TEXT, "The trunk's own number, the one that was called."),
    "sip_call_id": (TEXT, "LiveKit's id of the SIP call."),
    "attributes": (Record({}, open=True), "The far end's participant attributes."),
    "metadata": (TEXT, "The far end's participant metadata."),
}
"""What `call.<field>` may read anywhere."""

WRAP_UP_FIELDS: Mapping[str, tuple[Type, str]] = {
    "transcript": (ListOf(Record({}, open=True)), "The conversation, a message each: role, text, time, interrupted."),
    "record": (Record({}, open=True), "The call's record so far, as plain data."),
}
"""What `call.<field>` may read beside those in `wrap_up`."""

STATE_EVENTS = frozenset({"done", "failed"})
"""Raised by the step for one state, never sent from outside."""

CALLER_SPEAKS = frozenset({"session.user_state_changed", "session.user_input_transcribed"})
"""Events by which the caller is heard; a key is heard too. They break a silence and count as progress."""


def keep_policy(name: str) -> Keep:
    """What a state that must finish does with this event while nobody takes it."""
    entry = EVENTS.get(name)
    if entry is not None:
        return entry.keep
    return "all"
