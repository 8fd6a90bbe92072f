"""Every example of the documentation is what it says: flows pass the checker, tests pass, commands print what is shown."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shlex
from pathlib import Path

import pytest

from callflow import load
from callflow.flowfile import read
from callflow.proof.prove import prove
from callflow.scenario import play
from callflow.scenario import read as read_scenarios
from callflow.testing.scenario import play_in_rooms
from callflow.testing.virtual_time import VirtualTimeLoop
from callflow.verify import check as verify
from tests.docs.pages import PAGES, ROOT, Block, blocks, whole
from tests.support.alike import agrees
from tests.support.command import command

GENERATED = ROOT / "docs/reference/defects.md"  # its examples are tested with the codes that they show
BLOCKS = [block for page in PAGES if page != GENERATED for block in blocks(page)]
OFFLINE = ("check", "play", "test", "explain", "draw", "schema", "demo", "--version")


def of(language: str, mark: str = "") -> list[Block]:
    return [block for block in BLOCKS if block.language == language and (not mark or mark in block.marks)]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder in which the files of a page stand, with those of the pages before it, and the flows that are shipped."""

    def write(page: Path) -> Path:
        for before in sorted(page.parent.glob("*.md")):
            for block in blocks(before) if before <= page else ():
                if name := block.marks.get("file"):
                    (tmp_path / name).write_text(block.text, encoding="utf-8")
        (tmp_path / "waiting.mp3").write_bytes(b"music")
        (tmp_path / "flows").symlink_to(ROOT / "flows")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return write


@pytest.mark.parametrize(
    "block", [one for one in of("yaml") if not one.marks.keys() & {"telephones", "scenario"}], ids=str
)
def test_a_flow_passes_the_checker_or_has_the_defect_that_is_said(block, files):
    folder = files(block.page)
    path = folder / block.marks.get("file", "example.yaml")
    path.write_text(whole(block), encoding="utf-8")
    flow, defects = read(str(path))
    if flow is not None:
        defects = verify(flow, as_subflow="file" in block.marks)
    expected = [block.marks["wrong"]] if "wrong" in block.marks else []
    if set(block.marks) & {"part of a flow", "part of a state", "actions"}:  # what a piece declares is used elsewhere
        defects = [defect for defect in defects if defect.code != "never-used"]
    assert sorted({defect.code for defect in defects}) == expected, "\n".join(map(str, defects))


@pytest.mark.parametrize(
    "block", [one for one in of("yaml") if not one.marks.keys() & {"telephones", "scenario", "wrong"}], ids=str
)
def test_every_call_of_a_flow_is_followed_and_nothing_is_wrong_but_what_is_said(block, files):
    path = files(block.page) / block.marks.get("file", "example.yaml")
    path.write_text(whole(block), encoding="utf-8")
    proof = prove(load(path, check=False))
    assert proof.finished
    assert [one.defect.code for one in proof.findings] == ([block.marks["finds"]] if "finds" in block.marks else [])
    assert (proof.doubts, proof.needless) == ((), ())


@pytest.mark.parametrize("block", of("yaml", "scenario"), ids=str)
def test_scenarios_that_are_shown_come_out_as_they_say(block, files):
    path = files(block.page) / block.marks.get("file", "example.scenario.yaml")
    path.write_text(block.text, encoding="utf-8")
    scenarios, defects = read_scenarios(path.name)
    assert defects == []
    assert [play(one).failure for one in scenarios] == [None] * len(scenarios)


@pytest.mark.parametrize("block", of("yaml", "scenario"), ids=str)
def test_scenarios_that_are_shown_come_out_alike_in_rooms(block, files):
    path = files(block.page) / block.marks.get("file", "example.scenario.yaml")
    path.write_text(block.text, encoding="utf-8")
    for scenario in read_scenarios(path.name)[0]:
        agrees(play(scenario), play_in_rooms(scenario))


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_is_python(block):
    compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", of("python", "test"), ids=str)
def test_tests_that_are_shown_pass(block, files, monkeypatch):
    files(block.page)
    namespace: dict[str, object] = {"__name__": "example"}
    exec(compile(block.text, str(block), "exec", dont_inherit=True), namespace)
    tests = [one for name, one in namespace.items() if name.startswith("test_") and callable(one)]
    assert tests
    for test in tests:
        wanted = {"monkeypatch": monkeypatch} if "monkeypatch" in inspect.signature(test).parameters else {}
        if inspect.iscoroutinefunction(test):
            with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
                runner.run(test(**wanted))
        else:
            test(**wanted)


@pytest.mark.parametrize("block", [one for one in of("console") if "not run" not in one.marks], ids=str)
def test_a_command_prints_what_is_shown(block, files, demo):
    files(block.page)
    for line, shown in sessions(block.text):
        words = shlex.split(line, comments=True)
        assert words[0] == "callflow", f"{block}: say `<!-- not run -->` before it"
        assert words[1] in OFFLINE, f"{block}: say `<!-- not run -->` before it"
        if words[1] == "demo":
            printed, _ = demo(*words[2:])
        else:
            done = command(*words[1:])
            assert done.exit_code in (0, 1), done.output
            printed = done.stdout
        if shown.strip():
            assert re.fullmatch(pattern(shown), printed), f"{line}\n{printed}"


def sessions(text: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what is shown behind it."""
    found = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert not found[0], "a console block begins with `$ `"
    return list(zip(found[1::2], found[2::2], strict=True))


def pattern(shown: str) -> str:
    """A line `…` stands for any number of lines."""
    parts = re.split(r"^…\n", shown, flags=re.MULTILINE)
    return r"(?s:.*)".join(re.escape(part) for part in parts) if len(parts) > 1 else re.escape(shown)
