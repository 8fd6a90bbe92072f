"""`callflow …` in this process: one of its own takes a second to begin, and is a matter of `tests/strangers/test_command_line.py`."""

from __future__ import annotations

import logging

from click.testing import CliRunner, Result

from callflow.cli import main


def command(*words: str) -> Result:
    """As at a terminal of 80 columns that is none. It quiets loggers as long as it runs."""
    loggers = [logging.getLogger(name) for name in ("livekit", "callflow")]
    levels = [logger.level for logger in loggers]
    try:
        return CliRunner(env={"COLUMNS": "80"}).invoke(main, words)
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
