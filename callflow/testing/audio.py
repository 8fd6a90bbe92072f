"""An agent's voice and ear without a network: what it plays takes as long as it lasts, on the event loop's clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import numpy as np
from attrs import define, field, frozen
from livekit import rtc
from livekit.agents.voice import io

from callflow.core.speaking import LETTER
from callflow.testing import spelling
from callflow.testing.models import Samples

__all__ = ["LETTER", "Ear", "Sound", "Utterance", "Voice", "join"]

QUIET = 400
"""The level (of 32,767) below which a sample is not heard."""


@frozen
class Sound:
    """A stretch of sound: from when to when (seconds of the loop's clock), its samples, and the text it spells."""

    start: float
    end: float
    samples: Samples = field(repr=False, eq=False)
    rate: int = field(repr=False)

    @property
    def text(self) -> str:
        """What it says, if it was spoken by `SpelledTTS`: a letter that was cut is missing."""
        return spelling.read(self.samples, self.rate)

    def within(self, since: float, until: float) -> Sound | None:
        """The part of it between two instants, None when there is none."""
        start, end = max(self.start, since), min(self.end, until)
        if end - start < 1 / self.rate:
            return None
        first = round((start - self.start) * self.rate)
        last = round((end - self.start) * self.rate)
        return Sound(start, end, self.samples[first:last], self.rate)


def join(pieces: Sequence[Sound]) -> Sound | None:
    """The pieces of one speech as one sound, without the quiet at its end; None when there is nothing to hear."""
    if not pieces:
        return None
    rate, start = pieces[0].rate, pieces[0].start
    sound = np.zeros(round((pieces[-1].end - start) * rate) + 1, np.int16)
    for piece in pieces:
        first = round((piece.start - start) * rate)
        sound[first : first + len(piece.samples)] = piece.samples[: len(sound) - first]
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > QUIET)
    if not len(loud):
        return None
    sound = sound[: loud[-1] + 1]
    return Sound(start, start + len(sound) / rate, sound, rate)


@define(eq=False)
class Utterance:
    """What was pushed between two flushes: its pieces lie one after the other on the loop's clock."""

    pieces: list[Sound] = field(factory=list)
    ends: float = 0.0
    flushed: bool = False
    was_cut: bool = False

    def add(self, now: float, samples: Samples, rate: int) -> None:
        start = max(now, self.ends) if self.pieces else now
        self.ends = start + len(samples) / rate
        self.pieces.append(Sound(start, self.ends, samples, rate))

    def cut(self, now: float) -> None:
        """Nothing of it sounds after `now`."""
        self.was_cut = self.was_cut or self.ends > now or not self.flushed
        self.pieces = [part for piece in self.pieces if (part := piece.within(0.0, now)) is not None]
        self.ends = min(self.ends, now)

    def shift(self, since: float, by: float) -> None:
        """What had not sounded by `since` sounds `by` seconds later."""
        moved: list[Sound] = []
        for piece in self.pieces:
            before, after = piece.within(0.0, since), piece.within(since, float("inf"))
            moved += [before] if before else []
            moved += [Sound(after.start + by, after.end + by, after.samples, after.rate)] if after else []
        self.pieces = moved
        self.ends = self.ends + by if self.ends > since else self.ends

    def played(self, now: float) -> float:
        return sum(min(piece.end, now) - piece.start for piece in self.pieces if piece.start < now)


class Voice(io.AudioOutput):
    """Where a session's speech goes: played in real time of the loop, and kept as `sounds`.

    As with a real room, nothing is played until somebody listens (`listened`), and it plays on when all have left.
    """

    def __init__(self) -> None:
        super().__init__(label="simulated voice", capabilities=io.AudioOutputCapabilities(pause=True))
        self.listened = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.Event()
        self._idle.set()
        self._done: list[Utterance] = []
        self._current: Utterance | None = None
        self._finish: asyncio.TimerHandle | None = None
        self._paused_at: float | None = None
        self._started = False

    @property
    def speeches(self) -> Iterator[Sequence[Sound]]:
        """Everything that has sounded until now, speech by speech, each in pieces."""
        now = self._paused_at if self._paused_at is not None else self._now()
        for utterance in [*self._done, *([self._current] if self._current else [])]:
            yield [part for piece in utterance.pieces if (part := piece.within(0.0, now))]

    @property
    def now(self) -> float:
        """The loop's time."""
        return self._now()

    @property
    def over(self) -> Sequence[Utterance]:
        """The speeches that have been played to their end, or cut, in their order."""
        return self._done

    @property
    def speaking(self) -> bool:
        """Whether a speech is on its way that has not been played to its end."""
        return self._current is not None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await self.listened.wait()
        if self._current is not None and self._current.flushed:
            await self._idle.wait()  # the one before has to end first
        await super().capture_frame(frame)
        if self._current is None:
            self._current, self._started = Utterance(), False
            self._idle.clear()
        samples = np.frombuffer(bytes(frame.data), np.int16)[:: frame.num_channels]
        self._current.add(self._paused_at if self._paused_at is not None else self._now(), samples, frame.sample_rate)
        if not self._started and self._paused_at is None:
            self._begin()

    def _now(self) -> float:
        return float(self._loop.time())

    def _begin(self) -> None:
        self._started = True
        self.on_playback_started(created_at=time.time())

    def flush(self) -> None:
        super().flush()
        if self._current is not None and not self._current.flushed:
            self._current.flushed = True
            self._schedule()

    def clear_buffer(self) -> None:
        if self._current is None:
            return
        now = self._paused_at if self._paused_at is not None else self._now()
        self._current.cut(now)
        self._end(interrupted=True)

    def pause(self) -> None:
        super().pause()
        if self._paused_at is None:
            self._paused_at = self._now()
            self._unschedule()

    def resume(self) -> None:
        super().resume()
        if self._paused_at is None:
            return
        paused_at, self._paused_at = self._paused_at, None
        if self._current is None:
            return
        self._current.shift(paused_at, self._now() - paused_at)
        if not self._started:
            self._begin()
        if self._current.flushed:
            self._schedule()

    def _schedule(self) -> None:
        self._unschedule()
        if self._paused_at is None and self._current is not None:
            self._finish = self._loop.call_at(max(self._current.ends, self._now()), self._end)

    def _unschedule(self) -> None:
        if self._finish is not None:
            self._finish.cancel()
            self._finish = None

    def _end(self, *, interrupted: bool = False) -> None:
        self._unschedule()
        utterance, self._current = self._current, None
        if utterance is None:
            return
        self._done.append(utterance)
        self._idle.set()
        self.on_playback_finished(playback_position=utterance.played(float("inf")), interrupted=interrupted)


class Ear(io.AudioInput):
    """Where a session hears: the frames that callers push into it."""

    def __init__(self) -> None:
        super().__init__(label="simulated ear")
        self._frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()
        self._attached = True

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.get()

    def hear(self, frame: rtc.AudioFrame) -> None:
        if self._attached:
            self._frames.put_nowait(frame)

    def on_attached(self) -> None:
        self._attached = True

    def on_detached(self) -> None:
        """Muted: what is said now is lost, as it is in LiveKit's own input."""
        self._attached = False
