"""Models that need no network and no key: a scripted LLM, a TTS of tones, an STT that hears tones, and a voice.

What they say and hear can be measured: a text of *n* characters is a tone of *n* x 50 ms, and a tone of a known pitch
is a known sentence. They run in real rooms and in none.

>>> session = AgentSession(
...     llm=ScriptedLLM(["Hello.", Tool("end_call", {"reason": "done"})]),
...     tts=ToneTTS(),
...     stt=ToneSTT({600: "yes", 900: "no"}),
...     vad=None,
...     turn_handling={"turn_detection": "stt"},
... )
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, TypeAlias, cast

import numpy as np
from attrs import field, frozen
from livekit import rtc
from livekit.agents import llm, stt, tts
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.utils import AudioBuffer
from numpy.typing import NDArray

from callflow.core.speaking import LETTER

Samples: TypeAlias = NDArray[np.int16]


@frozen
class Tool:
    """The model calls the function tool `name` with these arguments."""

    name: str
    arguments: Mapping[str, Any] = field(factory=dict)


@frozen
class Pause:
    """The model is silent for this many seconds before its next part. `Pause(3600)` is a model that hangs."""

    seconds: float


Part: TypeAlias = str | Tool | Pause | Exception
Turn: TypeAlias = Part | Sequence[Part]
Who: TypeAlias = str | Exception


class ScriptedLLM(llm.LLM[str]):
    """An LLM that says its turns one after the other, whatever it is asked.

    Each request takes the next turn: a text, a `Tool` to call, a `Pause`, an exception to raise, or a list of those.
    When the script is over every request gets `otherwise`. `requests` keeps the chat context of each request. What is
    no part of a turn is a TypeError at once; what `who` raises by itself is kept in `failures`, and fails the request.

    A failed request is repeated by the session, and each attempt takes a turn of its own.

    LiveKit's answering machine detection asks the same model who has answered: `who` is the category that it says, or a
    function that makes one of the transcript (both may be an exception, to raise). Such a request takes no turn.
    """

    def __init__(
        self,
        turns: Sequence[Turn] = (),
        *,
        otherwise: Turn = "All right.",
        who: Who | Callable[[str], Who] = "human",
    ) -> None:
        super().__init__()
        for turn in (*turns, otherwise):
            _check(turn)
        self._who = who
        self._turns = iter(turns)
        self.failures: list[Exception] = []
        self._otherwise = otherwise
        self._call_ids = count(1)
        self.requests: list[llm.ChatContext] = []

    @property
    def model(self) -> str:
        return "scripted"

    @property
    def provider(self) -> str:
        return "callflow"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        return _ScriptedStream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)

    async def turn_for(self, asked: llm.ChatContext, tools: Sequence[llm.Tool]) -> Sequence[Part]:
        """The parts of the answer to one request."""
        return self.verdict(asked) if asks_who(tools) else self.next_turn(asked)

    def verdict(self, asked: llm.ChatContext) -> Sequence[Part]:
        """Who has answered, as LiveKit's answering machine detection wants to be told."""
        transcript = asked.messages()[-1].text_content or ""
        try:
            who = self._who(transcript) if callable(self._who) else self._who
        except Exception as error:
            self.failures.append(error)
            raise
        return [who] if isinstance(who, Exception) else [Tool("save_prediction", {"label": who})]

    def next_turn(self, asked: llm.ChatContext) -> Sequence[Part]:
        """The parts of the next turn; it is used up."""
        self.requests.append(asked.copy())
        turn = next(self._turns, self._otherwise)
        return [turn] if isinstance(turn, str | Tool | Pause | Exception) else turn

    def next_call_id(self) -> str:
        return f"call-{next(self._call_ids)}"


def asks_who(tools: Sequence[llm.Tool]) -> bool:
    """Whether this is LiveKit's answering machine detection, which wants to know who has answered."""
    return "save_prediction" in {tool.info.name for tool in tools if isinstance(tool, llm.FunctionTool)}


def _check(turn: Turn) -> None:
    """Raises TypeError for what no model says."""
    for part in turn if isinstance(turn, list | tuple) else [turn]:
        if not isinstance(part, str | Tool | Pause | Exception):
            raise TypeError(f"{part!r} is no part of a turn: a text, a Tool, a Pause or an exception is")
        if isinstance(part, Tool):
            json.dumps(dict(part.arguments))


class _ScriptedStream(llm.LLMStream):
    async def _run(self) -> None:
        model = cast(ScriptedLLM, self._llm)
        for part in await model.turn_for(self.chat_ctx, self._tools):
            if isinstance(part, Exception):
                raise part
            if isinstance(part, Pause):
                await asyncio.sleep(part.seconds)
                continue
            delta = llm.ChoiceDelta(role="assistant")
            if isinstance(part, str):
                delta.content = part
            else:
                arguments = json.dumps(dict(part.arguments))
                delta.tool_calls = [
                    llm.FunctionToolCall(name=part.name, arguments=arguments, call_id=model.next_call_id())
                ]
            self._event_ch.send_nowait(llm.ChatChunk(id="scripted", delta=delta))


class ToneTTS(tts.TTS[str]):
    """A text is a sine of `hz`, `seconds_per_character` long for each of its characters.

    `sample_rate` is 24 kHz, the level -9 dBFS.
    """

    SAMPLE_RATE = 24_000
    PIECE = 0.2  # seconds pushed at once: a long sound in one piece holds up the event loop for half a second

    def __init__(self, hz: float = 440, *, seconds_per_character: float = LETTER) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=self.SAMPLE_RATE, num_channels=1
        )
        self._hz = hz
        self._seconds_per_character = seconds_per_character

    @property
    def model(self) -> str:
        return f"tone-{self._hz:g}"

    @property
    def provider(self) -> str:
        return "callflow"

    def seconds(self, text: str) -> float:
        """How long `text` sounds."""
        return len(text) * self._seconds_per_character

    def tone(self, text: str) -> Samples:
        """What `text` sounds like."""
        return tone(self._hz, self.seconds(text), rate=self.SAMPLE_RATE)

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _ToneStream(tts=self, input_text=text, conn_options=conn_options)


class _ToneStream(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        speaker = cast(ToneTTS, self._tts)
        output_emitter.initialize(
            request_id="tone", sample_rate=speaker.sample_rate, num_channels=1, mime_type="audio/pcm"
        )
        sound = speaker.tone(self._input_text)
        piece = int(speaker.PIECE * speaker.sample_rate)
        for start in range(0, len(sound), piece):
            output_emitter.push(sound[start : start + piece].tobytes())
            await asyncio.sleep(0.005)
        output_emitter.flush()


class ToneSTT(stt.STT[str]):
    """Hears a tone near one of the pitches in `words` (hertz) as the text that stands there.

    The tone has to last `min_on` seconds: then speech has begun and an interim transcript is out. After `min_off`
    seconds of quiet come the final transcript and the end of speech. A word is whatever pitch was heard most.

    Use with `AgentSession(vad=None, turn_handling={"turn_detection": "stt"})`; the VAD of LiveKit does not take tones
    for speech. It has no transcript of the first 3 s of the agent's first speech, unless `aec_warmup_duration=None`.
    """

    SAMPLE_RATE = 16_000
    WINDOW = 0.05  # seconds: pitches 20 Hz apart are told apart
    LOUD = 800  # the peak of a window that is not quiet

    def __init__(self, words: Mapping[float, str], *, min_on: float = 0.15, min_off: float = 0.25) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(streaming=True, interim_results=True, offline_recognize=False)
        )
        self._words = dict(words)
        self._min_on = min_on
        self._min_off = min_off

    @property
    def model(self) -> str:
        return "tone"

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
        raise RuntimeError("ToneSTT only streams: its capabilities say offline_recognize=False")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        ear = _Ear(self._words, min_on=self._min_on, min_off=self._min_off)
        return _ToneRecognition(ear, stt=self, conn_options=conn_options, sample_rate=self.SAMPLE_RATE)


class _ToneRecognition(stt.RecognizeStream):
    def __init__(self, ear: _Ear, *, stt: ToneSTT, conn_options: APIConnectOptions, sample_rate: int) -> None:
        super().__init__(stt=stt, conn_options=conn_options, sample_rate=sample_rate)
        self._ear = ear

    async def _run(self) -> None:
        size = int(ToneSTT.WINDOW * ToneSTT.SAMPLE_RATE)
        samples = np.zeros(0, np.int16)
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            samples = np.concatenate([samples, np.frombuffer(frame.data, np.int16)])
            while len(samples) >= size:
                for kind, text in self._ear.hear(samples[:size]):
                    said = [stt.SpeechData(language=LanguageCode("en"), text=text, confidence=1.0)] if text else []
                    self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=said))
                samples = samples[size:]


class _Ear:
    """Windows of sound in, speech events out."""

    def __init__(self, words: Mapping[float, str], *, min_on: float, min_off: float) -> None:
        self._words = words
        self._min_on = min_on
        self._min_off = min_off
        self._loud = self._quiet = 0.0  # seconds
        self._speaking = False
        self._votes: Counter[float] = Counter()

    def hear(self, window: Samples) -> Sequence[tuple[stt.SpeechEventType, str]]:
        if np.abs(window.astype(np.int32)).max() > ToneSTT.LOUD:
            return self._hear_sound(window)
        return self._hear_silence()

    def _hear_sound(self, window: Samples) -> Sequence[tuple[stt.SpeechEventType, str]]:
        self._loud, self._quiet = self._loud + ToneSTT.WINDOW, 0.0
        heard = pitch(window, ToneSTT.SAMPLE_RATE)
        word = min(self._words, key=lambda hz: abs(hz - heard))
        self._votes[word] += 1
        if self._speaking or self._loud < self._min_on:
            return ()
        self._speaking = True
        return (
            (stt.SpeechEventType.START_OF_SPEECH, ""),
            (stt.SpeechEventType.INTERIM_TRANSCRIPT, self._words[word]),
        )

    def _hear_silence(self) -> Sequence[tuple[stt.SpeechEventType, str]]:
        self._quiet += ToneSTT.WINDOW
        if self._quiet < self._min_off:
            return ()
        spoken, votes = self._speaking, self._votes
        self._loud, self._speaking, self._votes = 0.0, False, Counter()
        if not spoken:
            return ()
        return (
            (stt.SpeechEventType.FINAL_TRANSCRIPT, self._words[votes.most_common(1)[0][0]]),
            (stt.SpeechEventType.END_OF_SPEECH, ""),
        )


def pitch(window: Samples, rate: int) -> float:
    """The strongest frequency in a window of sound, in hertz, to within `rate / len(window)`."""
    spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window))))
    return float(np.fft.rfftfreq(len(window), 1 / rate)[spectrum.argmax()])


def tone(hz: float, seconds: float, *, rate: int = 48_000, level: int = 12_000) -> Samples:
    """A sine of `seconds` at `rate` samples a second, with its peaks at `level` of 32,767."""
    t = np.arange(round(rate * seconds)) / rate
    return (np.sin(2 * np.pi * hz * t) * level).astype(np.int16)


def voice(seconds: float = 2.0, *, rate: int = 48_000) -> Samples:
    """A synthetic voice that LiveKit's VAD takes for speech: two vowels in turn, four syllables a second."""
    t = np.arange(round(rate * seconds)) / rate

    def vowel(*formants: tuple[float, float]) -> NDArray[np.float64]:
        """A buzz of 120 Hz with a slight vibrato, its harmonics strong near the formants (hertz, weight)."""
        phase = 2 * np.pi * np.cumsum(120 * (1 + 0.02 * np.sin(2 * np.pi * 5 * t))) / rate
        sound = np.zeros(len(t))
        for harmonic in range(1, 40):
            near = sum(weight / (1 + ((harmonic * 120 - hz) / 90) ** 2) for hz, weight in formants)
            sound += (near + 0.01) * np.sin(harmonic * phase)
        return cast("NDArray[np.float64]", sound / np.abs(sound).max())

    a, i = vowel((700, 1.0), (1220, 0.6), (2600, 0.3)), vowel((300, 1.0), (2300, 0.5), (3000, 0.3))
    syllables = np.clip(np.sin(2 * np.pi * 4 * t) * 1.5 + 0.6, 0, 1)
    return cast(Samples, (np.where((t * 4).astype(int) % 2 == 0, a, i) * syllables * 10_000).astype(np.int16))
