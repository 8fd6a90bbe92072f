"""The agent's own connection to the room, which LiveKit makes anew when its network was gone: how long that may take.

LiveKit's client notices after some 15 s that its network is gone, and then tries for minutes, or never comes back; now
and then it says that it is back while the transport of what it publishes is not. The caller hears nothing meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from attrs import define, field
from livekit import rtc

logger = logging.getLogger("callflow")

LOOK_SECONDS = 0.5
ASK_SECONDS = 2.0
"""Between two looks at the transport of a client that says it is back, and what one look may take."""

_CARRIES = frozenset({"ICE_TRANSPORT_CONNECTED", "ICE_TRANSPORT_COMPLETED"})


@define(eq=False)
class Connection:
    """`limit` is in seconds, None for no limit. `lost` is called once, when that is up; from then on it is `given_up`,
    whatever the client says. `back` is called each time that it stands again."""

    room: rtc.Room
    limit: float | None
    lost: Callable[[], None]
    back: Callable[[], None]
    away: bool = False
    given_up: bool = False
    _deadline: asyncio.TimerHandle | None = None
    _looking: asyncio.Task[None] | None = field(default=None, repr=False)

    def reconnecting(self) -> None:
        """It is gone; said again while it is, the time runs on."""
        self.away = True
        self._stop_looking()
        if self._deadline is None and self.limit is not None and not self.given_up:
            self._deadline = asyncio.get_running_loop().call_later(self.limit, self._out_of_time)

    def reconnected(self) -> None:
        """The client says that it is back: so it is once its transport carries what it publishes."""
        if self.away and self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="callflow connection")

    def close(self) -> None:
        """It is gone for good, or nobody needs it any more."""
        self.away = False
        self._stop_looking()
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    async def _look(self) -> None:
        while True:
            if await carries(self.room):
                break
            await asyncio.sleep(LOOK_SECONDS)
        self._looking = None
        self.close()
        self.back()

    def _out_of_time(self) -> None:
        self.close()
        self.given_up = True
        logger.error("the agent's own connection did not come back in time", extra={"seconds": self.limit})
        self.lost()

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None


async def carries(room: rtc.Room) -> bool:
    """Whether what the agent publishes can reach the server, as far as the client tells; one that does not tell is
    believed, one that does not answer is not."""
    try:
        stats = await asyncio.wait_for(room.get_rtc_stats(), ASK_SECONDS)
    except TimeoutError:
        return False
    except Exception:  # noqa: BLE001 - a room that has no such thing to tell, or is gone: then it says so itself
        return True
    return all(_ice_state(one) in _CARRIES for one in stats.publisher_stats if one.WhichOneof("stats") == "transport")


def _ice_state(stats: Any) -> str:
    """By its name: the numbers are LiveKit's own, in a module that it does not export."""
    transport = stats.transport.transport
    states = transport.DESCRIPTOR.fields_by_name["ice_state"].enum_type.values_by_number
    return str(states[transport.ice_state].name)
