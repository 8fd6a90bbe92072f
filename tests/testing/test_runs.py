"""Scenarios whose caller a model plays: models on the network, which a server stands in for, and a judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import dedent, indent

import pytest

import callflow
from callflow.scenario import Result, from_inputs, play, reads, write
from callflow.testing.scenario.runs import play_by_models
from tests.support.openai_stand_in import Says, standing_in

FLOW = callflow.load("flows/smallest.yaml")
MODELS = "models: {agent: agent, caller: caller, judge: judge}\n"

PLAY = Callable[[str, Says], Result]


@pytest.fixture
def by_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[PLAY]:
    monkeypatch.setenv("LIVEKIT_API_KEY", "key")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "s" * 32)

    def played(body: str, says: Says) -> Result:
        with standing_in(says) as (address, _):
            monkeypatch.setenv("LIVEKIT_INFERENCE_URL", address)
            return play_by_models(scenario(MODELS, body))

    return played


def scenario(models: str, body: str):
    text = f"callflow: 1\nflow: x\n{models}scenarios:\n  a:\n{indent(dedent(body), '    ')}"
    [found], defects = reads(text, flows=FLOW)
    assert defects == []
    return found


def polite(request) -> object:
    """An agent that greets, and hangs up when it is told goodbye; a caller who says so; a judge who says yes."""
    last = str(request["messages"][-1]["content"])
    if request["model"] == "agent":
        return {"end_call": {}} if "bye" in last.lower() else "Good day, how can I help?"
    if request["model"] == "judge":
        return '{"yes": true, "reason": "It says good day."}'
    return "That is all, goodbye."


def test_models_play_the_agent_and_the_caller_and_one_judges(by_models):
    result = by_models(
        "persona: Ann wants nothing.\njudge: [Is the agent polite?]\nexpect: {outcome: completed, heard: [..., Goodbye.]}",
        polite,
    )
    assert result.failure is None
    assert [one.text for one in result.heard] == ["Good day, how can I help?", "Goodbye."]
    assert result.record is not None
    assert result.record.outcome == "completed"
    assert result.notes == ("1 of 1 calls have passed", "call 1: Is the agent polite? Yes: It says good day.")


def test_a_call_that_any_run_has_come_to_is_an_exact_scenario(by_models):
    [run] = by_models("persona: Ann wants nothing.\nexpect: {outcome: completed}", polite).runs
    again = from_inputs(FLOW, run.inputs, start=run.scenario.start, waiting=True)
    [read], defects = reads(write(again), flows=FLOW)
    assert defects == []
    result = play(read)
    assert result.failure is None
    assert [one.text for one in result.heard][-1] == "Goodbye."


def test_a_share_of_the_runs_must_pass(by_models):
    judged = iter([True, False, True] * 2)

    def says(request):
        if request["model"] != "judge":
            return polite(request)
        return '{"yes": true, "reason": "So."}' if next(judged) else '{"yes": false, "reason": "It mumbles."}'

    body = "persona: Ann wants nothing.\njudge: [Is it clear?]\nruns: 3\n"
    assert by_models(f"{body}passes: 60%", says).failure is None
    failure = by_models(f"{body}passes: 80%", says).failure
    assert failure is not None
    assert failure.message == "2 of 3 calls that models have played passed, and 80% must"
    assert [one[:3] for one in failure.unmet] == [
        ("call 2: the judge", "Is it clear?", "no: It mumbles."),
    ]


def test_what_is_expected_must_hold_as_well(by_models):
    failure = by_models("persona: Ann wants nothing.\nexpect: {outcome: hung_up}", polite).failure
    assert failure is not None
    assert failure.message == "0 of 1 calls that models have played passed"
    assert [one[:3] for one in failure.unmet] == [("call 1: outcome", "hung_up", "completed")]


def test_a_model_that_refuses_is_told(by_models):
    result = by_models(
        "persona: Ann.\nexpect: {outcome: completed}",
        lambda request: 403 if request["model"] == "caller" else polite(request),
    )
    assert result.failure is not None
    assert "the caller's model has failed" in result.failure.unmet[0].seen


def test_without_a_key_the_steps_are_played_and_nothing_is_judged(monkeypatch):
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_INFERENCE_API_KEY", "LIVEKIT_INFERENCE_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    body = "persona: Ann.\njudge: [Is it clear?]\nsteps: [{caller: Goodbye.}, {tool: end_call}]\nexpect: {outcome: completed}"
    result = play_by_models(scenario(MODELS, body))
    assert result.passed
    [note] = result.notes
    assert note.startswith("no model has played this, and nothing was judged: agent: ")
    assert [one.text for one in result.heard][-1] == "Goodbye."


def test_without_a_key_and_without_steps_it_is_not_played(monkeypatch):
    result = play_by_models(scenario("", "persona: Ann."))
    assert result.skipped == (
        "no model has played this, and nothing was judged: no model is named for the agent: write `models: {agent: openai/gpt-4.1-mini}`"
    )
