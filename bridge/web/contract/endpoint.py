"""What an endpoint is: a method, a path, what it takes and gives, and what may go wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from bridge.web.contract.keys import Caller
from bridge.web.problem import API_PATH, ProblemKind

BASE = f"{API_PATH}/v1"


class ApiAccess(Enum):
    """Who may ask."""

    ANYBODY = "anybody"
    READ = "any key"
    WRITE = "a key that may write"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: who asks, what the path names, the query and the body.

    ``caller`` is None where anybody may ask, ``query`` and ``body`` where there are none.
    """

    request: Request
    caller: Caller | None
    names: Mapping[str, str]
    query: Any = None
    body: Any = None

    @property
    def me(self) -> Caller:
        """Who asks, where not anybody may."""
        assert self.caller is not None  # noqa: S101 - see ``dispatch``
        return self.caller


Handler = Callable[[Call], Awaitable[dict[str, Any] | Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """See the module.

    ``path`` stands behind ``BASE``; ``{x}`` in it is one segment. ``about`` is a sentence, ``name``
    what generated clients call it. ``query``, ``body`` and ``answer`` are of ``shapes``; ``media``
    is what an answer is.
    """

    method: str
    path: str
    name: str
    about: str
    handler: Handler
    access: ApiAccess = ApiAccess.READ
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    media: str = "application/json"
    problems: tuple[ProblemKind, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What each ``{x}`` is."""

    def names_in(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return what a path's segments name; None if the path is another's."""
        wanted = tuple(f"{BASE}{self.path}".split("/")[1:])
        if len(wanted) != len(segments):
            return None
        names = {}
        for want, given in zip(wanted, segments, strict=True):
            if want.startswith("{") and given:
                names[want[1:-1]] = given
            elif want != given:
                return None
        return names


def segments_of(request: Request) -> tuple[str, ...]:
    """Return a path's segments, each decoded by itself: a name may hold a slash.

    Raises:
        UnicodeDecodeError: it is no UTF-8.
    """
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return tuple(unquote_to_bytes(one).decode() for one in raw.split(b"/")[1:])
