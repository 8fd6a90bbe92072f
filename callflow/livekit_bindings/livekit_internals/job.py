"""The job, its server, and LiveKit's API: what is asked for, with what, and by whom it is told to end."""

from __future__ import annotations

import asyncio
import copy
import ssl
from collections.abc import Callable
from typing import Any, Literal, cast

import aiohttp
from livekit import api
from livekit.agents import NOT_GIVEN, AgentServer, JobContext
from livekit.agents.utils import http_context
from livekit.agents.voice.room_io import RoomInputOptions, RoomOptions, RoomOutputOptions

from callflow.livekit_bindings.livekit_internals import names


def without_failover(client: api.LiveKitAPI, service: Literal["sip", "egress"] = "sip") -> Any:
    """A service of this client, without repetition: on LiveKit Cloud a request that fails is sent again, up to three
    times, and the server does not know it again, so that one dial would call twice. Where the client has changed, a new
    one says the same in public, with the credentials of the environment."""
    theirs: Any = getattr(client, service)
    requests = names.REQUESTS.of(theirs)
    if names.FAILOVER.of(requests) is None:
        return getattr(api.LiveKitAPI(session=http_context.http_session(), failover=False), service)
    ours, silent = copy.copy(theirs), copy.copy(requests)
    names.FAILOVER.put(silent, False)
    names.REQUESTS.put(ours, silent)
    return ours


def own_api(ctx: JobContext) -> tuple[api.LiveKitAPI, aiohttp.ClientSession | None]:
    """A client as `ctx.api` is one, and its HTTP session, for whoever closes it: LiveKit closes the job's own while a call
    may still have to drop its line. Where `ctx.api` is somebody else's, a test's, that one."""
    if getattr(type(ctx), "api", None) is not JobContext.__dict__.get("api"):
        return ctx.api, None
    connector = aiohttp.TCPConnector(ssl=ssl_context())
    session = aiohttp.ClientSession(proxy=ctx.proc.http_proxy, connector=connector)
    return api.LiveKitAPI(session=session), session


def secret_of(ctx: JobContext) -> str | None:
    """The API secret of the job's server; None where the job has none, as with a token alone."""
    try:
        room = ctx.api.room
    except Exception:  # noqa: BLE001 - LiveKit's client says in several ways that it has no credentials
        return None
    return names.SECRET.of(room) or None


def ssl_context() -> ssl.SSLContext:
    """Whom LiveKit's own HTTP clients trust: the system's certificates, or certifi's where the system has none."""
    return cast("ssl.SSLContext", names.CERTIFICATES.of(http_context, ssl.create_default_context)())


def options_of(server: AgentServer, *, devmode: bool) -> dict[str, Any]:
    """What a server that is about to run runs with, by the names of AgentServer's parameters, and its `agent_name`:
    LiveKit's command line and environment variables have had their say. None for what is not found."""
    default = "dev_default" if devmode else "prod_default"  # an option that differs by mode has both
    found = {name: option.of(server) for name, option in names.SERVER_OPTIONS.items()}
    return {name: getattr(value, default, value) for name, value in found.items()}


def room_options_of(older: RoomInputOptions | RoomOutputOptions) -> RoomOptions:
    """RoomOptions from what LiveKit had before them, as its own session makes them."""
    pair = (older, NOT_GIVEN) if isinstance(older, RoomInputOptions) else (NOT_GIVEN, older)
    return cast("RoomOptions", names.OLDER_OPTIONS.of(RoomOptions, _as_by_default)(*pair))


def _as_by_default(*_older: object) -> RoomOptions:
    return RoomOptions()


def on_worker_request(ctx: JobContext, told: Callable[[str], None]) -> None:
    """Calls `told` with the reason as soon as the worker wants the job to end.

    LiveKit itself tells an entrypoint only after 15 s, by cancelling it. The request resolves a future of the job's
    process, which only the closure behind `ctx.shutdown` leads to.
    """
    cells = getattr(names.ON_SHUTDOWN.of(ctx), "__closure__", None) or ()
    behind = [cell.cell_contents for cell in cells]
    process = next((one for one in behind if hasattr(one, names.SHUTDOWN.name)), None)
    if process is None and not ctx.is_fake_job():  # a test's own context may lead to no process
        process = next(iter(behind), None)
    future = names.SHUTDOWN.of(process)
    if isinstance(future, asyncio.Future):
        future.add_done_callback(lambda done: _tell(done, told))


def _tell(done: asyncio.Future[Any], told: Callable[[str], None]) -> None:
    if done.cancelled():
        return
    info = done.result()
    reason = str(getattr(info, "reason", ""))
    if reason not in ("room disconnected", "job crashed") and not getattr(info, "user_initiated", False):
        told(reason)
