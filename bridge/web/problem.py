"""Errors as programs read them: ``application/problem+json`` (RFC 9457), each of a kind that stays.

Whatever answers under ``/api`` says what is wrong in this form, the guard and the router too; pages
say it as text. The kinds are a table that docs/erp.md and the OpenAPI description are made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bridge.language import LanguageSetting, Sentence, rendered, say
from bridge.web.language import for_people

API_PATH = "/api"
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:pec-bridge:problem:"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of error: the last part of its ``type``, the HTTP status, and what it means."""

    name: str
    status: int
    meaning: Sentence


class ProblemKind(Enum):
    """All kinds."""

    BAD_REQUEST = ProblemType(
        "bad-request",
        400,
        say("the request cannot be read as it is; `errors` names what is wrong with it"),
    )
    UNAUTHORIZED = ProblemType(
        "unauthorized", 401, say("there is no key, or it is none of this bridge, or it was revoked")
    )
    CLEAR = ProblemType(
        "in-clear",
        403,
        say(
            "a key came over the network without TLS and was not looked at: revoke "
            "it, and use `https`"
        ),
    )
    READ_ONLY = ProblemType("read-only", 403, say("the key may look and not decide"))
    FOREIGN = ProblemType("foreign-origin", 403, say("a browser sent this for another site's page"))
    NOT_FOUND = ProblemType("not-found", 404, say("there is no such path"))
    UNKNOWN_SEND = ProblemType("unknown-send", 404, say("nothing of this account has that name"))
    UNKNOWN_RECEIPT = ProblemType(
        "unknown-receipt", 404, say("the message has no receipt of that number whose text is here")
    )
    METHOD = ProblemType(
        "method-not-allowed",
        405,
        say("the path does not know the method; `Allow` lists those it knows"),
    )
    TOO_SLOW = ProblemType("too-slow", 408, say("the request did not come to its end in time"))
    AMBIGUOUS = ProblemType(
        "ambiguous-name",
        409,
        say(
            "several messages have that name; `candidates` lists the first ones, each with its `id`"
        ),
    )
    CHANGED = ProblemType(
        "state-changed",
        409,
        say(
            "the message has gone on since the `version` that was decided on: "
            "nothing was done, and `send` is how it is"
        ),
    )
    NOT_POSSIBLE = ProblemType(
        "not-possible",
        409,
        say(
            "this cannot be done, and nothing was: `detail` says why; of a "
            "decision, `send` is how the message is"
        ),
    )
    POSITION = ProblemType(
        "unknown-position",
        409,
        say(
            "there is no event of that number: the data is another, or a backup "
            "that was put back; begin anew with `after=0`"
        ),
    )
    TOO_LONG = ProblemType("body-too-long", 413, say("the body is longer than is read"))
    MEDIA = ProblemType("unsupported-media-type", 415, say("the body is not `application/json`"))
    HOST = ProblemType("wrong-host", 421, say("the name in `Host` is none of this bridge's"))
    TOO_MANY_WAITS = ProblemType(
        "too-many-waits",
        429,
        say(
            "so many requests wait already, with this key or with all; "
            "`Retry-After` says when to come again"
        ),
    )
    FAILED = ProblemType("failed", 500, say("the bridge could not do it; its log says why"))
    SERVICE = ProblemType(
        "service-failed", 502, say("the PEC service was asked, and its answer was no help")
    )
    STORE = ProblemType(
        "store-failed", 503, say("the bridge cannot read or keep anything at the moment")
    )
    STARTING = ProblemType("starting", 503, say("the bridge is starting; come again"))

    @property
    def uri(self) -> str:
        """What stands in ``type``."""
        return f"{TYPE_PREFIX}{self.value.name}"


@dataclass(slots=True)
class ProblemFound(Exception):
    """Something is wrong; becomes the answer.

    ``detail`` is a sentence, ``more`` are members beside the standard ones.
    """

    kind: ProblemKind
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self, language: LanguageSetting) -> Response:
        """Return it as an answer, what operations say in the language of the settings."""
        body = {
            "type": self.kind.uri,
            "title": rendered(self.kind.value.meaning, language),
            "status": self.kind.value.status,
            "detail": rendered(self.detail, language),
            **rendered(self.more, language),
        }
        content = json.dumps(body).encode()
        return Response(content, body["status"], self.headers, MEDIA_TYPE)


def is_for_programs(path: str) -> bool:
    """Tell whether a path is one that programs ask."""
    return path == API_PATH or path.startswith(f"{API_PATH}/")


def refused(
    request: Request, kind: ProblemKind, sentence: str, language: LanguageSetting, **headers: str
) -> Response:
    """Return a refusal in the form that whoever asks can read.

    Args:
        request: what is refused.
        kind: why.
        sentence: the same for a person.
        language: what the settings say, for programs; people are answered in theirs.
        headers: of the answer; ``_`` stands for ``-``.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if is_for_programs(request.url.path):
        return ProblemFound(kind, sentence, headers=named).answer(language)
    return for_people(request, sentence, kind.value.status, named)
