"""A program of its own for `tests/test_a_verb_of_ones_own.py`: with a callflow that has a verb more, it goes all ways that a verb
goes. Its arguments: the folder with that callflow and the flow, and the root of the project."""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
from pathlib import Path

import callflow
from callflow.core.snapshot import Start
from callflow.diagram import graph_of, to_text
from callflow.diagram.spine import find_spine
from callflow.flowfile.loader import read_loads
from callflow.flowfile.schema import schema
from callflow.telephony.network import FarEnd, PhoneNetwork
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, silent
from callflow.testing.virtual_time import VirtualTimeLoop
from callflow.verify import check

FOLDER, ROOT = Path(sys.argv[1]), Path(sys.argv[2])
FILE = FOLDER / "paging.yaml"
TEXT = FILE.read_text(encoding="utf-8")


def codes(text: str) -> list[str]:
    flow, defects = read_loads(text)
    return [one.code for one in (defects if flow is None else check(flow))]


def loads_and_checks() -> callflow.Flow:
    assert Path(callflow.__file__).is_relative_to(FOLDER)
    flow = callflow.load(FILE)
    assert flow.states["talking"].entry[1].timeout == 15.0
    assert "pager" in flow.legs
    assert codes(TEXT) == []
    sys.stdout.write("loaded\n")
    assert codes(TEXT.replace('{to: "+15550100100", trunk: ST_1}', "{trunk: ST_1}")) == ["missing-argument"]
    assert codes(TEXT.replace("page.heard", "page.herd")) == ["unknown-event"]
    assert codes(TEXT.replace("leg.pager", "leg.human").replace("to: pager", "to: human")) == ["unknown-leg"] * 2
    assert codes(TEXT.replace("      page.unheard: {do: [{log: Nobody.}], target: ending}\n", "")) == [
        "result-not-taken"
    ]
    assert codes(TEXT.replace("trunk: ST_1}", "trunk: ST_1, as: x}")) == ["no-result"]
    sys.stdout.write("checked\n")
    return flow


def is_drawn(flow: callflow.Flow) -> None:
    picture = to_text(graph_of(flow))
    assert "page +15550100100" in picture
    assert "→ together  page.heard" in picture
    assert "together" in find_spine(flow).states  # the straight line of a good call
    sys.stdout.write("drawn\n")


async def plays(flow: callflow.Flow, pager: FarEnd) -> tuple[Stage, callflow.CallRecord]:
    async with SimulatedServer() as server:
        stage = Stage(flow, server, phone=PhoneNetwork({"+15550100100": pager}), caller=silent)
        return stage, await stage.play()


def _played(flow: callflow.Flow, pager: FarEnd) -> tuple[Stage, callflow.CallRecord]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(plays(flow, pager))


def runs(flow: callflow.Flow) -> None:
    stage, record = _played(flow, FarEnd(rings=2.0, hangs_up=5.0))
    assert stage.trace == ["talking", "together", "ending", "closed"], stage.trace
    assert (record.outcome, record.notes) == ("completed", ()), record
    assert any(event["name"] == "leg.pager.hangup" for event in _events(stage))
    stage, record = _played(flow, FarEnd(rings=2.0, code=486))
    assert stage.trace == ["talking", "ending", "closed"], stage.trace
    started = [one.verb for step in stage.steps for one in step.effects if isinstance(one, Start)]
    assert started.count("page") == 1
    sys.stdout.write("run\n")


def _events(stage: Stage) -> list[dict[str, str]]:
    return [{"name": name} for step in stage.steps if (name := getattr(step.event, "name", None)) is not None]


def is_written() -> None:
    assert "do-page" in json.dumps(schema())
    pages = runpy.run_path(str(ROOT / "docs/reference/generate.py"))
    assert "## page\n" in pages["actions_page"]()
    assert "`page.heard`" in pages["events_page"]()
    sys.stdout.write("written\n")


if __name__ == "__main__":
    one = loads_and_checks()
    is_drawn(one)
    runs(one)
    is_written()
