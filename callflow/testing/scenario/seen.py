"""What is seen of a call in a simulated room: its steps as they are taken, and what has reached whose ear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from callflow.core.flow import Flow
from callflow.core.snapshot import Step
from callflow.scenario.call import Heard, Seen, Taken
from callflow.testing import audio
from callflow.testing.caller import Caller
from callflow.testing.room import SimulatedRoom
from callflow.testing.scenario.words import as_told

LATELY = 0.6
"""Seconds in which one thing after the other counts as one moment: LiveKit tells of the end of a speech, of a leg that has left and of
a state that was left in turns of its own."""

TRAVELS = 0.06
"""Seconds after which all of a speech has reached whoever hears it."""

Parties = Callable[[], Iterable[tuple[str, Caller]]]


class SeenInARoom(Seen):
    """One call. Its times may differ by more than on the pure core: LiveKit's session starts, hears the end of a turn, and closes."""

    tolerance = 6.0
    unsure = 1.0  # LiveKit hears half a second later that somebody speaks, and another half that it was a word

    def __init__(self, flow: Flow, first: Step, room: SimulatedRoom, parties: Parties) -> None:
        super().__init__(flow, first, first.snapshot.memory.started)
        self._room, self._parties = room, parties
        self._speeches = 0  # how many of the agent's have been looked at
        self.plays: list[
            tuple[float, float, str]
        ] = []  # sounds of files: from when to when, by the loop, and what they are

    def look(self) -> None:
        """What has been heard by now."""
        if not self.snapshot.ended:
            self.now = max(self.now, time.time())
        voice, now = self._room.voice, self._room.voice.now
        while self._speeches < len(voice.over) and now >= voice.over[self._speeches].ends + TRAVELS:
            self._hear(voice.over[self._speeches])
            self._speeches += 1

    def _hear(self, speech: audio.Utterance) -> None:
        whole, epoch = audio.join(speech.pieces), time.time() - self._room.voice.now
        if whole is None:
            return
        found: dict[tuple[str, bool], Heard] = {}
        for name, party in self._parties():
            sound = party.heard_of(self._room, speech)
            if sound is None:
                continue
            cut = speech.was_cut or sound.end < whole.end - audio.LETTER or sound.start > whole.start + audio.LETTER
            text = self._text(sound)
            before = found.get((text, cut))
            legs = (*before.legs, name) if before is not None else (name,)
            if text or not cut:
                found[text, cut] = Heard(sound.start + epoch, sound.end + epoch, text, legs, cut)
        self.heard += found.values()

    def _text(self, sound: audio.Sound) -> str:
        for since, until, what in self.plays:
            if since <= sound.start and sound.end <= until + LATELY:
                return what
        return as_told(sound.text)

    @property
    def lately(self) -> Sequence[Taken]:
        recent = [one for one in self.taken[:-1] if one.time >= self.elapsed - LATELY]
        return recent or self.taken[-2:-1]
