"""Lists that only set variables, and wait behind each other: what of them makes no difference is not told apart."""

from __future__ import annotations

import callflow
from callflow.core.events import Event
from callflow.core.flow import Flow
from callflow.core.snapshot import ActionList
from callflow.proof.begin import first_steps
from callflow.proof.explore import explore
from callflow.proof.setting import Setting
from tests.support.play import HEAD

TEXT = """
vars:
  kind: {type: string, default: ""}
  old: {type: string, default: ""}
  steps: {type: integer, default: 0}
  size: {type: number, default: 0}
tools: {symptom: {description: A symptom., parameters: {kind: {type: string, enum: [chest, head, other]}}}}
initial: asking
states:
  asking:
    entry: [{generate_reply: {instructions: Ask for a symptom.}}]
    tools: [symptom]
    silence: {20s: ending}
    on:
      tool.symptom: {target: asking, do: [{set: {kind: "{{ event.kind }}"}}]}
      dtmf.1: {target: asking, do: [{set: {kind: "{{ event.digit }}", steps: "{{ vars.steps + 1 }}"}}]}
      dtmf.2: {target: asking, do: [{set: {old: "{{ vars.kind }}"}}]}
      dtmf.3: {target: asking, do: [{say: "Was it {{ vars.kind }}?"}]}
      dtmf.4: {target: asking, do: [{set: {size: "{{ number(event.digit) }}"}}]}
    always: [{target: ending, when: 'vars.kind == "chest" and vars.steps > 1 and vars.old == "head"'}]
"""


def waiting(flow: Flow, *events: tuple[str, str, str]) -> list[ActionList]:
    """The lists of these events' rows, as they wait: of an event by its name, with one field."""
    rows = {row.pattern: row.transitions[0].id for row in flow.states["asking"].rows}
    return [
        ActionList(number, "do", "", "asking", rows[name], event=Event(name, {field: value}, 0.0))
        for number, (name, field, value) in enumerate(events, 1)
    ]


def left_of(*events: tuple[str, str, str]) -> list[tuple[int, str]]:
    """What is left of them: their numbers, and what their events carry."""
    flow = callflow.loads(HEAD + TEXT, check=False)
    setting = Setting(flow)
    setting.left_of(waiting(flow, ("dtmf.1", "digit", "0"), ("dtmf.1", "digit", "0")))  # the first that is seen
    left = setting.left_of(waiting(flow, *events))
    return [(one.seq, next(iter(one.event.data.values()))) for one in left if one.event is not None]


CHEST, HEAD_ACHE, OTHER = (("tool.symptom", "kind", kind) for kind in ("chest", "head", "other"))
ONE, SEVEN = ("dtmf.1", "digit", "1"), ("dtmf.1", "digit", "7")
KEEPS, SAYS, FAILS = (("dtmf.2", "digit", "2"), ("dtmf.3", "digit", "3"), ("dtmf.4", "digit", "4"))


def test_of_what_one_row_sets_again_and_again_the_last_counts() -> None:
    assert left_of(CHEST, HEAD_ACHE, OTHER) == [(3, "other")]
    assert left_of(CHEST) == [(1, "chest")]


def test_what_is_counted_stays_and_what_it_was_counted_by_does_not() -> None:
    assert left_of(ONE, SEVEN) == [(1, "0"), (2, "7")]
    assert left_of(ONE, CHEST) == [(1, "0"), (2, "chest")]
    assert left_of(CHEST, ONE) == [(1, "chest"), (2, "1")]  # of another row: that both are run is seen


def test_what_is_read_in_between_counts() -> None:
    assert left_of(CHEST, KEEPS, OTHER) == [(1, "chest"), (2, "2"), (3, "other")]
    assert left_of(CHEST, HEAD_ACHE, KEEPS, OTHER) == [(2, "head"), (3, "2"), (4, "other")]
    assert left_of(CHEST, SAYS, OTHER) == [(1, "chest"), (2, "3"), (3, "other")]


def test_before_what_may_fail_everything_counts() -> None:
    assert left_of(CHEST, FAILS, OTHER) == [(1, "chest"), (2, "4"), (3, "other")]


def test_what_has_begun_is_left_alone() -> None:
    flow = callflow.loads(HEAD + TEXT, check=False)
    first, second = waiting(flow, CHEST, OTHER)
    for one in (first.at(0, 1), first.at(0, stopped=True), first.at(1)):
        assert Setting(flow).left_of([one, second]) == [one, second]
    assert Setting(flow).left_of([first._replace(owner="asking"), second]) == [first._replace(owner="asking"), second]


PILES = """
vars:
  kind: {type: string, default: ""}
  urgent: {type: boolean, default: false}
  steps: {type: integer, default: 0}
tools:
  symptom: {description: A symptom., parameters: {kind: {type: string, enum: [chest, head, other]}, urgent: boolean}}
initial: greeting
states:
  greeting: {entry: [{say: Hello.}], on: {done: {target: asking, do: [{say: What is the matter?}]}}}
  asking:
    entry: [{generate_reply: {instructions: Ask for a symptom.}}]
    tools: [symptom]
    silence: {20s: ending}
    on:
      tool.symptom: {target: deciding, do: [{set: {kind: "{{ event.kind }}", urgent: "{{ event.urgent }}", steps: "{{ vars.steps + 1 }}"}}]}
  deciding:
    always: [{target: ending, when: 'vars.kind == "chest" and vars.urgent'}, {target: ending, when: vars.steps >= 2}, asking]
"""


def test_a_flow_in_which_they_pile_up_is_followed_to_the_end() -> None:
    flow = callflow.loads(HEAD + PILES, check=False)
    found = explore(flow, first_steps(flow), budget=4_000)
    assert found.finished
    assert any(len(node.snapshot.memory.lists) > 2 for node in found.nodes)
