"""The cache of proofs: the same answer as from the explorer, and no other than that of this flow and this callflow."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import callflow
from callflow.errors import Defect
from callflow.flowfile.codes import whole
from callflow.flowfile.loader import read
from callflow.proof import kept
from callflow.proof.codes import CODES
from callflow.proof.prove import prove
from callflow.proof.proved import Proved, Told
from tests.support.command import command

FLOW = whole("states: {talking: {entry: [{say: Hello.}], on: {done: ending}}}\n")
FAULTY = whole(CODES["no-way-on"].wrong)
HEAD = "callflow: 1\nname: flow\n"
MAIN = f"{HEAD}use: {{one: one.yaml}}\ninitial: asking\nstates: {{asking: {{flow: one, on: {{done: ending}}}}}}\n"
SUB = f"{HEAD}initial: waiting\nstates: {{waiting: {{on: {{done: over}}}}, over: {{final: true}}}}\n"
PROVED = Proved(250_000, 7, 8, 0, (), ())


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/callflow/proofs"


@pytest.fixture
def unexplored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exploring fails."""
    monkeypatch.setattr("callflow.proof.situations.step", lambda *_: pytest.fail("it was explored"))


def flow_of(folder: Path, files: Mapping[str, str], name: str = "flow.yaml") -> callflow.Flow:
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    flow, defects = read(folder / name)
    assert flow is not None, defects
    return flow


# -- the same answer


@pytest.mark.parametrize("format_", ["people", "short", "json", "sarif"])
@pytest.mark.parametrize("text", [FLOW, FAULTY], ids=["clean", "faulty"])
def test_the_second_time_nothing_is_explored_and_all_is_told(
    text: str, format_: str, entries: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(text, encoding="utf-8")
    plain = command("check", "--no-cache", "--format", format_, str(file))
    assert not entries.exists()
    first = command("check", "--format", format_, str(file))
    request.getfixturevalue("unexplored")
    second = command("check", "--format", format_, str(file))
    assert plain.output == first.output == second.output
    assert plain.exit_code == first.exit_code == second.exit_code


def test_without_the_cache_nothing_is_read_of_it_or_kept(entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FAULTY})
    kept.keep(flow, PROVED)  # as if it were clean
    before = [entry.read_text() for entry in entries.iterdir()]
    assert command("check", flow.file).exit_code == 0
    assert command("check", "--no-cache", flow.file).exit_code == 1
    assert [entry.read_text() for entry in entries.iterdir()] == before


def test_a_story_in_a_sub_flow_comes_back_with_its_place_wherever_the_flow_lies(entries: Path, tmp_path: Path) -> None:
    sub = SUB.replace("{on: {done: over}}", "{entry: [{say: Nobody is free.}]}")
    one, other = (flow_of(tmp_path / name, {"flow.yaml": MAIN, "one.yaml": sub}) for name in ("here", "there"))
    found = prove(one).proved
    assert found.told[0].defect.file == str(tmp_path / "here/one.yaml")
    kept.keep(one, found)
    assert [*kept.kept(one)] == [found]
    (there,) = kept.kept(other)
    assert there.told == prove(other).proved.told
    assert there.told[0].defect.file == str(tmp_path / "there/one.yaml")


def test_what_was_not_finished_is_told_as_it_was(entries: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(FLOW, encoding="utf-8")
    first = command("check", "--steps", "50", str(file)).output
    assert "not proved: " in first
    request.getfixturevalue("unexplored")
    assert command("check", "--steps", "50", str(file)).output == first


def test_doubts_come_back(entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FLOW})
    doubt = Defect(
        "no-way-on", "a \ud800 ü\x1b", flow.file, 1, 2, 3, 4, "states.talking", "a hint", "warning", ("0 s: …",)
    )
    found = Proved(250_000, 7, 8, 9_000, (Told(doubt, "at: 1\nsteps:\n"),), (doubt._replace(file="<supplied>"),))
    found = Proved(8, *(found.situations, found.steps, found.left, found.told, found.doubts))
    kept.keep(flow, found)
    assert [*kept.kept(flow)] == [found]


# -- and no other


@pytest.mark.parametrize(
    ("proved", "budget", "answers"),
    [
        (Proved(50, 1, 55, 3, (), ()), 50, True),
        (Proved(50, 1, 55, 3, (), ()), 51, False),
        (Proved(50, 1, 55, 3, (), ()), 49, False),
        (Proved(500, 1, 55, 0, (), ()), 500, True),
        (Proved(500, 1, 55, 0, (), ()), 250_000, True),  # it was finished long before
        (Proved(500, 1, 55, 0, (), ()), 56, True),
        (Proved(500, 1, 55, 0, (), ()), 55, False),  # which would have cut it short, maybe
        (Proved(500, 1, 55, 3, (), ()), 500, False),  # it was broken off
    ],
)
def test_an_answer_is_that_of_its_budget(proved: Proved, budget: int, answers: bool) -> None:
    assert proved.answers(budget) is answers


def test_a_smaller_budget_is_not_answered_by_a_proof_that_needed_more(entries: Path, tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(FLOW, encoding="utf-8")
    assert "followed every call" in command("check", str(file)).output
    assert "not proved: " in command("check", "--steps", "50", str(file)).output
    assert "followed every call" in command("check", "--steps", "40000", str(file)).output
    assert sorted(one.name.partition("-")[2] for one in entries.iterdir()) == ["250000.json", "50.json"]


def test_every_file_counts_and_how_they_stand_together(tmp_path: Path) -> None:
    files = {"flow.yaml": MAIN, "one.yaml": SUB}
    first = kept.digest(flow_of(tmp_path / "a", files))
    assert kept.digest(flow_of(tmp_path / "b", files)) == first
    assert kept.digest(flow_of(tmp_path / "c", {**files, "one.yaml": SUB + "# a word\n"})) != first
    assert kept.digest(flow_of(tmp_path / "d", {**files, "flow.yaml": MAIN + "# a word\n"})) != first


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_two_flows_of_the_same_texts_are_two_where_other_states_hold_them(tmp_path: Path) -> None:
    main = (
        f"{HEAD}initial: a\nuse: {{one: one.yaml, two: two.yaml, three: three.yaml}}\nstates:\n"
        "  a: {flow: one, on: {done: b}}\n  b: {flow: two, on: {done: c}}\n  c: {flow: three, on: {done: ending}}\n"
    )
    found = set()
    for target in ("one.yaml", "two.yaml"):
        folder = tmp_path / target
        folder.mkdir()
        (folder / "three.yaml").symlink_to(target)
        flow = flow_of(folder, {"flow.yaml": main, "one.yaml": SUB, "two.yaml": SUB + "# another\n"})
        assert len(flow.texts) == 3
        found.add(kept.digest(flow))
    assert len(found) == 2


def test_another_callflow_answers_for_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FLOW})
    found = {kept.digest(flow)}
    package = tmp_path / "callflow"
    for part in kept.MADE_BY:
        (package / part).mkdir(parents=True) if not part.endswith(".py") else (package / part).write_text("")
    monkeypatch.setattr(callflow, "__file__", str(package / "__init__.py"))
    for part in ("core/step.py", "proof/findings/silence.py", "errors.py"):
        (package / part).parent.mkdir(exist_ok=True)
        (package / part).write_text("something = 1\n")
        kept._made_by.cache_clear()
        found.add(kept.digest(flow))
    monkeypatch.setattr(callflow, "__version__", "99")
    kept._made_by.cache_clear()
    found.add(kept.digest(flow))
    kept._made_by.cache_clear()
    assert len(found) == 5


def test_what_proves_is_part_of_the_name() -> None:
    package = Path(callflow.__file__).parent
    for part in kept.MADE_BY:
        assert (package / part).exists()


# -- entries that are not as they should be


def entry_of(data: Any) -> str:
    body = data if isinstance(data, str) else json.dumps(data)
    return f"{sha256(body.encode()).hexdigest()}\n{body}"


GOOD = {
    "budget": 250_000, "situations": 1, "steps": 2, "left": 0, "quiet": 11, "after_hang_up": 42,
    "told": [], "doubts": [], "accepted": [],
}  # fmt: skip
PLAIN = {**Defect("no-way-on", "no", "", 1, 1, 1, 1)._asdict(), "file": 0}


def told(**changed: Any) -> dict[str, Any]:
    return {**GOOD, "told": [{"defect": {**PLAIN, **changed}, "scenario": ""}]}


DAMAGED = {
    "empty": "",
    "cut": entry_of(GOOD)[:-5],
    "changed": entry_of(GOOD).replace('"left": 0', '"left": 1'),
    "no checksum": json.dumps(GOOD),
    "no JSON": entry_of("hello"),
    "a list": entry_of([GOOD]),
    "a number": entry_of(1),
    "deep": entry_of("[" * 100_000),
    "something is missing": entry_of({**GOOD} | {"told": None}),
    "a text for a number": entry_of({**GOOD, "steps": "2"}),
    "a truth for a number": entry_of({**GOOD, "steps": True}),
    "less than nothing": entry_of({**GOOD, "left": -1}),
    "no bound": entry_of({**GOOD, "quiet": None}),
    "a key too many": entry_of(told(more=1)),
    "a line that is none": entry_of(told(line="1")),
    "a story that is none": entry_of(told(story=[1])),
    "a text for a story": entry_of(told(story=None)),
    "another level": entry_of(told(level="fine")),
    "no such file": entry_of(told(file=7)),
    "no message": entry_of(told(message=None)),
    "no scenario": entry_of({**GOOD, "told": [{"defect": PLAIN, "scenario": 1}]}),
    "too large": entry_of({**GOOD, "told": []} | {"x": "x" * 1_100_000}),
    "pickled": "\x80\x04\x95",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_entry_is_none_and_is_made_anew(text: str, entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FAULTY})
    right = command("check", flow.file).output
    (entry,) = entries.iterdir()
    whole_entry = entry.read_text()
    entry.write_text(text, encoding="utf-8")
    assert [*kept.kept(flow)] == []
    assert command("check", flow.file).output == right
    assert entry.read_text() == whole_entry


def test_the_entry_that_the_damaged_ones_are_made_of_is_read(entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FLOW})
    kept.keep(flow, PROVED)
    (entry,) = entries.iterdir()
    entry.write_text(entry_of(told()))
    (found,) = kept.kept(flow)
    assert found.told[0].defect.file == flow.file


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
@pytest.mark.parametrize("planted", ["pipe", "folder", "link to a device"])
def test_a_planted_entry_keeps_nothing_waiting(planted: str, entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FLOW})
    kept.keep(flow, PROVED)
    (entry,) = entries.iterdir()
    entry.unlink()
    if planted == "pipe":
        os.mkfifo(entry)
    elif planted == "folder":
        entry.mkdir()
    else:
        entry.symlink_to("/dev/zero")
    assert [*kept.kept(flow)] == []
    assert "followed every call" in command("check", flow.file).output
    assert ([*kept.kept(flow)] == []) is (planted == "folder")  # which cannot be replaced


@pytest.mark.skipif(os.name != "posix", reason="who may write where is told otherwise there")
def test_a_folder_in_which_others_may_write_is_not_believed(entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FAULTY})
    kept.keep(flow, PROVED)  # as if it were clean
    entries.chmod(0o777)
    assert [*kept.kept(flow)] == []
    assert command("check", flow.file).exit_code == 1
    assert len([*entries.iterdir()]) == 1  # nor is anything kept there


# -- where it is


@pytest.mark.parametrize("base", ["a file", "a file's inside", "relative", "nowhere"])
def test_where_nothing_can_be_written_it_is_proved_each_time(
    base: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", {"a file": str(tmp_path / "file"), "a file's inside": str(tmp_path / "file/x")}.get(base, "x"))  # fmt: skip
    monkeypatch.setenv("HOME", str(tmp_path / "home") if base == "relative" else "x")
    monkeypatch.chdir(tmp_path)
    flow = flow_of(tmp_path, {"flow.yaml": FLOW})
    for _ in range(2):
        assert "followed every call" in command("check", flow.file).output
    assert len([*kept.kept(flow)]) == (base == "relative")
    assert (tmp_path / "home/.cache/callflow/proofs").exists() is (base == "relative" and sys.platform == "linux")
    assert not (tmp_path / "x").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to this user")
def test_a_folder_that_is_read_only_is_read(entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FLOW})
    kept.keep(flow, PROVED)
    entries.chmod(0o500)
    kept.keep(flow, Proved(7, 7, 8, 1, (), ()))
    assert [*kept.kept(flow)] == [PROVED]
    entries.chmod(0o700)


def test_the_oldest_entries_go(entries: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    flows = [flow_of(tmp_path / str(number), {"flow.yaml": f"{FLOW}# {number}\n"}) for number in range(4)]
    for number, flow in enumerate(flows[:3]):
        kept.keep(flow, PROVED)
        os.utime(entries / f"{kept.digest(flow)}-250000.json", (number, number))
    assert [*kept.kept(flows[0])] == [PROVED]  # and it is used again
    kept.keep(flows[3], PROVED)
    assert [len([*kept.kept(flow)]) for flow in flows] == [1, 0, 1, 1]


def test_what_was_broken_off_is_not_kept(entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FLOW})
    kept.keep(flow, prove(flow, going=lambda situations, left, steps: steps < 50).proved)
    assert not entries.exists()


def _writes(file: str, mark: str) -> bool:
    """Whether what it reads is whole each time, while it writes."""
    flow = callflow.load(file)
    doubt = Defect("no-way-on", mark * 10_000, flow.file, 1, 1, 1, 1)
    found = []
    for _ in range(40):
        kept.keep(flow, Proved(250_000, 1, 2, 0, (), (doubt,)))
        found += [*kept.kept(flow)]
    return len(found) == 40 and all(len(set(one.doubts[0].message)) == 1 for one in found)


def test_several_write_at_once(entries: Path, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, {"flow.yaml": FLOW})
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.starmap(_writes, [(flow.file, mark) for mark in "abc"]) == [True] * 3
    assert [one.name for one in entries.iterdir()] == [f"{kept.digest(flow)}-250000.json"]
