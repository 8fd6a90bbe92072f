"""A server on 127.0.0.1 that speaks as much of OpenAI's chat completions as LiveKit's inference asks for: what it says is given."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Says = Callable[[Mapping[str, Any]], Any]
"""What is said to a request: a text, a tool's `{name: arguments}`, or the status of a refusal."""


@contextmanager
def standing_in(says: Says) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Its address, and the requests that it has had."""
    asked: list[Mapping[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(request)
            said = says(request)
            if isinstance(said, int):
                self.send_error(said)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for delta, finish in _deltas(said):
                choice = {"index": 0, "delta": delta, "finish_reason": finish}
                chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", asked
        finally:
            server.shutdown()
            thread.join()


def _deltas(said: Any) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    if isinstance(said, str):
        middle = len(said) // 2
        yield {"role": "assistant", "content": said[:middle]}, None
        yield {"content": said[middle:]}, None
        yield {}, "stop"
        return
    for number, (name, arguments) in enumerate(said.items()):
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"index": number, "id": f"call_{number}", "type": "function", "function": function}
        yield {"tool_calls": [call]}, None
    yield {}, "tool_calls"
