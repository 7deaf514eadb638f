"""A receipt as a download: the message as IMAP shows it, a slice at a time.

Whoever may see the send may have its receipts: the caller has looked, and hands over what is known
of the send; a number that is none of it, or whose text is no longer here, is nothing.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from bridge.web.evidence import attachment
from bridge.web.page import Look, PageNotFound, PageRoutes
from bridge.web.sent import facts_of
from bridge.web.services import WebServices

EML = "message/rfc822"


def routes(pages: PageRoutes) -> list[BaseRoute]:
    """Return the route of the page's links."""
    return [pages.member("/sent/{id}/receipts/{number}", _give)]


async def _give(look: Look) -> Response:
    facts = await facts_of(look, look.request.path_params["id"])
    answer = receipt_message(look.services, facts, look.request.path_params["number"])
    if answer is None:
        raise PageNotFound
    return answer


def receipt_message(
    services: WebServices, facts: Mapping[str, Any], number: str
) -> Response | None:
    """Return a receipt as a download, None if it is not here.

    Args:
        services: what is known of it.
        facts: of its send (``export send``).
        number: as somebody wrote it.
    """
    for one in facts["receipts"]:
        if str(one["remote"]) == number and one["size_bytes"]:
            name = f"{facts['code'] or facts['id']}-{number}-{one['kind']}.eml"
            return StreamingResponse(
                _slices(services, facts["id"], one["remote"]),
                media_type=EML,
                headers={
                    "Content-Disposition": attachment(name),
                    "Content-Length": str(one["size_bytes"]),
                },
            )
    return None


async def _slices(services: WebServices, id: str, number: int) -> AsyncIterator[bytes]:
    at = 0
    while piece := base64.b64decode(
        await services.do("export receipt", {"id": id, "number": number, "at": at})
    ):
        at += len(piece)
        yield piece
