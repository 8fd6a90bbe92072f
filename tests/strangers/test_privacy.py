"""Private values where they first appear: before anything could have learned that they are private."""

from __future__ import annotations

import asyncio
import logging
import re

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


async def test_digits_stay_private_when_the_flow_makes_a_number_of_them(tmp_path):
    flow = callflow.loads("""
callflow: 1
name: donation
events: {app.keys: {digits: {type: string, pii: true}}}
vars: {total: {type: integer, default: 0}}
initial: asking
states:
  asking:
    entry: [{say: How much?}]
    on: {app.keys: {do: [{set: {total: "{{ round(number(event.digits)) }}"}}, {say: "{{ vars.total }} it is."}]}}
""")
    async with SimulatedServer() as server:
        stage = Stage(flow, server, caller=hangs_up(after=6), journal=tmp_path)

        async def press() -> None:
            await asyncio.sleep(2)
            stage.call.send("app.keys", {"digits": "47110"})

        pressing = asyncio.create_task(press())
        record = await stage.play()
        await pressing
    assert record.vars["total"] == 47110
    files = "".join(file.read_text() for file in tmp_path.iterdir())
    assert '"total": "pii:' in files
    assert not re.search(r"(?<![\d.])47110(?![\d.])", files)  # but in the digits of a time


async def test_a_number_that_is_part_of_the_rooms_name_is_hidden(tmp_path):
    """As LiveKit's individual SIP dispatch rule names rooms; here nobody comes, from whom the number could be learned."""
    async with SimulatedServer() as server:
        record = await Stage(
            FLOW, server, vars={"name": "Ann"}, room="call-_+4915112345678_Xy", journal=tmp_path
        ).play()
    assert record.outcome == "no_answer"
    assert record.room == "call-_+4915112345678_Xy"
    written = [str(record.to_json()), *(file.read_text() for file in tmp_path.iterdir())]
    assert len(written) == 3
    assert not [text for text in written if "15112345678" in text]
