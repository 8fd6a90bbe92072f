"""Who plays in a call that models play: the agent, the caller, and who judges it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from livekit.agents import inference, llm

from callflow.core.flow import Flow
from callflow.livekit_bindings.models import model
from callflow.testing.outside import OutsideLLM


@frozen
class Cast:
    """The models of a call. `aclose` ends them."""

    agent: OutsideLLM
    caller: OutsideLLM
    judge: OutsideLLM

    @classmethod
    def of(cls, flow: Flow, models: Mapping[str, Any]) -> Cast:
        """Those that a scenario names, or else its flow. Raises ValueError, in a sentence, where one is not named or cannot be had."""
        named = {**({"agent": flow.session["llm"]} if "llm" in flow.session else {}), **models}
        agent = named.get("agent")
        caller = named.get("caller", agent)
        if caller is None or agent is None:
            missing = "agent" if agent is None else "caller"
            raise ValueError(f"no model is named for the {missing}: write `models: {{{missing}: openai/gpt-4.1-mini}}`")
        judge = named.get("judge", caller)
        return cls(*(OutsideLLM(maker) for maker in map(_maker, (agent, caller, judge))))

    async def aclose(self) -> None:
        for one in (self.agent, self.caller, self.judge):
            await one.aclose()


def _maker(named: Any) -> Callable[[], llm.LLM[Any]]:
    """What makes a model. It is made once here, so that what is missing, a key say, is told before anybody calls.

    Raises ValueError.
    """

    def make() -> llm.LLM[Any]:
        made: llm.LLM[Any] = inference.LLM(named) if isinstance(named, str) else model("llm", named)
        return made

    try:
        make()
    except Exception as error:
        raise ValueError(f"{named if isinstance(named, str) else named['plugin']}: {error}") from error
    return make
