"""Random flows as people write them: a few states that say, play, dial, ask, hold and wait, with rows for what comes of it. Most of them
have faults. Those of `tests.core.oracle.generate` are odder, and know no holds, consults or replies."""

from __future__ import annotations

import json
from typing import Any

from tests.core.oracle.generate import Dice, as_text

LONG = "This is a long sentence that somebody has to listen to for some time, until it is through at last."
GUARDS = ("vars.n < 2", "vars.n > 0", "state.visits > 1")
HEARD = (
    "dtmf.1",
    "dtmf.*",
    "call.hangup",
    "failed",
    "leg.human.hangup",
    "session.user_input_transcribed",
    "call.dropped",
)
TIMES = ("3s", "10s", "35s")

FAMILIES = {
    "dial": "dial",
    "consult": "consult",
    "transfer": "transfer",
    "collect_digits": "dtmf",
    "detect_machine": "amd",
}
"""How the results of a verb begin."""


class CallMaker:
    """Makes one flow. It says and does but a few different things: what is left to be followed is little enough."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.states = [f"s{n}" for n in range(1 + dice.below(3))]
        self.actions = [self.any_action() for _ in range(2 + dice.below(2))]
        self.hears = [name for name in HEARD if dice.chance(20)]
        self.kinds = [kind for kind, share in (("after", 70), ("silence", 25), ("every", 15)) if dice.chance(share)]
        self.counts = dice.chance(30)

    def make(self) -> dict[str, Any]:
        dice = self.dice
        data: dict[str, Any] = {
            "callflow": 1,
            "name": "random",
            "vars": {"n": {"type": "integer", "default": 0}},
            "tools": {"next": {"description": "Goes on."}},
            "limits": {"call": dice.pick(["2m", "10m"])} | dice.pick([{}, {}, {"quiet": "8s"}]),
            "initial": "s0",
            "states": {name: self.state(number) for number, name in enumerate(self.states)},
        }
        if "human" in str(data) and not any(verb in str(data) for verb in ("'dial'", "'consult'")):
            data["legs"] = {"human": {"identity": "agent-1"}}
        if self.counts and dice.chance(30):
            again = {"target": dice.pick(self.states), "when": "vars.n < 2", "do": [{"set": {"n": "{{ vars.n + 1 }}"}}]}
            data["on"] = {"failed": again}
        return data

    def state(self, number: int) -> dict[str, Any]:
        dice = self.dice
        state: dict[str, Any] = {"entry": [dice.pick(self.actions) for _ in range(1 + dice.below(2))]}
        if "stand_by" in state["entry"]:
            state["entry"] = ["stand_by"]
        if dice.chance(10):
            state["exit"] = ["resume"]
        if dice.chance(8):
            state["must_finish"] = True
        onward = "ending" if number + 1 == len(self.states) else self.states[number + 1]
        on: dict[str, Any] = {"done": self.row()} if dice.chance(70) else {}
        for family in sorted(
            {FAMILIES[verb] for action in state["entry"] for verb in verbs(action) if verb in FAMILIES}
        ):
            on[f"{family}.*"] = self.row()
        if dice.chance(30):
            state["tools"] = ["next"]
            on["tool.next"] = self.row()
        on |= {name: self.row() for name in self.hears if dice.chance(60)}
        on[dice.pick(["done", "dtmf.2", *(["tool.next"] if "tools" in state else [])])] = onward
        state["on"] = on
        for kind in self.kinds:
            if dice.chance(60):
                state[kind] = {dice.pick(TIMES): self.row(often=kind == "every") for _ in range(1 + dice.below(2))}
        return state

    def row(self, *, often: bool = False) -> Any:
        dice = self.dice
        counts = {"set": {"n": "{{ vars.n + 1 }}"}}
        if often or dice.chance(15):
            return {"do": [dice.pick([{"say": "Still there."}, *([counts] if self.counts else [])])]}
        target = dice.pick([*self.states, "ending", "ending"])
        if self.counts and dice.chance(30):
            return [{"when": dice.pick(GUARDS), "target": target, "do": [counts]}, "ending"]
        return (
            {"target": target, "do": [dice.pick([{"say": "Goodbye."}, {"outcome": "completed"}])]}
            if dice.chance(30)
            else target
        )

    def any_action(self) -> Any:
        legs = {
            "to": "+15551234567",
            "trunk": "ST_1",
            "leg": "human",
            "ringing_timeout": self.dice.pick(["10s", "40s"]),
        }
        asks = {
            "to": "+15551234567",
            "trunk": "ST_1",
            "timeout": "20s",
            "accept": {"key": "1"},
            "briefing": "A caller.",
        }
        http = {"url": "https://crm.example/"}
        return self.dice.pick([
            {"say": "Hello."}, {"say": LONG}, {"say": {"text": "Wait.", "wait": False}}, {"say": {"text": LONG, "interruptible": False}},
            {"generate_reply": {"instructions": "Help."}}, {"play": {"file": "music.wav", "loop": True}}, {"play": "sound.wav"},
            "hold", {"hold": {"music": "builtin:hold_music"}}, "resume", "mute", "unmute", "wait_for_speech",
            {"http": {**http, "timeout": "40s", "optional": True}}, {"http": {**http, "timeout": "5s"}},
            {"dial": legs}, {"consult": asks}, {"consult": asks}, {"transfer": {"to": "+15551234568", "ringing_timeout": "10s"}},
            {"collect_digits": {"count": 1, "prompt": "Press a key.", "first_digit": "5s", "tries": 1}}, "stand_by",
        ])  # fmt: skip


AROUND = (
    "room.reconnected", "room.reconnecting", "session.close", "job.shutdown", "amd.*", "dtmf.3", "call.dropped", "call.restored",
    "leg.human.hangup", "failed", "dial.*", "consult.*",
)  # fmt: skip
"""What rows hear that stand around all states, the ending among them, or in an ending of the flow's own."""


class AroundMaker(CallMaker):
    """Makes the same with rows around all states that lead nowhere, an ending of the flow's own, two things at once, `wrap_up`."""

    def make(self) -> dict[str, Any]:
        dice, data = self.dice, super().make()
        which = {dice.below(6), dice.below(6)}  # more at once is not followed to its end
        if 0 in which:
            name = dice.pick([one for one in AROUND if "human" in str(data) or not one.startswith("leg.")])
            data["on"] = {name: self.here()} | data.get("on", {})
        if 1 in which:
            data[dice.pick(["after", "every"])] = {dice.pick(TIMES): self.here()}
        if 2 in which:
            data["silence"] = {dice.pick(TIMES): self.here()}
        if 3 in which:
            asks = {"url": "https://crm.example/{{ call.number }}", "timeout": "5s", "optional": True}
            data["wrap_up"] = [{"http": asks}]
        if 4 in which:
            data["states"] |= {"bye": self.bye(), "over": {"final": True}}
            data = json.loads(json.dumps(data).replace('"ending"', '"bye"')) | {"ending": "bye"}
        if 5 in which:
            data["states"]["s0"] = self.at_once(data["states"]["s0"])
        return data

    def here(self) -> Any:
        """A row that stays where it is."""
        counts = {"set": {"n": "{{ vars.n + 1 }}"}}
        row = {"do": [self.dice.pick([{"say": "Still there."}, {"log": "So it is."}, counts])]}
        return [row | {"when": self.dice.pick(GUARDS[:2])}] if self.dice.chance(30) else row

    def bye(self) -> dict[str, Any]:
        dice = self.dice
        says = [
            {"say": "Goodbye."},
            {"say": "Goodbye, {{ call.number }}."},
            {"http": {"url": "https://crm.example/", "timeout": "5s"}},
        ]
        rows = {name: dice.pick(["over", self.here()]) for name in AROUND[:6] if dice.chance(20)}
        silence = {"silence": {"3s": self.here()}} if dice.chance(25) else {}
        return {
            "entry": [dice.pick(says), *dice.pick([["drain"], [], ["aclose"]])],
            "on": rows | {"done": "over"},
            "after": {"35s": "over"},
            **silence,
        }

    def at_once(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state whose entry runs beside that of another, where both have to be through."""
        region = {
            "initial": "begins",
            "states": {"begins": {"entry": state["entry"], "on": {"done": "ends"}}, "ends": {"final": True}},
        }
        other = {
            "initial": "begins",
            "states": {
                "begins": {"entry": [self.dice.pick(self.actions)], "on": {"done": "ends"}},
                "ends": {"final": True},
            },
        }
        return {
            **{key: value for key, value in state.items() if key != "entry"},
            "parallel": True,
            "states": {"one": region, "two": other},
        }


def verbs(action: Any) -> list[str]:
    return [action] if isinstance(action, str) else list(action)


def call_text(dice: Dice, maker: type[CallMaker] = CallMaker) -> str:
    """The text of a flow file."""
    return as_text(json.loads(json.dumps(maker(dice).make())))  # no part of it twice: it would stand in one place
