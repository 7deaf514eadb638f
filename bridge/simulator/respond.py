"""Turns what was decided into HTTP: JSON answers, and connections that fail on purpose.

In memory (``httpx.ASGITransport``) there is no connection to break, so a failure is raised as
the httpx exception that a broken connection would have caused. On a port the protocol class of
``server`` offers a way to abort the connection, and the failure is a real one.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.simulator.fault import Failure, FixedAnswer

TRANSPORT = "pec-bridge.transport"
"""Name of the ASGI extension that gives the connection's ``asyncio.Transport``."""

_RAISED: Mapping[Failure, Callable[[str], Exception]] = {
    Failure.CONNECT_ERROR: httpx.ConnectError,
    Failure.CONNECT_TIMEOUT: httpx.ConnectTimeout,
    Failure.WRITE_ERROR: httpx.WriteError,
    Failure.WRITE_TIMEOUT: httpx.WriteTimeout,
    Failure.RESET: httpx.ReadError,
    Failure.TIMEOUT: httpx.ReadTimeout,
    Failure.DISCONNECT: httpx.RemoteProtocolError,
    Failure.TRUNCATED: httpx.RemoteProtocolError,
}
_CLOSED = frozenset({Failure.DISCONNECT, Failure.TRUNCATED})
_SILENT = frozenset({Failure.CONNECT_TIMEOUT, Failure.WRITE_TIMEOUT, Failure.TIMEOUT})


def json_response(status: int, value: object) -> Response:
    """Return ``value`` as the API writes JSON: UTF-8 without escapes; NaN passes (hostile rows)."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(body.encode("utf-8", "replace"), status, media_type="application/json")


def answer_response(answer: FixedAnswer) -> Response:
    """Return the answer a rule asked for."""
    if isinstance(answer.body, bytes):
        return Response(answer.body, answer.status, dict(answer.headers))
    response = json_response(answer.status, answer.body)
    response.headers.update(answer.headers)
    return response


class FailingResponse(Response):
    """Not an answer but a failure of the connection, told in memory or done to the socket."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Fail; on a port return once the caller is gone.

        Raises:
            httpx.TransportError: in memory, the exception that ``Failure`` names.
        """
        transport: asyncio.Transport | None = scope.get("extensions", {}).get(TRANSPORT)
        if self.failure is Failure.TRUNCATED:
            await _begin_answer(send)
        if transport is None:
            raise _RAISED[self.failure](f"simulated {self.failure.value}")
        if self.failure in _CLOSED:
            transport.close()
        elif self.failure not in _SILENT:
            _reset(transport)
        await _gone(receive)


async def _begin_answer(send: Send) -> None:
    head = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    body = b'{"success":true,"mess'
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _reset(transport: asyncio.Transport) -> None:
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        no_lingering = struct.pack("ii", 1, 0)  # makes the kernel answer with RST
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_lingering)
    transport.abort()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
