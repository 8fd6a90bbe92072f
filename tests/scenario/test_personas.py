"""Callers that a model plays, as a scenario file says it."""

from __future__ import annotations

import pytest

import callflow
from callflow.scenario import reads, write
from callflow.scenario.model import Persona

FLOW = callflow.load("flows/smallest.yaml")


def read(body: str):
    return reads(f"callflow: 1\nflow: x\n{body}", flows=FLOW)


def test_all_of_it():
    [scenario], defects = read("""
models: {caller: openai/gpt-4.1-mini, judge: openai/gpt-4.1}
scenarios:
  in a hurry:
    persona: {who: Ann is in a hurry., turns: 5}
    judge: [Does the agent say goodbye?]
    runs: 10
    passes: 80%
    models: {judge: {plugin: openai, model: gpt-5}}
    expect: {outcome: completed}
""")
    assert defects == []
    assert scenario.persona == Persona(
        who="Ann is in a hurry.",
        turns=5,
        questions=("Does the agent say goodbye?",),
        runs=10,
        passes=0.8,
        models={"caller": "openai/gpt-4.1-mini", "judge": {"plugin": "openai", "model": "gpt-5"}},
    )


def test_it_is_written_as_it_was_read():
    [scenario], _ = read("""
models: {caller: openai/gpt-4.1-mini, agent: {plugin: openai, model: gpt-5}}
scenarios:
  a: {persona: "Ann: in a hurry.", judge: ["Polite, and brief?"], runs: 10, passes: 80%}
""")
    [again], defects = reads(write(scenario), flows=FLOW)
    assert defects == []
    assert again.persona == scenario.persona


def test_a_text_alone_is_who_they_are():
    [scenario], defects = read("scenarios: {a: {persona: Ann is in a hurry.}}")
    assert defects == []
    assert scenario.persona == Persona(who="Ann is in a hurry.", turns=30, runs=1, passes=1.0)


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        ("a: {judge: [Was it polite?], steps: []}", "`judge` is for calls whose caller a model plays", "write `persona: who the caller is`"),
        ("a: {runs: 3, steps: []}", "`runs` is for calls whose caller a model plays", "write `persona: who the caller is`"),
        ("a: {persona: {turns: 3}}", "a persona says `who` the caller is", "write `who: …`"),
        ("a: {persona: {whom: Ann}}", "a persona has no key `whom`", 'did you mean "who"?'),
        ("a: {persona: {who: Ann, turns: 0}}", "`turns` is at least 1, not 0", ""),
        ("a: {persona: Ann, runs: 5000}", "`runs` is at most 1000, not 5000", ""),
        ("a: {persona: Ann, passes: 80}", "`passes` is a share of the runs in percent", "write `passes: 80%`"),
        ("a: {persona: Ann, passes: 101%}", "`passes` is a share of the runs in percent", "write `passes: 80%`"),
        ("a: {persona: Ann, judge: Was it polite?}", "`judge` takes a list, not the text \"Was it polite?\"", "write [Was it polite?]"),
        ("a: {persona: Ann, models: {jugde: x}}", "`models` has no key `jugde`", 'did you mean "judge"?'),
        ("a: {persona: Ann, models: {judge: {model: x}}}", "`judge` takes a model's name, or `{plugin: …}` with its options, not keys with values", ""),
        ("a: {persona: Ann, models: {judge: 3}}", "`judge` takes a model's name, or `{plugin: …}` with its options, not the number 3", ""),
    ],
)  # fmt: skip
def test_each_mistake_is_told(body: str, message: str, hint: str):
    found, defects = read(f"scenarios:\n  {body}\n")
    assert found == []
    assert (message, hint) in [(one.message, one.hint) for one in defects], [(one.message, one.hint) for one in defects]
    assert len(defects) == 1
