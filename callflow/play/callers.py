"""Whoever is at the far end, as data: what becomes of a dial, and what they do in a call and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from callflow.core.actions import verb_of
from callflow.core.flow import Flow
from callflow.core.statechart.action_lists import every_action
from callflow.core.statechart.structure import around
from callflow.play.played import Played
from callflow.scenario import Impossible
from callflow.scenario.model import Act, Calls, Ending, Occurs, Presses, Speaks

MOST = 300
"""Things that happen in one of these calls: a flow that goes round and round for ever is left."""

When = Literal["there", "spoken to", "away", "asked for keys", "their turn", "offered"]
"""When somebody does something: they are on the line; something is being said to them; they have vanished; keys are collected; nothing is under way
any more; the model is offered tools, and nothing is under way."""

Needs = Literal["", "dial", "detection", "colleague", "keys", "tools"]
"""What there must be in a flow for it: somebody is called, it is looked who has answered, somebody else is called, …"""


class Does(NamedTuple):
    """What somebody does so many seconds after it is the time for it, and how often. Without an act the model calls the next of the
    tools that it is offered."""

    when: When
    act: Act | None
    after: float = 0.0
    times: int = 1


class Caller(NamedTuple):
    """One of them, in a sentence."""

    tells: str
    does: tuple[Does, ...] = ()
    effects: Mapping[str, Sequence[Ending]] = {}
    needs: Needs = ""


def _ends(**results: str) -> dict[str, Sequence[Ending]]:
    return {verb: (Ending(result={"result": word}),) for verb, word in results.items()}


_HANGS_UP = Occurs("call.hangup")
_TALKS = (
    Does("asked for keys", Presses("1"), 1.0, 20),
    Does("offered", None, 1.0, 20),
    Does("their turn", Speaks("Yes, please."), 1.0, 3),
)

_STORY = (
    "And there is something else that I wanted to tell you. Last week I was at the market, as I am every week, and whom do you think "
    "I met there? My old neighbour, with her three dogs, and she told me that everything has become more expensive, too."
)

CALLERS: Mapping[str, Caller] = {
    "says_nothing": Caller("Is there, and says nothing."),
    "talks": Caller("Talks, and presses 1 where a key is asked for; the model calls the tools that it is offered, one after the other.", _TALKS),
    "hangs_up_at_once": Caller("Hangs up as soon as they are on the line.", (Does("there", _HANGS_UP),)),
    "hangs_up_while_spoken_to": Caller("Hangs up in the middle of the first sentence.", (Does("spoken to", _HANGS_UP, 1.0),)),
    "hangs_up_after_the_greeting": Caller("Hears what is said first, and hangs up.", (Does("their turn", _HANGS_UP, 1.0),)),
    "interrupts": Caller("Begins to speak whenever something is said to them.", (Does("spoken to", Speaks("Wait."), 0.5, 10),)),
    "keeps_talking": Caller("Has always something more to say, for about twelve minutes.", (Does("their turn", Speaks(_STORY), 1.0, 60),)),
    "vanishes": Caller("Is out of reach in the middle of the first sentence, and does not come back.", (Does("spoken to", Occurs("call.dropped"), 1.0),)),
    "comes_back": Caller(
        "Is out of reach in the middle of the first sentence, and back after 5 s.",
        (Does("spoken to", Occurs("call.dropped"), 1.0), Does("away", Occurs("call.restored"), 5.0)),
    ),
    "presses_wrong_keys": Caller("Presses 9 whenever a key is asked for.", (Does("asked for keys", Presses("9"), 1.0, 20),), needs="keys"),
    "busy": Caller("Is on the telephone (SIP 486).", effects=_ends(dial="busy"), needs="dial"),
    "no_answer": Caller("Does not answer.", effects=_ends(dial="no_answer"), needs="dial"),
    "declines": Caller("Turns the call away (SIP 603).", effects=_ends(dial="declined"), needs="dial"),
    "invalid": Caller("There is no such number (SIP 404).", effects=_ends(dial="invalid"), needs="dial"),
    "fails": Caller("The carrier cannot place the call (SIP 503).", effects=_ends(dial="failed"), needs="dial"),
    "voicemail": Caller("A voicemail answers; its greeting takes 12 s.", effects={"detect_machine": (Ending(result={"result": "machine-vm"}, after=12.0),)}, needs="detection"),
    "mailbox_full": Caller("A voicemail answers that takes no messages.", effects=_ends(detect_machine="machine-unavailable"), needs="detection"),
    "menu": Caller("A menu answers.", effects=_ends(detect_machine="machine-ivr"), needs="detection"),
    "unclear": Caller("Nobody can tell who has answered; it is a person, who talks.", _TALKS, _ends(detect_machine="uncertain"), "detection"),
    "colleague_busy": Caller(
        "Talks, and wants to be put through; nobody takes the call there.", _TALKS, _ends(transfer="failed", consult="no_answer"), "colleague",
    ),
}  # fmt: skip


def callers(flow: Flow) -> dict[str, Caller]:
    """Those that make sense for this flow, by their names."""
    verbs = [verb_of(action.verb) for action in every_action(flow)]
    has: dict[Needs, bool] = {
        "": True,
        "dial": any(one.dials for one in verbs),
        "detection": any(verb_of(action.verb).given("detection", action.arguments) for action in every_action(flow))
        or any(one.name == "detect_machine" for one in verbs),
        "colleague": any(one.name in ("transfer", "consult") for one in verbs),
        "keys": any(one.takes_keys for one in verbs),
    }
    names = {one.name for one in verbs} | ({"detect_machine"} if has["detection"] else set())
    return {
        name: one._replace(effects={verb: said for verb, said in one.effects.items() if verb in names})
        for name, one in CALLERS.items()
        if has[one.needs]
    }


class Acting:
    """A far end in one call."""

    def __init__(self, played: Played, far_end: Caller) -> None:
        self._played = played
        self._left = [one.times for one in far_end.does]
        self._does = far_end.does
        self._called: set[tuple[str, tuple[str, ...]]] = set()

    def go_on(self) -> bool:
        """The next thing happens: they do it, or it comes by itself; false where nothing does any more."""
        for number, one in enumerate(self._does):
            if not self._left[number] or not self._is_time(one):
                continue
            act = self._tool() if one.act is None else one.act
            if act is None:
                continue
            self._left[number] -= 1
            try:
                self._played.do(act, one.after)
            except Impossible:  # something else has come before
                continue
            return True
        return self._played.let_happen()

    def _is_time(self, does: Does) -> bool:
        player, call = self._played.player, self._played.call
        effects = player.world.effects
        there = call.leg().status == "on_line" and "session" in call.facts
        if does.when == "away":
            return call.leg().status == "dropped"
        if does.when == "spoken to":
            return there and effects.voice.speaking
        if does.when == "asked for keys":
            return there and bool(effects.keypads)
        free = there and effects.schedule.settled and not effects.keypads and call.snapshot.memory.phase == "running"
        return there if does.when == "there" else free

    def _tool(self) -> Act | None:
        """The next tool, of an inner state first, that was not called there."""
        call = self._played.call
        known = {one.act.tools[0][0]: one.act for one in self._played.choices() if isinstance(one.act, Calls)}
        states = call.flow.states
        inner_first = [path for leaf in call.snapshot.configuration for path in around(states, leaf)]
        for name in [one for path in inner_first for one in states[path].tools]:
            which = name, call.snapshot.configuration
            if name in known and which not in self._called:
                self._called.add(which)
                return known[name]
        return None
