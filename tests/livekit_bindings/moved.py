"""A LiveKit that has moved a part of its own: the same sources, with one name in them spelt otherwise.

`python -m tests.livekit_bindings.moved` reads lines, each with a name and maybe some of the stories of `moved_calls.py`, and
answers each with a line of JSON: what they came to, or where it broke. `-` moves nothing. Each is answered by a child of its
own, which finds everything imported already but LiveKit and what is built on it.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import sys
import traceback
from importlib.machinery import SourceFileLoader

LIVEKIT = ("livekit.agents", "livekit.api", "livekit.rtc", "callflow.testing")
"""Whose sources are changed: the simulated rooms are a LiveKit, too."""

NOTHING = "-"

FRESH = (*LIVEKIT, "callflow.livekit_bindings", "tests.")
"""What each child imports by itself."""


def move(name: str) -> list[str]:
    """From now on LiveKit's modules are imported without this name; the modules in which it was are added to the list."""
    found: list[str] = []
    get_code = SourceFileLoader.get_code

    def moved(self: SourceFileLoader, fullname: str):
        if not fullname.startswith(LIVEKIT) or name not in (source := self.get_source(fullname) or ""):
            return get_code(self, fullname)
        tree = ast.parse(source)
        if rename(tree, name):
            found.append(fullname)
        return compile(tree, self.get_filename(fullname), "exec", dont_inherit=True)

    SourceFileLoader.get_code = moved
    return found


def rename(tree: ast.AST, name: str) -> bool:
    """Spells a name otherwise wherever it is one: a variable, an attribute, a parameter, a function, and the text of getattr."""
    changed = False
    for node in ast.walk(tree):
        for part, value in ast.iter_fields(node):
            if value == name and not (isinstance(node, ast.ImportFrom) and part == "module"):
                setattr(node, part, f"{name}_moved")
                changed = True
    return changed


def answer(name: str, *stories: str) -> dict:
    found = move(name) if name != NOTHING else []
    try:
        from tests.livekit_bindings import moved_calls

        return {"moved": found, **moved_calls.told(*stories)}
    except Exception:  # noqa: BLE001 - whatever it is, it is the answer
        return {"moved": found, "broken": traceback.format_exc()}


def in_a_child(work, *arguments) -> dict:
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reads)
        with os.fdopen(writes, "w") as answers:
            json.dump(work(*arguments), answers)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as answers:
        said = answers.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else {"broken": "the child has died"}


def imported() -> dict:
    from tests.livekit_bindings import moved_calls  # noqa: F401 - for what it imports

    return {"modules": [one for one in sys.modules if not f"{one}.".startswith(FRESH)]}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what anybody else prints is no answer
    for module in in_a_child(imported)["modules"]:
        with contextlib.suppress(ImportError):  # one that somebody else has made
            importlib.import_module(module)
    for line in sys.stdin:
        print(json.dumps(in_a_child(answer, *line.split())), file=answers, flush=True)


if __name__ == "__main__":
    main()
