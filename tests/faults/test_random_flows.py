"""Random flows in random worlds: whatever comes in whatever order, a call ends once, whole, and leaves nothing behind.

More than `make test` plays: `make more`; until something breaks: `make soak`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.core.oracle.duel import load
from tests.core.oracle.generate import Dice
from tests.faults.chaos import Chaos
from tests.faults.scenario import HOWS, Scenario, random_scenario, read, shrunk, soak
from tests.faults.workers import FOUND

CALLS = int(os.environ.get("CALLFLOW_FAULTS", "240"))
KEPT = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
BLOCK = 120

pytestmark = pytest.mark.filterwarnings("ignore:coroutine 'World:RuntimeWarning")  # cancelled before it could begin


@pytest.mark.parametrize("first", range(0, CALLS, BLOCK))
def test_random_calls(first, tmp_path, caplog):
    caplog.set_level("CRITICAL", "callflow")
    found = soak(1_000 * first, min(BLOCK, CALLS - first), tmp_path, lambda done, seed: None)
    assert found is None, found.read_text()


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_once_went_wrong(path, caplog):
    caplog.set_level("CRITICAL", "callflow")
    read(path).run()


DICE = st.integers(0, 2**32).map(Dice.seeded)


class Calls(RuleBasedStateMachine):
    """One call of one random flow; every rule is a line of its script. What fails is written down, shrunk."""

    chaos: Chaos | None = None
    scenario: Scenario

    @initialize(dice=DICE, close_hangs=st.booleans())
    def begin(self, dice, close_hangs):
        self.scenario = evolve(random_scenario(dice), close_hangs=close_hangs)
        text = self.scenario.text
        self.chaos = Chaos(load(text), text, close_hangs=close_hangs)
        self.chaos.answered(dice)

    def begun(self) -> bool:
        return self.chaos is not None

    @precondition(begun)
    @rule(dice=DICE)
    def something_happens(self, dice):
        self.do(self.chaos.choose(dice))

    @precondition(begun)
    @rule(dice=DICE)
    def an_effect_ends(self, dice):
        waiting = sorted(key for key in self.chaos.world.waiting if isinstance(key, int) and key > 0)
        if waiting:
            self.do(self.chaos.any_end(dice, dice.pick(waiting)))

    @precondition(begun)
    @rule(dice=DICE, count=st.integers(2, 4))
    def things_happen_at_once(self, dice, count):
        self.do(" + ".join(self.chaos.choose(dice) for _ in range(count)))

    @precondition(begun)
    @rule(how=st.sampled_from(["fire", "wait 0.5", "wait 12", "wait 90"]))
    def time_passes(self, how):
        self.do(how)

    @precondition(begun)
    @rule(how=st.sampled_from([*HOWS, "line lost", "session closed", "hang up", "goodbye", "cancel"]))
    def it_is_told_to_end(self, how):
        self.do(how)

    def do(self, line):
        if not self.chaos.running.done():
            with self.written_down():
                self.chaos.do(line)

    def teardown(self):
        if self.chaos is not None:
            with self.written_down():
                self.chaos.finish()
            self.chaos.close()

    @contextmanager
    def written_down(self):
        try:
            yield
        except Exception as error:
            path = FOUND / "state-machine.yaml"
            shrunk(evolve(self.scenario, script=list(self.chaos.script)), 200).save(path, str(error).splitlines()[0])
            error.add_note(f"run it again: python -m tests.faults {path}")
            self.chaos.close()
            raise


Calls.TestCase.settings = settings(
    max_examples=max(60, CALLS // 4),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class TestCalls(Calls.TestCase):
    @pytest.fixture(autouse=True)
    def _quiet(self, caplog):
        caplog.set_level("CRITICAL", "callflow")


def test_a_counter_example_is_shrunk_and_runs_again(tmp_path, monkeypatch, caplog):
    """With a runtime that arms no timer: what is left of a random call is little more than what shows it."""
    caplog.set_level("CRITICAL", "callflow")
    monkeypatch.setattr("callflow.runtime.timers.Timers.arm", lambda self, timers: None)
    found = soak(0, 400, tmp_path, lambda done, seed: None)
    assert found is not None
    again = read(found)
    assert "is armed" in (again.problem() or "")
    assert len(again.script) <= 5
    assert len(again.text.splitlines()) < 60
    monkeypatch.undo()
    assert again.problem() is None
    assert shrunk(again) == again, "nothing is wrong with it any more"
