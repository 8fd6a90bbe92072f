"""When verbs end, how long that takes, and what is heard of them."""

from __future__ import annotations

import math

import pytest

import callflow
from callflow.core.actions import EVERY_VERB, VERBS
from callflow.core.events import EffectEnded, Event
from callflow.core.heard import heard
from callflow.core.lasts import lasts
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import action_of, afterwards, refused
from callflow.core.speaking import LETTER, seconds, to_say
from tests.support.play import HEAD

TRUNK = 'trunk: "{{ env.TRUNK }}"'

DIAL = '{dial: {to: "+15550100100", ' + TRUNK + ", leg: human, ringing_timeout: 20s, MORE}}"
DIALS = DIAL.replace(", MORE", "")
STAY = "{do: [{log: so what}]}"


class Doing:
    """A call in a state whose list is `actions`, told what happens as long as it can."""

    def __init__(self, *actions: str) -> None:
        listed = "\n".join(f"      - {one}" for one in actions)
        self.flow = callflow.loads(
            f"{HEAD}\nenv: [TRUNK]\nevents: {{app.x: {{}}}}\nvars: {{name: {{type: string, default: Ann}}}}\ninitial: doing\nstates:\n"
            f"  doing:\n    entry:\n{listed}\n    on: {{app.x: elsewhere, call.hangup: {STAY}, room.disconnected: {STAY}, consult.*: {STAY}}}\n  elsewhere:\n    entry:\n      - {DIALS}\n",
            check=False,
        )
        self.snapshot = callflow.start(self.flow, env={"TRUNK": "ST_1"}).snapshot
        self.facts = AT_FIRST

    @property
    def running(self):
        return [*self.snapshot.memory.effects.values()][-1]

    def lasts(self, status="ok", **result):
        return lasts(self.running, action_of(self.flow, self.running), status, result)

    def why_not(self, event) -> str:
        return str(refused(self.flow, self.snapshot, self.facts, event))

    def end(self, time=0.0, *, status="ok", **result):
        return EffectEnded(self.running.id, status, result, None if status == "ok" else status, time)

    def told(self, *events):
        for event in events:
            entry = Event(event, {}) if isinstance(event, str) else event
            assert refused(self.flow, self.snapshot, self.facts, entry) is None, self.why_not(entry)
            self.facts = afterwards(self.flow, self.snapshot, self.facts, entry)
            self.snapshot = callflow.step(self.flow, self.snapshot, entry).snapshot
        return self

    def hears(self, leg="far_end"):
        return set(heard(self.flow, self.snapshot, self.facts, leg))


HEARD = {"heard": True, "interrupted": False, "spoken": ""}


def test_a_voice_takes_its_time_for_every_letter():
    text = "Thank you for calling, goodbye."
    least, most = to_say(text)
    assert 0 < least < seconds(text) == len(text) * LETTER < most < 15
    assert to_say("👋 **!**").least == 0  # nothing of it is spoken


@pytest.mark.parametrize(
    ("action", "status", "result", "least", "most"),
    [
        ("{say: TenLetters}", "ok", HEARD, 0.25, 6.5),
        ('{say: "01234 {{ vars.name }} 56789"}', "ok", HEARD, 0.25, 61.0),
        ('{say: "{{ vars.name }}"}', "ok", HEARD, 0.0, 61.0),
        ("{say: TenLetters}", "ok", {"heard": True, "interrupted": True}, 0.0, 61.0),
        ("{say: TenLetters}", "ok", {"heard": False, "interrupted": True}, 0.0, 61.0),
        ("{say: {text: Hello., timeout: 3s}}", "timed_out", {}, 3.0, 4.0),
        ("{say: TenLetters}", "failed", {}, 0.0, 61.0),
        ("{say: TenLetters}", "cancelled", {}, 0.0, math.inf),
        ("generate_reply", "ok", HEARD, 0.0, 61.0),
        ("{play: {file: a.wav, loop: true}}", "ok", HEARD, math.inf, math.inf),
        ("{play: {file: a.wav, loop: true}}", "timed_out", {}, math.inf, math.inf),
        ("{play: a.wav}", "ok", HEARD, 0.0, 61.0),
        ("{send_dtmf: 12w#}", "ok", {}, 3 * 0.54 + 0.5, 31.0),
        ('{send_dtmf: "{{ vars.name }}"}', "ok", {}, 0.0, 31.0),
        ("{collect_digits: {count: 1, first_digit: 4s}}", "ok", {"result": "no_input"}, 4.0, 8.0),
        ("{collect_digits: {count: 1, first_digit: 4s}}", "ok", {"result": "input"}, 0.0, 8.0),
        (DIALS, "ok", {"result": "answered"}, 0.0, 26.0),
        (DIALS, "timed_out", {}, 25.0, 26.0),
        (DIAL.replace("MORE", "dtmf: 1w2"), "timed_out", {}, 25.0 + 3 * 0.6, 26.0 + 3 * 0.6),
        ("{transfer: {to: \"+15550100100\", ringing_timeout: 10s}}", "timed_out", {}, 38.0, 39.0),
        ("{http: {url: https://example.org, timeout: 4s, retry: {times: 2, backoff: 1s}}}", "timed_out", {}, 7.0, 18.0),
        ("{http: {url: https://example.org, timeout: 4s}}", "ok", {}, 0.0, 5.0),
        ("stand_by", "ok", {}, 0.0, math.inf),
        ("stand_by", "timed_out", {}, math.inf, math.inf),
        ("shutdown", "ok", {}, 0.0, 0.0),
    ],
)  # fmt: skip
def test_how_long_it_takes(action, status, result, least, most):
    assert Doing(action).lasts(status, **result) == pytest.approx((least, most))


def test_a_human_who_is_only_to_listen_has_heard_the_briefing():
    consult = "{consult: {to: '+15550100100', " + TRUNK + ", briefing: TenLetters}}"
    assert Doing(consult).lasts(result="accepted").least == 0.25
    assert Doing(consult.replace("TenLetters", "TenLetters, accept: {key: '1'}")).lasts(result="accepted").least == 0


@pytest.mark.parametrize(
    ("actions", "told", "end", "why"),
    [
        ("{say: TenLetters}", (), {"time": 0.1, **HEARD}, "say 1 is not through: that takes 0.25 s, and it has run 0.1 s"),
        ("{say: Hello.}", ("call.hangup",), {"time": 9.0, **HEARD}, "far_end is gone"),
        ("{say: {text: Hello., to: human}}", (), {"time": 9.0, **HEARD}, "human is absent"),
        ("{say: Hello.}", (), {"time": 61.5, **HEARD}, "say 1 is out of time at 61"),
        ("{play: {file: a.wav, loop: true}}", (), HEARD, "not through"),
        (DIALS, (), {"result": "answered"}, "human is dialing, and dial.answered"),
        (DIALS, ("leg.human.answered",), {"result": "busy"}, "human is on_line, and dial.busy"),
        (DIALS, ("leg.human.answered",), {"status": "timed_out", "time": 25.0}, "human is on_line, and dial.no_answer"),
        (DIALS, ("leg.human.answered",), {"status": "failed"}, "human is on_line, and dial.failed"),
        ("answer", ("call.dropped",), {}, "far_end is dropped"),
        ("{send_dtmf: '12'}", (), {"time": 1.0}, "send_dtmf 1 is not through: that takes 1.08 s"),
        ("{send_dtmf: '12'}", ("room.disconnected",), {"time": 2.0}, "comes only with room"),
        ("{collect_digits: {count: 1}}", ("call.hangup",), {"result": "input"}, "far_end is gone"),
        ("{collect_digits: {count: 1}}", (), {"result": "no_input", "time": 4.0}, "that takes 5 s"),
        ("{transfer: {to: '+15550100100'}}", ("room.disconnected",), {"result": "completed"}, "comes only with room"),
        ("hold", ("room.disconnected",), {}, "comes only with room"),
        ("shutdown", (), {"status": "failed"}, "shutdown is done at once"),
    ],
)  # fmt: skip
def test_an_end_that_cannot_be(actions, told, end, why):
    doing = Doing(actions).told(*told)
    assert why in doing.why_not(doing.end(**end))


@pytest.mark.parametrize(
    ("actions", "told", "end"),
    [
        ("{say: TenLetters}", (), {"time": 0.3, **HEARD}),
        ("{say: TenLetters}", (), {"heard": True, "interrupted": True}),
        ("{say: Hello.}", ("call.hangup",), {"heard": False, "interrupted": True}),
        ("{say: Hello.}", ("call.hangup", "room.disconnected"), {"status": "failed"}),
        (DIALS, (), {"result": "busy"}),
        (DIALS, ("leg.human.ringing",), {"status": "timed_out", "time": 25.3}),
        (DIALS, ("leg.human.answered", "call.hangup", "room.disconnected"), {"result": "answered"}),
        ("hold", ("call.hangup",), {}),
        ("{collect_digits: {count: 1}}", ("call.dropped",), {"result": "input"}),
    ],
)
def test_an_end_that_can(actions, told, end):
    doing = Doing(actions).told(*told)
    assert doing.why_not(doing.end(**end)) == "None"


def test_whatever_has_happened_what_runs_can_end():
    for name, verb in EVERY_VERB.items():
        for result in verb.results or ("",):
            assert verb.end({"result": result.partition(".")[2]}).lasts is not None, name
        assert all(one.occurs.legs != frozenset() and not one.occurs.lacks for one in verb.ends), name


def test_nothing_happens_to_a_line_that_the_flow_has_dropped_but_that_its_legs_leave():
    doing = Doing("delete_room", "wait_for_speech").told("call.dropped")
    doing.told(doing.end())
    for name in ("call.restored", "call.answered"):
        assert "comes only with line" in doing.why_not(Event(name)), name
    doing.told("call.hangup", "room.disconnected")


def test_a_session_that_was_closed_tells_nothing_and_calls_no_tool():
    doing = Doing("aclose", "close_models")
    doing.told(doing.end())
    assert "comes only with session" in doing.why_not(Event("session.user_state_changed"))


def test_a_recording_runs_from_its_start_to_its_stop():
    doing = Doing("{start_recording: a.ogg}", "stop_recording", "wait_for_speech")
    assert "recording" not in doing.facts
    doing.told(doing.end())
    assert "recording" in doing.facts
    doing.told(doing.end())
    assert "recording" not in doing.facts


@pytest.mark.parametrize(
    ("action", "leg", "sounds"),
    [
        ("{say: Hello.}", "far_end", {"speech"}),
        ("{say: Hello.}", "human", {"speech"}),
        ("{say: {text: Hello., to: human}}", "far_end", set()),
        ("{say: {text: Hello., to: human}}", "human", {"speech"}),
        ("generate_reply", "far_end", {"speech"}),
        ("{play: {file: a.wav, loop: true}}", "far_end", {"music"}),
        ("{play: {file: a.wav, loop: true, to: human}}", "far_end", set()),
        ("{play: a.wav}", "far_end", {"speech"}),
        (DIALS, "far_end", set()),
        (DIAL.replace("MORE", "play_dialtone: true"), "far_end", {"tone"}),
        (DIAL.replace("MORE", "play_dialtone: true"), "human", set()),
        ("{transfer: {to: '+15550100100', play_dialtone: true}}", "far_end", {"tone"}),
        ("{transfer: {to: '+15550100100'}}", "far_end", set()),
        ("{consult: {to: '+15550100100', " + TRUNK + "}}", "far_end", set()),
        ("{consult: {to: '+15550100100', " + TRUNK + ", music: a.wav}}", "far_end", {"music"}),
        ("{consult: {to: '+15550100100', " + TRUNK + ", briefing: Hi.}}", "human", {"speech"}),
        ("{collect_digits: {count: 1, prompt: Which?}}", "far_end", {"speech"}),
        ("{collect_digits: {count: 1}}", "far_end", set()),
        ("{hang_up: Goodbye.}", "far_end", {"speech"}),
        ("hang_up", "far_end", set()),
        ("{http: https://example.org}", "far_end", set()),
        ("{hold: {music: a.wav}}", "far_end", set()),
    ],
)
def test_what_is_heard_while_it_runs(action, leg, sounds):
    doing = Doing(action)
    verb = EVERY_VERB[doing.running.verb]
    assert verb.hears(leg, action_of(doing.flow, doing.running).arguments) == sounds


def test_who_is_on_hold_hears_music_where_there_is_some_and_only_what_is_for_them():
    doing = Doing("{hold: {music: a.wav}}", "{say: Hello.}", "{say: {text: Hello., to: far_end}}", "hold", "resume")
    assert doing.hears() == set()
    doing.told(doing.end())
    assert doing.hears() == {"music"}
    doing.told(doing.end(5.0, **HEARD))
    assert doing.hears() == {"music", "speech"}
    doing.told(doing.end(10.0, **HEARD))
    doing.told(doing.end(10.0))
    assert doing.hears() == set()  # another hold, without music
    doing.told(doing.end(10.0))
    assert doing.snapshot.memory.legs["far_end"].status == "on_line"


def test_a_consultation_keeps_the_far_end_from_what_is_said():
    doing = Doing("{say: {text: Hello., wait: false}}", "{consult: {to: '+15550100100', " + TRUNK + "}}")
    assert doing.hears() == set()
    doing.told(doing.end(1.0, result="declined"))
    assert doing.hears() == {"speech"}


def test_whoever_has_left_hears_nothing():
    assert Doing("{say: Hello.}").hears() == {"speech"}
    assert Doing("{say: Hello.}").told("call.dropped").hears() == set()
    assert Doing("{say: Hello.}").hears("human") == set()


def test_every_verb_that_speaks_is_heard():
    for name, verb in VERBS.items():
        assert not verb.speech or verb.heard, name
