"""Archive: all that came and all that was submitted, also what no mailbox shows any more."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from bridge.operations.control import OperationFailed
from bridge.web.evidence import attachment
from bridge.web.page import Look, PageNotFound, PageRoutes
from bridge.web.words import ARCHIVE_KINDS, KEPT, RECEIPTS, STATES

FILTERS = ("text", "address", "code", "kind", "direction", "since", "until", "account", "before")


def routes(pages: PageRoutes) -> list[BaseRoute]:
    """Return its routes."""
    return [
        pages.member("/archive", _search),
        pages.member("/archive/{id}", _show),
        pages.member("/archive/{id}/message.eml", _give),
    ]


async def _search(look: Look) -> Response:
    asked = {name: look.asked(name) for name in FILTERS}
    fault = ""
    try:
        wanted = look.mine({name: value for name, value in asked.items() if value})
        found = await look.services.do("archive search", wanted)
    except OperationFailed as failure:
        found, fault = {"rows": [], "next": None}, look.say(failure.args[0])
    return look.render(
        "archive.html",
        200 if not fault else 400,
        rows=found["rows"],
        next=found["next"],
        asked=asked,
        is_filtered=any(value for name, value in asked.items() if name != "before"),
        accounts=await look.accounts(),
        kinds=ARCHIVE_KINDS,
        fault=fault,
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"receipts": {**RECEIPTS, **ARCHIVE_KINDS}, "states": {**STATES, **KEPT}}


async def _found(look: Look) -> Mapping[str, Any]:
    """Return what an id names, if it is the visitor's.

    Raises:
        PageNotFound: nothing, or another's.
    """
    id = look.request.path_params["id"]
    try:
        found = await look.services.do("archive show", look.mine({"what": id}))
    except OperationFailed:
        raise PageNotFound from None
    for one in found["entries"]:
        if one["id"] == id and look.me.may_see(one["account"]):
            entry: Mapping[str, Any] = one
            return entry
    raise PageNotFound


async def _show(look: Look) -> Response:
    return look.render("archived.html", one=await _found(look), **_words())


async def _give(look: Look) -> Response:
    one = await _found(look)
    if not one["size_bytes"]:
        raise PageNotFound
    return StreamingResponse(
        _slices(look, one["id"]),
        media_type="message/rfc822",
        headers={
            "Content-Disposition": attachment(f"{one['id']}.eml"),
            "Content-Length": str(one["size_bytes"]),
        },
    )


async def _slices(look: Look, id: str) -> AsyncIterator[bytes]:
    at = 0
    while piece := base64.b64decode(
        await look.services.do("archive text", look.mine({"id": id, "at": at}))
    ):
        at += len(piece)
        yield piece
