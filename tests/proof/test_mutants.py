"""Mutants of the shipped flows: a share of them, always the same; `make mutants` tries them all."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import callflow
from tests.proof.mutants.intents import intent
from tests.proof.mutants.making import Mutant, mutants, read
from tests.proof.mutants.observing import difference, rows_of
from tests.proof.mutants.trying import chosen, share, tried
from tests.proof.mutants.verdicts import Word
from tests.support.play import HEAD

SMALL = ("cold-transfer", "look-up", "maximum-duration", "outbound", "silence-ladder", "smallest", "voicemail")
EVERY = 23
SHARE = 0.7
"""What is missed is mostly an outcome that is not named, and a row that leads back into the conversation."""

TALKS = """tools: {end_call: {description: The caller is done.}, human: {description: A person.}}
initial: talking
states:
  talking:
    entry: [{generate_reply: {instructions: Greet the caller.}}]
    tools: [end_call, human]
    silence: {30s: {target: ending, do: [{say: Goodbye.}]}}
    on:
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
      tool.human: asking
      dtmf.9: other
  asking:
    entry: [{say: One moment.}, {transfer: {to: "tel:+15551234567", ringing_timeout: 25s, play_dialtone: true}}]
    on:
      transfer.completed: ending
      transfer.failed:
        - {target: talking, when: event.sip_status_code == 486, do: [{say: They are on the phone.}]}
        - talking
  other: {entry: [{generate_reply: {instructions: Ask what else.}}], tools: [end_call], after: {3m: talking}}
"""


def flow_of(text: str) -> callflow.Flow:
    return callflow.loads(HEAD + text, check=False)


def test_of_a_share_of_all_mutants_most_are_found_and_a_quarter_at_most_is_exempt() -> None:
    results = [tried(name, mutant) for name, mutant in chosen(SMALL, EVERY)]
    words: Counter[Word] = Counter(one.verdict.word for one in results)
    assert len(results) > 18
    assert share(words) >= SHARE, [one for one in results if one.verdict.word == "missed"]
    assert words["intent"] <= len(results) / 4


def test_mutants_are_made_in_the_same_order_each_time() -> None:
    data = read(HEAD + TALKS)
    one, other = [*mutants(data)], [*mutants(read(HEAD + TALKS))]
    assert [mutant[:3] for mutant in one] == [mutant[:3] for mutant in other]
    assert len({mutant[:3] for mutant in one}) == len(one)
    assert all(mutant.data != data for mutant in one)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("[{say: Goodbye.}, {outcome: completed}]", "[{outcome: completed}]", "wording"),
        (", do: [{say: They are on the phone.}]", "", "wording"),
        ("sip_status_code == 486", "sip_status_code == 480", "wording"),
        ("ringing_timeout: 25s", "ringing_timeout: 60s", "duration"),
        ("ringing_timeout: 25s, ", "", "duration"),
        ("[{say: Goodbye.}, {outcome: completed}]", "[{say: Goodbye.}]", None),
        ("silence: {30s:", "silence: {5m:", None),
        ("transfer.completed: ending", "transfer.completed: talking", None),
    ],
)
def test_what_is_another_intent_and_what_is_not(old: str, new: str, rule: str | None) -> None:
    text = HEAD + TALKS
    assert text.count(old) == 1
    made = Mutant("changed", "", "", read(text.replace(old, new)))
    assert intent(made, read(text), flow_of(TALKS), flow_of(TALKS.replace(old, new))) == rule


@pytest.mark.parametrize(("new", "rule"), [("other", "target"), ("ending", None), ("asking", None)])
def test_a_target_of_the_same_kind_is_another_intent(new: str, rule: str | None) -> None:
    old, changed = (
        "      transfer.failed:\n        - {target: talking,",
        f"      transfer.failed:\n        - {{target: {new},",
    )
    data: dict[str, Any] = read(HEAD + TALKS.replace(old, changed))
    made = Mutant("row retargeted", "", "", data, "talking", new)
    assert intent(made, read(HEAD + TALKS), flow_of(TALKS), flow_of(TALKS.replace(old, changed))) == rule


def test_what_nobody_can_observe_makes_no_difference() -> None:
    flow, other = (
        flow_of(TALKS),
        flow_of(TALKS.replace("[{say: One moment.},", "[{log: Somebody asks.}, {say: One moment.},")),
    )
    assert (
        difference(flow, other, rows_of(flow) - {row.id for row in flow.states["other"].timers[0].transitions}) is None
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{outcome: completed}", "{outcome: declined}"),
        ("tool.human: asking", "tool.human: {target: asking, do: [{say: Very well.}]}"),
        ("silence: {30s:", "silence: {50s:"),
        ("say: One moment.", "say: Wait."),
        ("tools: [end_call, human]", "tools: [end_call]"),
    ],
)
def test_what_somebody_can_observe_is_a_difference(old: str, new: str) -> None:
    flow, other = flow_of(TALKS), flow_of(TALKS.replace(old, new))
    assert difference(flow, other, rows_of(flow)) is not None
