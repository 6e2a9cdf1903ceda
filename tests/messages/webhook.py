"""A real web server on loopback that answers as a test has scripted, and keeps what was posted to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """What was posted, and with which status to answer; `answers` are used up first."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    always: int = 200
    port: int = 0
    asked: list[str] = field(default_factory=list)  # the paths that were got


@contextmanager
def hooked() -> Iterator[Hook]:
    """Run a server for as long as the block lasts."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            if len(body := self.rfile.read(length)) < length:
                return  # whoever sent it died: there is nobody to answer
            status = hook.answers.pop(0) if hook.answers else hook.always
            if status < 300:
                hook.posts.append(json.loads(body or b"{}"))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            hook.asked.append(self.path)
            self.send_response(hook.answers.pop(0) if hook.answers else hook.always)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
