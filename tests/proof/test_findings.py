"""What the proof finds: each fault with its code and its story, and nothing in the flow with the fault mended."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

import callflow
from callflow.proof.prove import prove
from tests.support.play import HEAD

FLOWS = Path(__file__).parents[2] / "flows"

END = "tools: {end_call: {description: The caller is done.}}\n"
OFFERS = "tools: [end_call], on: {tool.end_call: {target: ending, do: [{say: Goodbye.}]}"


class Fault(NamedTuple):
    code: str
    wrong: str
    right: str
    story: tuple[str, ...]


FAULTS = {
    "a machine is noted, and nobody hangs up": Fault(
        "no-way-on",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.human: greeting, amd.*: machine}}
  machine: {entry: [{outcome: machine}]}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}", detect_machine: true}}]
    on: {dial.answered: screening, dial.*: ending}
  screening: {on: {amd.human: greeting, amd.*: machine}}
  machine: {entry: [{outcome: machine}], on: {done: ending}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "2 s: the callee is on the line.",
            "3 s: In screening.",
            "5 s: a menu has answered. In machine. Outcome: machine.",
            "Nothing happens any more.",
        ),
    ),
    "a key that no row takes": Fault(
        "no-way-on",
        """
initial: menu
states:
  menu:
    entry: [{collect_digits: {prompt: One or two., count: 1}}]
    on:
      dtmf.input: [{target: ending, when: 'event.digits == "1"'}, {target: ending, when: 'event.digits == "2"'}]
      dtmf.no_input: ending
      dtmf.no_match: ending
""",
        """
initial: menu
states:
  menu:
    entry: [{collect_digits: {prompt: One or two., count: 1}}]
    on:
      dtmf.input: [{target: ending, when: 'event.digits == "1"'}, {target: ending, when: 'event.digits == "2"'}, ending]
      dtmf.no_input: ending
      dtmf.no_match: ending
""",
        (
            "0 s: the call begins.",
            '2 s: the caller is on the line. In menu. The caller hears "One or two." and is asked for keys.',
            "3 s: the keys are 0. No row takes that.",
            "Nothing happens any more.",
        ),
    ),
    "a region without an end": Fault(
        "no-way-on",
        """
env: [CRM]
initial: waiting
states:
  waiting:
    parallel: true
    on: {done: ending}
    states:
      music: {entry: [{say: One moment.}]}
      asking: {initial: http, states: {http: {entry: [{http: {url: "{{ env.CRM }}"}}], on: {done: got, failed: got}}, got: {final: true}}}
""",
        """
env: [CRM]
initial: waiting
states:
  waiting:
    parallel: true
    on: {done: ending}
    states:
      music: {initial: one, states: {one: {entry: [{say: One moment.}], on: {done: all}}, all: {final: true}}}
      asking: {initial: http, states: {http: {entry: [{http: {url: "{{ env.CRM }}"}}], on: {done: got, failed: got}}, got: {final: true}}}
""",
        (),
    ),
    "a hold that a failure leaves on": Fault(
        "quiet-too-long",
        f"""
env: [CRM]
{END}initial: looking
states:
  looking: {{entry: [hold, {{http: {{url: "{{{{ env.CRM }}}}"}}}}, resume], on: {{done: talking, failed: talking}}}}
  talking: {{{OFFERS}}}}}
""",
        f"""
env: [CRM]
{END}initial: looking
states:
  looking: {{entry: [hold, {{http: {{url: "{{{{ env.CRM }}}}", optional: true}}}}, resume], on: {{done: talking, failed: ending}}}}
  talking: {{{OFFERS}}}}}
""",
        (
            "0 s: the call begins.",
            "2 s: the caller is on the line. In looking. The caller is on hold, in silence.",
            "3 s: http is asked.",
            "4 s: http fails. In talking.",
            "Whoever is on the line hears nothing for up to 1h.",
        ),
    ),
    "dialled again for ever": Fault(
        "endless-round",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: greeting, dial.busy: pause, dial.*: ending}
  pause: {after: {60s: dialing}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: greeting, dial.busy: [{target: pause, when: state.visits < 3}, ending], dial.*: ending}
  pause: {after: {60s: dialing}}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "1 s: the callee's line is busy. In pause.",
            "61 s: 60s of pause are over. In dialing. The callee is called.",
            "And so on, round and round.",
        ),
    ),
    "a failure that leads to where it came from": Fault(
        "endless-round",
        """
env: [CRM]
on: {failed: loading}
initial: loading
states:
  loading: {entry: [{http: {url: "{{ env.CRM }}"}}], on: {done: ending}}
""",
        """
env: [CRM]
on: {failed: ending}
initial: loading
states:
  loading: {entry: [{http: {url: "{{ env.CRM }}"}}], on: {done: ending}}
""",
        (),
    ),
    "whoever answers is hung up on": Fault(
        "row-always-beaten",
        """
env: [TRUNK]
vars: {number: phone}
on: {dial.answered: greeting}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.*: ending}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        """
env: [TRUNK]
vars: {number: phone}
initial: dialing
states:
  dialing:
    entry: [{dial: {to: "{{ vars.number }}", trunk: "{{ env.TRUNK }}"}}]
    on: {dial.answered: greeting, dial.*: ending}
  greeting: {entry: [{say: Hello.}], on: {done: ending}}
""",
        (
            "0 s: the call begins. In dialing. The callee is called.",
            "2 s: the callee is on the line.",
            "3 s: In ending.",
        ),
    ),
}


def found(text: str) -> list[tuple[str, tuple[str, ...]]]:
    proof = prove(callflow.loads(HEAD + text, check=False))
    assert proof.finished
    return [(one.defect.code, one.defect.story) for one in proof.findings]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_told(name: str) -> None:
    fault = FAULTS[name]
    (code, story), *others = found(fault.wrong)
    assert code == fault.code
    assert not fault.story or story == fault.story
    assert others == []  # what follows from it is not told as well


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_found_where_it_is_mended(name: str) -> None:
    assert found(FAULTS[name].right) == []


@pytest.mark.parametrize(
    "name", ["smallest", "outbound", "voicemail", "look-up", "silence-ladder", "maximum-duration", "cold-transfer"]
)
def test_every_call_of_a_shipped_flow_is_followed(name: str) -> None:
    flow = callflow.load(FLOWS / f"{name}.yaml")
    proof = prove(flow)
    assert proof.finished
    assert [one.defect.code for one in proof.findings] == []


def test_the_same_flow_gives_the_same_answer() -> None:
    flow = callflow.load(FLOWS / "outbound.yaml")
    one, other = prove(flow), prove(callflow.load(FLOWS / "outbound.yaml"))
    assert (one.exploration.steps, len(one.exploration.nodes)) == (
        other.exploration.steps,
        len(other.exploration.nodes),
    )


def test_of_what_was_not_finished_no_dead_end_is_told() -> None:
    flow = callflow.load(FLOWS / "outbound.yaml")
    proof = prove(flow, budget=200)
    assert not proof.finished
    assert proof.findings == ()
