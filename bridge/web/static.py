"""The page's own files: style, script, icon. Read once; their addresses change with them.

A browser may keep them for as long as it likes, for another version has another address.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.language import say
from bridge.web.language import for_people

KINDS = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
KEPT = "public, max-age=31536000, immutable"


@cache
def _all() -> dict[str, bytes]:
    return {
        one.name: one.read_bytes()
        for one in files("bridge.web").joinpath("static").iterdir()
        if one.name[one.name.rfind(".") :] in KINDS
    }


@cache
def static_url(name: str) -> str:
    """Return the address of a file, with a mark of its content."""
    return f"/static/{name}?{hashlib.sha256(_all()[name]).hexdigest()[:12]}"


async def _answer(request: Request) -> Response:
    name = request.path_params["name"]
    content = _all().get(name)
    if content is None:
        return for_people(request, say("There is no such file."), 404)
    kind = KINDS[name[name.rfind(".") :]]
    return Response(content, media_type=kind, headers={"Cache-Control": KEPT})


ROUTE = Route("/static/{name}", _answer)
