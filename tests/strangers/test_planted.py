"""Values planted wherever LiveKit brings one, in people who come early, late and anew: none is written anywhere."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from livekit import rtc

import callflow
from callflow.core.events import EVENTS, LEG_EVENTS, Event, EventType
from callflow.core.expressions import BOOLEAN, TEXT
from callflow.core.snapshot import Memory, Snapshot
from callflow.runtime.redact import Redactor
from callflow.testing import Caller, SimulatedServer
from callflow.testing.play import Stage

EARLY, LATE, PHONE = "Zaphod.Beeblebrox", "Trillian.McMillan", "+15553141592"
PLANTED = (
    "Beeblebrox",
    "McMillan",
    "3141592",
    "MAGRATHEA",
    "Vogsphere",
    "Heart-of-Gold",
    "ACCT-9931",
    "TOWEL42",
    "Slartibart",
)
FAMILIES = ("room.*", "call.*", "leg.*", "session.*", "dtmf.*", "amd.*")
"""Every event of LiveKit's, as a flow may listen to it."""

FLOW = (
    """
callflow: 1
name: planted
env: [SECRET]
vars: {nobody: {type: string, default: somebody}}
initial: listening
states:
  listening:
    entry:
      - say: {text: Hello., wait: false}
      - say: {text: Just for you., to: far_end, optional: true}
      - http: {url: "http://127.0.0.1:9/{{ env.SECRET }}", timeout: 1s, optional: true}
      - python: {name: breaks, optional: true}
    on:
      call.hangup: {target: ending, do: [{outcome: hung_up}]}
      room.disconnected: ending
      job.shutdown: ending
      session.close: ending
"""
    + "".join(
        f"      {name}: {{do: [{{log: \"{name}: {{{{ event.identity }}}} {{{{ default(event.name, '') }}}}\"}}]}}\n"
        for name in ("room.participant_connected", "room.participant_name_changed", "call.answered")
    )
    + '      room.participant_disconnected: {do: [{log: "{{ default(event.attributes.home, vars.nobody) }} is gone"}]}\n'
    + "".join(f"      {name}: {{do: [{{log: something}}]}}\n" for name in FAMILIES)
    + "python: {breaks: {}}\n"
)


def a_person(server, identity, name, **attributes):
    one = Caller(server, "call", identity, attributes={"home": "Vogsphere", **attributes})
    one.info.name, one.info.metadata = name, json.dumps({"ship": "Heart-of-Gold"})
    return one


async def breaks():
    raise ValueError(f"nobody called {EARLY}")


def log_what_is_private():
    """As a line of the bindings' would, or of the program's in a tool."""
    logger = logging.getLogger("callflow")
    logger.warning("%s is here", EARLY, extra={"who": [EARLY], "what": {LATE: PHONE}})
    try:
        {}[f"no {LATE} here"]
    except KeyError:
        logger.exception("a test")


def written(record: logging.LogRecord) -> str:
    """A line of the log with all that it carries, but for clocks and ids of threads, whose digits may be any."""
    return logging.Formatter().format(record) + str(
        {name: value for name, value in vars(record).items() if name != "args" and not isinstance(value, int | float)}
    )


@pytest.mark.parametrize("journal", [True, False])
async def test_nothing_that_livekit_brings_of_people_is_written(journal, tmp_path, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG, "callflow")
    monkeypatch.setenv("SECRET", "TOWEL42")

    async def script(caller):
        await asyncio.sleep(2)
        late = a_person(stage.server, LATE, "MAGRATHEA")
        telephone = Caller(
            stage.server, "call", f"sip_{PHONE}", kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
            attributes={"sip.phoneNumber": PHONE, "sip.callStatus": "active", "sip.callID": "SCL_1"},
        )  # fmt: skip
        for one in (late, telephone):
            one.join()
        await asyncio.sleep(2)
        late.set_attributes({"home": "Vogsphere", "account": "ACCT-9931"})
        late.send_data("I am Slartibartfast", topic="Vogsphere")
        late.send_data(json.dumps({"event": f"app.{EARLY}", "data": {}}), topic="callflow")
        late.send_text("MAGRATHEA calling")
        telephone.press("9931")
        await caller.say("I am Slartibartfast of MAGRATHEA")
        await asyncio.sleep(2)
        for one in (late, telephone):
            one.hang_up()
        await asyncio.sleep(1)
        late.join()
        telephone.join()
        await asyncio.sleep(1)
        late.vanish()
        stage.call.note(f"nobody knows where {LATE} is")
        stage.call.in_context(log_what_is_private)
        await asyncio.sleep(3)
        caller.hang_up()
        early.hang_up()  # who came first is the far end

    async with SimulatedServer() as server:
        stage = Stage(
            callflow.loads(FLOW),
            server,
            caller=script,
            options={"actions": {"breaks": breaks}},
            journal=tmp_path if journal else None,
        )
        early = a_person(server, EARLY, "MAGRATHEA")
        early.join()
        record = await stage.play()
    assert (record.outcome, record.fault) == ("hung_up", None)
    data = record.to_json()
    transcript = data.pop("transcript")
    shown = {
        "record": json.dumps(data),
        "repr": repr(record),
        **{str(n): written(one) for n, one in enumerate(caplog.records)},
    }
    for file in tmp_path.glob("*.jsonl"):
        shown[file.name] = file.read_text()
    names = [step.event.name for step in stage.steps if isinstance(step.event, Event)]
    assert {"room.participant_connected", "leg.participant_1.answered", "call.answered"} <= set(names)
    for where, text in ((place, line) for place, whole in shown.items() for line in whole.splitlines()):
        assert not [part for part in PLANTED if part in text], (where, text)
    assert transcript


@pytest.mark.parametrize("name", sorted({*EVENTS, *(f"leg.participant_1.{one}" for one in LEG_EVENTS)}))
def test_each_field_of_each_event_is_classified_and_unknown_ones_are_private(name):
    entry = EVENTS.get(name) or LEG_EVENTS[name.split(".", 2)[-1]]
    redactor = Redactor(callflow.loads(FLOW), b"k")
    data = {**dict.fromkeys(entry.fields, "MAGRATHEA"), "brought_by_a_later_livekit": {"who": ["Vogsphere"]}}
    hidden = redactor.event(Event(name, data))
    assert "Vogsphere" not in str(hidden)
    public = {field for field, value in hidden.items() if value == "MAGRATHEA"}
    assert public <= entry.fields.keys() - entry.pii
    people = {"identity", "identities", "name", "attributes", "metadata", "old_metadata", "old_name", "changed", "number", "text",
              "transcript", "track_name", "topic", "digit", "digits", "code", "to", "message"}  # fmt: skip
    if name != "session.tool_execution_updated":
        assert not people & entry.fields.keys() - entry.pii


@pytest.mark.parametrize("journal", [True, False])
async def test_who_was_there_before_the_call_and_what_is_known_of_it_are_hidden_in_its_first_error(
    journal, tmp_path, caplog, monkeypatch
):
    """The session does not start, and says for whom; no event of theirs has had its turn."""

    async def start(self, *_, **__):
        raise RuntimeError(f"{EARLY} and {LATE} cannot be heard, nor {PHONE}")

    monkeypatch.setenv("SECRET", "TOWEL42")
    monkeypatch.setattr("livekit.agents.AgentSession.start", start)
    async with SimulatedServer() as server:
        stage = Stage(
            callflow.loads(FLOW), server, caller=None, options={"actions": {"breaks": breaks}},
            journal=tmp_path if journal else None,
        )  # fmt: skip
        for one in (EARLY, LATE):
            a_person(server, one, "MAGRATHEA").join()
        record = await stage.play()
    shown = [
        json.dumps(record.to_json()),
        *map(written, caplog.records),
        *(one.read_text() for one in tmp_path.iterdir()),
    ]
    assert [text for text in shown if "cannot be heard" in text]
    for text in shown:
        assert not [part for part in PLANTED if part in text], text


def test_what_is_known_of_a_call_is_learned_from_what_it_was_started_with():
    redactor = Redactor(callflow.loads(FLOW), b"k")
    call = {
        "id": "c",
        "number": PHONE,
        "name": EARLY,
        "identity": "caller",
        "transcript": ["yes"],
        "record": {"outcome": "4711"},
    }
    redactor.see(Snapshot((), Memory(call=call)))
    hidden = redactor.text(f"{EARLY}, the caller, of 555 314 1592 said yes to 4711")
    assert hidden == f"{redactor.digest(EARLY)}, the caller, of {redactor.digest(PHONE)} said yes to 4711"


def test_a_field_that_the_catalogue_gains_is_private():
    entry = EventType("room.new", "", {"whoever": TEXT, "sid": TEXT, "is_new": BOOLEAN})
    assert entry.pii == {"whoever"}


async def test_a_start_that_is_refused_shows_no_private_value(stage_of):
    with pytest.raises(callflow.StartError) as error:
        callflow.start(stage_of, {"pin": PHONE, "count": "many"})
    assert PHONE not in str(error.value)
    assert "takes an integer" in str(error.value)


@pytest.fixture
def stage_of():
    return callflow.loads(
        "callflow: 1\nname: t\ninitial: a\nvars: {pin: {type: integer, pii: true}, count: integer}\nstates: {a: {entry: [{say: Hello.}]}}\n"
    )
