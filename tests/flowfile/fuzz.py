"""Flow files from strangers: `python -m tests.flowfile.fuzz --files N [--seed N]` reads so many, in a process that may take no
more than 200 MB beyond what it starts with, each in no more than 1 s; what breaks the loader is written down.

Half of them are the flows to copy with bytes changed, half are flows of the grammar with parts exchanged.
"""
# ruff: noqa: T201 - a program that says what it does

from __future__ import annotations

import argparse
import random
import resource
import secrets
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from callflow.core.table import table_of
from callflow.flowfile.codes import CODES
from callflow.flowfile.loader import read_loads
from callflow.flowfile.source import decode
from callflow.proof.codes import EVERY_CODE
from callflow.verify import check
from tests.core.oracle.generate import Dice, as_text
from tests.faults.scenario import random_scenario
from tests.support.cost import within

FOUND = Path(".callflow/fuzz")
FLOWS = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))]
SECONDS = 1.0
MEGABYTES = 200
SCRAPS = [b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\t", b"\r", b"&a ", b"*a", b"<<: ", b"!!python/object:os.system ", b"{{", b"}}",
          b"[" * 200, b"{" * 200, b"- " * 200, b"9" * 500, b": ", b"\n", b"'", b'"', b"1e999", b"{{ 9**9**9 }}", "é\u2028".encode()]  # fmt: skip
VALUES: list[Any] = [None, True, -1, 10**30, 1.5, float("nan"), "", "x" * 3000, "{{ vars.x", "{{ '' }}", [], {}, [[]], {"a": {}}, "s0", "ending",
          "12s", "on", {"final": True}, ["say"], {"say": {}}]  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + chance.randrange(40) :]
            case 2:
                data = data[:at] + chance.choice(SCRAPS) + data[at:]
            case 3:
                begin = chance.randrange(len(data) + 1)
                data = data[:at] + data[begin : begin + chance.randrange(200)] + data[at:]
            case _:
                other = chance.choice(FLOWS)
                begin = chance.randrange(len(other))
                data = data[:at] + other[begin : begin + chance.randrange(200)] + data[at:]
    return data


def exchanged(value: Any, chance: random.Random) -> Any:
    """The same data with one part of it exchanged, dropped, or put under another key."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: item for name, item in value.items() if name != key}
            case 1:
                return {
                    (chance.choice(["on", "do", 1, None, "x" * 300]) if name == key else name): item
                    for name, item in value.items()
                }
            case _:
                return {**value, key: exchanged(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], exchanged(value[at], chance), *value[at + 1 :]]
    return chance.choice(VALUES)


def any_file(seed: int) -> bytes:
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return mutated(chance.choice(FLOWS), chance)
    data: Any = random_scenario(Dice.seeded(seed)).flow
    for _ in range(chance.randint(0, 3)):
        data = exchanged(data, chance)
    text = as_text(data).encode(errors="backslashreplace")
    return mutated(text, chance) if chance.random() < 0.3 else text


def judge(data: bytes) -> bool:
    """Reads one file as `callflow check` does. True: it is a flow. Raises AssertionError for what must not be, or whatever
    the loader raises."""
    return within(SECONDS, lambda: _judged(data))


def _judged(data: bytes) -> bool:
    text, defect = decode(data, "flow.yaml")
    if defect is not None:
        assert defect.code in CODES
        return False
    flow, defects = read_loads(text, "flow.yaml")
    assert (flow is None) == bool(defects)
    for one in [*defects, *(check(flow) if flow is not None else ())]:
        assert one.code in EVERY_CODE, one
        assert one.message.isprintable(), f"a message that a terminal would obey: {one.message!r}"
    if flow is not None:
        assert table_of(flow) is table_of(flow)
    return flow is not None


def shrunk(data: bytes, breaks: Callable[[bytes], bool], seconds: float = 30.0) -> bytes:
    """A smaller file that still breaks: halves, quarters … of its lines, then of its bytes, are left out as long as it does."""
    until = time.monotonic() + seconds
    for split in (lambda text: text.splitlines(keepends=True), lambda text: [bytes([byte]) for byte in text]):
        pieces = split(data)
        size = len(pieces) // 2
        while size and time.monotonic() < until:
            at, found = 0, False
            while at < len(pieces) and time.monotonic() < until:
                rest = pieces[:at] + pieces[at + size :]
                if breaks(b"".join(rest)):
                    pieces, found = rest, True
                else:
                    at += size
            size = size if found and size == 1 else size // 2
        data = b"".join(pieces)
    return data


def breaks_like(error: Exception) -> Callable[[bytes], bool]:
    """Whether a file breaks the loader in the same way: by the same kind of error, raised in the same place."""

    def place(one: Exception) -> tuple[type, str, int]:
        frames = traceback.extract_tb(one.__traceback__)
        return type(one), frames[-1].filename, frames[-1].lineno or 0

    def breaks(data: bytes) -> bool:
        try:
            judge(data)
        except Exception as other:  # noqa: BLE001 - whatever the loader raises
            return place(other) == place(error)
        return False

    return breaks


def bound_memory() -> None:
    """From now on an allocation that takes this process further than MEGABYTES beyond what it has raises MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEGABYTES * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.flowfile.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=None, help="the first seed; drawn unless given")
    chosen = parser.parse_args()
    seed = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    print(f"{chosen.files} files from seed {seed}: again with --seed {seed}", flush=True)
    if sys.platform == "linux":
        bound_memory()
    flows, said = 0, time.monotonic()
    for number in range(chosen.files):
        data = any_file(seed + number)
        try:
            flows += judge(data)
        except Exception as error:
            FOUND.mkdir(parents=True, exist_ok=True)
            path = FOUND / f"{seed + number}.yaml"
            path.write_bytes(data)  # as it was, in case that shrinking breaks as well
            path.write_bytes(shrunk(data, breaks_like(error)))
            print(f"this file breaks the loader: {path}", flush=True)
            raise
        if time.monotonic() - said >= 10:
            said = time.monotonic()
            print(f"{number + 1} files", flush=True)
    print(
        f"{chosen.files} files, {flows} of them flows: every defect named, none beyond {SECONDS:g} s or {MEGABYTES} MB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
