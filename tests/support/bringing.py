"""Brings about in a simulated room, with a real session, what the table of what can happen says: one thing after the other, at
random. What does not come though it can, and nothing else came before it, is a fault of the table or of the room."""

from __future__ import annotations

import asyncio
import collections
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve
from livekit import rtc

import callflow
from callflow.core.events import MAIN_LEG, EffectEnded, Event
from callflow.core.inputs import inputs
from callflow.core.occurs import AT_FIRST
from callflow.core.possible import afterwards, refused
from callflow.core.snapshot import Start, Step
from callflow.telephony.network import FarEnd, Hear, PhoneNetwork, Press, Refer, Wait
from callflow.testing import Caller, SimulatedServer
from callflow.testing.models import Tool
from callflow.testing.phone import Telephone
from callflow.testing.play import Stage
from tests.support.possible import impossible

NUMBER = "+15550100100"

WITHIN = 45.0
"""Seconds in which what is brought about has come: the slowest is a word of the caller's that is heard only once what is being
said has ended."""

AGAIN = 8.0
"""Seconds after which the caller says it once more."""

SHOWS_UP: Mapping[str, FarEnd] = {
    "answered": FarEnd(2.0),
    "busy": FarEnd(0.5, 486),
    "no_answer": FarEnd(math.inf),
    "declined": FarEnd(3.0, 603),
    "invalid": FarEnd(0.2, 404),
    "failed": FarEnd(0.2, 503),
}
"""Whom a dial meets, by its result."""

DECIDES: Mapping[str, FarEnd] = {
    "accepted": FarEnd(2.0, acts=(Hear(), Press("1"), Wait(900.0))),
    "declined": FarEnd(2.0, acts=(Hear(), Press("2"), Wait(900.0))),
    "no_answer": FarEnd(math.inf),
    "failed": FarEnd(0.2, 404),
}
"""Whom a consultation meets."""

ENDS_IT = ("call.hangup", "room.disconnected", "session.close", "job.shutdown")
"""After these little is left to happen: they are seldom chosen."""

CATEGORIES = ("human", "machine-vm", "machine-ivr", "machine-unavailable")


class Network(PhoneNetwork):
    """Every number is there, and does what is wanted of the next call."""

    def __init__(self) -> None:
        super().__init__()
        self.next = FarEnd()

    def meet(self, number: str) -> FarEnd:
        return self.next


class Turns:
    """What the model says: what was asked of it, and nothing in particular where nothing was."""

    def __init__(self) -> None:
        self.asked: collections.deque[Any] = collections.deque()

    def __next__(self) -> Any:
        if not self.asked:
            raise StopIteration
        return self.asked.popleft()


class Brought:
    """One call to which things happen that were chosen from `inputs`. `came` are those that did, `overtaken` those before which
    something else came that ruled them out, `missed` those that did not come for no reason."""

    def __init__(self, flow: callflow.Flow, server: SimulatedServer, seed: int, *, things: int = 6) -> None:
        self.dice, self.flow, self.server, self.things = random.Random(seed), flow, server, things
        needed = {name: NUMBER for name, one in flow.scopes[""].variables.items() if one.required}
        self.network, self.turns = Network(), Turns()
        by_phone = not flow.outbound and self.dice.random() < 0.5
        self.stage = Stage(
            flow,
            server,
            phone=self.network,
            caller=_stays,
            calls_in=FarEnd() if by_phone else None,
            vars=needed,
            watch=self.sees,
            http=self._answers,
        )
        self.stage._llm._turns = self.turns  # type: ignore[assignment]
        self.facts = AT_FIRST
        self.begun = asyncio.Event()
        self.before: Step | None = None
        self.wanted: Event | None = None
        self.ends: dict[int, tuple[str, Mapping[str, Any]]] = {}
        self.detected = self.service = ""
        self.disturbed = 0  # how often something was brought about
        self.disturbed_at: dict[int, int] = {}
        self.came: list[str] = []
        self.overtaken: list[str] = []
        self.missed: list[str] = []

    async def play(self) -> None:
        acting = asyncio.ensure_future(self._act())
        try:
            await self.stage.play()
        finally:
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)
        if not acting.cancelled() and (error := acting.exception()) is not None:
            raise error
        self.missed += impossible(self.flow, self.stage.steps)

    # -- what the call says

    def sees(self, step: Step) -> None:
        before, self.before = self.before, step
        self.begun.set()
        event = step.event
        if before is not None and event is not None:
            if isinstance(event, EffectEnded):
                self._ended(before, event)
            elif isinstance(event, Event):
                self._happened(before, step, event)
            self.facts = afterwards(self.flow, before.snapshot, self.facts, event)
        for effect in step.effects:
            if isinstance(effect, Start):
                self._begun(step, effect)

    def _happened(self, before: Step, step: Step, event: Event) -> None:
        if event.name == self.detected:
            self.came.append(event.name)
            self.detected = ""
        wanted = self.wanted
        if wanted is None or not _same(wanted, event):
            return
        self.wanted = None
        self.came.append(event.name)
        payload = {**event.data, **wanted.data} if event.name.startswith(("tool.", "app.")) else event.data
        alone = callflow.step(self.flow, before.snapshot, event._replace(data=payload))
        if alone.snapshot.configuration != step.snapshot.configuration:
            where, there = step.snapshot.configuration, alone.snapshot.configuration
            self.missed.append(f"{event.name} leads to {where} in the room, and to {there} in the table")

    def _ended(self, before: Step, end: EffectEnded) -> None:
        effect = before.snapshot.memory.effects.get(end.id)
        status, result = self.ends.pop(end.id, ("", {}))
        if effect is not None and effect.verb == "http":
            self.service = ""
        if effect is None or not status:
            return
        what = f"{effect.verb} {result.get('result') or ('heard' if result.get('heard') else status)}"
        if end.status == status and result.items() <= end.result.items():
            self.came.append(what)
        elif effect.stopping or end.result.get("interrupted") or self.disturbed_at[end.id] != self.disturbed:
            self.overtaken.append(what)
        else:
            self.missed.append(f"{what} was to come in {before.snapshot.configuration}, and {end} came")

    # -- how what was begun is to end

    def _begun(self, step: Step, start: Start) -> None:
        """Chooses one of the ways in which it can end, and sees to it."""
        prepare = {
            "dial": self._dials,
            "consult": self._consults,
            "transfer": self._transfers,
            "http": self._asks,
            "collect_digits": self._collects,
            "say": self._speaks,
            "generate_reply": self._speaks,
        }.get(start.verb)
        effect = step.snapshot.memory.effects.get(start.id)
        if prepare is not None and effect is not None:
            self.disturbed_at[start.id] = self.disturbed
            self.ends[start.id] = prepare(start)

    def _dials(self, start: Start) -> tuple[str, Mapping[str, Any]]:
        result = self.dice.choice([*SHOWS_UP, "answered", "answered", "answered"])
        category: Any = self.dice.choice(CATEGORIES)
        self.network.next = evolve(SHOWS_UP[result], category=category)
        if result == "answered" and start.arguments.get("detect_machine") is not None:
            self.detected = f"amd.{category}"
        return "ok", {"result": result}

    def _consults(self, _: Start) -> tuple[str, Mapping[str, Any]]:
        result = self.dice.choice([*DECIDES])
        self.network.next = DECIDES[result]
        return "ok", {"result": result}

    def _transfers(self, _: Start) -> tuple[str, Mapping[str, Any]]:
        far = self.stage.far_end
        completed = isinstance(far, Telephone) and self.dice.random() < 0.5
        if isinstance(far, Telephone):
            far.leg.far = evolve(far.leg.far, refer=Refer(202, 200, 1.0) if completed else Refer(603))
        return "ok", {"result": "completed" if completed else "failed"}

    def _asks(self, start: Start) -> tuple[str, Mapping[str, Any]]:
        return self._service(), {}

    def _service(self) -> str:
        """How it is with the service until it has been asked."""
        self.service = self.service or self.dice.choice(["ok", "failed", "timed_out"])
        return self.service

    async def _answers(self, _: Any) -> Any:
        if self._service() == "timed_out":
            await asyncio.sleep(math.inf)
        return (200, {"status": "sent", "orders": []}) if self.service == "ok" else 500

    def _collects(self, start: Start) -> tuple[str, Mapping[str, Any]]:
        if self.dice.random() < 0.3:
            return "ok", {"result": "no_input"}
        many = start.arguments.get("count") or start.arguments.get("min") or 1
        keys = "".join(self.dice.choices("0123456789", k=int(many))) + str(start.arguments.get("terminator") or "")
        self.server.loop.call_later(self.dice.uniform(0.5, 9.0), self._presses, keys)
        return "ok", {"result": "input"}

    def _presses(self, keys: str) -> None:
        if self.stage.far_end is not None:
            self.stage.far_end.press(keys)

    def _speaks(self, start: Start) -> tuple[str, Mapping[str, Any]]:
        whole = {"heard": True, "interrupted": False}
        end = EffectEnded(start.id, "ok", whole, None, self.stage.call.now() + WITHIN)
        assert self.before is not None
        can = refused(self.flow, self.before.snapshot, self.facts, end) is None
        return "ok", whole if can else {"heard": False}

    # -- what happens to it

    async def _act(self) -> None:
        await self.begun.wait()
        for _ in range(self.things):
            await asyncio.sleep(self.dice.choice([0.1, 0.5, 2.0, 4.0, 8.0, 15.0]))
            event = self._chosen()
            if self.stage.call.over or event is None:
                continue
            await self._bring(event)
        await asyncio.sleep(self.dice.choice([0.1, 5.0, 30.0]))
        self.disturbed += 1
        if self.stage.far_end is not None:
            self.stage.far_end.hang_up()
        await asyncio.sleep(60.0)  # whoever has vanished cannot hang up
        self.stage.job.request_shutdown()

    def _chosen(self) -> Event | None:
        """One of all that can happen now and can be brought about."""
        now, step = self.stage.call.now(), self.before
        assert step is not None
        if step.snapshot is not self.stage.call.snapshot:
            return None  # what has just happened was not seen yet
        ways = [one for one in inputs(self.flow, step.snapshot, self.facts, now) if isinstance(one, Event)]
        kinds: dict[str, list[Event]] = {}
        for one in ways:
            if self._how(one) is not None:
                kinds.setdefault(_kind(one.name), []).append(one)
        if not kinds:
            return None
        weights = [1 if kind in ENDS_IT else 8 if kind.startswith("tool.") else 3 for kind in sorted(kinds)]
        return self.dice.choice(kinds[self.dice.choices(sorted(kinds), weights)[0]])

    async def _bring(self, event: Event) -> None:
        how, loop = self._how(event), self.server.loop
        assert how is not None
        self.wanted = event
        self.disturbed += 1
        until, again = loop.time() + WITHIN, loop.time()
        while self.wanted is not None:
            if loop.time() >= again:
                how()
                again = loop.time() + (AGAIN if _may_be_missed(event) else math.inf)
            await asyncio.sleep(0.05)
            if self.wanted is not None and self._is_overtaken(event):
                self.overtaken.append(event.name)
                self.wanted = None
            elif self.wanted is not None and loop.time() > until:
                assert self.before is not None
                where = self.before.snapshot.configuration
                self.missed.append(f"{event.name} {dict(event.data)} can happen in {where}, and did not come")
                self.wanted = None

    def _is_overtaken(self, event: Event) -> bool:
        assert self.before is not None
        later = event._replace(time=self.stage.call.now())
        return self.stage.call.over or refused(self.flow, self.before.snapshot, self.facts, later) is not None

    def _how(self, event: Event) -> Callable[[], Any] | None:
        """How the room brings it about; None where it does so by itself, together with something else."""
        stage, far, name = self.stage, self.stage.far_end, event.name
        if name.startswith("tool."):
            return lambda: self._asked_for(name[5:], event.data)
        if name.startswith("app."):
            return lambda: stage.call.send(name, event.data)
        if name == "job.shutdown":
            return stage.job.request_shutdown
        if name == "session.close" and "conversation" in self.facts:
            return lambda: self.stage._begin(self._closed())
        if name == "room.disconnected" and event.data.get("reason") != "OUT_OF_REACH":
            return lambda: self.server.delete_room(stage.room)
        if name == "room.reconnecting" and stage.job.room is not None:
            return lambda: self.server.cut_off(stage.job.room.info.identity, 3.0)
        if name.startswith("leg."):
            return self._of_leg(event)
        return None if far is None else self._of_far_end(far, event)

    def _of_far_end(self, far: Caller, event: Event) -> Callable[[], Any] | None:
        name = event.name
        if name == "call.hangup":
            return far.hang_up
        if name.startswith("dtmf."):
            return lambda: far.press(_key(name))
        if name == "session.user_state_changed" and event.data["new_state"] == "speaking":
            return lambda: self.stage._begin(far.say("Excuse me please."))
        if isinstance(far, Telephone):
            return None
        if name == "call.dropped":
            return lambda: far.leave(rtc.DisconnectReason.UNKNOWN_REASON)
        if name == "call.restored" and not far.on_line:
            return far.join
        return None

    def _of_leg(self, event: Event) -> Callable[[], Any] | None:
        _, leg, what = event.name.split(".", 2)
        telephone = self.stage.telephones.legs.get(leg)
        if telephone is None or leg == MAIN_LEG:
            return None
        if what == "hangup":
            return telephone.hang_up
        return (lambda: telephone.press(_key(event.name))) if what.startswith("dtmf.") else None

    def _asked_for(self, name: str, arguments: Mapping[str, Any]) -> None:
        if not self.turns.asked:
            self.turns.asked.append(Tool(name, arguments))
        if self.stage.far_end is not None:
            self.stage._begin(self.stage.far_end.say("I would like that."))

    async def _closed(self) -> None:
        await self.stage.call.world.session.aclose()


async def _stays(_: Caller) -> None:
    await asyncio.sleep(math.inf)


def _may_be_missed(event: Event) -> bool:
    """Whether it is something that the caller says: while what is being said must be heard, nobody listens."""
    return event.name.startswith(("tool.", "session.user"))


def _kind(name: str) -> str:
    if name.startswith("leg."):
        return f"leg {name.split('.')[2]}"
    return "key" if name.startswith("dtmf.") else name


def _key(name: str) -> str:
    word = name.rpartition(".")[2]
    return {"star": "*", "pound": "#"}.get(word, word)


def _same(wanted: Event, event: Event) -> bool:
    if wanted.name != event.name:
        return False
    return "new_state" not in wanted.data or wanted.data["new_state"] == event.data.get("new_state")
