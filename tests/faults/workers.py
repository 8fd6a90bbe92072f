# ruff: noqa: T201 - says how far it is
"""Random calls on all cores."""

from __future__ import annotations

import logging
import multiprocessing
import queue
import time
from pathlib import Path
from typing import Any

from tests.faults import scenario

FOUND = Path(".callflow/faults")
"""Where counter-examples are written."""

PATIENCE = 600
"""Seconds without news: to make a counter-example small takes minutes."""


def soak(seed: int, calls: int, workers: int) -> Path | None:
    """What a seed plays does not depend on which worker plays it, nor on how many there are."""
    spawn = multiprocessing.get_context("spawn")
    news: multiprocessing.Queue[Any] = spawn.Queue()
    shares = [calls // workers + (number < calls % workers) for number in range(workers)]
    processes = [
        spawn.Process(target=_work, args=(number, seed, share, workers, news), daemon=True)
        for number, share in enumerate(shares)
    ]
    for process in processes:
        process.start()
    began = said = time.monotonic()
    done = [0] * workers
    try:
        while sum(done) < calls:
            try:
                number, played, found = news.get(timeout=PATIENCE)
            except queue.Empty:
                raise SystemExit(f"no call for {PATIENCE} s: a process hangs, or was killed") from None
            if found is not None:
                return Path(found)
            done[number] = played
            now = time.monotonic()
            if now - said >= 10 or sum(done) == calls:
                said = now
                print(f"{sum(done)} calls in {now - began:.0f} s, {sum(done) / (now - began):.0f} a second", flush=True)
    finally:
        for process in processes:
            process.terminate()
            process.join()
    return None


def _work(number: int, seed: int, calls: int, workers: int, news: Any) -> None:
    """One process, with each `workers`-th seed. Tells its number, the calls played, a counter-example's file."""
    logging.disable(logging.CRITICAL)  # what the calls say of their broken worlds
    found = scenario.soak(seed + number, calls, FOUND, lambda done, at: news.put((number, done, None)), stride=workers)
    if found is not None:
        news.put((number, 0, str(found)))
