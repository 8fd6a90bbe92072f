"""Stories that are saved as scenarios: played, each shows what the proof tells."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from callflow.flowfile.codes import whole
from callflow.proof.codes import CODES
from tests.proof.every import FAULTS
from tests.support.command import command
from tests.support.play import HEAD
from tests.support.stories import assert_shows

WITHOUT_STORY = {"accepted-for-nothing"}  # no call shows it, and that is what it says
TOLD = {code: whole(entry.wrong) for code, entry in CODES.items() if code not in WITHOUT_STORY}
FAULTY = whole(CODES["no-way-on"].wrong)
SUB = "callflow: 1\nname: sub\ninitial: b\nstates: {b: {entry: [{say: Nobody is free.}]}, over: {final: true}}\n"
USES = "callflow: 1\nname: uses\nuse: {sub: sub.yaml}\ninitial: a\nstates: {a: {flow: sub, on: {done: ending}}}\n"
SAVED = "flow.no-way-on.scenario.yaml"


def save(folder: Path, text: str = FAULTY, name: str = "flow.yaml", *more: str) -> str:
    """Saves the stories of a flow in `stories`, and gives what is said of that."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    done = command("check", str(folder / name), "--save-stories", str(folder / "stories"), *more)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.stderr


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "stories").iterdir())


@pytest.mark.parametrize("code", TOLD)
def test_a_saved_story_is_played_and_shows_what_it_tells(code: str, tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text(TOLD[code], encoding="utf-8")
    words = ("check", "--format", "json", "--save-stories", str(tmp_path / "stories"), str(tmp_path / "flow.yaml"))
    found = [one for one in json.loads(command(*words).stdout)["defects"] if one["story"]]
    files = names(tmp_path)
    assert len(files) == len(found) > 0
    for defect in found:
        (file,) = [file for file in files if file.startswith(f"flow.{defect['code']}")]
        assert_shows(tmp_path / "stories" / file, defect["story"])
    assert command("test", str(tmp_path / "stories")).exit_code == 0


def test_the_states_on_the_way_are_expected(tmp_path: Path) -> None:
    save(tmp_path, HEAD + FAULTS["a machine is noted, and nobody hangs up"].wrong)
    text = (tmp_path / "stories" / SAVED).read_text(encoding="utf-8")
    assert re.findall(r"expect: (.*)", text) == ["{state: screening}", "{state: machine, outcome: machine}"]
    other = text.replace("{state: screening}", "{state: greeting}")
    (tmp_path / "stories" / SAVED).write_text(other, encoding="utf-8")
    assert command("test", str(tmp_path / "stories")).exit_code == 1


def test_what_the_cache_tells_is_saved_alike(tmp_path: Path) -> None:
    save(tmp_path)
    first = (tmp_path / "stories" / SAVED).read_text(encoding="utf-8")
    (tmp_path / "stories" / SAVED).unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("callflow.proof.prove.prove", lambda *_, **__: pytest.fail("it was explored"))
        save(tmp_path)
    assert (tmp_path / "stories" / SAVED).read_text(encoding="utf-8") == first


def test_a_mended_flow_fails_the_story_of_its_fault(tmp_path: Path) -> None:
    save(tmp_path)
    assert command("test", str(tmp_path / "stories")).exit_code == 0
    (tmp_path / "flow.yaml").write_text(whole(CODES["no-way-on"].right), encoding="utf-8")
    assert command("test", str(tmp_path / "stories")).exit_code == 1


def test_a_second_fault_of_a_kind_has_a_file_of_its_own(tmp_path: Path) -> None:
    text = (
        f"{HEAD}tools: {{a: {{description: One.}}, b: {{description: Two.}}}}\ninitial: talking\nstates:\n"
        "  talking: {entry: [generate_reply], tools: [a, b], on: {tool.a: one, tool.b: two}}\n"
        "  one: {entry: [{say: Nobody is free.}]}\n  two: {entry: [{say: Nobody is here.}]}\n"
    )
    save(tmp_path, text)
    assert names(tmp_path) == ["flow.no-way-on-2.scenario.yaml", SAVED]
    assert command("test", str(tmp_path / "stories")).exit_code == 0


def test_a_fault_in_a_sub_flow_is_one_of_the_flow_that_uses_it(tmp_path: Path) -> None:
    (tmp_path / "sub.yaml").write_text(SUB, encoding="utf-8")
    said = save(tmp_path, USES, "uses.yaml")
    assert "sub.yaml:4: no-way-on: its story is in " in said
    assert names(tmp_path) == ["uses.no-way-on.scenario.yaml"]
    assert command("test", str(tmp_path / "stories")).exit_code == 0


# -- what is there already


def test_saved_again_it_is_the_same(tmp_path: Path) -> None:
    first = save(tmp_path)
    assert f"flow.yaml:5: no-way-on: its story is in {tmp_path / 'stories' / SAVED}" in first
    text = (tmp_path / "stories" / SAVED).read_bytes()
    assert save(tmp_path) == first
    assert (tmp_path / "stories" / SAVED).read_bytes() == text
    assert names(tmp_path) == [SAVED]


def test_a_story_that_nobody_changed_makes_place_for_a_newer_one(tmp_path: Path) -> None:
    save(tmp_path)
    save(tmp_path, FAULTY.replace("talking", "speaking"))
    assert "expect: {state: speaking}" in (tmp_path / "stories" / SAVED).read_text(encoding="utf-8")
    assert names(tmp_path) == [SAVED]


@pytest.mark.parametrize("how", ["changed", "begun anew", "emptied", "a folder", "no text"])
def test_what_somebody_has_written_stays(how: str, tmp_path: Path) -> None:
    save(tmp_path)
    file = tmp_path / "stories" / SAVED
    text = file.read_text(encoding="utf-8")
    file.unlink()
    if how == "a folder":
        file.mkdir()
    else:
        theirs = {"changed": text + "    # mine\n", "begun anew": "callflow: 1\n", "emptied": ""}.get(how, "").encode()
        file.write_bytes(theirs or (b"\xff\xfe" if how == "no text" else b""))
    before = None if how == "a folder" else file.read_bytes()
    assert f"no-way-on: its story is not saved, since {file} has been changed" in save(tmp_path)
    assert file.is_dir() if before is None else file.read_bytes() == before
    assert names(tmp_path) == [SAVED]


def test_a_story_of_another_flow_stays(tmp_path: Path) -> None:
    save(tmp_path, FAULTY, "here/flow.yaml")
    save(tmp_path, FAULTY, "there/flow.yaml")
    save(tmp_path, FAULTY, "here/flow.yaml")
    assert names(tmp_path) == ["flow.no-way-on-2.scenario.yaml", SAVED]
    assert "flow: ../here/flow.yaml\n" in (tmp_path / "stories" / SAVED).read_text(encoding="utf-8")
    together = command("check", *(str(tmp_path / at / "flow.yaml") for at in ("here", "there")), "--save-stories", str(tmp_path / "both"))  # fmt: skip
    assert together.stderr.count("its story is in ") == 2
    assert len(list((tmp_path / "both").iterdir())) == 2


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name != "posix", reason="links need a right there")
def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "stories").mkdir()
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "stories" / SAVED).symlink_to(tmp_path / "theirs")
    save(tmp_path)
    assert (tmp_path / "theirs").read_text() == "theirs"


@pytest.mark.skipif(os.name != "posix", reason="there are no such rights there")
def test_others_may_read_it_as_they_may_what_is_written_beside_it(tmp_path: Path) -> None:
    save(tmp_path)
    assert (tmp_path / "stories" / SAVED).stat().st_mode == (tmp_path / "flow.yaml").stat().st_mode
    assert names(tmp_path) == [SAVED]


@pytest.mark.skipif(os.name != "posix", reason="links need a right there")
def test_a_folder_behind_a_link_finds_its_flow(tmp_path: Path) -> None:
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "stories").symlink_to(tmp_path / "far/away")
    save(tmp_path)
    assert command("test", str(tmp_path / "stories" / SAVED)).exit_code == 0


# -- where none can be saved


def test_standard_input_has_no_file(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from callflow.cli import main

    done = CliRunner().invoke(main, ["check", "-", "--save-stories", str(tmp_path / "stories")], input=FAULTY)
    assert done.exit_code == 1
    assert "its story is not saved, since it has no file" in done.stderr
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "stories").write_text("")
    assert "is a file" in save(tmp_path)
    (tmp_path / "stories").unlink()
    (tmp_path / "flow.yaml").write_text(FAULTY)
    done = command("check", str(tmp_path / "flow.yaml"), "--save-stories", str(tmp_path / "flow.yaml/x"))
    assert done.exit_code == 1
    assert "stories cannot be saved in" in done.stderr
    assert "no-way-on" in done.stdout  # it was told all the same


@pytest.mark.parametrize("more", ["--no-proof", "--expand"])
def test_without_a_proof_there_are_no_stories(more: str, tmp_path: Path) -> None:
    assert "nothing is proved here" in save(tmp_path, FAULTY, "flow.yaml", more)


@pytest.mark.parametrize("code", WITHOUT_STORY)
def test_what_has_no_story_is_not_saved(code: str, tmp_path: Path) -> None:
    assert save(tmp_path, whole(CODES[code].wrong)) == ""
    assert names(tmp_path) == []


def test_nothing_found_nothing_saved(tmp_path: Path) -> None:
    assert save(tmp_path, whole(CODES["no-way-on"].right)) == ""
    assert names(tmp_path) == []
