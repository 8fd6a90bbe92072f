"""A LiveKit that has moved what callflow reads of its own: callflow is imported, and a call comes to its end in the lesser way that
is written down."""

from __future__ import annotations

import ast
import asyncio
import importlib.metadata
import json
import logging
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

import callflow
from callflow.livekit_bindings.livekit_internals import CHECKED, Internal, declared, names, session
from tests.livekit_bindings.moved import NOTHING

PACKAGE = Path(callflow.__file__).parent

TOO_COMMON = {"tools", "ctx"}
"""What others of LiveKit's and everybody's things are called, too: these cannot be moved by their name alone."""

TELLING = {
    **dict.fromkeys(["_tool_executor", "_running_tasks", "exe_task"], "left"),
    **dict.fromkeys(["_classifier", "_llm"], "failing"),
    "_transcript": "greeting",
    "_chat_ctx": "person",
    "_rt_session": "realtime",
}
"""The story that shows most, where that is not the first in which the name is read."""

GOODBYE = "Goodbye, and thank you very much for your call."
NO_TASK = {
    "heard": ["Hello.", "It is closed.", "Anything else?", f"the pool, nowhere. {GOODBYE}"],
    "said": ["the pool", "I have moved", "Elm Street"],
}
NOT_OWN = {"heard": ["Hello.", "It is closed.", "Where?", "Anything else?", f"nothing, Elm Street. {GOODBYE}"]}
NOT_CUT = {
    "heard": ["Where?"],
    "notes": [
        "a tool or an on_exit did not end: the conversation was closed without waiting for it",
        "the session did not close in time: it was taken off the room",
    ],
}
# The client of its own asks the real server of the environment, and there is none.
NOT_REACHED = {
    "states": ["dialing", "ending", "closed"],
    "heard": [],
    "outcome": "failed",
    "said": [],
    "more": "the model knew: []",
}

LESSER = {
    "_activity": NO_TASK,
    "_create_speech_task": NO_TASK,
    "_set_activity_task_info": NO_TASK,
    "_get_activity_task_info": NOT_OWN,
    "_tools": NOT_OWN,
    "_tool_executor": NOT_CUT,
    "_running_tasks": NOT_CUT,
    "exe_task": NOT_CUT,
    "_next_activity": {
        "notes": [
            "the tool take_down was cut: the task that called it was left before it had ended",
            "effect 1 (task) did not stop when it was cancelled",
            "the tool take_down was cut: the conversation was over before it had ended",
            "the session did not close in time: it was taken off the room",
        ]
    },
    "_rt_session": {"more": "tools: [['go_on'], ['go_on']]"},
    "_chat_ctx": {"more": "the model knew: []"},
    "_on_end_of_turn": {"said": [], "more": "the model knew: []"},
    "AMD": {"heard": [], "outcome": "unknown", "said": [], "more": "the model knew: []"},
    "_classifier": {"said": ["Hello?"], "more": "the verdict: detection_timeout, '', None"},
    "_llm": {"said": ["Hello?"], "more": "the verdict: detection_timeout, 'Hello?', None"},
    "_transcript": {"more": "the verdict: detection_timeout, '', None"},
    "_client": NOT_REACHED,
    "_failover": NOT_REACHED,
    "_create_from_legacy": {"identity": "NOT_GIVEN"},
}
"""What becomes different of the story; of all others nothing does."""

UNSAID = {
    "_ws_url": " at h",
    "_drain_timeout": " calls are drained for 1h;",
    "_shutdown_process_timeout": " a call that is told to end has 8s, its process 10s;",
    "_load_threshold": " no call is taken from a load of 0.7 on;",
    "_num_idle_processes": " 2 idle processes;",
    "_port": "; health check on port 1",
    "_agent_name": " as an agent without a name, which takes any call,",
}
"""What a server does not say then."""


class MovedLiveKit:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.livekit_bindings.moved"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=PACKAGE.parent, env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip

    def without(self, name, *stories):
        self._process.stdin.write(" ".join([name, *stories]) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        assert "broken" not in found, found["broken"]
        return found

    def close(self):
        self._process.communicate()


@pytest.fixture(scope="module")
def livekit():
    found = MovedLiveKit()
    yield found
    found.close()


@pytest.fixture(scope="module")
def intact(livekit):
    return livekit.without(NOTHING)


EACH = int(os.environ.get("CALLFLOW_MOVED", "12"))
"""Each twelfth name is moved, in one process: what imports LiveKit anew takes seconds. `make more` moves them all."""

MOVABLE = sorted({one.name for one in declared()} - TOO_COMMON)


@pytest.mark.parametrize(
    "moved", [MOVABLE[::EACH]] if EACH > 1 else [[name] for name in MOVABLE], ids=lambda moved: moved[0]
)
def test_a_call_ends_in_the_lesser_way_without(moved, livekit, intact):
    for name in moved:
        ends_without(name, livekit, intact)


def ends_without(name, livekit, intact):
    stories = [story for story, read in intact["read"].items() if name in read]
    assert stories, "no story needs it: write one"
    story = TELLING.get(name, stories[0])
    found = livekit.without(name, story)
    assert found["moved"], "LiveKit has it no more"
    expected = intact["came_to"][story] | LESSER.get(name, {})
    if name in UNSAID:
        assert UNSAID[name] in expected["announced"]
        expected["announced"] = expected["announced"].replace(UNSAID[name], "")
    assert found["came_to"][story] == expected
    assert Counter(line for line in found["log"] if line.startswith("LiveKit has no")) == Counter(
        told(one) for one in declared() if one.name == name and (one is not names.AGENT_ACTIVITY or story == "left")
    )


def told(one: Internal) -> str:
    return names.NOT_FOUND % (one.owner, one.name, one.checked, one.lost)


@pytest.fixture
def nothing_told(monkeypatch, caplog):
    monkeypatch.setattr(names, "_told", set())
    caplog.set_level(logging.WARNING, "callflow")
    return caplog


@pytest.mark.parametrize("one", declared(), ids=lambda one: f"{one.owner.rpartition('.')[2]}.{one.name}")
def test_a_name_that_is_not_found_is_told_once_and_its_default_holds(one, nothing_told):
    bare = SimpleNamespace()
    assert one.of(bare) is None
    assert one.of(bare, 7) == 7
    assert not one.put(bare, True)
    assert vars(bare) == {}
    assert [record.getMessage() for record in nothing_told.records] == [told(one)]


def test_nothing_is_told_where_there_is_nothing_that_could_have_it(nothing_told):
    assert names.QUEUE.of(None, 3) == 3
    assert nothing_told.records == []


async def test_a_realtime_model_keeps_its_tools_where_nobody_says_which_there_are(nothing_told):
    told_of = []

    async def update_tools(tools):
        told_of.append(tools)

    realtime = SimpleNamespace(update_tools=update_tools)
    await session.offer_tools(SimpleNamespace(_activity=SimpleNamespace(_rt_session=realtime)))
    assert told_of == []
    assert [record.getMessage() for record in nothing_told.records] == [told(names.ACTIVITY_TOOLS)]
    await session.offer_tools(SimpleNamespace(_activity=SimpleNamespace(_rt_session=realtime, tools=[])))
    assert told_of == [[]]


async def test_a_tool_without_its_context_is_not_cut(nothing_told):
    tool = asyncio.create_task(asyncio.sleep(60))
    executor = SimpleNamespace(_running_tasks={"call": SimpleNamespace(exe_task=tool)})
    talking = SimpleNamespace(_activity=SimpleNamespace(_tool_executor=executor))
    assert await session.cancel_tools(talking, within=1, cutting=print) == ([], 0)
    assert not tool.cancelling()
    assert [record.getMessage() for record in nothing_told.records] == [told(names.TOOL_CONTEXT)]
    tool.cancel()


def test_all_names_were_looked_at_in_the_livekit_that_is_installed():
    """Another release: run these tests, look at what it says of each name, and write it into CHECKED."""
    assert {one.checked for one in declared()} == set(CHECKED.values())
    assert [f"{name} {importlib.metadata.version(name)}" for name in ("livekit-agents", "livekit-api", "livekit")] == [
        *CHECKED.values()
    ]


def _reaches(path: Path) -> list[str]:
    """Where a file imports from a module of LiveKit's that is private by its name, or reads a private name of something else
    than its own: also by getattr."""
    found = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_self(node.value)}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {
        node.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=imported) if module.startswith("livekit."):
                private = [one.name for one in imported if _is_private(one.name)]
                if private or any(_is_private(part) for part in module.split(".")):
                    found.append(f"{path.name}:{node.lineno} imports from {module}")
            case ast.Attribute(attr=name) if _is_private(name) and name not in own | NAMED_TUPLES:
                found.append(f"{path.name}:{node.lineno} reads {name}")
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr"), args=[_, ast.Constant(value=str(name)), *_]
            ):
                if _is_private(name):
                    found.append(f"{path.name}:{node.lineno} reads {name}")
    return found


NAMED_TUPLES = {"_replace", "_asdict", "_fields", "_make", "_getframe"}


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("part", ["livekit_bindings", "telephony", "play"])
def test_nobody_else_reaches_into_livekit(part):
    assert [each for path in sorted((PACKAGE / part).rglob("*.py")) for each in _reaches(path)] == []
