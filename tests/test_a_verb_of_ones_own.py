"""To add a verb: its entry in the catalogue, its events there, one function of the bindings. Nothing else knows its name.

The verb is made up, and is written into a copy of the package as its author would write it: `page` calls a pager, on a leg of its
own, and ends with `page.heard` or `page.unheard`.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import callflow
from callflow.core.actions import EVERY_VERB

PACKAGE = Path(callflow.__file__).parent
ROOT = PACKAGE.parent

ENTRY = """
    Verb(
        "page",
        "Calls a pager. Ends with one `page.*`.",
        {
            "to": Argument(PHONE, "The pager's number.", required=True, pii=True, form=CALLED),
            "trunk": Argument(TEXT, "The outbound trunk's id.", required=True),
            "leg": leg("pager", role="called"),
            "ringing_timeout": Argument(DURATION, "How long it may ring.", 10.0, least=1),
            **_CALLED,
        },
        main="to",
        timeout_is="ringing_timeout + 5s",
        timeout_of=limits.ring,
        occupies=True,
        needs_somebody=True,
        wants_rows=True,
        results=("page.heard", "page.unheard"),
        success=("page.heard",),
        on_timeout="page.unheard",
        on_error="page.unheard",
        failed_with=frozenset({"leg"}),
    ),
"""

EVENTS = """
    yield from _family("page", "all", {
        name: (text, {"result": OneOf("heard", "unheard"), "leg": TEXT, "error": TEXT})
        for name, text in {"heard": "Somebody has picked up.", "unheard": "Nobody has."}.items()
    })
"""

FUNCTION = """

async def page(world, effect):
    name = str(effect.arguments["leg"])
    end = await call_leg(world, name, effect.arguments)
    return {"result": "heard" if end["result"] == "answered" else "unheard", "leg": name}
"""

FLOW = """
callflow: 1
name: paging
initial: talking
states:
  talking:
    entry: [{say: "One moment please."}, {page: {to: "+15550100100", trunk: ST_1}}]
    on:
      page.heard: together
      page.unheard: {do: [{log: Nobody.}], target: ending}
  together:
    entry: [{say: {text: "You are through.", to: pager}}]
    on: {leg.pager.hangup: {target: ending, do: [{outcome: completed}]}}
    after: {20s: ending}
"""


def _write_into(copy: Path, file: str, mark: str, text: str, *, behind: bool = True) -> None:
    path = copy / file
    before = path.read_text(encoding="utf-8")
    assert before.count(mark) == 1, f"{file}: {mark!r}"
    path.write_text(before.replace(mark, mark + text if behind else text + mark), encoding="utf-8")


def test_it_is_known_everywhere(tmp_path):
    copy = tmp_path / "callflow"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    _write_into(copy, "core/verbs/telephone.py", "VERBS = (\n", ENTRY)
    _write_into(copy, "core/events.py", '    yield EventType("task.completed"', EVENTS, behind=False)
    with (copy / "livekit_bindings/verbs/dialing.py").open("a", encoding="utf-8") as file:
        file.write(FUNCTION)
    _write_into(
        copy, "livekit_bindings/verbs/__init__.py", '    "dial": dialing.dial,\n', '    "page": dialing.page,\n'
    )
    (tmp_path / "paging.yaml").write_text(FLOW, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-P", str(ROOT / "tests/support/paging.py"), str(tmp_path), str(ROOT)],
        capture_output=True, text=True, timeout=120, env={"PYTHONPATH": str(tmp_path), "PATH": ""}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.split() == ["loaded", "checked", "drawn", "run", "written"]


def _words(node: ast.AST) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def _asks_for_a_name(node: ast.AST) -> bool:
    """Whether a verb is compared with a name that is written here, or names of verbs stand together to be compared with."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        of_a_verb = any(re.search(r"\bverb(\.name)?$", ast.unparse(side)) for side in sides)
        return of_a_verb and any(_words(side) & EVERY_VERB.keys() for side in sides)
    return isinstance(node, ast.Set) and len(_words(node)) > 1 and _words(node) <= EVERY_VERB.keys()


def test_nobody_asks_what_a_verb_is_called():
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent != PACKAGE / "core/verbs"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare | ast.Set) and _asks_for_a_name(node)
    ]
    assert wrong == []
