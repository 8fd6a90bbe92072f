"""What a flow does by itself, at once, and what it asks of others outside of the call."""

from __future__ import annotations

from callflow.core.expressions import ANY, INTEGER, TEXT, ListOf, Record
from callflow.core.occurs import Occurs
from callflow.core.verbs.verb import Argument, End, Verb, leg

VERBS = (
    Verb(
        "set",
        "Changes variables.",
        {
            "values": Argument(
                Record({}, open=True), "name: value", required=True, kind="template-map", role="variables"
            )
        },
        main="values",
        at_once=True,
        tells=True,
    ),
    Verb(
        "outcome",
        "Names the call's outcome; the first one stays.",
        {
            "name": Argument(
                TEXT,
                "The outcome.",
                required=True,
                role="outcome",
                shown="an outcome is a word that calls are counted by",
            )
        },
        main="name",
        at_once=True,
        tells=True,
    ),
    Verb(
        "emit",
        "Raises an event of the author's own, taken within this step.",
        {
            "event": Argument(TEXT, "`app.<name>`.", required=True, kind="name", role="event"),
            "data": Argument(Record({}, open=True), "Its payload.", None, kind="template-map", role="payload"),
        },
        main="event",
        at_once=True,
    ),
    Verb(
        "log",
        "Writes a line to the log and the journal.",
        {
            "message": Argument(TEXT, "The line.", required=True, role="line", words=True),
            "level": Argument(
                TEXT, "How serious.", "info", kind="plain", choices=("debug", "info", "warning", "error")
            ),
        },
        main="message",
        at_once=True,
    ),
    Verb(
        "tag",
        "Adds LiveKit tags to the session's report.",
        {"tags": Argument(ListOf(TEXT), "The tags.", required=True, shown="LiveKit sends tags with its own report")},
        main="tags",
        timeout=5.0,
        beside_the_line=True,
    ),
    Verb(
        "send_data",
        "A data packet to the room, or to one leg.",
        {
            "data": Argument(ANY, "Text, or anything that JSON can hold.", required=True, kind="expression"),
            "topic": Argument(TEXT, "The packet's topic.", ""),
            "to": leg(None, "One leg; everyone unless set.", "listener"),
        },
        main="data",
        timeout=5.0,
        repeatable=True,
        beside_the_line=True,
    ),
    Verb(
        "update_agent",
        "Another agent takes over, one that the program registered under this name.",
        {"agent": Argument(TEXT, "Its name.", required=True, kind="name", role="agent")},
        main="agent",
        timeout=25.0,
        needs=frozenset({"session"}),
        takes_over="for good",
        ends=(End(occurs=Occurs(needs=frozenset({"session"}))),),
    ),
    Verb(
        "http",
        "An HTTP request. Another status than `expect` says is a failure, and so is a redirect to another origin, a body of more than 1,000,000 bytes, sent or received, and an address of a cloud's metadata.",
        {
            "url": Argument(
                TEXT,
                "http or https, with a host that is written here or read from `env`; what is rendered behind it is encoded.",
                required=True,
                role="address",
            ),
            "method": Argument(
                TEXT, "", "GET", kind="plain", choices=("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
            ),
            "headers": Argument(Record({}, open=True), "Its headers.", None, kind="template-map", role="http_headers"),
            "json": Argument(ANY, "The body, as JSON.", None, kind="expression"),
            "expect": Argument(
                ListOf(INTEGER), "Which statuses are fine; any 2xx unless set.", None, kind="plain", role="statuses"
            ),
        },
        main="url",
        timeout=10.0,
        repeatable=True,
        result={"status": INTEGER, "body": ANY},
        beside_the_line=True,
        asks_outside=True,
        picture=lambda words: f"{words['method'] or 'GET'} {words['url']}",
    ),
    Verb(
        "python",
        "Calls what the program supplies under this name: a coroutine function on the event loop, any other in a thread.",
        {
            "name": Argument(TEXT, "Its name under `python:`.", required=True, kind="name", role="function"),
            "arguments": Argument(Record({}, open=True), "Its arguments.", None, kind="template-map", role="given"),
        },
        main="name",
        timeout=10.0,
        repeatable=True,
        beside_the_line=True,
        asks_outside=True,
        picture=lambda words: f"{words['name']}({words['arguments']})" if words["arguments"] else words["name"],
    ),
)
