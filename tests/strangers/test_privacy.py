"""Private values where they first appear: before anything could have learned that they are private."""

from __future__ import annotations

import asyncio
import logging

import pytest

import callflow
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, hangs_up

FLOW = callflow.loads("""
callflow: 1
name: notes
vars: {name: {type: string, pii: true}}
events: {app.note: {text: {type: string, pii: true}}}
initial: listening
states:
  listening:
    entry: [{say: "Hello {{ vars.name }}."}]
    on: {app.note: {do: [{log: "{{ vars.name }} notes: {{ event.text }}"}]}}
""")


@pytest.mark.parametrize("written", [True, False])
async def test_a_private_field_of_an_event_is_hidden_in_the_log_of_its_own_step(written, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with SimulatedServer() as server:
        stage = Stage(
            FLOW, server, caller=hangs_up(after=5), vars={"name": "Ford Prefect"}, journal=tmp_path if written else None
        )

        async def note() -> None:
            await asyncio.sleep(2)
            stage.call.send("app.note", {"text": "lives near Betelgeuse"})

        noting = asyncio.create_task(note())
        record = await stage.play()
        await noting
    assert " notes: pii:" in caplog.text
    said = [caplog.text, repr(record), str(record.to_json()["effects"]), *(f.read_text() for f in tmp_path.iterdir())]
    assert not [text for text in said if "Betelgeuse" in text or "Prefect" in text]
