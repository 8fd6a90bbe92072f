"""What `callflow check --expand` prints loads to the same flow, with nothing left to supply."""

from __future__ import annotations

import pytest

from callflow.flowfile import loads
from callflow.flowfile.expand import expand

from .test_loader import HEAD, SMALLEST, SPELLED_OUT, structure


@pytest.mark.parametrize(
    "text",
    [
        SMALLEST,
        SPELLED_OUT,
        HEAD
        + "ending: bye\nlimits: {call: 30m, quiet: 90s}\non: {call.hangup: bye}\nstates: {talking: {}, bye: {on: {done: closed}}}\n",
        HEAD
        + 'states:\n  talking:\n    entry:\n      - say: "Note: it\'s {{ call.id }}, #1\\n\\u0041"\n      - say: "12"\n'
        "      - say: ' true '\n      - log: \"null\"\n    description: >\n      long\n      text\n"
        "    on: {dtmf.1: [{target: ending, when: 'event.leg == \"x\"'}, ending], dtmf.star: {do: [{log: x}]}}\n"
        "  # not kept\n    ignore: [session.*]\n    after: {850ms: ending}\n",
        HEAD + "x-note: {a: ~, b: .inf, c: 0x1F, d: '0x1F', e: [], f: {}}\nstates: {talking: {must_finish: true}}\n",
    ],
)
def test_it_loads_to_the_same_flow(text):
    flow = loads(text)
    written = expand(text, flow)
    again = loads(written)
    assert structure(again) == structure(flow)
    assert not any(state.supplied for state in again.states.values())
    assert expand(written, again) == written


def test_what_it_looks_like():
    assert (
        expand(SMALLEST, loads(SMALLEST))
        == """\
callflow: 1
name: front-desk
initial: talking
tools:
  end_call: {description: The caller is done and wants to hang up.}
standard: false
ending: ending
limits: {call: 1h, silence: 2m, answer: 1m, reconnecting: 20s, no_progress: 50}
on:
  call.hangup: {target: ending, do: [{outcome: hung_up}]}
  session.close: {target: ending, do: [{outcome: failed}]}
  job.shutdown: {target: ending, do: [{outcome: cancelled}]}
  room.disconnected: {target: ending, do: [{outcome: line_lost}]}
states:
  talking:
    entry: [{generate_reply: {instructions: Greet the caller and help.}}]
    tools: [end_call]
    on:
      tool.end_call: {target: ending, do: [{say: Goodbye.}, {outcome: completed}]}
  ending:
    entry:
      - drain: {timeout: 10s, tail: 200ms}
      - delete_room
      - aclose: {timeout: 10s}
      - shutdown: {reason: "{{ call.outcome }}"}
    on: {done: closed}
  closed: {final: true}
"""
    )
