"""The limits of size that the reference names: at each a flow is read, one past it has one defect, at its place, with a cure."""

from __future__ import annotations

from bisect import bisect_left

import pytest

from callflow.core.expressions import Context, EvaluationError
from callflow.flowfile.expand import expand
from callflow.flowfile.loader import loads, read, read_loads

HEAD = "callflow: 1\nname: t\ninitial: a\n"
HELLO = "states: {a: {entry: [{say: Hello.}]}}\n"
TALKING = "states: {a: {entry: [{say: Hello.}], on: {call.hangup: {target: ending, when: %s}}}}\n"


def defects(text: str) -> list[tuple[str, int, int]]:
    """Each has a cure."""
    found = read_loads(text)[1]
    assert all(one.hint for one in found), found
    return [(one.code, one.line, one.column) for one in found]


PLACES = {
    "say": ("states: {a: {entry: [{say: \"%s\"}]}}\n", 28),
    "instructions": ("states: {a: {instructions: \"%s\"}}\n", 28),
    "a value of a map": ("events: {app.x: {x: string}}\nstates: {a: {entry: [{emit: {event: app.x, data: {x: \"%s\"}}}]}}\n", 54),
    "headers": ("states: {a: {entry: [{http: {url: 'https://example.com', headers: {x: \"%s\"}}}]}}\n", 71),
    "json": ("states: {a: {entry: [{http: {url: 'https://example.com', json: {a: [{b: \"%s\"}]}}}]}}\n", 73),
    "an address": ("states: {a: {entry: [{http: {url: \"https://example.com/%s\"}}]}}\n", 55),
    "a sound": ("states: {a: {entry: [{play: {file: \"%s\"}}]}}\n", 36),
}  # fmt: skip


@pytest.mark.parametrize("apart", ["", " ", "-"])
@pytest.mark.parametrize("where", PLACES)
def test_a_text_holds_200_expressions(where: str, apart: str) -> None:
    template, column = PLACES[where]
    line = 4 + template[: template.index("%s")].count("\n")
    one = "{{ call.id }}" + apart
    assert defects(HEAD + template % (one * 200)) == []
    for many in (201, 400, 401):
        assert defects(HEAD + template % (one * many)) == [("too-large", line, column + 1 + 200 * len(one))]


NUMBERS = {
    "limits": ("limits: {no_progress: %s}\n" + HELLO, 23),
    "a variable": ("vars: {x: {type: integer, default: %s}}\n" + HELLO, 36),
    "a number": ("vars: {x: {type: number, default: %s}}\n" + HELLO, 35),
    "a list of words": ("events: {app.x: {a: {type: integer, enum: [%s]}}}\n" + HELLO, 44),
    "a parameter": ("tools: {p: {description: hi, parameters: {a: {type: integer, enum: [%s]}}}}\nstates: {a: {tools: [p], entry: [{say: Hello.}]}}\n", 69),
    "set": ("vars: {x: {type: integer, default: 1}}\nstates: {a: {entry: [{set: {x: %s}}]}}\n", 32),
    "json": ("states: {a: {entry: [{http: {url: 'http://example.com', method: POST, json: {a: [%s]}}}]}}\n", 82),
    "emit": ("events: {app.x: {x: integer}}\nstates: {a: {entry: [{emit: {event: app.x, data: {x: %s}}}]}}\n", 54),
    "a note": ("x-note: %s\n" + HELLO, 9),
}  # fmt: skip


@pytest.mark.parametrize("where", NUMBERS)
def test_no_number_is_larger_than_ten_to_the_eighteenth(where: str) -> None:
    template, column = NUMBERS[where]
    line = 4 + template[: template.index("%s")].count("\n")
    assert defects(HEAD + template % 10**18) == []
    for large in (10**18 + 1, -(10**18) - 1, "9" * 99, "9" * 101, "0x" + "f" * 40, "1e19", "!!int " + "9" * 30):
        assert ("number-too-long", line, column) in defects(HEAD + template % large), large


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("states: {a: {entry: [{http: {url: 'http://example.com', tries: %s}}]}}\n", (4, 64)),
        ("states: {a: {entry: [{collect_digits: {count: %s}}]}}\n", (4, 47)),
        ("states: {a: {entry: [{collect_digits: {count: 4, tries: %s}}]}}\n", (4, 57)),
        ("states: {a: {entry: [{say: {text: Hello., repeat_if_interrupted: %s}}]}}\n", (4, 66)),
        ("states: {a: {after: {%s: ending}}}\n", (4, 22)),
        (TALKING % "state.visits > %s", None),
        ("states: {a: {entry: [{say: 'x {{ %s + 1 }}'}]}}\n", None),
    ],
)
def test_nor_is_a_count_or_a_comparison(text: str, place: tuple[int, int] | None) -> None:
    for large in (10**18 + 1, "9" * 99, "9" * 5000):
        found = read_loads(HEAD + text % large)[1]
        assert found
        assert found[0].hint
        assert place is None or place in [(one.line, one.column) for one in found], found


def test_a_text_of_digits_is_text() -> None:
    """Also where the whole flow is written anew."""
    text = HEAD + f'vars: {{x: {{type: string, default: "{"9" * 30}"}}}}\nx-note: {{"{"9" * 101}": a}}\n' + HELLO
    assert defects(text) == []
    assert f'"{"9" * 30}"' in expand(text, loads(text))


def nested(depth: int) -> str:
    """The file's own mapping is the first level."""
    return HEAD + HELLO + "x-note: " + "[" * (depth - 1) + "]" * (depth - 1) + "\n"


def filled(values: int) -> str:
    """So many keys and values, with those of the smallest flow."""
    text = HEAD + HELLO + "x-note: [%s]\n"
    return text % ", ".join(["1"] * values)


def test_a_file_has_a_million_bytes() -> None:
    text = HEAD + HELLO
    text += "#" * (1_000_000 - len(text))
    assert defects(text) == []
    assert defects(text + "#") == [("file-too-large", 1, 1)]


def test_a_file_has_100_levels() -> None:
    assert defects(nested(100)) == []
    assert [code for code, *_ in defects(nested(101))] == ["too-deep"]


def test_a_file_has_50_000_keys_and_values() -> None:
    others = range(49_970, 50_001)  # beside those of the flow itself
    first = bisect_left(others, True, key=lambda number: bool(read_loads(filled(number))[1]))
    assert 0 < first < len(others)
    assert [code for code, *_ in defects(filled(others[first]))] == ["too-many-values"]


CALLED = "callflow: 1\nname: t\nuse: {next: %s}\ninitial: s0\nstates:\n%s  last: {final: true}\n"
SMALLEST = "callflow: 1\nname: t\ninitial: a\nstates: {a: {final: true}}\n"


def hosts(count: int) -> str:
    return "".join(
        f"  s{n}: {{flow: next, on: {{done: {f's{n + 1}' if n + 1 < count else 'last'}}}}}\n" for n in range(count)
    )


@pytest.mark.parametrize(("deep", "codes"), [(8, []), (9, ["too-many-sub-flows"])])
def test_sub_flows_stand_8_deep(deep: int, codes: list[str], tmp_path) -> None:
    for level in range(deep):
        (tmp_path / f"{level}.yaml").write_text(CALLED % (f"{level + 1}.yaml", hosts(1)))
    (tmp_path / f"{deep}.yaml").write_text(SMALLEST)
    assert [one.code for one in read(tmp_path / "0.yaml")[1]] == codes


@pytest.mark.parametrize(("count", "codes"), [(100, []), (101, ["too-many-sub-flows"])])
def test_there_are_100_sub_flows(count: int, codes: list[str], tmp_path) -> None:
    (tmp_path / "main.yaml").write_text(CALLED % ("part.yaml", hosts(count)))
    (tmp_path / "part.yaml").write_text(SMALLEST)
    assert [one.code for one in read(tmp_path / "main.yaml")[1]] == codes


def test_an_expression_makes_100_000_characters() -> None:
    flow = loads(HEAD + "vars: {x: {type: string, default: ''}}\nstates: {a: {entry: [{say: '-{{ vars.x }}'}]}}\n")
    text = flow.states["a"].entry[0].arguments["text"]
    assert len(text.evaluate(Context(vars={"x": "a" * 99_999}))) == 100_000
    with pytest.raises(EvaluationError, match="100000 characters"):
        text.evaluate(Context(vars={"x": "a" * 100_000}))
