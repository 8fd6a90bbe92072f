"""libyaml, and PyYAML without it: the same nodes at the same places, and the same defects in the same words."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from callflow.flowfile import yaml, yaml_errors
from callflow.flowfile.codes import CODES, whole
from callflow.flowfile.nodes import Mapping, Sequence
from callflow.flowfile.source import decode
from callflow.flowfile.yaml_parser import Parser, PythonParser
from tests.flowfile.fuzz import any_file

FLOWS = Path(__file__).parents[2] / "flows"
TEXTS = [path.read_text() for path in sorted(FLOWS.glob("*.yaml"))]
TEXTS += [whole(example) for code in CODES.values() for example in (code.wrong, code.right) if example]
PIECES = [
    *("[", "]", "{", "}", ",", ", ", ":", ": ", "?", "? ", "-", "- ", "a", "b", "'a'", '"b"', "\n", "\n ", "\n  ", "\t", " "),
    *("&a ", "*a", "!t ", "!!str ", "!", "!<a> ", "!a!b ", "!t,", "!%41", "!%c3%a9", "!%ff", "&", "*", "#", "# c", "#c"),
    *("|\n", "> x\n", "|2-\n", "|-\n  x\n", ">+\n  a\n\n   b\n", "|\n\t", "|\t\n", "|0\n", "'a\n  b'", '"a\\\n  b"', "'", '"', "\\"),
    *('"\\x41"', '"\\q"', '"\\ud800"', '"\\U00110000"', '"\\u12"', "%", "@", "`", "<<: ", "k:", "http://x", "x: y", "- x", "é"),
    *("---\n", "...\n", "--- a\n", "... b\n", "%YAML 1.2\n---\n", "%YAML 2.0\n---\n", "%TAG !a! b\n---\n", "%b\n", "\r", "\r\n", "😀"),
]  # fmt: skip

pytestmark = pytest.mark.skipif(Parser is PythonParser, reason="this PyYAML has no libyaml to compare with")


def read(parser, text, monkeypatch):
    for module in (yaml, yaml_errors):
        monkeypatch.setattr(module, "Parser", parser)
    root, defects = yaml.parse(text, "f")
    return seen(root), defects


def seen(node):
    """All of a node: its place, how it was written, and what is in it."""
    if node is None:
        return None
    place = (node.line, node.column, *node.ends())
    if isinstance(node, Mapping):
        return place, node.flow, [(seen(key), seen(value)) for key, value in node.entries.values()]
    if isinstance(node, Sequence):
        return place, node.flow, [seen(item) for item in node.items]
    return place, node.text, node.plain, repr(node.value)


def same(text, monkeypatch):
    assert read(PythonParser, text, monkeypatch) == read(Parser, text, monkeypatch), repr(text)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:20].replace("\n", " "))
def test_flows_and_examples(text, monkeypatch):
    same(text, monkeypatch)


@pytest.mark.parametrize("seed", range(8))
def test_texts_of_yamls_own_signs(seed, monkeypatch):
    chance = random.Random(seed)
    for _ in range(250):
        same("".join(chance.choice(PIECES) for _ in range(chance.randint(1, 14))), monkeypatch)


@pytest.mark.parametrize("seed", range(40))
def test_files_of_strangers(seed, monkeypatch):
    text, defect = decode(any_file(seed), "f")
    if defect is None:
        same(text, monkeypatch)


def test_a_machine_without_libyaml(tmp_path):
    """In a process that cannot import it."""
    (tmp_path / "flow.yaml").write_text((FLOWS / "inbound.yaml").read_text())
    (tmp_path / "wrong.yaml").write_text("a: " + "[" * 1000)
    code = (
        "import sys; sys.modules['yaml._yaml'] = None; sys.argv = ['callflow', 'check', '--format', 'short', *sys.argv[1:]]; "
        "from callflow.flowfile import yaml_parser; assert yaml_parser.Parser is yaml_parser.PythonParser; "
        "from callflow.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "flow.yaml", "wrong.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "wrong.yaml:1:103" in done.stdout + done.stderr
    assert "too-deep" in done.stdout + done.stderr
    assert "flow.yaml:" not in done.stdout.replace("wrong.yaml", "")
