"""What is expected, asked at every step of a call, is the same as asked once of the whole of it."""

from pathlib import Path

import pytest

from callflow.scenario import load, play
from callflow.scenario.call import Heard
from callflow.scenario.later import StillToCome
from callflow.scenario.model import ANYTHING, Conditions, Expects, Never, Occurs, Scenario, Step, Text
from callflow.scenario.playing import Player
from callflow.scenario.watching import Since, watch
from callflow.testing.scenario.seen import SeenInARoom

FOLDERS = ("flows/scenarios", "benchmarks/scenarios")
FILES = [path for folder in FOLDERS for path in sorted(Path(folder).glob("*.scenario.yaml"))]


def asked_at_every_step(scenario: Scenario) -> set[bool]:
    """What was answered, of what is expected anywhere in a scenario; it is the same as where it is asked of all of the call."""
    wanted = [step.act.conditions for step in scenario.steps if isinstance(step.act, (Expects, Never))]
    wanted += [one for one in (scenario.expect, scenario.never) if one is not None]
    player = Player(scenario)
    seen, since = player.call, (Since(), Since(3, 1))
    watched = [watch(one, seen, place) for one in wanted for place in since]
    follow, answers = seen.follow, set[bool]()

    def follows(*given):
        follow(*given)
        now = [watch(one, seen, place)() for one in wanted for place in since]
        assert [one() for one in watched] == now, [one.position for one in wanted]
        answers.update(now)

    seen.follow = follows
    assert player.run() is None
    return answers


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path))
def test_what_is_asked_at_every_step_is_what_is_asked_of_the_whole_call(path):
    assert set().union(*map(asked_at_every_step, load(path))) == {True, False}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path))
def test_these_scenarios_pass(path):
    assert [result.failure for result in map(play, load(path)) if not result.passed] == []


def test_who_comes_again_has_left_before_by_themselves():
    steps = [Step(Occurs(name)) for name in ("leg.human.answered", "leg.human.hangup")]
    later = StillToCome(steps)
    assert not later.brings("leg.human.hangup", 0)
    later.next = 1  # they are there, and this is how they leave
    assert later.brings("leg.human.hangup", 0)
    assert not later.brings("leg.human.hangup", 7)


def test_a_step_is_for_the_effect_that_waits_for_it_until_that_has_ended():
    steps = [Step(Occurs(name)) for name in ("leg.human.dtmf.2", "leg.human.dtmf.1")]
    later = StillToCome(steps)
    assert later.brings_one(("leg.human.dtmf.1", "leg.human.dtmf.2"), 4)  # the first of both
    assert later.claimed == {0: 4}
    later.next = 1
    assert later.brings("leg.human.dtmf.1", 7)
    assert not later.brings("leg.human.dtmf.1", 9)
    later.over(7)
    assert later.brings("leg.human.dtmf.1", 9)


CUT, WHOLE = Heard(0.0, 0.4, "Are you", ("far_end",), cut=True), Heard(1.0, 2.0, "Goodbye.", ("far_end",))


@pytest.mark.parametrize(
    ("wanted", "heard", "exact", "in_a_room"),
    [
        (["Goodbye."], [WHOLE], True, True),
        (["Goodbye."], [CUT, WHOLE], False, True),  # it was cut before anybody has heard a word
        (["Are yo…", "Goodbye."], [CUT, WHOLE], True, True),
        (["Are yo…", "Goodbye."], [WHOLE], False, True),
        (["Are you still the…", "Goodbye."], [WHOLE], False, False),
        (["Goodbye."], [CUT._replace(ended=1.5), WHOLE], False, False),
        (["Are yo…"], [CUT, WHOLE], False, False),
        (["Are yo…", ..., "Goodbye."], [CUT, CUT, WHOLE], True, True),
    ],
)
def test_what_is_cut_at_once_may_be_heard_or_not_in_a_room(wanted, heard, exact, in_a_room):
    texts = [ANYTHING if one is ... else Text(exactly=one) for one in wanted]
    seen = Player(next(iter(load(FILES[0])))).call
    seen.heard = heard
    assert watch(Conditions(heard=texts), seen, Since())() is exact
    seen.unsure = SeenInARoom.unsure
    assert watch(Conditions(heard=texts), seen, Since())() is in_a_room
