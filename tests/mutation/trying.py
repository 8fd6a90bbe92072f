"""The changes of one file, tried: mutmut makes them, mypy refuses some, the tests of the part notice others.

mutmut reads its configuration from `pyproject.toml` and works in the folder in which it runs: each file has a copy of the
project in `.mutation/`, in which only that file is changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SCRATCH = ROOT / ".mutation"

_OF_EXPRESSIONS = tuple(sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/core/test_expressions*.py")))
_OF_VALUES = ("tests/core/test_inputs.py", "tests/core/test_reads.py", "tests/core/test_values.py")
TESTS = {
    "callflow/core/expressions": (*_OF_EXPRESSIONS, "tests/core/test_durations.py"),
    "callflow/core/values": _OF_VALUES,
    "callflow/core": ("tests/core", *(f"--ignore={test}" for test in (*_OF_EXPRESSIONS, *_OF_VALUES))),
    "callflow/runtime": ("tests/runtime",),
    "callflow/verify": ("tests/verify",),
}
"""Which tests have to notice a change of what is in a folder: those of its part, without what takes long and asks for another."""

COPIED = ("callflow", "tests", "flows", "docs", "diagrams", "benchmarks")

CONFIGURATION = """
[tool.mutmut]
source_paths = ["callflow"]
only_mutate = {files}
also_copy = ["flows", "docs", "diagrams", "benchmarks", "README.md", "CHANGELOG.md", "Makefile"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider"]
type_check_command = ["mypy", "--config-file", "../mypy.ini", "--output", "json", {types}]
use_git_change_detection = false
"""

# As the project's own, without what mutmut's own comments would breach: each error has to stand in a change.
TYPES = """
[mypy]
strict = true
warn_unused_ignores = false
[mypy-pygraphviz.*,transitions.*]
ignore_missing_imports = true
"""

CAUGHT = {
    1: "noticed",
    3: "noticed",
    37: "refused",
    36: "noticed",
    24: "noticed",
    -24: "noticed",
    152: "noticed",
    255: "noticed",
}
UNNOTICED = {0: "unnoticed", 5: "untested", 33: "untested"}


class Change(NamedTuple):
    """One change that no test noticed."""

    function: str
    """`callflow.core.clocks.arm`"""
    was: tuple[str, ...]
    now: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.function, *(f"  - {line}" for line in self.was), *(f"  + {line}" for line in self.now)])


class Tried(NamedTuple):
    """What became of the changes of one file."""

    counts: Counter[str]
    """noticed (by a test, or by one that never ends), refused (by mypy), unnoticed, untested (no test comes there), unclear"""
    unnoticed: list[Change]


def suite_of(file: str) -> tuple[str, ...]:
    """The tests that have to notice a change of this file. Raises ValueError for a file of none of the parts."""
    for folder, tests in TESTS.items():
        if file.startswith(f"{folder}/") and (ROOT / file).is_file():
            return tests
    raise ValueError(f"{file}: is no file of {', '.join(TESTS)}")


def files() -> list[str]:
    """All that can be tried."""
    found = (
        path for part in ("core", "runtime", "verify") for path in sorted((ROOT / "callflow" / part).rglob("*.py"))
    )
    return [str(path.relative_to(ROOT)) for path in found if "def " in path.read_text()]


def tried(files: Sequence[str], tests: Sequence[str], jobs: int) -> dict[str, Tried]:
    """Try all changes of these files of one part. Raises RuntimeError where mutmut cannot: a test fails without any change."""
    prepare(files, tests)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (SCRATCH / "mutmut.log").open("w") as log:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(jobs)]
        done = subprocess.run(
            command, cwd=SCRATCH, stdout=log, stderr=log, env={**os.environ, "PATH": path}, check=False
        )
    if done.returncode:
        raise RuntimeError(f"{', '.join(files)}: could not be tried: see {SCRATCH / 'mutmut.log'}")
    return {file: result(file) for file in files}


def result(file: str) -> Tried:
    """What mutmut has kept of it in SCRATCH. Raises RuntimeError where it has not come to its end."""
    codes = json.loads((SCRATCH / "mutants" / f"{file}.meta").read_text())["exit_code_by_key"]
    if None in codes.values():
        raise RuntimeError(f"{file}: not all was tried: see {SCRATCH / 'mutmut.log'}")
    with chdir(SCRATCH):
        unnoticed = [change(name, file) for name, code in codes.items() if code in UNNOTICED]
    return Tried(Counter((CAUGHT | UNNOTICED).get(code, "unclear") for code in codes.values()), unnoticed)


def prepare(files: Sequence[str], tests: Sequence[str]) -> None:
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir()
    for folder in COPIED:
        shutil.copytree(ROOT / folder, SCRATCH / folder, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("README.md", "CHANGELOG.md", "Makefile"):
        shutil.copy2(ROOT / name, SCRATCH / name)
    parts = sorted({file.split("/")[1] for file in files})
    checked = ", ".join(f'"-p", "callflow.{part}"' for part in parts)
    configuration = CONFIGURATION.format(files=list(files), tests=list(tests), types=checked)
    (SCRATCH / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + configuration)
    (SCRATCH / "mypy.ini").write_text(TYPES)


def change(name: str, file: str) -> Change:
    """What mutmut calls NAME, as lines; in the folder in which it ran."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.utils.format_utils import orig_function_and_class_names_from_key

    function, of = orig_function_and_class_names_from_key(name)
    lines = get_diff_for_mutant(name, path=Path(file)).splitlines()[2:]
    was, now = (tuple(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    module = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return Change(".".join(filter(None, (module, of, function))), was, now)
