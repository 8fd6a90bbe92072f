"""What `callflow check` prints: one golden file for each code, made from the code's own wrong example.

`python -m tests.cli.test_check` writes the golden files anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from callflow.cli import main
from callflow.flowfile.codes import whole
from callflow.proof.codes import CODES as PROOF
from callflow.proof.codes import EVERY_CODE

GOLDEN = Path(__file__).parent / "golden"

SUB = "states: {talking: {flow: other, on: {done: ending}}}\nuse: {other: other.yaml}\n"
OTHER = "callflow: 1\nname: other\ninitial: asking\nstates: {asking: {on: {done: over}}, over: {final: true}}\n"
FILES: dict[str, dict[str, bytes]] = {
    # Codes whose wrong example is the file itself, or more than one file.
    "empty-file": {"flow.yaml": EVERY_CODE["empty-file"].wrong.encode()},
    "not-a-mapping": {"flow.yaml": EVERY_CODE["not-a-mapping"].wrong.encode()},
    "no-such-file": {},
    "not-a-file": {"flow.yaml/inside": b""},
    "file-too-large": {"flow.yaml": b"#" * 1_000_001},
    "not-utf8": {"flow.yaml": b"callflow: 1\nname: caf\xe9\n"},
    "too-many-values": {"flow.yaml": b"x-list: [" + b"1, " * 50_001 + b"1]\n"},
    "too-many-defects": {"flow.yaml": whole("".join(f"key-{number}: 1\n" for number in range(150))).encode()},
    "sub-flow-cycle": {
        "flow.yaml": whole(SUB).encode(),
        "other.yaml": OTHER.replace("{on: {done: over}}", "{flow: again, on: {done: over}}").encode()
        + b"use: {again: other.yaml}\n",
    },
    "no-flow-file": {"flow.yaml": whole(SUB).encode(), "other.yaml": b"root:x:0:0:root:/root:/bin/bash\n"},
    "undeclared-in-main": {"flow.yaml": whole(SUB).encode(), "other.yaml": OTHER.encode() + b"env: [SECRET]\n"},
}
NEEDS_MORE = {
    "conflict": "two files that declare one name in different ways; tests/flowfile has it",
    "too-many-sub-flows": "a hundred files; tests/flowfile has it",
    "unreadable-file": "a user who is not root; tests/flowfile has it",
}
WITH_EXAMPLE = sorted({code for code, entry in EVERY_CODE.items() if entry.wrong} | set(FILES))


def check(folder: Path, code: str, *options: str, right: bool = False) -> tuple[int, str]:
    """The exit status and the output for a code's example, in a file `flow.yaml` of that folder."""
    entry = EVERY_CODE[code]
    example = {"flow.yaml": whole(entry.right if right else entry.wrong).encode()}
    for name, data in (example if right else FILES.get(code, example)).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        proof = () if code in PROOF else ("--no-proof",)  # the other examples are as short as can be
        result = CliRunner().invoke(main, ["check", "flow.yaml", *proof, *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, re.sub(r"\d+ (situation|step)s", r"… \1s", result.output)


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_what_people_read(code: str, tmp_path: Path) -> None:
    status, output = check(tmp_path, code)
    assert status == (0 if f"warning: {code}: " in output else 1)
    assert f"{code}: " in output
    assert output == (GOLDEN / f"{code}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [code for code in WITH_EXAMPLE if EVERY_CODE[code].right])
def test_the_right_example_does_not_have_the_defect(code: str, tmp_path: Path) -> None:
    assert f"{code}: " not in check(tmp_path, code, right=True)[1]


def test_every_code_has_a_golden_file() -> None:
    assert set(WITH_EXAMPLE) | set(NEEDS_MORE) == set(EVERY_CODE)
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == WITH_EXAMPLE


def test_short_is_one_line_a_defect(tmp_path: Path) -> None:
    status, output = check(tmp_path, "unknown-target", "--format", "short")
    assert status == 1
    for line in output.splitlines():
        file, row, column, code, message = line.split(":", 4)
        assert file == "flow.yaml"
        assert int(row) > 0
        assert int(column) > 0
        assert code.strip() in EVERY_CODE
        assert message.strip()


def test_json_holds_every_field(tmp_path: Path) -> None:
    status, output = check(tmp_path, "unknown-target", "--format", "json")
    assert status == 1
    (defect,) = json.loads(output)["defects"]
    assert defect["code"] == "unknown-target"
    assert defect["line"] > 1
    assert defect["end_column"] > defect["column"]


def test_sarif_names_rules_and_regions(tmp_path: Path) -> None:
    _, output = check(tmp_path, "unknown-target", "--format", "sarif")
    (run,) = json.loads(output)["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "unknown-target"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] > 1


def test_a_clean_file_says_what_was_checked_and_no_more(tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(whole("states: {talking: {entry: [{say: Hello.}], on: {done: ending}}}\n"), encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 0
    checked, followed, bounds = result.output.splitlines()
    assert checked == f"{file}: checked 3 states, 8 transitions, no defect"
    assert re.fullmatch(rf"{re.escape(str(file))}: followed every call: \d+ situations, \d+ steps", followed)
    assert bounds == f"{file}: a hang-up ends the call within 1m 44s; whoever waits hears nothing for 11s at most"
    assert CliRunner().invoke(main, ["check", "--no-proof", str(file)]).output == f"{checked}\n"


def test_what_the_budget_has_cut_short_is_not_proved(tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(whole("states: {talking: {entry: [{say: Hello.}], on: {done: ending}}}\n"), encoding="utf-8")
    result = CliRunner().invoke(main, ["check", "--steps", "50", str(file)])
    assert result.exit_code == 0
    assert "not proved: " in result.output
    assert "followed every call" not in result.output


def test_a_story_is_told_in_every_format(tmp_path: Path) -> None:
    story = ["0 s: the call begins.", '2 s: the caller is on the line. In talking. The caller hears "Nobody is free."']
    story += ["Nothing happens any more."]
    assert "\n        ".join(story) in check(tmp_path, "no-way-on")[1]
    found = json.loads(check(tmp_path, "no-way-on", "--format", "json")[1])
    assert [one["story"] for one in found["defects"]] == [story]
    sarif = json.loads(check(tmp_path, "no-way-on", "--format", "sarif")[1])
    flow = sarif["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"][0]
    assert [one["location"]["message"]["text"] for one in flow["locations"]] == story
    assert "Nothing happens" not in check(tmp_path, "no-way-on", "--format", "short")[1]


@pytest.mark.parametrize(
    "code", ["crosses-regions", "no-event", "unknown-key", "colon-in-text", "never-used", "hidden-end"]
)
def test_a_terminal_is_not_overrun(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = check(tmp_path, code)[1]
    for module in ("_width", "_formats"):
        monkeypatch.setattr(f"callflow.cli.{module}.columns", lambda: 60)
    narrow = check(tmp_path, code)[1]
    assert max(len(line) for line in narrow.splitlines() if "-->" not in line) <= 60
    assert " ".join(narrow.split()).startswith(" ".join(wide.split())[:60])
    explained = CliRunner().invoke(main, ["explain", code]).output
    meaning = explained.split("wrong:")[0]
    assert max(map(len, meaning.splitlines())) <= 60
    assert " ".join(EVERY_CODE[code].meaning.split()) in " ".join(meaning.split())


def test_a_sub_flow_is_checked_with_the_flow_that_uses_it(tmp_path: Path) -> None:
    inner = OTHER.replace("over: {final: true}", "over: {final: true, returns: {kind: asked}}")
    (tmp_path / "flow.yaml").write_text(whole(SUB), encoding="utf-8")
    (tmp_path / "other.yaml").write_text(inner, encoding="utf-8")
    alone = CliRunner().invoke(main, ["check", str(tmp_path / "other.yaml")])
    assert alone.exit_code == 1
    assert "returns-to-nobody" in alone.output
    both = CliRunner().invoke(main, ["check", str(tmp_path / "other.yaml"), str(tmp_path / "flow.yaml")])
    assert both.exit_code == 0, both.output


PART = """callflow: 1
name: part
vars: {vip: boolean}
initial: choosing
states:
  choosing: {always: [{target: waiting, when: vars.vip}, over]}
  waiting: {entry: [{say: One moment.}], after: {50s: over}}
  over: {final: true, returns: {vip: "{{ vars.vip }}"}}
"""
USES = "states:\n  talking: {flow: part, with: {vip: true}, on: {done: ending}}\nuse: {part: part.yaml}\n"
NEEDS_NOT = USES.replace("vip: true", "vip: false")


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """The exit status and the output of `callflow check` in a folder with a sub-flow and two flows that use it."""
    monkeypatch.chdir(tmp_path)
    files = {"part.yaml": PART, "flow.yaml": whole(USES), "needs-not.yaml": whole(NEEDS_NOT)}
    files["mended.yaml"] = PART.replace("50s", "20s")
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    def command(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["check", "--no-cache", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, re.sub(r"\d+ (situation|step)s", r"… \1s", result.output)

    return command


def test_a_sub_flow_is_proved_by_itself(checked: Callable[..., tuple[int, str]]) -> None:
    status, output = checked("--sub-flow", "part.yaml")
    assert status == 0
    assert output == (GOLDEN.parent / "sub-flow.txt").read_text(encoding="utf-8")
    assert "warning: quiet-too-long: from the state `waiting` on" in output
    status, output = checked("--sub-flow", "mended.yaml", "--jobs", "2")
    assert status == 0
    assert "warning" not in output
    assert "followed every call" in output
    status, output = checked("part.yaml")  # it can be nothing else
    assert status == 1
    assert "returns-to-nobody" in output
    assert "quiet-too-long" in output


def test_a_proof_of_a_sub_flow_comes_back(checked: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        first = checked("--sub-flow", "part.yaml", "--cache")
        patch.setattr("callflow.proof.prove.explore", None)
        assert checked("--sub-flow", "part.yaml", "--cache") == first
    assert len([*(tmp_path / "cache").rglob("*.json")]) == 2


def test_what_several_use_is_told_once(checked: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(whole(USES), encoding="utf-8")
    status, output = checked("flow.yaml", "again.yaml", "part.yaml")
    assert status == 0
    assert output.count("quiet-too-long: ") == 1
    assert "flow.yaml: followed every call" in output
    assert "again.yaml: followed every call" in output


def test_what_another_host_may_need_is_no_fault_of_a_sub_flow(
    checked: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    for files in (["needs-not.yaml"], ["needs-not.yaml", "part.yaml"]):
        status, output = checked(*files)
        assert status == 0
        assert "warning" not in output  # neither that `waiting` is never entered, nor that its guard is never true
    wrong = PART.replace("after: {50s: over}", "after: {20s: over},\n    on: {consult.declined: over}")
    (tmp_path / "part.yaml").write_text(wrong, encoding="utf-8")
    assert "part.yaml:8:10: row-never-taken" in checked("--format", "short", "flow.yaml")[1]  # as in all other hosts


SECRET = "hunter2-do-not-show"


@pytest.mark.parametrize("used", ["states: {talking: {flow: other, on: {done: ending}}}\n", ""])
@pytest.mark.parametrize(
    "text",
    [f"password: {SECRET}\n", f"{SECRET}\n", f"callflow:x:0:0:{SECRET}:/:/bin/sh\n", f"[{SECRET}\n", f'"{SECRET}\n'],
)
@pytest.mark.parametrize("format_", ["people", "short", "json", "sarif"])
def test_a_file_that_is_no_flow_is_never_shown(used: str, text: str, format_: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_text(text, encoding="utf-8")
    (tmp_path / "here").mkdir()
    flow = tmp_path / "here" / "flow.yaml"
    flow.write_text(whole(used + "use: {other: ../elsewhere/secret}\n"), encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(flow), "--format", format_])
    assert result.exit_code == 1
    assert "no-flow-file" in result.output
    assert SECRET not in result.output


def test_a_warning_is_no_defect(tmp_path: Path) -> None:
    for format_, sign in (
        ("people", "1 warning. "),
        ("short", "redial-too-late: warning: "),
        ("json", '"level": "warning"'),
        ("sarif", '"level": "warning"'),
    ):
        status, output = check(tmp_path, "redial-too-late", "--format", format_)
        assert (status, sign in output) == (0, True), output
    assert "checked 4 states" in check(tmp_path, "redial-too-late")[1]
    assert check(tmp_path, "redial-too-late", "--expand")[1].startswith("callflow: 1")


def test_standard_input_and_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["check", "-"], input="callflow: 2\n").exit_code == 1
    assert CliRunner().invoke(main, ["check"]).exit_code == 2
    assert CliRunner().invoke(main, ["check", "--format", "xml", "x"]).exit_code == 2
    unknown = CliRunner().invoke(main, ["chek", "x"])
    assert unknown.exit_code == 2
    assert 'did you mean "check"?' in unknown.output


@pytest.mark.parametrize("code", EVERY_CODE)
def test_every_code_is_explained(code: str) -> None:
    result = CliRunner().invoke(main, ["explain", code])
    assert result.exit_code == 0
    assert EVERY_CODE[code].title in result.output


def test_an_unknown_code_has_a_hint() -> None:
    result = CliRunner().invoke(main, ["explain", "unknown-targt"])
    assert result.exit_code == 2
    assert "unknown-target" in result.output


if __name__ == "__main__":
    import tempfile

    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.txt"):
        old.unlink()
    for one in WITH_EXAMPLE:
        with tempfile.TemporaryDirectory() as folder:
            (GOLDEN / f"{one}.txt").write_text(check(Path(folder), one)[1], encoding="utf-8")
    sys.stderr.write(f"{len(WITH_EXAMPLE)} golden files\n")
