"""Real calls: a livekit-server, a worker, and callers, in a network namespace of their own.

Where those cannot be had the tests are skipped, with one line that says what is missing and how to get it.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.e2e import namespace, servers

HERE = Path(__file__).parent
MISSING = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    # Not as a shell leaves it in the background, where all that the tests start would inherit that it is ignored.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        servers.livekit_server()  # before the network is gone
        namespace.enter()
    except servers.Missing as missing:
        config.stash[MISSING] = str(missing)
    # Not before: numpy, and so whatever imports LiveKit, starts threads, and a process with threads cannot enter.
    config.pluginmanager.import_plugin("tests.e2e.fixtures")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = config.stash.get(MISSING, None)
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if missing := config.stash.get(MISSING, None):
        terminalreporter.write_line(f"end-to-end tests skipped: {missing}")


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item):
    return {"real": asyncio.new_event_loop}
