"""Writes `failures.md` from the words of the tests: `python docs/explanation/generate_failures.py`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

MADE = (
    "<!-- Made by docs/explanation/generate_failures.py from the tests. Change those, then run `make generate`. -->\n"
)

HEAD = """
# What can go wrong in a call

Every failure that callflow is tested against, in the words of its test: first what LiveKit does by itself or what people
have met, then what a flow does. The same as a short table, with the mechanisms behind it, is in
[what is guaranteed](guarantees.md).

## What callflow cannot do

- **A machine that dies with nobody else to notice.** What is killed does nothing any more: no line is dropped and no
  record is written by it. A killed job is noticed by its worker's process, where that runs `callflow run` or
  `callflow.guard`, and a killed worker by the processes of its jobs; where both die, or the whole machine, the caller stays on
  the line until they hang up, or until somebody else deletes the room.
- **A server that does not answer.** A room that livekit-server does not delete stays. The call ends all the same, after all
  its tries, and its record says so: `line` is `stands`, `line_dropped` is empty, `notes` say why. It is tried on afterwards: ten
  minutes by the guard, 90 s by the job's own process where there is none.
- **A bridge that says BYE late.** After a transfer that nobody answered in time livekit-sip may be busy for 5 s, and the BYE
  comes after them. LiveKit does not say so; the record's `notes` do where it may be.
- **Code that cannot be stopped.** A tool, a hook or a thread that swallows its cancellation is left behind and named in the
  record; it ends with its process.
- **Words.** What a model says, and whether it calls the right tool at the right time, is its own affair. How long the
  caller waits for it, and what happens then, is the flow's.

## Each failure and its test
"""

PROCESSES = """
## On real servers, networks and processes

Killed, cut off and starved: the tests in `tests/e2e` run a real livekit-server and real callers.
"""

ORDERS = """
## In every order

What can be enumerated is, and what cannot is drawn at random: each effect fails, hangs, is cancelled and ends late,
crossed with everything that can happen beside it.
"""

OF_ORDERS = (
    "tests/runtime/test_faults.py",
    "tests/runtime/test_shutdown.py",
    "tests/runtime/test_random_faults.py",
    "tests/livekit_bindings/test_everything_fails.py",
    "tests/faults/test_random_flows.py",
)

BURDENS = """
## Floods, disks, files from strangers, and processes that are killed

What is too much, cannot be written, or was written by somebody else; and what the guard does by itself.
"""

OF_BURDENS = (
    "tests/runtime/test_floods.py",
    "tests/runtime/test_journal_faults.py",
    "tests/flowfile/test_fuzz.py",
    "tests/strangers/test_values.py",
    "tests/livekit_bindings/test_watchdog.py",
    "tests/livekit_bindings/test_connection.py",
)

_ROW = re.compile(r"Row (\d+): (.*)", re.DOTALL)


def page() -> str:
    rows = [row(path) for path in sorted((ROOT / "tests/guarantees").glob("test_*.py"))]
    table = "| | what goes wrong | what a flow does | test |\n| --- | --- | --- | --- |\n" + "".join(rows)
    real = [tests(path) for path in sorted((ROOT / "tests/e2e").glob("test_faults*.py"))]
    orders = [tests(path) for name in OF_ORDERS if (path := ROOT / name).exists()]
    burdens = [tests(path) for name in OF_BURDENS if (path := ROOT / name).exists()]
    return (
        MADE + HEAD + "\n" + table + PROCESSES + "".join(real) + ORDERS + "".join(orders) + BURDENS + "".join(burdens)
    )


def row(path: Path) -> str:
    """A guarantee's docstring: `Row 12: the symptom`, an empty line, what a flow does. Raises ValueError for another."""
    symptom, _, flow = docstring(path).partition("\n\n")
    found = _ROW.fullmatch(symptom)
    if found is None or not flow:
        raise ValueError(f"{path}: its docstring is no `Row <number>: <symptom>`, an empty line, and what a flow does")
    number, symptom = found.groups()
    return f"| {int(number)} | {cell(symptom)} | {cell(flow)} | {link(path)} |\n"


def tests(path: Path) -> str:
    """A file's docstring, and the names of its tests as a list."""
    names = [node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    said = [name.removeprefix("test_").replace("_", " ") for name in names if name.startswith("test_")]
    about, listed = line(docstring(path).split("\n\n")[0]), "".join(f"- {one}\n" for one in said)
    return f"\n{link(path)}: {about}\n\n{listed}"


def docstring(path: Path) -> str:
    return ast.get_docstring(parsed(path)) or ""


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def line(text: str) -> str:
    return " ".join(text.split())


def cell(text: str) -> str:
    words = line(text).replace("|", "\\|")
    return words[0].upper() + words[1:] if words[0].isalpha() else words


def link(path: Path) -> str:
    return f"[{path.stem}](../../{path.relative_to(ROOT)})"


if __name__ == "__main__":
    (HERE / "failures.md").write_text(page(), encoding="utf-8")
