"""`callflow journal`: what it tells of calls, and what of files that are no journals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import command

JOURNALS = Path(__file__).parents[1] / "journals"
OF_TODAY = JOURNALS / "3"


def test_a_call_is_told_as_a_story(monkeypatch):
    monkeypatch.chdir(OF_TODAY)
    done = command("journal", "show", "smallest-0.jsonl")
    assert (done.exit_code, done.stderr) == (0, "")
    told = done.output.splitlines()
    assert told[0].startswith("call AJ_000002 of front-desk (flows/smallest.yaml, digest ")
    assert told[1] == "2026-11-21T19:00:00.000Z, 8s, 31 steps"
    assert told[2] == "outcome completed; ended: delete_room by agent; in ending, longest silence 1s"
    assert told[-3:] == [
        "5.34 s: Outcome: completed.",
        "5.54 s: the line drops.",
        "7.542 s: In closed. The call is over.",
    ]
    assert '4.87 s: the model calls end_call. In ending. The caller hears "Goodbye."' in told
    assert any('the caller says "pii:' in line for line in told)


def test_without_its_flow_a_call_is_told_line_by_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = command("journal", "show", str(OF_TODAY / "smallest-0.jsonl"))
    assert done.exit_code == 0
    assert "flows/smallest.yaml, which is not here: name its flow with --flow FILE" in done.stderr
    assert any(
        "on tool.end_call leaves talking and enters ending (flows/smallest.yaml:" in line
        for line in done.output.splitlines()
    )


def test_a_path_that_leads_out_of_the_folder_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "secret.yaml").write_text("callflow: 1\nname: front-desk\n", encoding="utf-8")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    text = (OF_TODAY / "smallest-0.jsonl").read_text(encoding="utf-8")
    for number, path in enumerate(("../secret.yaml", str(tmp_path / "secret.yaml"), "/etc/passwd", "link.yaml")):
        Path("link.yaml").unlink(missing_ok=True)
        Path("link.yaml").symlink_to(tmp_path / "secret.yaml")
        file = Path(f"{number}.jsonl")
        file.write_text(text.replace("flows/smallest.yaml", path), encoding="utf-8")
        done = command("journal", "show", str(file))
        assert done.exit_code == 0
        assert "name its flow with --flow FILE" in done.stderr
        assert "secret.yaml:" not in done.stderr


BAD = [
    (b"", ":1: this is no journal: the file is empty"),
    (b"hello", ":1: this is no journal: its first line is no JSON"),
    (b"hello\n", ":1: this line is no JSON"),
    (b"\x7fELF\x02\0\0\0\0", ":1: this is no journal: it holds bytes that are no text"),
    (b"[" * 100_000 + b"\n", ":1: this line is no JSON"),
    (
        b'{"journal": 4}\n',
        ":1: a journal of version 4; this callflow reads versions 1, 2 and 3, and a later one is needed",
    ),
    (b'{"journal": 3} {}\n', ":1: this line is no JSON: something stands behind it"),
    (b'{"journal": true}\n', ":1: a journal of version true"),
    (b'{"journal": 3}\n', ":1: the first line lacks `flow`, `file`"),
]


@pytest.mark.parametrize(("content", "sentence"), BAD)
@pytest.mark.parametrize("words", [("journal", "show"), ("replay",)])
def test_what_is_no_journal_is_told_with_its_line(words, content, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_bytes(content)
    done = command(*words, "a.jsonl")
    assert done.exit_code == 2
    assert f"a.jsonl{sentence}" in done.stderr
    assert "Traceback" not in done.output


LINES = [
    ({"time": "soon"}, '`time` cannot be "soon"'),
    ({"time": float("nan")}, "`time` cannot be NaN"),
    ({"guards": [["pii:0123456789abcdef", True]]}, "`guards` cannot be"),
    ({"guards": [[1, "pii:0123456789abcdef"]]}, "`guards` cannot be"),
    ({"seq": 1}, "step 3 should stand here, not step 1"),
    ({"seq": None}, "step 3 should stand here, not a line without `seq`"),
    ({"timer": 4}, "has one of `event`, `ended` and `timer`, not event and timer"),
    ({"start": [{"id": 1, "verb": "explode", "arguments": {}}]}, "`start` cannot be"),
    ({"moves": [{"on": 3}]}, "`moves` cannot be"),
    ({"states": "talking"}, "`states` cannot be"),
    ({"data": ["a"]}, "`data` cannot be"),
]


@pytest.mark.parametrize(("changes", "sentence"), LINES, ids=str)
def test_a_damaged_line_is_told_and_the_other_files_go_on(changes, sentence, tmp_path, monkeypatch):
    import json

    monkeypatch.chdir(OF_TODAY)
    lines = [json.loads(line) for line in Path("smallest-0.jsonl").read_text(encoding="utf-8").splitlines()]
    lines[4].update(changes)
    bad = tmp_path / "bad.jsonl"
    bad.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    done = command("replay", str(bad), "smallest-0.jsonl")
    assert done.exit_code == 2
    assert f"{bad}:5: " in done.stderr
    assert sentence in done.stderr
    assert "1 the same, 1 not replayed; " in done.output


def test_a_directory_a_pipe_and_a_file_that_is_not_there(tmp_path, monkeypatch):
    import os

    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.jsonl")
    Path("folder.jsonl").mkdir()
    done = command("journal", "show", "pipe.jsonl", "folder.jsonl", "none.jsonl")
    assert done.exit_code == 2
    assert "pipe.jsonl: this is not a regular file" in done.stderr
    assert "folder.jsonl: this is a directory, not a journal" in done.stderr
    assert "none.jsonl: No such file or directory" in done.stderr


@pytest.mark.parametrize("kept", [20, 5, 2])
def test_a_journal_that_was_cut_short_is_told_as_far_as_it_goes(kept, tmp_path, monkeypatch):
    monkeypatch.chdir(OF_TODAY)
    rows = Path("smallest-0.jsonl").read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(rows[:kept]) + rows[kept][:15])
    done = command("journal", "show", str(cut))
    assert done.exit_code == 0
    assert f"the journal is cut short: its line {kept + 1} is not whole" in done.stderr
    assert "0 s: the call begins." in done.output
    done = command("replay", str(cut))
    assert done.exit_code == 0
    assert "its last line is cut short" in done.output


def test_calls_are_listed_with_what_became_of_them_as_their_records_have_it(monkeypatch):
    import json

    monkeypatch.chdir(OF_TODAY)
    done = command("journal", "list", "--format", "json")
    assert done.exit_code == 0
    rows = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
    assert len(rows) == len(list(OF_TODAY.glob("*.jsonl")))
    for row in rows:
        record = json.loads(Path(row["file"]).with_suffix(".json").read_text(encoding="utf-8"))
        cause = record["cause"]
        assert (row["outcome"], row["cause"], row["by"]) == (record["outcome"], cause["event"], cause["by"]), row[
            "file"
        ]
        assert row["state"] == cause["state"]
        assert row["seconds"] == pytest.approx(record["seconds"], abs=1)
        assert row["whole"] is True


def test_a_list_is_sorted_and_filtered(monkeypatch):
    monkeypatch.chdir(OF_TODAY)
    done = command("journal", "list", "--sort", "silence", "--outcome", "completed", "--outcome", "abandoned")
    rows = done.output.splitlines()
    assert rows[0].split() == ["began", "flow", "outcome", "cause", "by", "state", "silence", "length", "file"]
    assert {row.split()[2] for row in rows[1:] if row.startswith("2026")} == {"completed", "abandoned"}
    assert rows[1].endswith("silence-ladder-11.jsonl")
    quiet = command("journal", "list", "--silence", "60", "--by", "agent").output.splitlines()
    assert [row.split()[-1] for row in quiet if row.startswith("2026")] == [
        "maximum-duration-14.jsonl",
        "silence-ladder-11.jsonl",
    ]
    inside = command("journal", "list", "--state", "helping").output.splitlines()
    assert {row.split()[5] for row in inside if row.startswith("2026")} == {"helping.talking", "helping.message.asking"}
    assert command("journal", "list", "--outcome", "nothing_like_it").exit_code == 5


def test_a_bad_file_in_a_folder_is_told_and_counted_and_the_others_are_listed(tmp_path, monkeypatch):
    import shutil

    monkeypatch.chdir(tmp_path)
    shutil.copy(OF_TODAY / "smallest-0.jsonl", "a.jsonl")
    Path("b.jsonl").write_bytes(b"\0\1\2")
    shutil.copy(OF_TODAY / "smallest-1.jsonl", "c.jsonl")
    done = command("journal", "list")
    assert done.exit_code == 2
    assert "b.jsonl:1: this is no journal: it holds bytes that are no text" in done.stderr
    assert "2 calls, 1 not read" in done.stderr
    assert " a.jsonl\n" in done.output
    assert " c.jsonl\n" in done.output


@pytest.mark.parametrize(
    ("pattern", "file", "number", "words"),
    [
        ("state:ending effect:say", "cold-transfer-16.jsonl", 40, 'begins say "We will call you back. Goodbye."'),
        ("event:dial.busy", "voicemail-31.jsonl", 6, "enters ending"),
        ("event:tool.give_*", "hand-over-22.jsonl", 15, "I am sorry"),
        ("outcome:line_lost", "inbound-7.jsonl", None, "outcome line_lost"),
        ("row:flows/cold-transfer.yaml:38", "cold-transfer-16.jsonl", 40, "tool.call_back"),
        ("'call you back' state:ending", "cold-transfer-16.jsonl", 40, "Goodbye"),
        ("/CALL_BACK|call_back/", "cold-transfer-16.jsonl", 40, "Goodbye"),
    ],
)
def test_what_is_looked_for_is_found_in_its_line(pattern, file, number, words, monkeypatch):
    monkeypatch.chdir(OF_TODAY)
    done = command("journal", "grep", pattern, ".")
    assert done.exit_code == 0
    found = [line for line in done.output.splitlines() if line.startswith(f"./{file}:")]
    assert any(words in line for line in found)
    if number is not None:
        assert any(line.startswith(f"./{file}:{number}: ") for line in found)


def test_a_variable_is_looked_for_by_its_value(monkeypatch):
    monkeypatch.chdir(OF_TODAY)
    by_name = command("journal", "grep", "-l", "var:*").output.splitlines()
    assert by_name
    assert command("journal", "grep", "var:nobody_has_this").exit_code == 1


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("", "an empty pattern finds everything"),
        ("stat:x", 'did you mean "state"?'),
        ("state:", "what state is it?"),
        ("/(/", "is no regular expression"),
        ("'open", "no closing quotation"),
    ],
)
def test_a_pattern_that_is_none(pattern, sentence):
    done = command("journal", "grep", pattern, str(OF_TODAY))
    assert done.exit_code == 2
    assert sentence in done.stderr


def test_the_picture_of_a_call_has_the_way_that_it_took(monkeypatch):
    monkeypatch.chdir(OF_TODAY)
    of_call = command("journal", "draw", "inbound-4.jsonl", "-o", "-", "--format", "dot")
    plain = command("draw", "flows/inbound.yaml", "-o", "-", "--format", "dot")
    assert (of_call.exit_code, of_call.stderr) == (0, "")
    assert of_call.output != plain.output
    changed = command("journal", "draw", "../2/warm-transfer.jsonl", "-o", "-", "--format", "dot", "--flow", "flows")
    assert changed.exit_code == 0


def test_a_line_that_never_ends_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("callflow.journal.reading.LONGEST", 1000)
    path = tmp_path / "long.jsonl"
    path.write_bytes((OF_TODAY / "smallest-0.jsonl").read_bytes() + b'{"seq": 31, "event": "' + b"x" * 5000 + b'"}\n')
    done = command("replay", str(path), "--flow", str(OF_TODAY / "flows/smallest.yaml"))
    assert done.exit_code == 2
    assert f"{path}:33: this line is longer than 1,000 bytes" in done.stderr
