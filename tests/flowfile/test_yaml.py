"""The reader of YAML: values and their places, and an author's words for all that is wrong."""

from __future__ import annotations

import resource
import sys

import pytest

from callflow.flowfile import yaml, yaml_errors
from callflow.flowfile.nodes import Mapping, Node, Scalar, Sequence, kind
from callflow.flowfile.yaml import MAX_DEPTH, MAX_VALUES, parse
from callflow.flowfile.yaml_parser import Parser, PythonParser
from tests.support.cost import within

PARSERS = list(dict.fromkeys([Parser, PythonParser]))
"""libyaml, in whichever version PyYAML has brought it, and none."""


@pytest.fixture(autouse=True, params=PARSERS, ids=lambda parser: parser.__name__)
def parser(request, monkeypatch):
    """Every test of this file has the same outcome with each of them."""
    for module in (yaml, yaml_errors):
        monkeypatch.setattr(module, "Parser", request.param)
    return request.param


def most_memory():
    """The most that this process has had so far, in bytes; macOS tells it in bytes, Linux in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1000)


def plain(node: Node):
    if isinstance(node, Mapping):
        return {key: plain(value) for key, (_, value) in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def value_of(text: str):
    root, defects = parse(f"a: {text}\n", "f")
    assert defects == []
    assert root is not None
    return plain(root)["a"]


def only(text: str):
    """The one defect of a text."""
    _, defects = parse(text, "f")
    assert len(defects) == 1, defects
    return defects[0]


class TestScalars:
    @pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
    def test_null(self, text):
        assert value_of(text) is None

    @pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("FALSE", False)])
    def test_booleans(self, text, value):
        assert value_of(text) is value

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("0", 0), ("-7", -7), ("+15551234567", 15551234567), ("0x1F", 31), ("0o17", 15), ("012", 12),
            ("1.5", 1.5), (".5", 0.5), ("-1e3", -1000.0), ("1.", 1.0), (".inf", float("inf")), ("-.Inf", float("-inf")),
        ],
    )  # fmt: skip
    def test_numbers_keep_what_was_written(self, text, value):
        root, _ = parse(f"a: {text}\n", "f")
        node = root.get("a")
        assert node.value == value
        assert type(node.value) is type(value)
        assert node.text == text

    def test_not_a_number(self):
        value = value_of(".nan")
        assert value != value

    @pytest.mark.parametrize(
        "text",
        [
            "on", "off", "yes", "no", "y", "n", "On", "1:30", "1_000", "2026-11-21", "0b1", "1e", "+", ".", "..", "12s",
            "tRUE", "nULL", "0x", "0xg", "-0x1", "1.2.3", "+.5.", "null x", "١٢", "nan", "inf", "infinity", "0o8", "e5",
        ],
    )  # fmt: skip
    def test_all_else_is_text(self, text):
        assert value_of(text) == text

    @pytest.mark.parametrize("text", ['"12"', "'true'", '"null"', '""', "!!str 12", "! 12"])
    def test_quotes_make_text(self, text):
        assert isinstance(value_of(text), str)

    def test_block_text(self):
        assert plain(parse("a: |\n  12\nb: >\n  x\n  y\n", "f")[0]) == {"a": "12\n", "b": "x y\n"}

    def test_tags_of_the_core_schema(self):
        assert value_of("!!int 3") == 3
        assert value_of("!!float 3") == 3
        assert value_of("!!map {b: !!seq [c]}") == {"b": ["c"]}

    def test_a_question_mark_is_text(self):
        assert value_of("{say: Which?}") == {"say": "Which?"}


class TestPlaces:
    TEXT = 'a: b\nlist:\n  - "ü x"  # note\n  - {k: v}\nlast:\n  x:\n    y: z\n\n\nend: 1\n'

    def node(self, *path):
        root, defects = parse(self.TEXT, "f")
        assert defects == []
        node = root
        for step in path:
            node = node.items[step] if isinstance(node, Sequence) else node.get(step)
        return node

    @pytest.mark.parametrize(
        ("path", "place"),
        [
            (("a",), (1, 4, 1, 5)),
            (("list",), (3, 3, 4, 11)),
            (("list", 0), (3, 5, 3, 10)),
            (("list", 1), (4, 5, 4, 11)),
            (("list", 1, "k"), (4, 9, 4, 10)),
            (("last",), (6, 3, 7, 9)),  # not the blank lines behind it
            (("end",), (10, 6, 10, 7)),
        ],
    )
    def test_values(self, path, place):
        node = self.node(*path)
        assert (node.line, node.column, *node.ends()) == place

    def test_keys(self):
        key, _ = self.node("last").entries["x"]
        assert (key.line, key.column, *key.ends()) == (6, 3, 6, 4)

    def test_a_byte_order_mark_of_a_file_takes_no_column(self):
        from callflow.flowfile.source import decode

        text, defect = decode("\ufeffa: b\n".encode(), "f")
        assert defect is None
        assert parse(text, "f")[0].entries["a"][0].column == 1

    def test_line_ends_of_all_systems(self):
        root, _ = parse("a: b\r\nc: d\r\ne: f\r", "f")
        assert root.get("e").line == 3

    def test_words_for_a_node(self):
        root, _ = parse("a: 12\nb: x\nc: [1]\nd: {e: f}\ng:\nh: true\ni: ''\n", "f")
        words = [kind(root.get(key)) for key in "abcdghi"]
        assert words == ["the number 12", 'the text "x"', "a list", "keys with values", "nothing", "the truth value true", "an empty text"]  # fmt: skip


class TestTraps:
    """The traps of YAML: the code, the place, and a word of what to do."""

    @pytest.mark.parametrize(
        ("text", "code", "line", "column", "says"),
        [
            ("a:\n  say: {{ vars.x }}\n", "unquoted-template", 2, 8, '"{{ vars.x }}"'),
            ("a:\n  say: {{ vars.x }} there\n", "unquoted-template", 2, 8, '"{{ vars.x }} there"'),
            ("a: [{{ x }}, b]\n", "unquoted-template", 1, 5, "quotes"),
            ("a: {to: {{ vars.x }} and, b: 1}\n", "unquoted-template", 1, 9, "quotes"),
            ('a: {{ f("x") }}\n', "unquoted-template", 1, 4, "quotes around it: '{{ f(\"x\") }}'"),
            ("a:\n  say: Note: it is late\n", "colon-in-text", 2, 12, "quotes around the whole text"),
            ("a: {say: Hello: world}\n", "colon-in-text", 1, 15, "quotes around the whole text"),
            ("a: @foo\n", "quote-it", 1, 4, '"@foo"'),
            ("a: * foo\n", "quote-it", 1, 4, '"* foo"'),
            ("a: *foo\n", "unknown-alias", 1, 4, "quotes"),
            ("a: %foo\n", "quote-it", 1, 4, '"%foo"'),
            ("a: `x`\n", "quote-it", 1, 4, "quotes"),
            ("a: & b\n", "quote-it", 1, 4, "quotes"),
            ("a: !foo bar\n", "unknown-tag", 1, 4, "!foo"),
            ("a: !!python/object:os.system x\n", "unknown-tag", 1, 4, "!!python/object"),
            ("a: !!int x\n", "unknown-tag", 1, 4, "!!int"),
            ("a: !x {b: c}\n", "unknown-tag", 1, 4, "!x"),
            ("a: > 5\n", "quote-it", 1, 4, ">"),
            ("a: - b\n", "quote-it", 1, 4, "item"),
            ("a: ? b\n", "quote-it", 1, 4, "quotes"),
            ("on:\n  *.b: x\n", "quote-it", 2, 3, "dial.*"),
            ("a: b\n%c: d\n", "quote-it", 2, 1, "%"),
            ("a: ]\n", "quote-it", 1, 4, "quotes"),
            ("a: [hello] world\n", "quote-it", 1, 12, "`world` follows"),
            ("a:\n\tb: c\n", "tab", 2, 1, "spaces"),
            ("a:\n  b: c\n\td: e\n", "tab", 3, 1, "spaces"),
            ("a:\n  b:\n  \tc: d\n", "tab", 3, 3, "spaces"),
            ("a:\n  b:c\n  d: e\n", "missing-space", 2, 4, "b: c"),
            ("a: {b: c, do:[x]}\n", "missing-space", 1, 13, "behind the `:`"),
            ("a:\n  - b: c\n   - d\n", "bad-indentation", 3, 4, "column of the others"),
            ("a:\n  d: e\n  b:c\n", "missing-space", 3, 4, "b: c"),
            ("a:\n  - b\n  -c\n", "missing-space", 3, 3, "- c"),
            ('a:\n  say: "Hello\n  b: c\n', "unclosed-quote", 2, 8, "line 2"),
            ('a:\n  say: "Hello\n  b: "x"\n  c: d\n', "unclosed-quote", 2, 8, "line 2"),
            ('a: "Hello\nb: "x"\nc: "y"\n', "unclosed-quote", 1, 4, "line 1"),
            ("a: 'It's fine'\n", "text-behind-quote", 1, 8, "twice"),
            ('a: "He said "hi" there"\n', "text-behind-quote", 1, 14, "single quotes"),
            ('when: "x" in vars.y\n', "text-behind-quote", 1, 11, "single quotes around the whole expression"),
            ('a: "\\d+"\n', "unknown-escape", 1, 5, "backslash twice"),
            ("a: [b, c\nd: e\n", "unclosed-bracket", 1, 4, "line 1"),
            ("a: {b: c\n", "unclosed-bracket", 1, 4, "`}`"),
            ("a: {b: c}}\nd: e\n", "unclosed-bracket", 1, 10, "closes nothing"),
            ("a:\n  b: c\n   d: e\n", "bad-indentation", 3, 5, "further in"),
            ("a:\n    b: c\n  d: e\n", "bad-indentation", 3, 3, "indented by 2"),
            ("a:\n  - b\n  c: d\n", "bad-indentation", 3, 3, "begin with `-` (see line 2)"),
            ("a:\n  c: d\n  - b\n", "bad-indentation", 3, 3, "item of a list"),
            ("a:\n  - say\n   - drain\n", "bad-indentation", 2, 5, "line 3 looks like the next item"),
            ("a: {b: {c: d}, e\n", "unclosed-bracket", 1, 4, "`}`"),
            ("a: {b: {c: \n", "unclosed-bracket", 1, 8, "`}`"),
            ("a:\n  talking\n  ending: {}\n", "yaml-syntax", 2, 3, "write `talking:`"),
            ("a: b\nhello\nc: d\n", "yaml-syntax", 2, 1, "no `:`"),
            ("a: &x &y b\n", "yaml-syntax", 1, 7, "not YAML"),
            ("%YAML 1.3\n---\na: b\n", "yaml-syntax", 1, 1, "1.2"),
            ("%TAG ! tag:x\n---\na: b\n", "yaml-syntax", 1, 1, "%TAG"),
            ("? [a]\n: b\n", "complex-key", 1, 3, "a list"),
            (": b\n", "complex-key", 1, 1, "key is missing"),
            ("null: b\n", "complex-key", 1, 1, "`null` is no key"),
            ("a: &x {b: c}\nd:\n  <<: *x\n", "merge-key", 3, 3, "write the keys out"),
            ("a: &x [*x]\n", "recursive-alias", 1, 8, "inside what it repeats"),
            ("a: &loop b\nc: *lop\n", "unknown-alias", 2, 4, 'did you mean "loop"?'),
            ("a: b\nc: d\na: e\n", "duplicate-key", 3, 1, "line 1, column 1"),
            ('a: b\n"a": e\n', "duplicate-key", 2, 1, "line 1, column 1"),
            ("a: b\n---\nc: d\n", "several-documents", 2, 1, "second"),
            ("- a\n", "not-a-mapping", 1, 1, "a list"),
            ("hello\n", "not-a-mapping", 1, 1, "one text"),
            ("", "empty-file", 1, 1, "nothing"),
            ("# only a comment\n", "empty-file", 1, 1, "nothing"),
            ("a: b\nc: \x01\n", "control-character", 2, 4, "U+0001"),
            ("a: b\0\n", "control-character", 1, 5, "NUL"),
            ("a: x\u2028y\n", "control-character", 1, 5, "U+2028"),
            ("a: \ud800\n", "control-character", 1, 4, "U+D800"),
            ("a: x\ufeffy\n", "control-character", 1, 5, "byte order mark"),
            ("a: " + "9" * 5000 + "\n", "number-too-long", 1, 4, "digits"),
        ],
    )  # fmt: skip
    def test_said_in_an_authors_words(self, text, code, line, column, says):
        defect = only(text)
        assert (defect.code, defect.line, defect.column) == (code, line, column)
        assert says in f"{defect.message} ({defect.hint})"

    def test_a_syntax_error_says_that_it_ends_the_reading(self):
        assert "nothing behind this place was read" in only("a: [b\n").hint

    def test_all_that_is_no_syntax_error_is_found_at_once(self):
        _, defects = parse("a: {{ x }}\na: 1\nb: !t 1\nc: *nope\n<<: 1\n? [k]\n: v\n", "f")
        assert [defect.code for defect in defects] == [
            "unquoted-template", "duplicate-key", "unknown-tag", "unknown-alias", "merge-key", "complex-key",
        ]  # fmt: skip

    def test_reading_goes_on_with_what_an_author_meant(self):
        root, _ = parse("a: {{ vars.x }}\nb: 1\n", "f")
        assert plain(root) == {"a": "{{ vars.x }}", "b": 1}


class TestAliases:
    def test_an_alias_repeats_its_anchor(self):
        assert plain(parse("a: &x [1, 2]\nb: *x\n", "f")[0]) == {"a": [1, 2], "b": [1, 2]}

    def test_a_bomb_is_refused(self):
        lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
        lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
        defect = only("\n".join(lines))
        assert defect.code == "too-many-values"
        assert f"{MAX_VALUES:,}" in defect.message

    def test_aliases_do_not_reach_deeper_than_what_is_written(self):
        lines = ["a0: &a0 []"] + [f"a{n}: &a{n} {'[' * 60}*a{n - 1}{']' * 60}" for n in range(1, 90)]
        assert only("\n".join(lines)).code == "too-deep"
        assert parse("a: &a [[]]\nb: " + "[" * 97 + "*a" + "]" * 97, "f")[1] == []
        assert only("a: &a [[]]\nb: " + "[" * 98 + "*a" + "]" * 98).code == "too-deep"


class TestLimits:
    """Nothing takes more than a second, 200 MB, or the process."""

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("[" * 100_000, "too-deep"),
            ("[\n" * 100_000, "too-deep"),
            ("{a: " * 100_000, "too-deep"),
            ("- " * 100_000, "too-deep"),
            ("? " * 100_000, "too-deep"),
            ("\n".join(" " * depth + "a:" for depth in range(1400)), "too-deep"),
            ("a: b\n" * 200_000, "too-many-defects"),
            ("".join(f"k{number}: v\n" for number in range(90_000)), "too-many-values"),
            ("a: [" + "b," * 490_000 + "]", "too-many-values"),
            ("a: [" + "[]," * 300_000 + "]", "too-many-values"),
            ("a: [" + "{{ x }}, " * 100_000 + "]", "too-many-defects"),
            ("- a\n   - b\n" * 90_000, "too-many-defects"),
            ("".join(f"%TAG !{number}! tag:x\n" for number in range(50_000)) + "--- a\n", "yaml-syntax"),
            ("a: " + "'" * 999_001, "unclosed-quote"),
            ("a: '\n" + "b: c\n" * 190_000, "unclosed-quote"),
            ("a: " + "&a " * 300_000, "yaml-syntax"),
            (
                "".join(f"k{n}: &anchor_{n} x\n" for n in range(20_000)) + "z: [" + "*ancher_0, " * 20_000 + "]",
                "too-many-defects",
            ),
            ("a: " + "!t " * 300_000, "yaml-syntax"),
            ("\t" * 900_000, "tab"),
            ("a" * 900_000, "not-a-mapping"),
            ("a: |\n" + " b\n" * 300_000 + "c: [", "unclosed-bracket"),
        ],
        ids=lambda value: value[:12],
    )
    def test_bounded(self, text, code, parser):
        if parser is PythonParser:
            pytest.skip("libyaml's speed is stated")
        before = most_memory()
        _, defects = within(1, lambda: parse(text, "f"))
        assert defects[-1].code == code
        assert len(defects) <= 101
        assert most_memory() - before < 200_000_000

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("[" * 101, (1, 101)),
            ("[" * 1001, (1, 101)),
            ("[" * 1001 + "]" * 1001, (1, 101)),
            ("a: " + "[" * 5000, (1, 103)),
            ("- " * 1001, (1, 201)),
            ("- " * 95 + "[" * 1001, (1, 196)),
            ("- " * 95 + "[[[[[[@", (1, 196)),
            ("? " * 1001, (1, 201)),
            ("{a: " * 1001, (1, 401)),
            ("[{a: " * 1001, (1, 251)),
            ("[&a " * 1001, (1, 398)),
            ("[!!seq " * 1001, (1, 695)),
            ("[" * 1001 + "]" * 1001 + ": x", (1, 101)),
            ("[" * 150 + "@", (1, 101)),
            ("[" * 1001 + "@", (1, 101)),
            ("[" * 150 + '"never closed', (1, 101)),
            ("a: [[[\n" + "[" * 1001, (2, 97)),
            ("\n".join(" " * depth + "a:" for depth in range(1001)), (101, 101)),
            ("\n".join(" " * depth + "-" for depth in range(1001)), (101, 101)),
        ],
        ids=lambda value: value[-12:] if isinstance(value, str) else "",
    )
    def test_our_limit_of_depth_is_found_before_the_parsers_own(self, text, place):
        defect = only(text)
        assert (defect.code, defect.line, defect.column) == ("too-deep", *place)

    def test_what_was_found_above_is_told_beside_it(self):
        _, defects = parse("a: 1\na: 2\nb: " + "[" * 1001, "f")
        assert [(one.code, one.line, one.column) for one in defects] == [("duplicate-key", 2, 1), ("too-deep", 3, 103)]

    def test_a_key_that_is_none_is_told_however_deep_it_looks(self):
        assert only("a: b\n" + "[" * 2000).message.endswith("stands where a key is due, but has no `:`")

    @pytest.mark.parametrize("text", ["a: [? ]\n", "a: [?]\n", "a: [b, ? ]\n", "a: [?\n]\nc: d\n"])
    def test_an_empty_explicit_key(self, text):
        assert only(text).code == "complex-key"

    def test_as_deep_as_allowed(self):
        text = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
        assert parse(f"a: {text}", "f")[1] == []
        assert only(f"a: [{text}]").code == "too-deep"


def test_a_scalar_is_small():
    assert not hasattr(parse("a: b", "f")[0].get("a"), "__dict__")
    assert isinstance(parse("a: b", "f")[0].get("a"), Scalar)
