"""`python -m tests.journals.make`: a journal of every flow to copy as this callflow writes them, with the flows of today beside them, into
`tests/journals/<version>/`. What lies there replays for ever: it is made once, when the version is new."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from unittest.mock import patch

import callflow
from benchmarks.calls import CALLS, NUMBER, Recorded
from benchmarks.recorded import ENV, FLOWS
from callflow.runtime.lines import VERSION
from callflow.telephony.network import PhoneNetwork
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage
from callflow.testing.virtual_time import VirtualTimeLoop

HERE = Path(__file__).parent


async def _play(call: Recorded, folder: Path) -> None:
    flow = callflow.load(f"flows/{call.flow}.yaml")
    variables = {"phone_number": NUMBER} if "phone_number" in flow.scopes[""].variables else None
    async with SimulatedServer(epoch=call.begins) as server:
        stage = Stage(
            flow, server, call.model, call.caller, PhoneNetwork(call.phone), call.calls_in, vars=variables, http=call.http,
            journal=folder,
        )  # fmt: skip
        for seconds, happens in call.meanwhile:
            server.loop.call_later(seconds, happens, stage)
        await asyncio.wait_for(stage.play(), 3600)


def make(into: Path) -> None:
    """Into an empty folder."""
    into.mkdir()
    shutil.copytree(FLOWS, into / "flows", ignore=lambda _, names: [one for one in names if "scenario" in one])
    os.chdir(FLOWS.parent)
    for number, call in enumerate(CALLS):
        folder = into / f"{number}"
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner, patch.dict(os.environ, ENV):
            runner.run(_play(call, folder))
        (journal,) = folder.glob("*.jsonl")
        shutil.move(journal, into / f"{call.flow}-{number}.jsonl")
        (record,) = folder.glob("*.json")
        shutil.move(record, into / f"{call.flow}-{number}.json")
        folder.rmdir()


if __name__ == "__main__":
    make(HERE / f"{VERSION}")
