"""The turns of the model in a session: taken from it for the flow's last words, and given back."""

from __future__ import annotations

from typing import Any

from livekit.agents import AgentSession

from callflow.livekit_bindings.livekit_internals import names

_QUIET = "_callflow_quiet"


def give_no_turns(session: AgentSession[Any]) -> None:
    """From now on the agent in charge answers nobody: no reply to what the caller has said or says now, none that was
    prepared while they spoke, none that a realtime model begins by itself. What is said is still heard, and is in the
    history. What is spoken on purpose, by `say` or `generate_reply`, is spoken."""
    activity = names.ACTIVITY.of(session)
    if activity is None:
        return
    names.CANCEL_PREEMPTIVE.of(activity, bool)()
    names.NO_NEW_TURNS.put(activity, True)  # as LiveKit does for the time of a handoff
    if _QUIET in vars(activity):
        return
    setattr(activity, _QUIET, True)
    on_end_of_turn = names.END_OF_TURN.of(activity)

    def heard(info: Any) -> Any:
        if not names.SKIP_REPLY.put(info, True):
            return on_end_of_turn(info)
        names.NO_NEW_TURNS.put(activity, False)  # or what was said would not be in the history
        try:
            return on_end_of_turn(info)
        finally:
            names.NO_NEW_TURNS.put(activity, True)

    names.END_OF_TURN.put(activity, heard)


def give_turns(session: AgentSession[Any]) -> None:
    """Takes that back."""
    activity = names.ACTIVITY.of(session)
    if activity is not None and vars(activity).pop(_QUIET, False):
        vars(activity).pop(names.END_OF_TURN.name, None)
        names.NO_NEW_TURNS.put(activity, False)
