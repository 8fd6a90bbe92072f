"""One call, live: a task, an inbox, a snapshot; effects in tasks that the call owns; a journal and a record."""

from __future__ import annotations

from callflow.runtime.call import Call, current_call
from callflow.runtime.record import CallRecord

__all__ = ["Call", "CallRecord", "current_call"]
