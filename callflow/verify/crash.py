"""What becomes of a line whose agent has died."""

from __future__ import annotations

from collections.abc import Iterator

from callflow.core.flow import Flow
from callflow.errors import Defect
from callflow.verify.places import warning


def nobody_resumes(flow: Flow) -> Iterator[Defect]:
    """A flow does not count on another process to take a call over."""
    if flow.on_crash == "resume":
        yield warning(
            "nobody-resumes", "no other process takes a call over yet: a call whose process dies is over", flow.root.position,
            "take `on_crash: resume` out; `callflow.guard(server)` drops the line of such a call",
        )  # fmt: skip
