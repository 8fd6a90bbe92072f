"""The AgentServer of `callflow run`, which says what it runs, where, and for how long."""

from __future__ import annotations

import errno
import logging
import math
from typing import Any
from urllib.parse import urlsplit

from livekit.agents import AgentServer
from livekit.agents import __version__ as agents_version

from callflow import __version__
from callflow.core.durations import format_duration
from callflow.core.flow import Flow
from callflow.flowfile import load
from callflow.livekit_bindings import livekit_internals
from callflow.proof.kept import kept
from callflow.runtime.shutdown import worker_seconds

logger = logging.getLogger("callflow")

PORT_IN_USE = (
    "the port {port} of the health check is in use, maybe by another server on this machine: say --port with another one,"
    " or --port 0 for any that is free"
)


class FlowServer(AgentServer):
    """A server for the flow in `file`. Its `run` raises SystemExit, having said why, where its port is in use."""

    def __init__(self, file: str, **options: Any) -> None:
        super().__init__(**options)
        self.flow_file = file

    async def run(self, *, devmode: bool = False, unregistered: bool = False) -> None:
        flow = load(self.flow_file)
        options = livekit_internals.options_of(self, devmode=devmode)
        logger.info("%s", announcement(flow, options, devmode=devmode, unregistered=unregistered))
        logger.info("%s", proved_of(flow))
        if not (devmode or unregistered) and (warning := cut_short(flow, options)):
            logger.warning("%s", warning)
        try:
            await super().run(devmode=devmode, unregistered=unregistered)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            logger.error("%s", PORT_IN_USE.format(port=options["port"]))  # noqa: TRY400 - no traceback says more
            raise SystemExit(1) from None


def announcement(flow: Flow, options: dict[str, Any], *, devmode: bool, unregistered: bool) -> str:
    """One sentence on what is started: the flow and its version, the agent's name, which LiveKit, and the timeouts.
    `options` are as `livekit_internals.options_of` has them: what is None is not known, and not said."""
    parts = [f"callflow {__version__} runs {flow.name} ({flow.file}, digest {flow.digest})"]
    name, url = options["agent_name"], options["ws_url"]
    if not unregistered and name is not None:
        parts.append(f"as the agent {name}" if name else "as an agent without a name, which takes any call")
    parts.append(f"on LiveKit{'' if url is None else f' at {host_of(url)}'} with livekit-agents {agents_version}")
    return f"{', '.join(parts)}: {'; '.join(_settings(options, devmode, unregistered)) or 'its settings are not known'}"


def _settings(options: dict[str, Any], devmode: bool, unregistered: bool) -> list[str]:
    """What is known of how long calls and their processes have, and how many there are."""
    said = []
    drained, killed_after, load = (
        options[name] for name in ("drain_timeout", "shutdown_process_timeout", "load_threshold")
    )
    if not unregistered and (devmode or drained is not None):
        said.append("calls are not drained" if devmode else f"calls are drained for {format_duration(drained)}")
    if killed_after is not None:
        ends, killed = format_duration(worker_seconds(killed_after)), format_duration(killed_after)
        said.append(f"a call that is told to end has {ends}, its process {killed}")
    if not unregistered and load is not None:
        said.append("any load is taken" if math.isinf(load) else f"no call is taken from a load of {load:g} on")
    if (idle := options["num_idle_processes"]) is not None:
        said.append(f"{idle} idle processes")
    if (port := options["port"]) is not None:
        said.append(f"health check on {'any free port' if port == 0 else f'port {port}'}")
    return said


def proved_of(flow: Flow) -> str:
    """One sentence on what is proved of a flow: what `callflow check` has kept. Nothing is proved here, where calls are taken."""
    known = max(kept(flow), key=lambda one: (one.finished, one.budget), default=None)
    if known is None:
        return f"nothing is proved of this version of {flow.name}: `callflow check {flow.file}` follows every call that can be"
    every = "every" if known.finished else "not every"
    done = f"{every} call of {flow.name} was followed ({known.situations:,} situations, {known.steps:,} steps)"
    found, doubted = (
        ", ".join(dict.fromkeys(one.code for one in each))
        for each in ([told.defect for told in known.told], known.doubts)
    )
    more = [f"not proved is {doubted}"] if doubted else []
    more += [f"`callflow check {flow.file}` tells it"] if found or doubted else []
    more += [] if known.finished else [f"`callflow check --deep {flow.file}` goes on"]
    return "; ".join([f"{done}, and {found or 'nothing'} was found", *more])


def cut_short(flow: Flow, options: dict[str, Any]) -> str | None:
    """The warning that a deploy may end calls that the flow would let go on."""
    longest, drained = flow.limits.call, options["drain_timeout"]
    if not drained or (longest is not None and longest <= drained):
        return None
    lasts = "as long as they like" if longest is None else f"{format_duration(longest)} (limits.call)"
    return f"calls may last {lasts}, and a server that is told to stop ends them after {format_duration(drained)} (--drain-timeout)"


def host_of(url: str) -> str:
    """An address's host, and its port where it has one: what else may stand in it is nobody's business."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
        return f"{parts.hostname}{port}" if parts.hostname else "no address"
    except ValueError:
        return "an address that cannot be read"
