"""A raw IMAP client that costs little: whole responses read by length, nothing parsed twice."""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Callable, Iterable

USER, PASSWORD = "azienda@pec.example", "made-up"
TIMEOUT_S = 300.0

_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")

OnLine = Callable[[bytes], None]


class Refused(Exception):
    """The command was answered NO or BAD."""


class Client:
    """One connection, logged in."""

    def __init__(self, port: int, user: str = USER) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb", 1 << 20)
        self._number = 0
        self._file.readline()
        self.command(f'LOGIN "{user}" "{PASSWORD}"')

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self.socket.close()

    def response(self) -> bytes:
        """Return one response with its literals."""
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server hung up")
        whole = line
        while (literal := _LITERAL.search(line)) is not None:
            whole += self._file.read(int(literal[1]))
            line = self._file.readline()
            whole += line
        return whole

    def begin(self, command: str) -> bytes:
        """Send a command and return its tag."""
        self._number += 1
        tag = b"a%d" % self._number
        self.socket.sendall(tag + b" " + command.encode() + b"\r\n")
        return tag

    def finish(self, tag: bytes, on_line: OnLine | None = None) -> bytes:
        """Read up to the tagged reply and return its text."""
        start = tag + b" "
        while not (response := self.response()).startswith(start):
            if on_line is not None:
                on_line(response)
        if not response.startswith(start + b"OK"):
            raise Refused(response.decode(errors="replace"))
        return response

    def command(self, command: str, on_line: OnLine | None = None) -> bytes:
        """Give a command and wait for its end."""
        return self.finish(self.begin(command), on_line)

    def append(self, mailbox: str, message: bytes) -> None:
        """Append one message and wait until it is kept."""
        self.finish(self.begin_append(mailbox, message))

    def begin_append(self, mailbox: str, message: bytes) -> bytes:
        """Send an APPEND and return its tag."""
        self._number += 1
        tag = b"a%d" % self._number
        self.socket.sendall(
            b"%b APPEND %b {%d+}\r\n%b\r\n" % (tag, mailbox.encode(), len(message), message)
        )
        return tag

    def append_all(self, mailbox: str, messages: Iterable[bytes], window: int = 50) -> None:
        """Append many, ``window`` of them under way at once."""
        tags: list[bytes] = []
        for message in messages:
            tags.append(self.begin_append(mailbox, message))
            if len(tags) >= window:
                self.finish(tags.pop(0))
        for tag in tags:
            self.finish(tag)

    def wait_for(self, what: bytes, timeout_s: float) -> float:
        """Return when an untagged response with ``what`` in it came."""
        deadline = time.perf_counter() + timeout_s
        while True:
            left = deadline - time.perf_counter()
            if not select.select([self.socket], [], [], max(left, 0))[0]:
                raise TimeoutError(f"no {what.decode()} within {timeout_s:g} s")
            if what in self.response():
                return time.perf_counter()
