"""Reading a path that may lead to anything."""

from __future__ import annotations

import os
import socket

import pytest

from callflow.flowfile.source import MAX_BYTES, decode, read_text
from tests.support.cost import within


def refusal(path):
    text, defect = within(1, lambda: read_text(path))
    assert text == ""
    assert defect is not None
    assert defect.file == str(path)
    return defect


def test_a_file(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_bytes("a: ü\n".encode())
    assert read_text(path) == ("a: ü\n", None)


def test_a_missing_file_names_the_one_that_was_meant(tmp_path):
    (tmp_path / "inbound.yaml").touch()
    defect = refusal(tmp_path / "inbuond.yaml")
    assert defect.code == "no-such-file"
    assert defect.hint == f"did you mean {tmp_path}/inbound.yaml?"


def test_a_directory(tmp_path):
    defect = refusal(tmp_path)
    assert defect.code == "not-a-file"
    assert "directory" in defect.message


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").code == "not-a-file"


def test_a_device_is_not_read():
    assert refusal("/dev/zero").code == "not-a-file"


def test_a_socket(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert refusal("s").code == "not-a-file"


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_what_no_file_can_be_called(path):
    assert refusal(path).code == "unreadable-file"


def test_a_link_that_leads_in_a_circle(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path / "loop").code == "unreadable-file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "flow.yaml"
    path.touch(mode=0)
    assert refusal(path).code == "unreadable-file"


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "flow.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    defect = refusal(path)
    assert defect.code == "file-too-large"
    assert "1,000,000" in defect.message
    assert "50,000,000" in defect.message


def test_a_file_that_grows_while_it_is_read_is_cut():
    assert decode(b"#" * (MAX_BYTES + 1), "f")[1].code == "file-too-large"


def test_standard_input(monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: b\n")))
    assert read_text("-") == ("a: b\n", None)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"#" * 2_000_000)))
    _, defect = read_text("-")
    assert (defect.code, defect.file) == ("file-too-large", "<stdin>")


@pytest.mark.parametrize("data", [b"\xff\xfea\0:\0", b"\xfe\xff\0a\0:", "callflow: 1\n".encode("utf-16-le")])
def test_another_encoding_is_named(data):
    _, defect = decode(data, "f")
    assert defect.code == "not-utf8"
    assert "UTF-16" in defect.message


def test_a_byte_that_is_not_utf8_is_shown():
    _, defect = decode("a: b\nü: ".encode() + b"\xe9\n", "f")
    assert (defect.code, defect.line, defect.column) == ("not-utf8", 2, 4)
    assert "byte 9 " in defect.message
    assert "0xe9" in defect.message
