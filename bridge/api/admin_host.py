"""One administration host: asks, changes and fetches, each once, and says what came of it.

The discipline is the one of ``client``: a request is never repeated, a redirect never followed,
nothing but ``ApiError`` escapes. What may have been done and whose answer was lost is
``OutcomeUnknown``; the caller must tell a person where to look, since these operations cost money.

Answers hold people's data and new tokens: none is kept, only the service's words, with the
secrets that the request held masked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

from bridge.api import admin_schema
from bridge.api.admin_errors import (
    FORM_STEPS,
    NO_STEPS,
    PASSES,
    NextSteps,
    refusal,
    unanswered,
    with_step,
)
from bridge.api.admin_schema import PDF_MARK, AdminReply
from bridge.api.connection import Answer, ApiConnection, ApiRequest
from bridge.api.errors import (
    ApiError,
    OutcomeUnknown,
    Refused,
    retry_after_s,
)
from bridge.api.lenient import UnreadableAnswer
from bridge.api.redaction import redact
from bridge.clock import Clock
from bridge.language import say
from bridge.limits import API_ANSWER_BYTES

T = TypeVar("T")

SLICE_BYTES = 96 * 1024
SEGMENT_LIMIT_CHARS = 300

Read = Callable[[object], T]
"""Makes a value out of an answer's data, or raises ``UnreadableAnswer``."""


class AdminHost:
    """See the module.

    Args:
        connection: the way there, with its credentials.
        clock: for Retry-After.
        steps: what to do after a refusal, by number.
        credentials: what to do after a 401 or 403.
    """

    def __init__(
        self, connection: ApiConnection, clock: Clock, *, steps: NextSteps, credentials: str
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._steps = steps
        self._credentials = credentials

    def __repr__(self) -> str:
        """Name the address, never a secret."""
        return f"<AdminHost at {self._connection.base_url}>"

    async def get(
        self,
        path: str,
        read: Read[T],
        *,
        params: Mapping[str, str] | None = None,
        empty: T | None = None,
        none_number: int | None = None,
        hidden: str = "",
    ) -> T:
        """Read something.

        Args:
            path: quoted already.
            read: see ``Read``.
            params: the query.
            empty: what a 204 means, and a 404 with the number ``none_number``.
            none_number: says in a 404 that there is nothing of the kind; any other is an error.
            hidden: a secret in the path.
        """
        call = ApiRequest(
            "GET",
            path,
            {},
            params=params or {},
            limit_bytes=API_ANSWER_BYTES,
            shown=_masked(path, hidden),
        )
        answer = await self._exchange(call)
        if empty is not None and self._is_none(answer, none_number):
            return empty
        return self._value(call, answer, read, hidden)

    async def change(
        self,
        method: str,
        path: str,
        read: Read[T],
        *,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
        hidden: str = "",
    ) -> T:
        """Change something, once; a GET that changes something too.

        Args:
            method: of HTTP.
            path: on the host.
            read: see ``Read``.
            body: what is posted; None for nothing.
            params: the query.
            hidden: a secret in the path, which no log and no error shows.
        """
        call = ApiRequest(
            method,
            path,
            {},
            params=params or {},
            body=None if body is None else _slices(body),
            body_bytes=len(body or b""),
            limit_bytes=API_ANSWER_BYTES,
            shown=_masked(path, hidden),
            changes=True,
        )
        return self._value(call, await self._exchange(call), read, hidden)

    async def document(self, path: str) -> bytes:
        """Fetch a PDF.

        Raises:
            Refused: what came is no PDF.
        """
        call = ApiRequest(
            "GET", path, {b"Accept": b"application/pdf, */*"}, limit_bytes=API_ANSWER_BYTES
        )
        answer = await self._exchange(call)
        content = answer.content or b""
        if 200 <= answer.status < 300 and content.lstrip().startswith(PDF_MARK):
            return content
        if 200 <= answer.status < 300 and self._opened(answer).success is not False:
            raise Refused(
                say(
                    "The service answered with something that is no PDF; nothing was saved. "
                    "Try again later."
                ),
                status=answer.status,
                message="",
            )
        raise self._refusal(call, answer, unnumbered=FORM_STEPS)

    def _is_none(self, answer: Answer, none_number: int | None) -> bool:
        if answer.status == 404 and none_number is not None:
            return self._opened(answer).number == none_number
        return answer.status == 204

    async def _exchange(self, call: ApiRequest) -> Answer:
        try:
            return await self._connection.exchange(call)
        except ApiError as error:
            raise unanswered(error, self._connection.base_url, changes=call.changes) from None

    def _value(self, call: ApiRequest, answer: Answer, read: Read[T], hidden: str) -> T:
        """Read a successful answer, or raise what any other one means."""
        if not 200 <= answer.status < 300 or self._opened(answer).success is False:
            raise self._refusal(call, answer, hidden)
        try:
            return read(admin_schema.open_answer(answer.content or b"").data)
        except (UnreadableAnswer, ValueError, RecursionError):
            pass
        unknown = OutcomeUnknown(
            say("The service's answer does not hold what was asked for."), status=answer.status
        )
        raise unknown if call.changes else with_step(unknown, PASSES)

    def _refusal(
        self, call: ApiRequest, answer: Answer, hidden: str = "", unnumbered: NextSteps = NO_STEPS
    ) -> ApiError:
        reply = self._opened(answer)
        return refusal(
            answer.status,
            number=reply.number,
            message=redact(reply.message, (*self._connection.secrets, hidden)),
            steps=self._steps,
            credentials=self._credentials,
            retry_after_s=retry_after_s(answer.retry_after, self._clock.now()),
            changes=call.changes,
            unnumbered=unnumbered,
        )

    def _opened(self, answer: Answer) -> AdminReply:
        content = answer.content or b""
        try:
            return admin_schema.open_answer(content)
        except (UnreadableAnswer, ValueError, RecursionError):
            return AdminReply(None, None, admin_schema.plain_words(content), None)


def _masked(path: str, hidden: str) -> str:
    """Return the path as the log may have it."""
    return path.replace(segment(hidden), "***") if hidden else path


def segment(text: str) -> str:
    """Quote ``text`` as one segment of a path.

    Raises:
        Refused: it cannot be one; a lone ``..`` would turn the request against another path.
    """
    text = text.strip()
    if not text.strip(".") or len(text) > SEGMENT_LIMIT_CHARS or not text.isprintable():
        raise Refused(say("The service cannot be asked for such a name."), status=0, message="")
    return quote(text, safe="@", errors="replace")


def nothing(_data: object) -> None:
    """Read an answer that holds nothing but its success."""


async def _slices(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), SLICE_BYTES):
        yield body[at : at + SLICE_BYTES]
        await asyncio.sleep(0)
