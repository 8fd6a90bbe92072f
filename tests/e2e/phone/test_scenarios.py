"""The scenario files of the shipped flows with real rooms and telephones: the same states, outcome and words as on the pure core."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflow.core.events import MAIN_LEG
from callflow.core.speaking import LETTER
from callflow.scenario import load
from tests.e2e import aftermath
from tests.e2e.phone.calling import no_leg
from tests.e2e.phone.network import until
from tests.e2e.phone.score import beyond, calls_in, numbers, to_its_end

FLOWS = Path(__file__).parents[3] / "flows"
FILES = sorted((FLOWS / "scenarios").glob("*.scenario.yaml"))
ALL = [(path, one.name) for path in FILES for one in load(path)]


def scenario_of(path, name):
    return next(one for one in load(path) if one.name == name)


def left_out(path, name):
    one = scenario_of(path, name)
    return beyond(one, to_its_end(one))


PLAYED = [
    pytest.param(path, name, id=f"{path.name.partition('.')[0]}-{name.replace(' ', '-')}")
    for path, name in ALL
    if left_out(path, name) is None
]


KINDS = {
    "dial.busy", "dial.declined", "dial.invalid", "dial.answered", "transfer.completed", "transfer.failed",
    "amd.human", "amd.machine-vm", "amd.machine-ivr", "amd.machine-unavailable", "call.hangup", "dtmf.0", "tool.end_call",
}  # fmt: skip


def test_each_kind_of_far_end_is_among_them():
    seen = set()
    for one in PLAYED:
        result = to_its_end(scenario_of(*one.values))
        for taken in result.taken:
            name, effect = getattr(taken.step.event, "name", ""), taken.effect
            word = getattr(taken.step.event, "result", {}).get("result")
            seen |= {name} if effect is None else {f"{effect.verb}.{word}"}
    assert seen >= KINDS
    assert len(PLAYED) > len(ALL) // 4


def words(result):
    return [one.text for one in result.heard if MAIN_LEG in one.legs and not one.cut and not one.text.startswith("(")]


@pytest.mark.parametrize(("path", "name"), PLAYED)
async def test_a_shipped_scenario(line, network, path, name):
    scenario = scenario_of(path, name)
    here = to_its_end(scenario)
    telephones, given = {}, {}
    for leg, script in numbers(here):
        telephones[leg] = await network.telephone(script)
        given[leg] = {"to": telephones[leg].number, "trunk": telephones[leg].trunk}
    job = await line.agent("shipped:play", file=str(path), name=name, telephones=given)
    call = None
    if not scenario.flow.outbound:
        await job.note("job", within=20)
        call = await network.call_in(line.room, calls_in(here))
    record = await aftermath.one_record(line, job, within=90)
    await no_leg(network, line.room)
    [seen] = job.notes("states")
    assert seen["states"] == [state for one in here.taken for state in one.step.entered if state]
    assert job.notes("unmet")[0]["unmet"] == []
    assert (record["outcome"], record["hung_up_by"]) == (here.record.outcome, here.record.hung_up_by)
    said = [one["text"] for one in record["transcript"] if one["role"] == "assistant"]
    wanted = words(here)
    assert [text for text in said if text in wanted] == wanted
    if call is None and telephones.get(MAIN_LEG) is not None and telephones[MAIN_LEG].calls:
        call = telephones[MAIN_LEG].calls[0]
    if call is not None:
        heard = [one for one in here.heard if MAIN_LEG in one.legs]
        least = sum(LETTER * len(one.text) for one in heard if not one.cut and not one.text.startswith("("))
        await until(lambda: call.heard.seconds_at(440) > least - 0.5, within=2, what=lambda: f"{least} s of speech")
