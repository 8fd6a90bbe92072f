"""What a test of a flow costs, by its kind: `python -m benchmarks.costs` measures, and writes the table of docs/how-to/test-a-flow.md.

Processor time of this machine, with that of a command that is run, the best of several: what else runs on the machine counts
little. The table says which machine that was.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from livekit.agents import Agent

import callflow
from callflow import EffectEnded, Event
from callflow.telephony.network import FAR_ENDS, PhoneNetwork
from callflow.testing import SimulatedServer, Tool
from callflow.testing.play import Stage, silent, talks
from callflow.testing.virtual_time import VirtualTimeLoop

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/how-to/test-a-flow.md"
TABLE = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)
TIMES = 5


def load() -> None:
    for _ in range(20):
        callflow.load(ROOT / "flows/inbound.yaml")


def check(*options: str) -> None:
    subprocess.run(
        [Path(sys.executable).with_name("callflow"), "check", *options, str(ROOT / "flows/inbound.yaml")],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def imports() -> None:
    subprocess.run([sys.executable, "-c", "import callflow.testing.play"], check=True)


def steps() -> None:
    flow = callflow.load(ROOT / "flows/smallest.yaml")
    for _ in range(500):
        step = callflow.start(flow)
        step = callflow.step(flow, step.snapshot, EffectEnded(step.effects[0].id, "ok"))
        callflow.step(flow, step.snapshot, Event("tool.end_call"))


def answered() -> None:
    model = ["Good day.", "No problem.", Tool("end_call")]
    _play(
        lambda server: Stage(
            callflow.load(ROOT / "flows/smallest.yaml"),
            server,
            model,
            talks("Hello.", "That is all."),
            agent=Agent(instructions=""),
        )
    )


def silence() -> None:
    _play(
        lambda server: Stage(
            callflow.load(ROOT / "flows/silence-ladder.yaml"),
            server,
            ["Good day."],
            silent,
            agent=Agent(instructions=""),
        )
    )


def busy() -> None:
    os.environ.setdefault("SIP_OUTBOUND_TRUNK_ID", "ST_test")
    network = PhoneNetwork({"+15550123456": FAR_ENDS["busy"]})
    facts = {"phone_number": "+15550123456"}
    _play(lambda server: Stage(callflow.load(ROOT / "flows/outbound.yaml"), server, phone=network, vars=facts))


def _play(stage: Callable[[SimulatedServer], Stage]) -> None:
    async def call() -> None:
        async with SimulatedServer() as server:
            await stage(server).play()

    for _ in range(3):
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(call())


ROWS: dict[str, tuple[Callable[[], None], int]] = {
    "import `callflow.testing.play`, with LiveKit, once for all tests": (imports, 1),
    "`callflow check` of one file, as a command": (partial(check, "--no-cache"), 1),
    "the same of a file that was proved before": (check, 1),
    "`callflow.load` of a flow of 80 lines": (load, 20),
    "a pure step": (steps, 1500),
    "a busy telephone": (busy, 3),
    "a call of three turns and a goodbye": (answered, 3),
    "a caller who says nothing until the call lets them go": (silence, 3),
}
"""What is measured, by what the table calls it: a function, and how many of it that is."""


def measured() -> str:
    lines = [f"| what | processor time ({platform.machine()}, Python {platform.python_version()}) |", "| --- | --- |"]
    for name, (work, times) in ROWS.items():
        took = []
        for _ in range(TIMES):
            began = sum(os.times()[:4])
            work()
            took.append(sum(os.times()[:4]) - began)
        lines.append(f"| {name} | {_rounded(min(took) / times)} |")
    return "\n".join(lines)


def _rounded(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds * 1e6:.2g}'):g} µs"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLE.sub(lambda match: f"{match[1]}{measured()}\n{match[2]}", page), encoding="utf-8")
