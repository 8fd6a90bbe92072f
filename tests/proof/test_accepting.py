"""`accept: {code: reason}`: what the proof finds and its author wants, on a state, around it, or in the file of a sub-flow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import callflow
from callflow.cli import main
from callflow.flowfile.loader import read_loads
from callflow.proof.prove import prove
from callflow.proof.proved import Proved
from tests.support.play import HEAD

WHY = "{quiet-too-long: The carrier plays music.}"

HELD = """{top}initial: around
states:
  around:
    {around}
    initial: held
    states:
      held: {{entry: [hold], after: {{{lasts}: later}}{held}}}
      later: {{after: {{{more}: over}}{later}}}
      over: {{final: true}}
    on: {{done: talking}}
  talking: {{entry: [resume, {{say: Goodbye.}}], on: {{done: ending}}}}
"""


def proved(text: str, folder: object = ".", budget: int = 50_000) -> Proved:
    return prove(callflow.loads(HEAD + text, folder=str(folder), check=False), budget=budget).proved


def held(lasts: str = "50s", more: str = "1s", **accept: str) -> Proved:
    """A caller on hold, first here and then there, with these acceptances: `top`, `around`, `held`, `later`."""
    places = {"top": "", "around": "", "held": "", "later": ""}
    for name, codes in accept.items():
        places[name] = f"{', ' if name in ('held', 'later') else ''}accept: {codes}" + ("\n" if name == "top" else "")
    return proved(HELD.format(lasts=lasts, more=more, **places))


def codes(found: Proved) -> list[str]:
    return [one.defect.code for one in found.told]


def reasons(found: Proved) -> list[tuple[str, str]]:
    return [(one.defect.code, one.defect.accepted) for one in found.accepted]


def test_what_is_not_accepted_is_told() -> None:
    assert codes(held()) == ["quiet-too-long"]
    assert held().accepted == ()


@pytest.mark.parametrize("where", ["held", "around", "top"])
def test_it_is_accepted_where_it_is_told_and_further_out(where: str) -> None:
    found = held(**{where: WHY})
    assert codes(found) == []
    assert reasons(found) == [("quiet-too-long", "The carrier plays music.")]
    (accepted,) = found.accepted
    assert accepted.defect.story[-1].startswith("Whoever is on the line hears nothing for up to 5")
    assert accepted.scenario  # it can be played as any other


def test_it_is_accepted_where_the_silence_is_too_long() -> None:
    found = held("3s", "50s", later=WHY)  # it begins, and is told, in `held`
    assert (codes(found), len(found.accepted)) == ([], 1)


def test_it_is_told_where_it_is_too_long_in_another_state_as_well() -> None:
    (told,) = held("50s", "1s", later=WHY).told
    assert (told.defect.code, told.defect.line) == ("quiet-too-long", 9)


def test_the_innermost_counts_and_the_outer_one_is_for_nothing() -> None:
    found = held(held="{quiet-too-long: Inner.}", top="{quiet-too-long: Outer.}")
    assert reasons(found) == [("quiet-too-long", "Inner.")]
    (told,) = found.told
    assert (told.defect.code, told.defect.level, told.defect.line, told.defect.column) == (
        "accepted-for-nothing",
        "warning",
        3,
        10,
    )
    assert told.defect.message == "`quiet-too-long` is accepted in the top level, and no call comes to it"


def test_another_code_accepts_nothing() -> None:
    assert sorted(codes(held(held="{no-way-on: They hang up.}"))) == ["accepted-for-nothing", "quiet-too-long"]


def test_what_is_accepted_hides_nothing_else_of_its_state() -> None:
    stuck = "initial: held\nstates:\n  held: {{entry: [hold]{}}}\n"
    assert codes(proved(stuck.format(""))) == ["no-way-on"]  # and what follows from it is not told
    assert codes(proved(stuck.format(", accept: {no-way-on: They hang up.}"))) == ["quiet-too-long"]
    both = ", accept: {no-way-on: They hang up., quiet-too-long: They know it.}"
    assert codes(proved(stuck.format(both))) == []
    assert [code for code, _ in reasons(proved(stuck.format(both)))] == ["no-way-on", "quiet-too-long"]


def test_what_would_follow_from_something_worse_is_not_accepted_for_nothing() -> None:
    assert codes(proved(f"initial: held\nstates:\n  held: {{entry: [hold], accept: {WHY}}}\n")) == ["no-way-on"]


def test_one_of_two_is_accepted_and_the_other_told() -> None:
    two = """tools: {{a: {{description: A.}}, b: {{description: B.}}}}
initial: talking
states:
  talking: {{entry: [generate_reply], tools: [a, b], on: {{tool.a: one, tool.b: other}}}}
  one: {{must_finish: true, entry: [{{say: One moment.}}], initial: in_one, on: {{done: ending}}{}, states: {{in_one: {{after: {{10m: over}}}}, over: {{final: true}}}}}}
  other: {{must_finish: true, entry: [{{say: One moment.}}], initial: inside, on: {{done: ending}}, states: {{inside: {{after: {{11m: over}}}}, over: {{final: true}}}}}}
"""
    assert codes(proved(two.format(""))).count("nobody-left") == 2
    found = proved(two.format(", accept: {nobody-left: It sends an invoice.}"))
    assert codes(found).count("nobody-left") == 1
    assert [code for code, _ in reasons(found)].count("nobody-left") == 1


SUB = """callflow: 1
name: inner
{top}initial: held
states:
  held: {{entry: [hold], after: {{50s: over}}{held}}}
  over: {{entry: [resume, {{say: There.}}], on: {{done: out}}}}
  out: {{final: true}}
"""
HOST = """use: {{inner: inner.yaml}}
initial: first
states:
  first: {{flow: inner, on: {{done: second}}{first}}}
  second: {{flow: inner, on: {{done: ending}}}}
"""


@pytest.mark.parametrize(
    ("accepting", "host", "told"),
    [
        ({}, {}, ["quiet-too-long"]),
        ({"held": f", accept: {WHY}"}, {}, []),  # in its own file, which is used twice
        ({"top": f"accept: {WHY}\n"}, {}, []),
        ({}, {"first": f", accept: {WHY}"}, ["quiet-too-long"]),  # by one of its two hosts
        ({"held": f", accept: {WHY}"}, {"first": f", accept: {WHY}"}, ["accepted-for-nothing"]),
    ],
)
def test_in_a_sub_flow(tmp_path: Path, accepting: dict[str, str], host: dict[str, str], told: list[str]) -> None:
    (tmp_path / "inner.yaml").write_text(SUB.format(**{"top": "", "held": "", **accepting}))
    assert codes(proved(HOST.format(**{"first": "", **host}), tmp_path)) == told


def test_an_error_by_the_authors_own_limit_is_accepted_as_well(tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(
        HEAD + "limits: {quiet: 8s}\ninitial: held\nstates:\n  held: {entry: [hold], after: {20s: ending}}\n"
    )
    assert CliRunner().invoke(main, ["check", str(file)]).exit_code == 1
    file.write_text(file.read_text().replace("after: {20s", f"accept: {WHY}, after: {{20s"))
    done = CliRunner().invoke(main, ["check", str(file)])
    assert done.exit_code == 0
    assert f"{file}:6: accepted: quiet-too-long: The carrier plays music." in done.output.splitlines()
    assert "defect or" not in done.output
    assert "1 defect" not in done.output


def checked(tmp_path: Path, accept: str, *options: str) -> str:
    file = tmp_path / "flow.yaml"
    file.write_text(
        f"{HEAD}initial: held\nstates:\n  held: {{entry: [hold], accept: {accept}, after: {{50s: ending}}}}\n"
    )
    done = CliRunner().invoke(main, ["check", *options, str(file)])
    assert done.exit_code == 0
    return done.output


def test_it_is_told_as_accepted_in_every_format(tmp_path: Path) -> None:
    assert "flow.yaml:5:3: quiet-too-long: accepted (The carrier plays music.): from the state `held`" in checked(
        tmp_path, WHY, "--format", "short"
    )
    (one,) = json.loads(checked(tmp_path, WHY, "--format", "json"))["defects"]
    assert (one["code"], one["accepted"], len(one["story"])) == ("quiet-too-long", "The carrier plays music.", 3)
    (result,) = json.loads(checked(tmp_path, WHY, "--format", "sarif"))["runs"][0]["results"]
    assert result["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "The carrier plays music."}
    ]


def test_it_is_told_again_from_the_cache(tmp_path: Path) -> None:
    assert checked(tmp_path, WHY) == checked(tmp_path, WHY)


def test_without_a_proof_and_where_it_was_not_finished_nothing_is_accepted_for_nothing(tmp_path: Path) -> None:
    needless = "{no-way-on: They hang up.}"
    assert "accepted-for-nothing" in checked(tmp_path, needless)
    assert "accepted-for-nothing" not in checked(tmp_path, needless, "--no-proof")
    assert "accepted-for-nothing" not in checked(tmp_path, needless, "--steps", "20")


@pytest.mark.parametrize("code", ["never-due", "unhandled-end", "silent-wait", "accepted-for-nothing", "whatever"])
def test_only_what_the_proof_finds_can_be_accepted(code: str) -> None:
    flow, (defect,) = read_loads(
        f"{HEAD}accept: {{{code}: Why not.}}\ninitial: t\nstates: {{t: {{after: {{3s: ending}}}}}}\n"
    )
    assert flow is None
    assert (defect.code, defect.line, defect.column) == ("unknown-key", 3, 10)
    assert defect.hint.startswith("what the proof finds can be accepted: `no-way-on`, `quiet-too-long`")
    assert defect.hint.endswith("; every other defect is mended")
