"""What the neighbours of a test make of its seconds."""

from __future__ import annotations

import os

CROWDED = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1

AT_ONCE = 1.0 if CROWDED else 0.4
"""Seconds from the last sound that somebody hears to the end of the line: 0.2 s that it may travel, and what both sides
take. Beside other tests that is more; still less than anything that comes after it: a wrap-up and a hook of 2 s each."""
