"""Every scenario on real servers: side by side, then, one after the other, those that need the machine to themselves.

What a scenario may take is stated in seconds of a real clock, on which its neighbours weigh, and on a shared machine also
what others do there. One that fails beside others is judged again by itself, and named; if there are more than `A_FEW` of
them it was not the neighbours. Of those that had the machine to themselves one is judged again.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest

A_FEW = 3


def run_pytest(*arguments: str, cache: str) -> int:
    """Returns pytest's exit code. In a process of its own: LiveKit's library may abort as its process ends.

    It is interrupted once, by us and not by the terminal too, so that it comes to end what its tests have started.
    """
    command = [sys.executable, "-m", "pytest", "--durations=10", "-o", f"cache_dir={cache}", *arguments]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        sys.exit(130)


def failed_in(cache: str) -> list[str]:
    """The tests that failed when `cache` was pytest's."""
    path = Path(cache, "v/cache/lastfailed")
    return sorted(json.loads(path.read_text())) if path.exists() else []


@click.command()
@click.argument("folder", type=click.Path(exists=True), default="tests/e2e")
@click.option("--at-once", default=3, help="How many run side by side: calls mostly wait.")
def main(folder: str, at_once: int) -> None:
    beside = judge(folder, "not alone", at_once, forgives=A_FEW)
    alone = judge(folder, "alone", 1, forgives=1)
    sys.exit(beside or (0 if alone == pytest.ExitCode.NO_TESTS_COLLECTED else alone))


def judge(folder: str, marks: str, at_once: int, *, forgives: int) -> int:
    """Runs the scenarios with these marks, and once more, by themselves, those that failed where they are no more than
    `forgives`. Returns pytest's exit code."""
    with tempfile.TemporaryDirectory() as cache:
        code = run_pytest(folder, "-m", marks, "-n", str(at_once), cache=cache)
        failed = failed_in(cache)
        if code == pytest.ExitCode.TESTS_FAILED and 0 < len(failed) <= forgives:
            code = run_pytest(*failed, "-n", "1", cache=cache)
            once = "alone" if marks == "alone" else "beside others"
            click.echo("\n".join([f"failed {once}, {'failed' if code else 'passed'} by themselves:", *failed]))
        return code


if __name__ == "__main__":
    # A shell has what it starts in the background ignore SIGINT, and with it all that this starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    main()
