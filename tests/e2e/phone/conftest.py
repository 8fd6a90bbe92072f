"""The telephone networks, one after the other: a test that takes `network` runs on each.

No LiveKit is imported before a fixture is used: see `tests/e2e/conftest.py`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.e2e import servers

if TYPE_CHECKING:
    from tests.e2e.phone.network import Network

NETWORKS = ("stand_in", "real")
"""`network_<name>.running(request)`, a context manager that yields a `Network`, and where it has one `own(request)`, which
yields one that may be killed; they raise `servers.Missing` where they cannot."""


@pytest.fixture(scope="session", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """A telephone network that is up, the same one for all tests of this process."""
    try:
        module = importlib.import_module(f"tests.e2e.phone.network_{request.param}")
        with module.running(request) as network:
            yield network
    except servers.Missing as missing:
        pytest.skip(f"no {request.param} telephone network: {missing}")


@pytest.fixture(params=NETWORKS)
def own_network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """A telephone network of this test's own, whose bridge it may kill."""
    try:
        module = importlib.import_module(f"tests.e2e.phone.network_{request.param}")
        if not hasattr(module, "own"):
            pytest.skip(f"the {request.param} telephone network is everybody's")
        with module.own(request) as network:
            yield network
    except servers.Missing as missing:
        pytest.skip(f"no {request.param} telephone network of one's own: {missing}")
