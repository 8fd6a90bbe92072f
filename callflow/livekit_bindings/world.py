"""A live call's surroundings: one room, one session, one job. What happens there becomes events, effects are carried out."""

from __future__ import annotations

import asyncio
import copy
import functools
import logging
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livekit import api, rtc
from livekit.agents import NOT_GIVEN, Agent, AgentSession, JobContext, llm
from livekit.agents.voice.room_io import RoomInputOptions, RoomOptions, RoomOutputOptions

from callflow.core.actions import VERBS
from callflow.core.events import MAIN_LEG, SENDERS, Event, TimerFired
from callflow.core.expressions import Rendered
from callflow.core.flow import Flow
from callflow.core.queries import agent_instructions, party_identities
from callflow.core.snapshot import Start, Step
from callflow.errors import EffectError
from callflow.livekit_bindings import lease, livekit_internals, report, vouching
from callflow.livekit_bindings.afterwards import Afterwards
from callflow.livekit_bindings.agents import SilentAgent, watch_on_enter
from callflow.livekit_bindings.callbacks import Callbacks
from callflow.livekit_bindings.compatibility import detects, own_or_session
from callflow.livekit_bindings.farewells import Farewells
from callflow.livekit_bindings.job import facts_of
from callflow.livekit_bindings.line import Line
from callflow.livekit_bindings.linked_participant import LinkedParticipant
from callflow.livekit_bindings.model_context import ModelContext
from callflow.livekit_bindings.ownership import Ownership
from callflow.livekit_bindings.private_speech import Audience
from callflow.livekit_bindings.removal import Removal
from callflow.livekit_bindings.room_events import participant_fields
from callflow.livekit_bindings.subscriptions import Subscriptions
from callflow.livekit_bindings.tracing import Tracing
from callflow.livekit_bindings.turns import Turns
from callflow.livekit_bindings.verbs import PERFORM, Perform, hanging_up, holding
from callflow.livekit_bindings.verbs.answering import Door
from callflow.livekit_bindings.verbs.recording import Recordings
from callflow.runtime.logs import LOGGED
from callflow.runtime.ports import CallOf, Facts
from callflow.runtime.shutdown import JOB_SECONDS

if TYPE_CHECKING:
    from callflow.livekit_bindings.verbs.detection import Detection
    from callflow.livekit_bindings.verbs.holding import Hold
    from callflow.livekit_bindings.verbs.transferring import Refer

logger = logging.getLogger("callflow")

CONNECT_WITHIN = 20.0
START_WITHIN = 30.0
"""Seconds to reach the room, and to start the session there."""

AEC_NOTE = (
    "in the first 3 s of the agent's first speech the STT hears silence (LiveKit's echo warm-up); on the phone there is"
    " no echo: pass aec_warmup_duration=None to AgentSession(…)"
)


class LiveKitWorld:
    """One call's World. `agents` holds what the program registered by name: agents, their classes, or factories.
    `instructed`: the agent gets the flow's `agent.instructions`, rendered as the call begins."""

    def __init__(
        self,
        flow: Flow,
        ctx: JobContext,
        session: AgentSession[Any],
        agent: Agent,
        *,
        instructed: bool = False,
        actions: Mapping[str, Callable[..., Any]],
        agents: Mapping[str, Any],
        room_options: RoomOptions | RoomInputOptions | RoomOutputOptions | None = None,
        record: Any = NOT_GIVEN,
        telephony: Mapping[str, Perform] | None = None,
    ) -> None:
        self.flow, self.ctx, self.session, self.agent = flow, ctx, session, agent
        self.actions, self.registered = actions, agents
        self._verbs = {**PERFORM, **(telephony or {})}
        self._instructed = instructed
        self.room_options, self.record = own_options(room_options), record
        # A console has a mock of a room, which says that it is a Room and connected; a test of a conversation one that is
        # not connected: nobody ever joins either.
        nowhere = ctx.is_fake_job() and not (issubclass(type(ctx.room), rtc.Room) and ctx.room.isconnected())
        self.has_room = not nowhere
        self.conversation_over = self.session_closed = False
        self.stands = False  # the line, although it was to be dropped by force
        self.left = False  # on purpose, to those who are on it
        self.job_ends: float | None = None  # the line may stand, and LiveKit ends the job: when, by the loop's clock
        self.call: CallOf  # from `begin` on
        self._begun = self._overtaken = False
        self._opening: asyncio.Task[Any] | None = None
        self.speeches: dict[str, int] = {}  # LiveKit's id of a speech -> the effect that it is
        self.failures, self.last_failure = 0, ""  # of models
        self.spoke = 0  # how often the agent has begun to speak
        self._notes: list[str] = []  # before the call begins
        self._seen: list[Agent] = []
        self._stand_in: Agent | None = None
        self.detection: Detection | None = None  # while one runs
        self.door, self.recordings = Door(), Recordings(self)
        self._forwarded: dict[int, asyncio.Queue[Event]] = {}  # to effects, by their ids
        self.line = self._new_line(
            dials=flow.outbound and not any(VERBS[name].dials for name in VERBS.keys() & (telephony or {}))
        )
        self.subscriptions, self.linked = Subscriptions(self), LinkedParticipant(session)
        self.holds: dict[str, Hold] = {}  # by leg
        self.transfers: dict[str, Refer] = {}  # the last of each leg, by identity
        self.turns = Turns(self)
        self.model_context = ModelContext(self)
        self._callbacks = Callbacks(self)
        self.removal, self.farewells = Removal(self), Farewells(self)
        self.line.lingers = self.removal.linger
        self._parties_changed = asyncio.Event()
        self._lease: Path | None = None
        self.tracing = Tracing()
        self._afterwards = Afterwards(self)
        self._ownership = Ownership(ctx, session, self.post)
        self.session_aclose, self.session_drain = self._ownership.session_aclose, self._ownership.session_drain

    def _new_line(self, *, dials: bool) -> Line:
        """`dials`: it is called by callflow itself, and not by somebody in its place."""
        flow, only = self.flow, self.room_options.participant_identity
        return Line(
            self.post,
            only if isinstance(only, str) else None,
            inbound=not flow.outbound,
            offers=flow.answer == "manual" and not flow.outbound,
            dials=dials,
            reserved=frozenset({*flow.legs, *SENDERS}),
            vouched=lambda fields: vouching.leg_of(self.secret, self.room_name, fields),
        )

    # -- the World

    def begin(self, call: CallOf) -> None:
        self.call, self._begun = call, True
        self._connected: asyncio.Future[None] = call.loop.create_future()
        self._started: asyncio.Future[None] = call.loop.create_future()
        for sentence in self._notes:
            call.note(sentence)
        self.ctx.log_context_fields = {**call.log_fields, **self.ctx.log_context_fields}
        self.tracing.begin(call)
        self._lease = lease.take(call, self.ctx, self.room_name)
        self._ownership.take()
        self.model_context.listen()
        self._callbacks.begin()

    async def open(self) -> None:
        self._opening = asyncio.current_task()
        try:
            await self._open()
        except BaseException as error:
            why = f": {error}" if str(error) else ""
            _fail(self._connected, f"the room was not reached{why}")
            _fail(self._started, f"the session did not start{why}")
            if not (self._overtaken and isinstance(error, asyncio.CancelledError)):
                raise
        else:
            self._started.set_result(None)

    def settle(self, step: Step) -> None:
        entry = step.event
        for note in step.notes if isinstance(entry, TimerFired) else ():
            if note.kind == "given_up":
                self.line.give_up(str(note.data["leg"]))
        if isinstance(entry, Event) and entry.name == "call.answered":
            self._listen_to_far_end()
        if isinstance(entry, Event) and entry.name in ("call.answered", "call.restored"):
            self._take_over()  # who has answered may have come out while the far end was away
        self.tracing.settle(step)
        self.model_context.settle(step)
        self.turns.settle(step)
        self.farewells.settle(step.snapshot)

    async def perform(self, effect: Start) -> Mapping[str, Any]:
        try:
            with self.tracing.performing(effect):
                return await self._verbs[effect.verb](self, effect)
        finally:
            self._forwarded.pop(effect.id, None)

    def forward(self, effect: int, event: Event) -> None:
        self.forwarded(effect).put_nowait(event)

    def hurry(self) -> None:
        livekit_internals.silence_now(self.session)

    async def close(self, *, session: bool, line: bool) -> None:
        await hanging_up.force(self, session=session, line=line)

    def facts(self) -> Facts:
        known = facts_of(self.ctx)
        ids: dict[str, Any] = {name: known.get(name) for name in LOGGED}
        return Facts(
            room=self.room_name,
            **ids,
            participant=self.line.identity_of("far_end"),
            transcript=report.transcript(self.session),
            usage=report.usage(self.session),
            latencies=report.latencies(self.session),
            notes=self.removal.notes(),
            line_in_doubt=self.removal.in_doubt(),
            dropped_again=self.removal.dropped_again(),
        )

    async def clear(self) -> tuple[str, ...]:
        """After the end: what must not outlive the call, and may take a moment longer. What the record has yet to say."""
        learned = await self.recordings.close()
        await self.removal.close()
        await self._afterwards.close()
        return learned

    def finish(self, reason: str) -> None:
        self._afterwards.begin(self._lease)
        self._ownership.give_back()
        try:
            if self.detection is not None:
                self.detection.cancel()
            self.line.close()
            holding.release_all(self)
            self.subscriptions.close()
            self.model_context.close()
            self._callbacks.close()
        finally:
            self.tracing.close()
            self.ctx.shutdown(reason)

    # -- what the verbs need

    def forwarded(self, effect: int) -> asyncio.Queue[Event]:
        """The events that the step forwards to this effect."""
        return self._forwarded.setdefault(effect, asyncio.Queue())

    @functools.cached_property
    def secret(self) -> str | None:
        """The API secret of the server, for vouchers."""
        return livekit_internals.secret_of(self.ctx) if self.has_room else None

    @property
    def api(self) -> api.LiveKitAPI:
        """LiveKit's API, for what ends the call: a client of the call's own."""
        return self._afterwards.api

    @property
    def room_name(self) -> str:
        return self.ctx.room.name or self.ctx.job.room.name

    def path_of(self, file: str) -> Path:
        """A file that the flow names, looked up from the flow's own place.

        Raises EffectError where a link leads a rendered path out of the folder that the flow has written.
        """
        path = Path(self.flow.file).parent / file
        if isinstance(file, Rendered):
            folder = Path(self.flow.file).parent / file.folder
            if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
                raise EffectError(f"the file {path} lies outside the folder {folder}: a link leads there")
        return path

    def note(self, sentence: str) -> None:
        """For the record, once each."""
        if sentence not in self._notes:
            self._notes.append(sentence)
            if self._begun:
                self.call.note(sentence)

    async def connected(self) -> None:
        """Waits for the room. Raises EffectError when it was not reached."""
        await asyncio.shield(self._connected)

    async def started(self) -> None:
        """Waits for the session to run. Raises EffectError when it did not start."""
        await asyncio.shield(self._started)

    async def can_be_heard(self, to: str | None = None) -> bool:
        """Waits until the session runs under its real agent, with what its states offer, and whoever a speech is for is
        there. False: nobody will ever hear it."""
        await self.started()
        while self.detection is not None and not self.call.hurried:
            await self.detection.over.wait()
        if not await Audience(self.line, to).heard() or self.call.hurried:
            return False
        await livekit_internals.handoff_done(self.session)
        await self.model_context.settled()
        await self.subscriptions.given_back()
        return True

    def out_of_room(self) -> None:
        """LiveKit's client is out of a room that may stand: LiveKit ends the job."""
        if self.job_ends is None:
            self.job_ends = self.call.loop.time() + JOB_SECONDS

    def stop_opening(self, *, connecting: bool = False) -> None:
        """The call is over before its session runs, or with `connecting` before the room was reached: connecting on
        would make the room anew that was deleted, and a session that starts now would be closed by nobody."""
        if self._opening is not None and not (self._connected if connecting else self._started).done():
            self._overtaken = True
            self._opening.cancel()

    def shows(self, identities: Collection[str]) -> bool:
        """Whether our own room shows one of these, while it is connected: else it says nothing."""
        room = self.ctx.room
        if not self.has_room or self.line.cut_off or not room.isconnected():
            return False
        return any(identity in room.remote_participants for identity in identities)

    def stay_out(self) -> None:
        """The room was deleted while our own client tries to come back: it would make the room anew."""
        if self.line.broken and self.ctx.room.isconnected():
            self.removal.own(self.ctx.room.disconnect(), "callflow leave the room")

    async def leave(self) -> None:
        """Leaves the room before it is deleted. From then on our own room tells nothing of those who are in it."""
        self.line.broken = True
        await self.ctx.room.disconnect()

    async def parties_changed(self) -> None:
        """Waits until somebody joins, leaves or vanishes."""
        changed = self._parties_changed = asyncio.Event()
        await changed.wait()

    def make(self, name: str) -> Any:
        """What the program registered under this name; a class or factory is called, for each use anew."""
        registered = self.registered[name]
        return registered if isinstance(registered, Agent) else registered()

    def agents_seen(self) -> tuple[Agent, ...]:
        return tuple(self._seen)

    def watch(self, agent: Agent) -> None:
        """An agent is about to take over: its tools are listened to, and an `on_enter` that raises is a failure."""
        if agent not in self._seen:
            self._seen.append(agent)
        watch_on_enter(agent, self.turns.enter, self._callbacks.on_enter_failed)
        self.model_context.listen_to(agent)

    async def hand_over(self, agent: Agent) -> None:
        """Another agent takes over; returns when it is in charge."""
        self.watch(agent)
        self.session.update_agent(agent)
        await livekit_internals.handoff_done(self.session)

    def post(self, name: str, data: Mapping[str, Any]) -> None:
        self.call.post(name, data)
        if name.startswith(("call.", "leg.")):
            self._parties_changed.set()
            self.subscriptions.room_changed()

    def detection_over(self) -> None:
        """It is known who has answered, or nobody wants to know any more."""
        if self.line.hears:
            self._take_over()

    # -- the start

    async def _open(self) -> None:
        self.line.told = self._told()
        if self.has_room:
            await asyncio.wait_for(self.ctx.connect(), CONNECT_WITHIN)
            if self.line.offers:
                self.door.shut(self.ctx.room.local_participant)
            present = list(self.ctx.room.remote_participants.values())
            for participant in present:  # before anything can fail that tells of them
                self.call.redactor.learn_of(Event("room.participant_connected", participant_fields(participant)))
            for participant in present:
                self.line.joined(participant)
            self._callbacks.listen_to_rpc()
        self._connected.set_result(None)
        if self._instructed:
            await self.agent.update_instructions(agent_instructions(self.flow, self.call.snapshot, self.call.now()))
        here = not self.has_room or (self.line.hears and self.detection is None)
        first = self.agent if here else SilentAgent(hears_as=self.agent if detects(self.flow) else None)
        self._stand_in = None if here else first
        self.watch(first)
        self._warn_of_echo()
        if livekit_internals.has_started(self.session):  # LiveKit would start nothing then, and nobody would be heard
            raise EffectError("the program has started it already")
        options: dict[str, Any] = {"record": self.record}
        if self.has_room:
            options |= {"room": self.ctx.room, "room_options": self.room_options}
        await asyncio.wait_for(self.session.start(first, **options), START_WITHIN)
        if not self.has_room:
            self.line.answered_by_hand("user")
        elif self.line.hears:
            self._listen_to_far_end()
            self._take_over()
        await self.model_context.begin()

    def _told(self) -> Mapping[str, str]:
        """The legs that come by themselves, by the identity by which each is told."""
        found: dict[str, str] = {}
        for name, identity in party_identities(self.flow, self.call.snapshot, self.call.now()).items():
            if not identity or identity in found:
                why = "the identity of another leg is the same" if identity else "its identity is not known"
                self.note(f"nobody is told as the leg {name}: {why}")
            else:
                found[identity] = name
        return found

    def _listen_to_far_end(self) -> None:
        """LiveKit's session hears whoever came first: that may be a party that the flow tells by its identity."""
        if self.line.told:
            self.linked.turn_to(self.line.identity_of(MAIN_LEG))

    def _take_over(self) -> None:
        """The far end is on the line: the real agent takes over from the silent one, so that its `on_enter` greets a
        person and not a ring, nor somebody of whom it is not known yet who it is."""
        if self._stand_in is not None and livekit_internals.has_started(self.session) and self.detection is None:
            livekit_internals.hand_on(
                (item for item in self._stand_in.chat_ctx.items if item.type == "message"), self.agent
            )
            self._stand_in = None
            self.watch(self.agent)
            self.session.update_agent(self.agent)

    def _warn_of_echo(self) -> None:
        if getattr(self.session.options, "aec_warmup_duration", None) and self._hears_sound():
            _say_once(AEC_NOTE)
            self.note(AEC_NOTE)

    def _hears_sound(self) -> bool:
        """Whether a caller's voice reaches a model at all: a session of text alone has nothing to miss."""
        if self.room_options.get_audio_input_options() is None:
            return False
        stt, model = (own_or_session(self.session, self.agent, kind) for kind in ("stt", "llm"))
        return stt is not None or isinstance(model, llm.RealtimeModel)


def _fail(waited_for: asyncio.Future[None], why: str) -> None:
    if not waited_for.done():
        waited_for.set_exception(EffectError(why))
        waited_for.exception()  # nobody may be waiting


@functools.cache
def _say_once(sentence: str) -> None:
    logger.warning(sentence)


OPTIONS = (RoomOptions, RoomInputOptions, RoomOutputOptions)
"""What tells a session of its room: LiveKit's own, and the two that it had before."""


def own_options(options: RoomOptions | RoomInputOptions | RoomOutputOptions | None) -> RoomOptions:
    """A copy with LiveKit's automatic closing off: the flow alone hangs up."""
    given = options if isinstance(options, RoomOptions | None) else livekit_internals.room_options_of(options)
    mine = copy.copy(given) if given is not None else RoomOptions()
    mine.close_on_disconnect = False
    mine.delete_room_on_close = False
    return mine
