"""`limits: {quiet: …}`: the author's own limit of how long somebody on the line may hear nothing, of the flow and of a state."""

from __future__ import annotations

import pytest

import callflow
from callflow.proof.prove import prove
from tests.support.play import HEAD

ON_HOLD = "initial: asking\nstates:\n  asking: {{entry: [hold], after: {{{lasts}: talking}}{more}}}\n  talking: {{entry: [resume, {{say: Goodbye.}}], on: {{done: ending}}}}\n"


def told(text: str, folder: object = ".") -> list[tuple[str, str, int, str]]:
    proof = prove(callflow.loads(HEAD + text, folder=str(folder), check=False))
    assert proof.finished
    return [(one.defect.level, one.defect.code, one.defect.line, one.defect.message) for one in proof.findings]


def on_hold(limit: str, lasts: str, more: str = "") -> list[tuple[str, str, int, str]]:
    """A caller on hold for so long, with these limits of the flow, and this in the state."""
    return told(limit + ON_HOLD.format(lasts=lasts, more=more))


def test_longer_than_the_limit_is_an_error_that_names_it() -> None:
    [(level, code, line, message)] = on_hold("limits: {quiet: 8s}\n", "20s")
    assert (level, code, line) == ("error", "quiet-too-long", 6)  # the state in which it begins
    assert message == (
        "from the state `asking` on a person hears nothing for up to 20s, and it is not their turn: "
        "more than `quiet: 8s` in line 3 allows"
    )


@pytest.mark.parametrize(
    ("limit", "lasts", "levels"),
    [
        ("limits: {quiet: 8s}\n", "8s", []),  # as long as it may be
        ("limits: {quiet: 8s}\n", "8001ms", ["error"]),
        ("limits: {quiet: 45s}\n", "40s", []),  # more than the proof allows by itself
        ("limits: {quiet: 45s}\n", "46s", ["error"]),
        ("", "20s", []),
        ("", "40s", ["warning"]),
        ("limits: {call: 20m}\n", "40s", ["warning"]),
    ],
)
def test_how_long_is_too_long(limit: str, lasts: str, levels: list[str]) -> None:
    assert [level for level, *_ in on_hold(limit, lasts)] == levels


@pytest.mark.parametrize(
    ("limit", "own", "lasts", "levels"),
    [
        ("", "8s", "9s", ["error"]),
        ("limits: {quiet: 5s}\n", "20s", "15s", []),  # the state's own instead of the flow's
        ("limits: {quiet: 5s}\n", "20s", "21s", ["error"]),
        ("limits: {quiet: 1m}\n", "5s", "15s", ["error"]),
    ],
)
def test_a_state_has_its_own(limit: str, own: str, lasts: str, levels: list[str]) -> None:
    assert [level for level, *_ in on_hold(limit, lasts, f", limits: {{quiet: {own}}}")] == levels


def test_without_the_standard_parts_there_is_none_but_what_is_written() -> None:
    bare = (
        ON_HOLD.format(lasts="9s", more="")
        + "  ending: {entry: [hang_up], on: {done: closed}}\n  closed: {final: true}\n"
    )
    head = (
        "standard: false\nending: ending\non: {call.hangup: ending, room.disconnected: ending, job.shutdown: ending}\n"
    )
    assert told(head + bare) == []
    assert [level for level, *_ in told(head + "limits: {quiet: 8s}\n" + bare)] == ["error"]


def test_that_of_a_state_further_out_holds_inside() -> None:
    nested = """initial: waiting
states:
  waiting:
    limits: {{quiet: 5s}}
    initial: asking
    states:
      asking: {{entry: [hold], after: {{15s: talking}}{own}}}
  talking: {{entry: [resume, {{say: Goodbye.}}], on: {{done: ending}}}}
"""
    [(level, _, _, message)] = told(nested.format(own=""))
    assert level == "error"
    assert message.endswith("more than `quiet: 5s` in line 6 allows")
    assert told(nested.format(own=", limits: {quiet: 20s}")) == []


def test_it_is_the_limit_of_where_the_call_is_then_and_the_silence_is_counted_from_its_beginning() -> None:
    flow = """limits: {{quiet: {flow}}}
initial: first
states:
  first: {{entry: [hold], limits: {{quiet: {first}}}, after: {{6s: second}}}}
  second: {{after: {{6s: talking}}}}
  talking: {{entry: [resume, {{say: Goodbye.}}], on: {{done: ending}}}}
"""
    assert told(flow.format(flow="12s", first="6s")) == []
    [(_, _, line, message)] = told(flow.format(flow="10s", first="30s"))
    assert (line, "up to 12s" in message, "`quiet: 10s`" in message) == (6, True, True)
    assert len(told(flow.format(flow="30s", first="5s"))) == 1


def test_of_two_regions_the_shorter_holds_and_one_without_has_none() -> None:
    regions = """limits: {{quiet: 3s}}
initial: both
states:
  both:
    parallel: true
    after: {{10s: talking}}
    states:
      one: {{initial: held, states: {{held: {{entry: [hold], limits: {{quiet: {one}}}}}}}}}
      two: {{initial: logged{two}, states: {{logged: {{entry: [{{log: Held.}}]}}}}}}
  talking: {{entry: [resume, {{say: Goodbye.}}], on: {{done: ending}}}}
"""
    assert told(regions.format(one="10s", two="")) == []
    assert [level for level, *_ in told(regions.format(one="10s", two=", limits: {quiet: 9s}"))] == ["error"]


def test_a_sub_flow_brings_its_own(tmp_path) -> None:
    inner = ON_HOLD.format(lasts="9s", more="").replace("done: ending", "done: over")
    text = "use: {inner: inner.yaml}\ninitial: host\nstates:\n  host: {flow: inner%s, on: {done: ending}}\n"
    for own, host, levels in (("", "", []), ("8s", "", ["error"]), ("10s", "8s", []), ("", "8s", ["error"])):
        limits = f"limits: {{quiet: {own}}}\n" if own else ""
        (tmp_path / "inner.yaml").write_text(f"callflow: 1\nname: inner\n{limits}{inner}  over: {{final: true}}\n")
        found = told(text % (f", limits: {{quiet: {host}}}" if host else ""), tmp_path)
        assert [level for level, *_ in found] == levels, (own, host)
    assert "more than `quiet: 8s` in <text>:6 allows" in found[0][3]  # another file than that of the state


def test_what_waits_for_speech_is_over_when_nobody_speaks() -> None:
    waits = "initial: held\nstates:\n  held: {entry: [{say: {text: Hello., wait: false}}, wait_for_speech, drain], on: {done: ending}}\n"
    assert told("limits: {quiet: 3s}\n" + waits) == []


def test_music_a_tone_and_a_turn_are_no_silence() -> None:
    music = ON_HOLD.format(lasts="50s", more="").replace("[hold]", "[{hold: {music: hold.wav}}]")
    assert told("limits: {quiet: 3s}\n" + music) == []
    turn = ON_HOLD.format(lasts="50s", more=", on: {dtmf.1: talking}").replace("[hold]", "[{say: Press one.}]")
    assert told("limits: {quiet: 3s}\n" + turn) == []
