"""Flow files from strangers, in a process of their own with little memory: `fuzz.py`. More of them: `make fuzz`."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from tests.flowfile import fuzz
from tests.flowfile.fuzz import judge, shrunk

FILES = os.environ.get("CALLFLOW_FUZZ", "300")


def test_no_file_breaks_the_loader():
    done = subprocess.run(
        [sys.executable, "-m", "tests.flowfile.fuzz", "--files", FILES, "--seed", "1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    flows = int(done.stdout.split(", ")[-3].split()[0])
    assert flows > int(FILES) // 20, "some of them are flows, and get as far as the checker"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("x: " + "[" * 5000, "100"),
        ("a: &a [" + "x, " * 900 + "]\nb: &b [" + "*a, " * 900 + "]\nc: [" + "*b, " * 900 + "]\n", "50,000"),
        ("x: " + "9" * 5000, "100"),
        ("#" * 1_000_001, "1,000,000"),
    ],
    ids=["depth", "aliases", "digits", "bytes"],
)
def test_a_limit_is_named_in_the_defect(text, limit):
    from callflow.flowfile.loader import read_loads
    from callflow.flowfile.source import decode

    _, defect = decode(text.encode(), "flow.yaml")
    defects = [defect] if defect is not None else read_loads(text)[1]
    assert any(limit in one.message + one.hint for one in defects), defects
    assert not judge(text.encode())


def _states(number: int, state: str, last: str = "{}") -> str:
    rows = "".join(f"  s{at}: " + state.format(at=at, next=at + 1) + "\n" for at in range(number))
    return f"states:\n{rows}  s{number}: {last}\n"


_WIDE = "{{description: '" + "x" * 300 + "', on: {{dtmf.1: s{next}}}}}"
_MUST = (
    "{{must_finish: true, initial: a, on: {{done: s{next}}}, states: {{a: {{after: {{5s: b}}}}, b: {{final: true}}}}}}"
)
_TAINTED = "".join(f"  v{at}: {{type: string, default: a, pii: {str(at == 0).lower()}}}\n" for at in range(1200))
_BACKWARDS = "".join(
    f"  s{at}: {{entry: [{{set: {{v{1199 - at}: '{{{{ vars.v{1198 - at} }}}}'}}}}], on: {{dtmf.*: s{at + 1}}}}}\n"
    for at in range(1199)
)
_LAST_WORDS = "{{entry: [{{say: hi}}], on: {{done: s{next}}}}}"
_COSTS = "{{entry: [{{log: 'costs $E{at} and %E{at}%'}}], on: {{dtmf.1: s{next}}}}}"
_HEARD = "{{on: {{app.e{at}: s{next}}}}}"
_REGIONS = "".join(f"      r{at}: {{entry: [answer, {{say: hi}}], after: {{5s: s1}}}}\n" for at in range(1000))
_PATTERNS = "".join(f"      app.e{at}.*: s1\n" for at in range(3000))
_MOVES = "".join(f"        - {{target: s1, when: vars.n == {at}}}\n" for at in range(3000))


def _named(number: int, name: str, what: str = "{}") -> str:
    return "".join(f"  {name}{at}: {what}\n" for at in range(number))


@pytest.mark.parametrize(
    "text",
    [
        _states(2800, _WIDE),
        _states(1200, _MUST),
        _states(2500, "{{always: s{next}}}", "{on: {dtmf.1: s0}}"),
        f"vars:\n{_TAINTED}states:\n{_BACKWARDS}  s1199: {{}}\n",
        _states(2000, _LAST_WORDS, "{final: true}"),
        f"vars: {{n: {{type: integer, default: 0}}}}\nstates:\n  s0:\n    on:\n      dtmf.1:\n{_MOVES}  s1: {{}}\n",
        f"events:\n{_named(1500, 'app.e')}{_states(1499, _HEARD)}",
        f"tools:\n{_named(1500, 't', '{description: Does it.}')}{_states(1499, '{{tools: [t{at}], on: {{tool.t{at}: s{next}}}}}')}",
        f"events:\n{_named(3000, 'app.e', '{}').replace(':', '.x:')}states:\n  s0:\n    on:\n{_PATTERNS}  s1: {{}}\n",
        f"events:\n{_named(1500, 'app.e')}senders:\n{_named(1500, 'app.e', 'anyone')}{_states(1499, _HEARD)}",
        f"answer: manual\nstates:\n  s0:\n    parallel: true\n    states:\n{_REGIONS}  s1: {{}}\n",
        f"env: [{', '.join(f'E{at}' for at in range(3000))}]\n{_states(1500, _COSTS)}",
    ],
    ids=[
        "a million bytes",
        "states that must finish",
        "a chain of always",
        "a long way of a private value",
        "a chain of last words",
        "many rows for one event",
        "many events",
        "many tools",
        "many patterns",
        "many senders",
        "many regions",
        "many names of the environment",
    ],
)
def test_a_flow_near_the_limits_is_checked_in_time(text):
    gc.collect()
    gc.freeze()  # what the tests before have left is no cost of this file
    assert judge(f"callflow: 1\nname: large\ninitial: s0\n{text}".encode())


@pytest.mark.parametrize(
    "text",
    [
        "states:\n  s0: {}\n  s1: {}\n" + "".join(f"  s{at}: {{on: {{dtmf.1: s{at - 1}}}}}\n" for at in range(2, 2500)),
        f"events:\n{_named(2000, 'app.e')}{_states(2000, '{{on: {{app.x{at}.*: s{next}}}}}')}",
    ],
    ids=["a chain without a way in", "patterns that name no event"],
)
def test_mistakes_near_the_limits_are_told_in_time(text):
    assert not judge(f"callflow: 1\nname: large\ninitial: s0\n{text}".encode())


def test_a_file_that_breaks_the_loader_is_made_smaller():
    def breaks(data: bytes) -> bool:
        return b"bad" in data and b"\nworse" in data

    assert shrunk(b"one\ntwo\nthe bad line\n" + b"more\n" * 200 + b"worse it is\n", breaks) == b"bad\nworse"


def test_only_what_breaks_in_the_same_place_is_the_same(monkeypatch):
    def judge(data: bytes) -> bool:
        if data.startswith(b"a"):
            raise KeyError(data)
        if b"b" in data:
            raise ValueError(data)
        return True

    monkeypatch.setattr(fuzz, "judge", judge)
    try:
        judge(b"xxb")
    except ValueError as error:
        same = fuzz.breaks_like(error)
    assert [same(data) for data in (b"b", b"ab", b"x")] == [True, False, False]
