"""A receiver of webhooks: an HTTP server of the standard library on a port of its own.

It verifies with the reference library of the Standard Webhooks specification, and answers as the
test says.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    path: str
    fields: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


Respond = Callable[[Request], int]


@dataclass
class Inbox:
    """What a receiver took, and how it answers; ``respond`` may block."""

    respond: Respond = lambda _request: 204
    heard: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0
    path: str = "/pec"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def answer(self, request: Request) -> int:
        with self.lock:
            self.heard.append(request)
        status = self.respond(request)
        if 200 <= status < 300:
            with self.lock:
                self.taken.append(request)
        return status

    def told(self) -> list[tuple[str, str | None]]:
        """Return the events that were taken, each with its message's id."""
        with self.lock:
            return [(one.event["event"], one.event["id"]) for one in self.taken]

    def numbers(self) -> list[int]:
        with self.lock:
            return [one.event["number"] for one in self.taken]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def receiving(inbox: Inbox, port: int = 0) -> Iterator[Inbox]:
    """Let a receiver listen, on a port that it had before if one is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = inbox.answer(Request(self.path, dict(self.headers), body))
            self.send_response(status)
            if status in (301, 307):
                self.send_header("Location", f"http://127.0.0.1:{inbox.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", port), Handler)
    inbox.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
