"""Who hears whom: tracks are taken from single listeners by LiveKit's `update_subscriptions`, and given back.

A rule says of a listener and a track whether it may be heard, or has no opinion; of several rules the newest that has
one decides, and without any everybody hears everybody. What the rules say is carried out for whoever is in the room,
and again whenever somebody or some track comes: a telephone's bridge asks by itself for every track that it sees, and
may do so after we have spoken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from livekit import api, rtc

from callflow.errors import EffectError
from callflow.livekit_bindings.line import PARTIES
from callflow.livekit_bindings.removal import Removal
from callflow.livekit_bindings.retries import backoff, between, reason_of, retried
from callflow.livekit_bindings.returning import not_found
from callflow.livekit_bindings.room_events import KINDS
from callflow.livekit_bindings.surroundings import OnTheLine

logger = logging.getLogger("callflow")

REQUEST = 2.0
TRIES = 3
BACKOFF = 0.2
"""Seconds for one request, how often it is tried, and the pause after the first try; a real server takes 2-3 ms."""

LOOK = 0.05
"""Seconds between two looks whether a listener is still there, while the server has not answered."""

ONCE_MORE = (0.3, 1.5)
"""Seconds after which what holds is said again to the server, where somebody or a track has come: LiveKit's bridge
subscribes by itself to every track that it is told of, at the answer to all there are."""

AGAIN = 2.0
AGAIN_FOR = 10
"""Seconds after which what the server did not take is said again, and how often: somebody might be left in silence."""

BACK = 0.5
"""Seconds until a track that was given back is heard, after the server has said yes: it and the listener's bridge have to
agree on it anew first."""

RESTORE = 3.0
"""Seconds for everybody to hear everybody again."""


MUSIC = "callflow-music-"
"""How the names of the agent's own sounds begin that are no speech. A track is told by its name: where the connection
was made anew, it has a new sid."""


class Track(NamedTuple):
    """A published sound: whose (a participant's identity), its name and its sid."""

    owner: str
    name: str
    sid: str


Rule = Callable[[str, Track], bool | None]
"""Whether this listener (an identity) may hear this track; None: no opinion."""


class Given(OnTheLine, Protocol):
    """What the rules of who hears whom are given of their call."""

    @property
    def removal(self) -> Removal: ...


class Subscriptions:
    """The rules of one call, and what of them stands on the server."""

    def __init__(self, world: Given) -> None:
        self._world = world
        self._rules: list[Rule] = []
        self._taken: dict[str, set[str]] = {}  # a listener's sid -> sids of tracks that were taken from it
        self._worker: asyncio.Task[None] | None = None
        self._due = self._whole = False
        self._later: list[asyncio.TimerHandle] = []
        self._failure: str | None = None
        self._failures = 0  # one after the other
        self._heard_at = 0.0  # when what was given back last is heard again

    def add(self, rule: Rule) -> Rule:
        """This rule holds from now on, before all others; `settled` waits until the server keeps it."""
        self._rules.append(rule)
        self._apply()
        return rule

    def remove(self, rule: Rule) -> None:
        """This rule holds no more; one that was removed already is fine."""
        if rule in self._rules:
            self._rules.remove(rule)
            self._apply()

    def room_changed(self) -> None:
        """Somebody, or a track, has come, is answered, or our own connection is new."""
        if self._rules or self._taken:
            self._apply(whole=True)
            self._stop_later()
            loop = asyncio.get_running_loop()
            self._later = [loop.call_later(seconds, lambda: self._apply(whole=True)) for seconds in ONCE_MORE]

    async def settled(self) -> None:
        """Waits until the server keeps the rules. Raises EffectError when it does not take one: somebody may hear what
        is not for them."""
        while self._worker is not None and not self._worker.done():
            await asyncio.shield(self._worker)
        if self._failure is not None:
            raise EffectError(self._failure)

    async def given_back(self) -> None:
        """Waits until whoever was kept from hearing something hears it again; at once where nobody was."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait({self._worker})
        await asyncio.sleep(self._heard_at - asyncio.get_running_loop().time())

    async def restore(self) -> None:
        """Everybody hears everybody again, for RESTORE seconds at most; what could not be given back is noted."""
        self._rules.clear()
        self._apply()
        try:
            await asyncio.wait_for(self.settled(), RESTORE)
        except (TimeoutError, EffectError) as error:
            self._world.note(f"somebody may not hear somebody else: {str(error) or 'no answer from the server'}")

    def close(self) -> None:
        self._rules.clear()
        self._taken.clear()
        self._stop_later()

    # -- inside

    def _apply(self, *, whole: bool = False) -> None:
        if not self._world.has_room or not (self._rules or self._taken):
            return
        self._due, self._whole = True, self._whole or whole
        if self._worker is None or self._worker.done():
            self._worker = self._world.removal.own(self._work(), "callflow subscriptions")

    async def _work(self) -> None:
        while self._due:
            whole, self._due, self._whole = self._whole, False, False
            self._failure = None
            if not self._world.ctx.room.isconnected():
                self._taken.clear()
                return
            there = list(self._listeners())
            self._taken = {sid: taken for sid, taken in self._taken.items() if sid in {one.sid for one in there}}
            tracks = list(self._tracks())
            await asyncio.gather(*(self._tell(one, tracks, whole) for one in there))
        if self._failure is None:
            self._failures = 0
        elif self._failures < AGAIN_FOR:
            self._failures += 1
            self._later.append(asyncio.get_running_loop().call_later(AGAIN, lambda: self._apply(whole=True)))
        else:
            self._world.note(self._failure)

    async def _tell(self, listener: rtc.RemoteParticipant, tracks: list[Track], whole: bool) -> None:
        """What has changed for one listener; `whole`: all that it is not to hear."""
        before = self._taken.get(listener.sid, set())
        wanted = {one.sid for one in tracks if one.owner != listener.identity and not self._may(listener.identity, one)}
        back = {one.sid for one in tracks if one.sid in before} - wanted
        away = wanted if whole else wanted - before
        if away:
            # Also where it fails: the server may have done it, and it is to be given back.
            self._taken[listener.sid] = before | away
            error = await self._request(listener.identity, away, subscribe=False)
            if error is not None:
                self._failure = f"{listener.identity} may hear what is not for them: {error}"
        if back:
            error = await self._request(listener.identity, back, subscribe=True)
            self._heard_at = asyncio.get_running_loop().time() + BACK
            if error is not None:
                self._failure = f"{listener.identity} may not hear the others: {error}"
                wanted |= back
        if wanted:
            self._taken[listener.sid] = wanted
        else:
            self._taken.pop(listener.sid, None)

    async def _request(self, identity: str, tracks: set[str], *, subscribe: bool) -> str | None:
        """None: done, or there is nobody any more. Otherwise what went wrong, the last time."""
        request = api.UpdateSubscriptionsRequest(
            room=self._world.room_name, identity=identity, track_sids=sorted(tracks), subscribe=subscribe
        )
        try:
            await retried(lambda: self._ask(request), between(TRIES, backoff(BACKOFF)), limit=REQUEST)
        except Exception as error:  # noqa: BLE001 - the API's, the network's, a time-out: it is told
            why = reason_of(error)
            logger.warning("the server did not change who hears whom", extra={"error": why})
            return why
        return None

    async def _ask(self, request: api.UpdateSubscriptionsRequest) -> None:
        """Returns also when the listener leaves: a server behind redis has no answer for one who is not there, and the
        others are not to wait for it."""
        asked = asyncio.ensure_future(self._world.ctx.api.room.update_subscriptions(request))
        try:
            while request.identity in self._world.ctx.room.remote_participants:
                await asyncio.wait({asked}, timeout=LOOK)
                if asked.done():
                    if (error := asked.exception()) is not None and not not_found(error):
                        raise error
                    return
        finally:
            asked.cancel()

    def _may(self, listener: str, track: Track) -> bool:
        for rule in reversed(self._rules):
            allowed = rule(listener, track)
            if allowed is not None:
                return allowed
        return True

    def _listeners(self) -> Iterator[rtc.RemoteParticipant]:
        for participant in self._world.ctx.room.remote_participants.values():
            if KINDS.get(participant.kind) in PARTIES:
                yield participant

    def _tracks(self) -> Iterator[Track]:
        room = self._world.ctx.room
        for one in [*room.remote_participants.values(), room.local_participant]:
            for publication in list(one.track_publications.values()):
                if publication.kind == rtc.TrackKind.KIND_AUDIO:
                    yield Track(one.identity, publication.name, publication.sid)

    def _stop_later(self) -> None:
        for timer in self._later:
            timer.cancel()
        self._later = []
