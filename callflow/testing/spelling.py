"""Sound that is its own text: what a caller heard, to the letter, is read off the audio that reached the ear.

Each byte of a text is 50 ms of a pitch of its own (200 Hz and 20 Hz for each number): a window of that tells 20 Hz apart. `SpelledTTS` speaks so and
`SpelledSTT` hears so, so that a simulated caller may say anything, and a goodbye that was cut shows as text:

>>> read(spell("Goodbye.", 24_000)[:9000], 24_000)
'Goodbye'
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Sequence
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import stt, tts
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.utils import AudioBuffer

from callflow.core.speaking import LETTER
from callflow.testing.models import Samples

_LOWEST, _STEP, _LEVEL, _LOUD = 200, 20, 12_000, 800
_GAP = 0.002  # seconds without sound: longer than a tone needs from one wave to the next
_PAUSE = 0.6  # of a letter: from there on a gap is a pause of the text
_CLEARLY = 1.01  # stronger: a cut of less than a hundredth of a letter leaves it whole
_WHOLE = 0.8  # of a letter's strength: two pieces with that are one


def spell(text: str, rate: int) -> Samples:
    """What `text` sounds like, at `rate` samples a second (at least 12,000)."""
    t = np.arange(round(rate * LETTER)) / rate
    hz = _LOWEST + _STEP * np.frombuffer(text.encode(), np.uint8).astype(int)
    return (np.sin(2 * np.pi * hz[:, np.newaxis] * t) * _LEVEL).astype(np.int16).ravel()


def read(sound: Samples, rate: int) -> str:
    """The text in a sound. A pause is a space, and a letter that is not whole is left out.

    Letters are counted anew from each pause, however short: a playout that stutters, or is held up in the middle of a
    letter and goes on, changes no letter.
    """
    size = round(rate * LETTER)
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    text = ""
    for stretch in _stretches(sound, rate):
        letters = _letters(_windows(stretch, _first_letter(stretch, size), size), rate)
        held_up = decoder.getstate()[0] and 0x80 <= letters[:1].ljust(1)[0] < 0xC0  # between two bytes of one character
        if not held_up:
            decoder.reset()
            text += " " if text and not text.endswith(" ") else ""
        text += decoder.decode(letters)
    return text.strip()


def _stretches(sound: Samples, rate: int) -> list[Samples]:
    """What lies between pauses. Where a letter was held up, or the sound stuttered, there is no pause in the text."""
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > _LOUD)
    if not len(loud):
        return []
    gaps = np.flatnonzero(np.diff(loud) > rate * _GAP)
    # A letter begins with a sample of nothing.
    begins, ends = np.maximum([loud[0], *loud[gaps + 1]], 1) - 1, [*loud[gaps] + 1, loud[-1] + 1]
    size, found = round(rate * LETTER), [sound[begins[0] : ends[0]]]
    for begin, end, before in zip(begins[1:], ends[1:], ends, strict=False):
        piece = sound[begin:end]
        rest = len(found[-1]) % size
        held_up = rest and _one_letter(found[-1][-rest:], piece[: size - rest], size)
        if held_up or begin - before < size * _PAUSE:
            found[-1] = np.concatenate([found[-1], piece])
        else:
            found.append(piece)
    return found


def _one_letter(tail: Samples, head: Samples, size: int) -> bool:
    """Whether two pieces are the halves of a letter that was held up."""
    whole = len(tail) + len(head) == size
    return whole and bool(_strength(np.concatenate([tail, head])) > _WHOLE * _LEVEL * size / 2)


def _first_letter(stretch: Samples, size: int) -> int:
    """Where the first whole letter begins: at the beginning, or, where one was cut there, behind its rest."""
    over = len(stretch) % size
    if not over or len(stretch) < 2 * size:
        return 0
    from_the_end, from_the_start = (_strength(_windows(stretch, start, size)).sum() for start in (over, 0))
    return over if from_the_end > from_the_start * _CLEARLY else 0


def _windows(stretch: Samples, start: int, size: int) -> Samples:
    """One row for each whole letter from `start` on."""
    return stretch[start : start + (len(stretch) - start) // size * size].reshape(-1, size)


def _strength(windows: Samples) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How loud the loudest pitch of each is."""
    strength: np.ndarray[Any, np.dtype[np.float64]] = np.abs(np.fft.rfft(windows)).max(axis=-1)
    return strength


def _letters(windows: Samples, rate: int) -> bytes:
    """The letters in them; one that is too quiet, or none, is left out."""
    windows = windows[(np.abs(windows.astype(np.int32)) > _LOUD).any(axis=1)]
    if not len(windows):
        return b""
    hz = np.fft.rfftfreq(windows.shape[1], 1 / rate)[np.abs(np.fft.rfft(windows)).argmax(axis=1)]
    letters = np.rint((hz - _LOWEST) / _STEP)
    return bytes(letters[(letters >= 0) & (letters <= 255)].astype(np.uint8))


class SpelledTTS(tts.TTS[str]):
    """Speaks by spelling: 24 kHz, one channel, 20 bytes a second, and a pause of 50 ms before each sentence."""

    SAMPLE_RATE = 24_000
    PIECE = 0.2  # seconds pushed at once

    def __init__(self) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=self.SAMPLE_RATE, num_channels=1
        )

    @property
    def model(self) -> str:
        return "spelled"

    @property
    def provider(self) -> str:
        return "callflow"

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _SpelledStream(tts=self, input_text=text, conn_options=conn_options)


class _SpelledStream(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        rate = self._tts.sample_rate
        output_emitter.initialize(request_id="spelled", sample_rate=rate, num_channels=1, mime_type="audio/pcm")
        pause = np.zeros(round(rate * LETTER), np.int16)
        sound = np.concatenate([pause, spell(self._input_text, rate)])
        piece = int(SpelledTTS.PIECE * rate)
        for start in range(0, len(sound), piece):
            output_emitter.push(sound[start : start + piece].tobytes())
            await asyncio.sleep(0.005)
        output_emitter.flush()


class SpelledSTT(stt.STT[str]):
    """Hears what is spelled: speech has begun with its first letter, interim transcripts come with each word, and the
    final one, with the end of speech, after `min_off` seconds of quiet.

    Use with `AgentSession(vad=None, turn_handling={"turn_detection": "stt"}, aec_warmup_duration=None)`.
    """

    SAMPLE_RATE = 16_000

    def __init__(self, *, min_off: float = 0.25) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(streaming=True, interim_results=True, offline_recognize=False)
        )
        self._min_off = min_off

    @property
    def model(self) -> str:
        return "spelled"

    @property
    def provider(self) -> str:
        return "callflow"

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        raise RuntimeError("SpelledSTT only streams: its capabilities say offline_recognize=False")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return _SpelledRecognition(
            self._min_off, stt=self, conn_options=conn_options, sample_rate=SpelledSTT.SAMPLE_RATE
        )


class _SpelledRecognition(stt.RecognizeStream):
    def __init__(self, min_off: float, *, stt: SpelledSTT, conn_options: APIConnectOptions, sample_rate: int) -> None:
        super().__init__(stt=stt, conn_options=conn_options, sample_rate=sample_rate)
        self._min_off = min_off
        self._letters = bytearray()
        self._quiet = 0.0

    async def _run(self) -> None:
        size = round(LETTER * SpelledSTT.SAMPLE_RATE)
        samples = np.zeros(0, np.int16)
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            samples = np.concatenate([samples, np.frombuffer(frame.data, np.int16)])
            while len(samples) >= size:
                self._hear(samples[:size])
                samples = samples[size:]

    def _hear(self, window: Samples) -> None:
        kind = stt.SpeechEventType
        letter = _letters(window[np.newaxis], SpelledSTT.SAMPLE_RATE)
        if letter:
            if not self._letters:
                self._emit(kind.START_OF_SPEECH)
            self._letters += letter
            self._quiet = 0.0
            if letter == b" ":
                self._emit(kind.INTERIM_TRANSCRIPT, self._letters)
            return
        self._quiet += LETTER
        if self._letters and self._quiet >= self._min_off:
            said, self._letters = self._letters, bytearray()
            self._emit(kind.FINAL_TRANSCRIPT, said)
            self._emit(kind.END_OF_SPEECH)

    def _emit(self, kind: stt.SpeechEventType, letters: Sequence[int] = ()) -> None:
        text = bytes(letters).decode(errors="ignore").strip()
        said = [stt.SpeechData(language=LanguageCode("en"), text=text, confidence=1.0)] if text else []
        self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=said))
