"""The flow is the only owner of the hang-up: whoever else tries to end the session, the room or the job is heard as an
event, and named in a warning.

LiveKit's own methods are wrapped on this call's instances alone, and restored when the call is over. That also lifts
the deadlocks: a function tool that awaits `session.aclose()` or `session.drain()` waits for itself; here both return
at once, and the flow ends the call.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from livekit import api
from livekit.agents import AgentSession, JobContext

from callflow.livekit_bindings import livekit_internals

logger = logging.getLogger("callflow")

OURS = (str(Path(__file__).parent.parent), asyncio.__path__[0])

Post = Callable[[str, Mapping[str, Any]], None]


OWNED = "another call runs in this job: one job is one call"


def is_owned(ctx: JobContext) -> bool:
    """Whether a call runs in this job."""
    return isinstance(getattr(vars(ctx).get("shutdown"), "__self__", None), Ownership)


class Ownership:
    """Holds LiveKit's own methods while the call runs: `session_aclose`, `session_drain`, `shutdown`."""

    def __init__(self, ctx: JobContext, session: AgentSession[Any], post: Post) -> None:
        self._ctx, self._session, self._post = ctx, session, post
        self.session_aclose = session.aclose
        self.session_drain = session.drain
        self.shutdown = ctx.shutdown
        self._wrapped: list[tuple[object, str]] = []

    def take(self) -> None:
        ctx, session = self._ctx, self._session
        self._wrap(ctx, "shutdown", self._job_shutdown)
        self._wrap(ctx, "delete_room", self._delete_room)
        self._wrap(session, "shutdown", self._session_shutdown)
        self._wrap(session, "aclose", self._session_aclose)
        self._wrap(session, "drain", self._session_drain)
        self._wrap(session, "emit", livekit_internals.isolated_emit(session))

    def give_back(self) -> None:
        for owner, name in self._wrapped:
            vars(owner).pop(name, None)
        self._wrapped.clear()

    def _wrap(self, owner: object, name: str, instead: Callable[..., Any]) -> None:
        setattr(owner, name, instead)
        self._wrapped.append((owner, name))

    def _job_shutdown(self, reason: str = "") -> None:
        self._heard("ctx.shutdown()", "job.shutdown", reason or "user requested")

    def _delete_room(self, room_name: str | None = None) -> asyncio.Future[api.DeleteRoomResponse]:
        self._heard("ctx.delete_room()", "job.shutdown", "ctx.delete_room")
        done: asyncio.Future[api.DeleteRoomResponse] = asyncio.get_running_loop().create_future()
        done.set_result(api.DeleteRoomResponse())
        return done

    def _session_shutdown(self, *, drain: bool = True) -> None:
        self._heard("session.shutdown()", "session.close", "user_initiated")

    async def _session_aclose(self) -> None:
        self._heard("session.aclose()", "session.close", "user_initiated")

    async def _session_drain(self) -> None:
        self._heard("session.drain()", "session.close", "user_initiated")

    def _heard(self, what: str, event: str, reason: str) -> None:
        logger.warning(
            "a flow owns this call's hang-up: %s became %s; let a state of the flow end the call instead",
            what,
            event,
            extra={"caller": caller()},
        )
        self._post(
            event, {"reason": reason} if event == "job.shutdown" else {"reason": reason, "error": "", "by": "program"}
        )


def caller() -> str:
    """Where, outside callflow, the code stands that brought us here: `file:line in function`."""
    frame = sys._getframe(1)  # noqa: SLF001 - the documented way to a frame
    while frame.f_back is not None and frame.f_code.co_filename.startswith(OURS):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
