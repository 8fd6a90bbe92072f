"""What is heard in a call of which each input is given: from the start of each speech to its end."""

from __future__ import annotations

from callflow.core.actions import verb_of
from callflow.core.events import MAIN_LEG, EffectEnded
from callflow.core.snapshot import Cancel, Start, Step
from callflow.core.speaking import spoken
from callflow.scenario.call import Call, Heard


class Audible:
    """Follows one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._said: dict[int, tuple[float, str, tuple[str, ...]]] = {}

    def follow(self, step: Step) -> None:
        """What this step says of what is heard."""
        end = step.event
        if isinstance(end, EffectEnded) and end.id in self._said:
            whole = end.status == "ok" and not end.result.get("interrupted")
            self._over(
                end.id,
                whole=whole,
                heard=end.result.get("heard") is not False,
                words=str(end.result.get("spoken") or ""),
            )
        for effect in step.effects:
            if isinstance(effect, Cancel) and effect.id in self._said:
                self._over(effect.id, whole=False, heard=True, words="")
            elif isinstance(effect, Start) and verb_of(effect.verb).speech:
                self._said[effect.id] = (self._call.now, words_of(effect), self._hearers(effect.arguments.get("to")))

    def _over(self, effect: int, *, whole: bool, heard: bool, words: str) -> None:
        began, text, legs = self._said.pop(effect)
        if whole:
            text = words or text
        else:
            text = words or spoken(text, self._call.now - began)
        if heard and legs and (text or whole):
            self._call.heard.append(Heard(began, self._call.now, text, legs, not whole))

    def _hearers(self, to: str | None) -> tuple[str, ...]:
        if to is not None:
            return (to,)
        legs = self._call.snapshot.memory.legs
        return tuple(name for name, leg in legs.items() if leg.status == "on_line" or name == MAIN_LEG)


def words_of(start: Start) -> str:
    """What an action says, as far as it is known before."""
    arguments = start.arguments
    known = arguments.get("text", arguments.get("prompt"))
    return str(known) if known is not None else f"({arguments.get('file') or 'the model speaks'})"
