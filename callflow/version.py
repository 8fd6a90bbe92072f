"""Which callflow this is. Imports nothing, so that every part may say it."""

from __future__ import annotations

__version__ = "0.1.0"
