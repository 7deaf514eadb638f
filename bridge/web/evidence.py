"""The export of one message as a download: made on a thread, for it takes more than a moment."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, BinaryIO, cast

from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from bridge.clock import rfc3339
from bridge.config import Config
from bridge.language import say
from bridge.operations.control import OperationFailed
from bridge.operations.exporting import SPOOLED_BYTES, Exporter
from bridge.web.page import Look, PageRoutes
from bridge.web.sent import facts_of
from bridge.web.services import WebServices

LARGEST_HERE_BYTES = 8 * 1024**2
"""A larger message is exported by the command, which has a memory of its own."""

PIECE_BYTES = 64 * 1024
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Evidence:
    """Gives exports out, one at a time.

    Args:
        pages: makes the route.
        config: gives the settings, for the request as it was made.
    """

    def __init__(self, pages: PageRoutes, config: Callable[[], Config]) -> None:
        self._pages = pages
        self._config = config

    def routes(self) -> list[BaseRoute]:
        """Return its routes."""
        return [self._pages.member("/sent/{id}/evidence.zip", self._give)]

    async def _give(self, look: Look) -> Response:
        facts = await facts_of(look, look.request.path_params["id"])
        return await archive(look.services, self._config(), facts["id"])


async def _holds() -> None:
    """Whoever may begin may have the rest."""


async def archive(
    services: WebServices,
    config: Config,
    id: str,
    check: Callable[[], Awaitable[None]] = _holds,
) -> Response:
    """Return the evidence of a send as a download.

    Args:
        services: what is known of it, and whose turn it is: one is made at a time.
        config: for the request as it was made.
        id: the send's; whoever asks may see it.
        check: looks whether he still may, once it is made, and raises if not.

    Raises:
        OperationFailed: it is too large to be made here.
    """
    now = rfc3339(services.clock.now()) or ""
    temporary = tempfile.SpooledTemporaryFile(SPOOLED_BYTES)  # noqa: SIM115 - closed at its end
    spool = cast(BinaryIO, temporary)
    try:
        async with services.archiving:
            perform = _from_thread(services, asyncio.get_running_loop())
            exporter = Exporter(perform, config, now)
            await asyncio.to_thread(lambda: asyncio.run(exporter.send(spool, id)))
        await check()
    except BaseException:
        spool.close()
        raise
    return StreamingResponse(
        iterate_in_threadpool(_pieces(spool)),
        media_type="application/zip",
        headers={"Content-Disposition": attachment(f"pec-{id}.zip")},
    )


def attachment(name: str) -> str:
    """Return the header field of a download; nothing of ``name`` can end it."""
    return f'attachment; filename="{_UNSAFE.sub("-", name)}"'


def _from_thread(services: WebServices, loop: asyncio.AbstractEventLoop) -> Callable[..., Any]:
    async def perform(name: str, arguments: Mapping[str, Any]) -> Any:
        if arguments.get("at", 0) > LARGEST_HERE_BYTES:
            raise OperationFailed(
                say("This message is too large to be exported here; `pec-bridge export` does it.")
            )
        there = asyncio.run_coroutine_threadsafe(services.do(name, arguments), loop)
        return await asyncio.wrap_future(there)

    return perform


def _pieces(spool: BinaryIO) -> Iterator[bytes]:
    with spool:
        spool.seek(0)
        while piece := spool.read(PIECE_BYTES):
            yield piece
