"""Journals of calls that were: read, told, made again by a flow of today, and compared."""

from __future__ import annotations

from callflow.journal.reading import Reading, Recorded, read_journal
from callflow.journal.replaying import replay, replaying

__all__ = ["Reading", "Recorded", "read_journal", "replay", "replaying"]
