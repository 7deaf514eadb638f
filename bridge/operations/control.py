"""How the command line talks to a running bridge: JSON lines over a local socket.

A Unix domain socket (0600) under ``data_dir``; where there is none (Windows, a path too long for
one), a loopback port whose number and password stand in a 0600 file there. Whoever can read
``data_dir`` may do anything anyway, so nothing else is checked. Anybody on this machine reaches the
port: who is there has to say the password first, and until then little is read of him, he has
little time, and he makes room for others.

One exchange per connection: on the port a line with the password, then
``{"do": "queue cancel", "with": {"id": "…"}}``, then any number of
``{"progress": {"done": 3, "total": 10}}``, then ``{"result": …}`` or ``{"failed": "a sentence"}``.

Failure: ``NotRunning`` when nobody answers, ``OperationFailed`` with the daemon's sentence.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import structlog

from bridge.language import say
from bridge.limits import CONTROL_PASSWORD_S, CONTROL_STRANGERS

SOCKET_NAME = "control.sock"
PORT_NAME = "control.port"
LINE_LIMIT_BYTES = 64 * 1024**2
PIECE_BYTES = 64 * 1024
"""What is read of a request at a time, and of who has not said the password at all."""

UNIX_PATH_LIMIT_BYTES = 100

Progress = Callable[[int, int], None]
"""Is told (done, total) while an operation goes on."""

Perform = Callable[[str, Mapping[str, Any], Progress], Awaitable[Any]]
"""Carries out one operation by name and returns what JSON can say."""

log = structlog.get_logger()


class NotRunning(Exception):
    """No bridge answers for this ``data_dir``."""


class OperationFailed(Exception):
    """The operation was not carried out; the text is a sentence for a person.

    ``cause`` is what kept it: what was asked for (``refused``), the ``store``, or the ``service``
    that was asked for it.
    """

    def __init__(
        self, sentence: str, cause: Literal["refused", "store", "service"] = "refused"
    ) -> None:
        super().__init__(sentence)
        self.cause = cause


class ControlServer:
    """Answers the command line on behalf of a running bridge."""

    def __init__(self, data_dir: Path, perform: Perform) -> None:
        self._data_dir = data_dir
        self._perform = perform
        self._password = ""
        self._server: asyncio.Server | None = None
        self._exchanges: set[asyncio.Task[None]] = set()
        self._strangers: dict[asyncio.StreamReader, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Listen; the caller holds the lock of ``data_dir``, so leftovers are stale."""
        path = self._data_dir / SOCKET_NAME
        path.unlink(missing_ok=True)
        (self._data_dir / PORT_NAME).unlink(missing_ok=True)
        if sys.platform != "win32" and _fits(path):
            old_mask = os.umask(0o177)
            try:
                self._server = await asyncio.start_unix_server(
                    self._accept, path, limit=PIECE_BYTES
                )
            finally:
                os.umask(old_mask)
            return
        self._password = secrets.token_urlsafe()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=PIECE_BYTES)
        port = self._server.sockets[0].getsockname()[1]
        file = os.open(self._data_dir / PORT_NAME, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(file, "w") as stream:
            json.dump([port, self._password], stream)

    async def stop(self) -> None:
        """Stop listening and drop what is under way."""
        if self._server is None:
            return
        self._server.close()
        for exchange in self._exchanges:
            exchange.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)
        await self._server.wait_closed()
        (self._data_dir / SOCKET_NAME).unlink(missing_ok=True)
        (self._data_dir / PORT_NAME).unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._exchange(reader, writer))
        self._exchanges.add(task)
        task.add_done_callback(self._exchanges.discard)
        if self._password:
            self._strangers[reader] = task
            if len(self._strangers) > CONTROL_STRANGERS:
                self._strangers.pop(next(iter(self._strangers))).cancel()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._password and not await self._is_known(reader):
                return
            request = json.loads(await _line(reader))
            _say(writer, await self._answer(request, writer))
            await writer.drain()
        except (OSError, ValueError, AttributeError, RecursionError) as error:  # also TimeoutError
            log.info("control_connection_dropped", reason=type(error).__name__)
        finally:
            self._strangers.pop(reader, None)
            writer.close()

    async def _is_known(self, reader: asyncio.StreamReader) -> bool:
        async with asyncio.timeout(CONTROL_PASSWORD_S):
            said = await reader.readline()
        self._strangers.pop(reader, None)
        return hmac.compare_digest(said.rstrip(b"\n"), self._password.encode())

    async def _answer(
        self, request: Mapping[str, Any], writer: asyncio.StreamWriter
    ) -> dict[str, Any]:
        def progress(done: int, total: int) -> None:
            _say(writer, {"progress": {"done": done, "total": total}})

        name = str(request.get("do"))
        try:
            return {"result": await self._perform(name, request.get("with") or {}, progress)}
        except OperationFailed as failure:
            return {"failed": str(failure)}
        except Exception:
            log.exception("control_operation_failed", operation=name)
            return {"failed": say("The bridge could not do that; its log says why.")}


async def ask(
    data_dir: Path,
    name: str,
    arguments: Mapping[str, Any],
    progress: Progress | None = None,
    *,
    within_s: float | None = None,
) -> Any:
    """Have the bridge that runs on ``data_dir`` carry out an operation; return its result.

    Args:
        data_dir: the folder whose bridge is asked.
        name: the operation, as the command line writes it (``queue show``).
        arguments: what JSON can say.
        progress: called with what is done and how much there is, where that takes long.
        within_s: how long it may take; None for as long as it does.

    Raises:
        NotRunning: nobody answers.
        OperationFailed: it was not carried out, or not known to be in time.
    """
    try:
        async with asyncio.timeout(within_s):
            return await _ask(data_dir, name, arguments, progress)
    except TimeoutError:
        raise OperationFailed(
            say(
                "The bridge on {data_dir} runs but did not answer within {seconds} s; "
                "its log may say why. Start it again if that lasts.",
                data_dir=data_dir,
                seconds=f"{within_s:g}",
            )
        ) from None


async def _ask(
    data_dir: Path, name: str, arguments: Mapping[str, Any], progress: Progress | None
) -> Any:
    reader, writer, password = await _connect(data_dir)
    try:
        if password:
            writer.write(password.encode() + b"\n")
        _say(writer, {"do": name, "with": dict(arguments)})
        await writer.drain()
        while line := await reader.readline():
            message = json.loads(line)
            if "result" in message:
                return message["result"]
            if "failed" in message:
                raise OperationFailed(message["failed"])
            if progress is not None:
                progress(message["progress"]["done"], message["progress"]["total"])
    except ConnectionError:
        pass
    finally:
        writer.close()
    raise OperationFailed(say("The bridge stopped before it answered."))


async def _connect(
    data_dir: Path,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    path = data_dir / SOCKET_NAME
    try:
        if sys.platform != "win32" and _fits(path) and path.exists():
            streams = await asyncio.open_unix_connection(path, limit=LINE_LIMIT_BYTES)
            return (*streams, "")
        port, password = json.loads((data_dir / PORT_NAME).read_text())
        streams = await asyncio.open_connection("127.0.0.1", port, limit=LINE_LIMIT_BYTES)
        return (*streams, password)
    except PermissionError:
        raise OperationFailed(
            say(
                "You may not talk to the bridge on {data_dir}; run this as its user.",
                data_dir=data_dir,
            )
        ) from None
    except (OSError, ValueError):
        raise NotRunning(f"no bridge is running on {data_dir}") from None


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Read a request.

    Raises:
        ValueError: it is too long.
    """
    line = bytearray()
    while piece := await reader.read(PIECE_BYTES):
        line += piece
        if piece.endswith(b"\n"):
            break
        if len(line) > LINE_LIMIT_BYTES:
            raise ValueError("a request is too long")
    return bytes(line)


def _say(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= UNIX_PATH_LIMIT_BYTES
