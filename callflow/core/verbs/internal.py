"""What the step starts by itself; no author writes these in a list."""

from __future__ import annotations

from callflow.core.expressions import BOOLEAN, TEXT, Record
from callflow.core.occurs import Occurs
from callflow.core.verbs.verb import Argument, End, Verb

VERBS = (
    Verb(
        "task",
        "A LiveKit AgentTask, as a state's inside.",
        {
            "name": Argument(TEXT, "Its name.", required=True),
            "arguments": Argument(Record({}, open=True), "What it is built with."),
        },
        results=("task.completed", "task.failed"),
        success=("task.completed",),
        on_timeout="task.failed",
        on_error="task.failed",
        needs=frozenset({"session"}),
        value_alone=True,
        takes_over="while it runs",
        ends=(End(("result", "completed"), Occurs(needs=frozenset({"session"}))),),
    ),
    Verb(
        "close",
        "What a final state finds still open is closed as `hang_up` would, recorded as forced.",
        {"session": Argument(BOOLEAN, "Close the session."), "line": Argument(BOOLEAN, "Drop the line.")},
        timeout=30.0,
        tries=2,
        timeout_is_success=True,
        closes=frozenset({"speech", "session", "line"}),
        forced=True,
    ),
)
