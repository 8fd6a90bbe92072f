"""Plays a flow by hand: events in, effects out, time as the test says it. The pure core alone, nothing runs."""

from __future__ import annotations

from typing import Any

import callflow
from callflow.core.events import EffectEnded, Event, TimerFired
from callflow.core.flow import Flow
from callflow.core.snapshot import Cancel, Forward, Note, Start, Step
from callflow.core.step import start, step

HEAD = "callflow: 1\nname: test\n"


def flow_of(text: str) -> Flow:
    """A flow from its text; the head may be left out."""
    return callflow.loads(text if text.lstrip().startswith("callflow:") else HEAD + text, check=False)


class Play:
    """One call. `trace` tells what happened, in words: `→ talking`, `say Hello.`, `cancel say`, `outcome completed`."""

    def __init__(
        self,
        text: str | Flow,
        *,
        vars: dict[str, Any] | None = None,  # noqa: A002 - the language's own word
        time: float = 1000.0,
        **more: Any,
    ) -> None:
        self.flow = text if isinstance(text, Flow) else flow_of(text)
        self.time = time
        self.running: dict[int, Start] = {}
        self.stopping: dict[int, Start] = {}
        self.trace: list[str] = []
        self.notes: list[Note] = []
        self.last: Step = start(self.flow, vars, time=time, **more)
        self._read(self.last)

    # -- what the world does -------------------------------------------------------------------------------------

    def send(
        self,
        name: str,
        /,
        *,
        effect: int | None = None,
        id: str | None = None,  # noqa: A002
        offered_in: tuple[str, ...] | None = None,
        **data: Any,
    ) -> Play:
        return self._step(Event(name, data, self.time, effect=effect, id=id, offered_in=offered_in))

    def end(self, words: str, status: str = "ok", error: str | None = None, **result: Any) -> Play:
        """Ends the running effect that `words` tell: `say Hello.`, or its verb alone."""
        number = self.find(words)
        return self._step(EffectEnded(number, status, result, error, self.time))  # type: ignore[arg-type]

    def stopped(self, words: str) -> Play:
        """A cancelled effect has stopped."""
        number = next(n for n, one in self.stopping.items() if words in (one.verb, tell(one)))
        return self._step(EffectEnded(number, "cancelled", {}, None, self.time))

    def wait(self, seconds: float) -> Play:
        """Time passes; what comes due fires in its order."""
        until = self.time + seconds
        while True:
            timers = self.last.snapshot.memory.timers
            if not timers or timers[0].due > until:
                break
            self.time = max(self.time, timers[0].due)
            self._step(TimerFired(timers[0].generation, self.time))
        self.time = until
        return self

    def finish(self) -> Play:
        """Lets every effect succeed until the call has ended."""
        for _ in range(100):
            if self.last.snapshot.ended:
                return self
            if self.stopping:
                self._step(EffectEnded(next(iter(self.stopping)), "cancelled", {}, None, self.time))
            elif self.running:
                self._step(EffectEnded(next(iter(self.running)), "ok", {}, None, self.time))
            else:
                break
        raise AssertionError(f"the call does not end: {self.state}, {self.trace}")

    # -- what can be seen ----------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        return " ".join(self.last.snapshot.configuration)

    @property
    def outcome(self) -> str | None:
        return self.last.snapshot.outcome

    @property
    def vars(self) -> dict[str, Any]:
        return dict(self.last.snapshot.vars)

    @property
    def doing(self) -> list[str]:
        """The effects that run, in the order in which they were started."""
        return [tell(one) for one in self.running.values()]

    @property
    def phase(self) -> str:
        return self.last.snapshot.memory.phase

    def find(self, words: str) -> int:
        for number, one in self.running.items():
            if words in (one.verb, tell(one)):
                return number
        raise AssertionError(f"{words!r} does not run; running: {self.doing}")

    def noted(self, kind: str) -> list[dict[str, Any]]:
        return [dict(note.data) for note in self.notes if note.kind == kind]

    def since(self, mark: int) -> list[str]:
        return self.trace[mark:]

    # -- inside --------------------------------------------------------------------------------------------------

    def _step(self, event: Any) -> Play:
        if isinstance(event, EffectEnded):
            self.running.pop(event.id, None)
            self.stopping.pop(event.id, None)
        self.last = step(self.flow, self.last.snapshot, event)
        self._read(self.last)
        return self

    def _read(self, done: Step) -> None:
        for move in done.moves:
            self.trace += [f"← {path}" for path in move.exited]
            self.trace += [f"→ {path}" for path in move.entered]
        self.notes += done.notes
        for effect in done.effects:
            if isinstance(effect, Cancel):
                one = self.running.pop(effect.id, None)
                if one is not None:
                    self.stopping[effect.id] = one
                    self.trace.append(f"cancel {tell(one)}")
            elif isinstance(effect, Forward):
                self.trace.append(f"forward {effect.event.name} to {tell(self.running[effect.id])}")
            else:
                self.running[effect.id] = effect
                self.trace.append(tell(effect))
        for note in done.notes:
            if note.kind == "set":
                self.trace.append(f"{note.data['name']} = {note.data['value']!r}")
            elif note.kind == "outcome":
                self.trace.append(f"outcome {note.data['name']}")


def tell(effect: Start) -> str:
    """An effect in words: its verb, and its main argument where it has one."""
    for name in ("text", "instructions", "url", "name", "digits", "to", "reason"):
        if effect.arguments.get(name):
            return f"{effect.verb} {effect.arguments[name]}"
    return effect.verb
