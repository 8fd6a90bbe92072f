"""Processes that the tests started, ended by their own ids."""

from __future__ import annotations

import subprocess
import time

import psutil


def stop(process: subprocess.Popen[bytes], *, within: float) -> int:
    """SIGTERM, SIGKILL after `within` seconds, and the same for the children it leaves behind. Its exit code."""
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    return process.returncode


def wait_until_gone(pid: int, *, within: float) -> None:
    """Until no process has this id. Raises AssertionError."""
    until = time.monotonic() + within
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > until:
                raise AssertionError(f"process {pid} is still there after {within} s: {process.cmdline()}")
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        return
