"""Whatever is chosen, on every shipped flow: each choice can happen, the past stays as it was, and what was played is what its
scenario plays."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

import callflow
from callflow.play import Played, beginning
from callflow.scenario import play, reads, write

ROOT = Path(__file__).parents[2]
FLOWS = sorted((ROOT / "flows").glob("*.yaml"))
STEPS = int(os.environ.get("CALLFLOW_PLAY", "40"))


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_whatever_is_chosen_happens(path):
    flow = callflow.load(path)
    drawn, left, seed = random.Random(path.stem), STEPS, 0
    while left:
        played = Played(beginning(flow))
        seed += 1
        while left and not played.over:
            left -= 1
            past = [one.step.event for one in played.call.taken]
            if drawn.random() < 0.4 and played.let_happen():
                assert [one.step.event for one in played.call.taken][: len(past)] == past
                continue
            each = played.choices()
            if not each:
                break
            chosen = drawn.choice(each)
            played.do(chosen.act, chosen.seconds)
            now = [one.step.event for one in played.call.taken]
            assert now[: len(past)] == past
            assert len(now) > len(past) or chosen.takes == "words", chosen.words
            if drawn.random() < 0.1:
                played.back()
                assert [one.step.event for one in played.call.taken] == past
        again = play(played.scenario)
        assert again.failure is None
        events = [one.step.event for one in played.call.taken]
        assert [one.step.event for one in again.taken] == events[: len(again.taken)]
        if not played.scenario.steps:
            continue
        read, defects = reads(write(played.scenario, path.parent), folder=path.parent)
        assert defects == []
        assert [one.step.event for one in play(read[0]).taken] == [one.step.event for one in again.taken]
