"""`make servers`: build what the end-to-end tests need, or say why it cannot be had."""

from __future__ import annotations

from tests.e2e.servers import Missing, livekit_server

try:
    print(f"livekit-server: {livekit_server()}")
except Missing as missing:
    print(f"end-to-end tests will be skipped: {missing}")
