"""A sub-flow's file by itself: what goes wrong in it whoever uses it, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

import callflow
from callflow.proof.hosts import hosts_of, in_all
from callflow.proof.prove import prove
from callflow.proof.proved import Proved
from tests.support.play import HEAD

WAITS = """
initial: waiting
states:
  waiting: {entry: [{say: One moment.}], after: {50s: over}}
  over: {final: true, returns: {kind: waited}}
"""
GIVEN = """
vars: {slow: boolean}
initial: choosing
states:
  choosing: {always: [{target: slowly, when: vars.slow}, quickly]}
  slowly: {entry: [{say: One moment.}], after: {50s: over}}
  quickly: {entry: [{say: Here it is.}], on: {done: over}}
  over: {final: true}
"""
ROUND = """
initial: asking
states:
  asking: {entry: [{collect_digits: {prompt: "Your number?", count: 1}}], on: {dtmf.input: over, dtmf.*: again}}
  again: {entry: [{say: I heard nothing.}], on: {done: asking}}
  over: {final: true}
"""
DEAD = """
vars: {tries: {type: integer, default: 0}}
initial: asking
states:
  asking:
    entry: [{say: Press one.}]
    on: {dtmf.1: over, dtmf.2: {target: asking, do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}, consult.declined: over}
    silence: {10s: over}
  over: {final: true}
"""
GOODBYE = """
initial: leaving
states:
  leaving: {entry: [{say: {text: Goodbye and thank you., wait: false}}, delete_room], on: {done: over}}
  over: {final: true}
"""
CALLS = """
env: [DESK, TRUNK]
initial: calling
states:
  calling:
    entry: [{say: One moment.}, {consult: {trunk: "{{ env.TRUNK }}", to: "{{ env.DESK }}", ringing_timeout: 40s}}]
    on: {consult.accepted: over, consult.*: over, failed: over}
  over: {final: true}
"""
OUTBOUND = """
env: [NUMBER, TRUNK]
initial: dialing
states:
  dialing: {entry: [{dial: {trunk: "{{ env.TRUNK }}", to: "{{ env.NUMBER }}", timeout: 30s}}], on: {dial.answered: asking, dial.*: over, failed: over}}
  asking: {entry: [{say: "Is it you? Press one."}], on: {dtmf.1: over}, silence: {50s: over}}
  over: {final: true}
"""
PAIRS = {
    "silence": (WAITS, WAITS.replace("50s", "20s"), "quiet-too-long", 5),
    "silence by what is given": (GIVEN, GIVEN.replace("50s", "20s"), "quiet-too-long", 7),
    "no way on": (DEAD.replace("    silence: {10s: over}\n", "").replace("dtmf.1: over, dtmf.2: {target: asking, do", "dtmf.2: {do"), DEAD.replace(", consult.declined: over", ""), "no-way-on", 6),
    "a round": (ROUND, ROUND.replace("done: asking", "done: [{target: over, when: state.visits > 2}, asking]"), "endless-round", 5),
    "a dead row": (DEAD, DEAD.replace(", consult.declined: over", ""), "row-never-taken", 8),
    "a goodbye that is cut": (GOODBYE, GOODBYE.replace(", wait: false", ""), "speech-cut", 5),
    "somebody who calls": (CALLS, CALLS.replace("40s", "40s, music: waiting.mp3"), "quiet-too-long", 6),
}  # fmt: skip


def proved(text: str, folder: Path) -> Proved:
    """What is proved of a sub-flow by itself."""
    (folder / "part.yaml").write_text(f"{HEAD}{text.lstrip()}", encoding="utf-8")
    part = callflow.load(folder / "part.yaml", check=False)
    hosts = hosts_of(part)
    assert len(hosts) == 2
    return in_all([prove(host.flow).proved for host in hosts], part.file)


@pytest.mark.parametrize("name", PAIRS)
def test_what_goes_wrong_in_any_host_is_told(name: str, tmp_path: Path) -> None:
    wrong, right, code, line = PAIRS[name]
    found = proved(wrong, tmp_path)
    assert (code, line) in [(one.defect.code, one.defect.line) for one in found.told]
    assert found.finished
    assert all(one.defect.story and "inside-of-a-host" not in repr(one) for one in found.told)
    mended = proved(right, tmp_path)
    assert [one.defect for one in mended.told] == []
    assert mended.clean


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("states:\n  asking: {entry: [{say: How can I help you?}], on: {done: over}}\n", id="a question that a host may take"),
        pytest.param("states:\n  asking: {entry: [{say: Goodbye.}], on: {done: over}}\n", id="a goodbye after which a host may end"),
        pytest.param(
            'env: [DESK, TRUNK]\nstates:\n  asking: {entry: [{consult: {trunk: "{{ env.TRUNK }}", to: "{{ env.DESK }}", music: waiting.mp3}}], on: {consult.accepted: over}}\n',
            id="results that a host may take",
        ),
        pytest.param(
            "vars: {tries: {type: integer, default: 0}, most: {type: integer, default: 3}}\nstates:\n  asking:\n    silence: {20s: over}\n"
            "    entry: [{say: Press one.}]\n"
            '    on: {dtmf.1: over, dtmf.*: [{target: over, when: vars.tries > vars.most}, {target: asking, do: [{set: {tries: "{{ vars.tries + 1 }}"}}]}]}\n',
            id="what a host may give",
        ),
    ],
)  # fmt: skip
def test_what_hangs_on_the_host_is_not_told(text: str, tmp_path: Path) -> None:
    found = proved(f"initial: asking\n{text}  over: {{final: true}}\n", tmp_path)
    assert [one.defect for one in found.told] == []
    assert found.finished


def test_a_sub_flow_that_calls_the_far_end_begins_before_they_are_there(tmp_path: Path) -> None:
    found = proved(OUTBOUND, tmp_path)
    assert "quiet-too-long" not in [one.defect.code for one in found.told]  # they may press one
    wrong = proved(OUTBOUND.replace("on: {dtmf.1: over}, silence", "after"), tmp_path)
    (quiet,) = (one.defect for one in wrong.told if one.defect.code == "quiet-too-long")
    assert "The callee is called" in quiet.story[0]


def test_a_file_that_is_right_only_beside_another_one_has_no_hosts(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text(f"{HEAD}initial: over\nstates: {{over: {{final: true}}}}\nenv: [NUMBER]\n")
    part = callflow.load(tmp_path / "part.yaml", check=False)
    assert len(hosts_of(part)) == 2
    (tmp_path / "part.yaml").write_text("callflow: 1\n")  # it was changed meanwhile
    assert hosts_of(part) == ()
