"""The service's own descriptions as judge: every request and answer is validated against them.

They are not part of the project: ``$PEC_BRIDGE_DESCRIPTIONS`` names their folder, else they are
looked for in ``../shared/vendor``. Tests that need one skip with that reason where it is not.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

TOP = Path(__file__).parent.parent
VARIABLE = "PEC_BRIDGE_DESCRIPTIONS"

MAILBOXES = "pec.openapi.json"
TOKENS = "oauthv2.openapi.json"


def description(name: str) -> dict[str, Any]:
    """Return a description, or skip the test."""
    folder = Path(os.environ.get(VARIABLE) or TOP.parent / "shared" / "vendor")
    path = folder / name
    if not path.is_file():
        pytest.skip(f"the service's description {name} is not here; ${VARIABLE} names its folder")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def _judge(name: str) -> OpenAPI:
    found = description(name)
    _mend(found)
    # The descriptions themselves are not judged: one gives a Basic scheme the name of a header.
    return OpenAPI.from_dict(found, config=Config(spec_validator_cls=None))


def _mend(value: Any) -> None:
    """Allow what the descriptions' own examples have and their schemas forbid.

    ``error`` and ``data`` are null in every other example, and the one schema says of a string
    that it is a multiple of a number.
    """
    if isinstance(value, list):
        for item in value:
            _mend(item)
        return
    if not isinstance(value, dict):
        return
    properties = value.get("properties")
    if isinstance(properties, dict) and isinstance(properties.get("error"), dict):
        properties["error"]["nullable"] = True
    if value.get("type") == "string":
        value.pop("multipleOf", None)
    for item in value.values():
        _mend(item)


class Judged(httpx.AsyncBaseTransport):
    """Passes requests on and validates both them and the answers."""

    def __init__(self, inner: httpx.AsyncBaseTransport, name: str) -> None:
        self._inner = inner
        self._judge = _judge(name)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raise openapi-core's error for what does not conform."""
        content = await request.aread()
        asked = MockRequest(
            host_url=f"{request.url.scheme}://{request.url.host}",
            method=request.method.lower(),
            path=request.url.path,
            args=dict(request.url.params),
            headers=dict(request.headers),
            data=content or None,
            content_type=request.headers.get("content-type", "application/json"),
        )
        self._judge.validate_request(asked)
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        self._judge.validate_response(
            asked,
            MockResponse(
                body,
                status_code=answer.status_code,
                headers=dict(answer.headers),
                content_type=answer.headers.get("content-type", "").partition(";")[0],
            ),
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)
