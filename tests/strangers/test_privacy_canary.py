"""One private value, and what is made of it, through every channel: journal, record, log. Nothing of it is written."""

from __future__ import annotations

import asyncio
import logging

import pytest

import callflow
from callflow.core.privacy import privacy_of
from callflow.journal import read_journal, replay
from callflow.runtime import redact
from callflow.runtime.redact import Redactor
from callflow.testing import SimulatedServer
from callflow.testing.play import Stage, hangs_up

CANARY = "KN47ARYBIRD9931"
PARTS = ("KN47ARY", "BIRD9931", "kn47ary", "47", "9931")  # what the flow makes of it, and what is in that

FLOW = """
callflow: 1
name: canary
vars:
  iban: {type: string, pii: true}
  short: {type: string, default: none}
  again: {type: string, default: none}
  said: {type: string, default: none}
  count: {type: integer, default: 0}
events:
  app.keys: {digits: {type: string, pii: true}}
  app.part: {text: string}
initial: listening
states:
  listening:
    entry:
      - set: {short: "{{ first(vars.iban, 7) }}"}
      - set: {again: "{{ lower(vars.short) }} it was"}
      - log: "begins with {{ vars.short }}"
      - log: "ends with {{ last(vars.iban, 8) }}"
      - say: "It begins with {{ vars.short }}, does it not?"
      - emit: {event: app.part, data: {text: "{{ last(vars.iban, 8) }}"}}
    on:
      app.keys: {do: [{set: {count: "{{ round(number(event.digits) / 100) }}"}}]}
      app.part: {do: [{log: "a part: {{ event.text }}"}, {set: {said: "{{ event.text }}"}}]}
"""


@pytest.mark.parametrize("written", [True, False])
async def test_nothing_of_it_is_written(written, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with SimulatedServer() as server:
        stage = Stage(
            callflow.loads(FLOW), server, caller=hangs_up(after=30), vars={"iban": CANARY},
            journal=tmp_path if written else None,
        )  # fmt: skip

        async def press() -> None:
            await asyncio.sleep(5)
            stage.call.send("app.keys", {"digits": "993147"})

        pressing = asyncio.create_task(press())
        record = await stage.play()
        await pressing
    assert (record.vars["short"], record.vars["count"]) == ("KN47ARY", 9931)  # in the program, all is in the clear
    data = record.to_json()
    shown = [caplog.text, repr(record), str(data["vars"]), str([one["result"] for one in data["effects"]])]
    if written:
        (journal, *_) = tmp_path.glob("*.jsonl")
        lines = read_journal(journal)
        shown += [
            str(lines.head["vars"]),
            *(
                str([line.get("notes"), line.get("start"), line.get("result"), line.get("data")])
                for line in lines.lines
            ),
        ]
        assert [step.snapshot.configuration for step in replay(callflow.loads(FLOW), lines)]
    for text in shown:
        assert not [part for part in (CANARY, *PARTS[:3], "9931") if part in text], text


class TestWhatIsMadeOfIt:
    def privacy(self, rest: str):
        return privacy_of(callflow.loads(f"callflow: 1\nname: t\ninitial: a\n{rest}", check=False))

    @pytest.mark.parametrize(
        ("value", "names"),
        [
            ("{{ vars.pin }}", {"pin", "x"}),
            ("{{ first(vars.pin, 2) }}", {"pin", "x"}),
            ("{{ event.transcript }}", {"pin", "x"}),
            ("{{ call.number }}", {"pin", "x"}),
            ("{{ env.KEY }}", {"pin", "x"}),
            ("plain", {"pin"}),
            ("{{ event.language }}", {"pin"}),
            ("{{ call.id }}", {"pin"}),
        ],
    )
    def test_variables(self, value, names):
        made = self.privacy(
            "env: [KEY]\nvars: {pin: {type: string, default: n, pii: true}, x: {type: string, default: n}}\n"
            f"states: {{a: {{on: {{session.user_input_transcribed: {{do: [{{set: {{x: '{value}'}}}}]}}}}}}}}\n"
        )
        assert made.variables[""] == names

    def test_truth_is_public(self):
        made = self.privacy(
            "vars: {pin: {type: string, default: n, pii: true}, ok: {type: boolean, default: false}}\n"
            "states: {a: {entry: [{set: {ok: '{{ vars.pin == \"4711\" }}'}}]}}\n"
        )
        assert made.variables[""] == {"pin"}

    def test_by_way_of_others_and_of_a_sub_flow(self, tmp_path):
        (tmp_path / "in.yaml").write_text(
            "callflow: 1\nname: in\nvars: {given: string}\ninitial: a\n"
            "states: {a: {on: {done: b}}, b: {final: true, returns: {back: '{{ vars.given }}'}}}\n"
        )
        flow = callflow.loads(
            "callflow: 1\nname: t\ninitial: a\nuse: {in: in.yaml}\n"
            "vars: {pin: {type: string, default: n, pii: true}, x: {type: string, default: n}, y: {type: string, default: n}}\n"
            "states: {a: {flow: in, with: {given: '{{ vars.pin }}'}, on: {done: {target: ending, do:"
            " [{set: {x: '{{ event.returns.back }}'}}, {set: {y: '{{ vars.x }}'}}]}}}}\n",
            folder=tmp_path,
        )
        assert privacy_of(flow).variables == {"": {"pin", "x", "y"}, "a": {"given"}}


def test_more_than_can_be_looked_for_hides_whole_texts(monkeypatch):
    monkeypatch.setattr(redact, "MOST_KNOWN", 3)
    redactor = Redactor(callflow.loads(FLOW), b"k")
    for number in range(3):
        redactor.learn(f"secret{number}")
    assert redactor.text("secret1 is kept") == f"{redactor.digest('secret1')} is kept"
    redactor.learn("one more")
    assert redactor.text("of one more nothing is told") == redactor.digest("of one more nothing is told")
    assert redactor.data({"seconds": 4, "text": "x y"}) == {"seconds": 4, "text": redactor.digest("x y")}
