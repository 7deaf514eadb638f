"""The API's seven operations for one account, each one method.

A method returns what the API said or raises one of ``bridge.api.errors``; nothing else escapes
but ``asyncio.CancelledError``. It never repeats a request.

Secrets: the mailbox password lives in a private attribute, in request headers and in the body of
a send. It and the token are masked in every answer that is kept.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import NoReturn, Protocol, Self, TypeAlias, TypeVar
from urllib.parse import quote

from bridge.apart.process import Apart, ApartCrashed, ApartFailed, TooCostly
from bridge.api import schema
from bridge.api.budget import RequestBudget
from bridge.api.connection import Answer, ApiConnection, ApiRequest, header_value
from bridge.api.errors import (
    ANSWER_LIMIT_CHARS,
    CANNOT_BE_READ,
    HOLDS_NOTHING,
    AnswerTooLong,
    ApiError,
    NotFound,
    OutcomeUnknown,
    Refused,
    from_answer,
    retry_after_s,
)
from bridge.api.items import Items
from bridge.api.lenient import UnreadableAnswer, text_of
from bridge.api.purpose import Purpose
from bridge.api.ratelimit import Start
from bridge.api.reading import NothingDone, read_apart
from bridge.api.redaction import redact
from bridge.api.requests_left import read_requests_left
from bridge.api.schema import InboxMessage, InboxPage, Reply, SendAnswer, SendRequest, StatusRow
from bridge.api.upload import AttachmentEncoding, Upload
from bridge.api.verdict import Accepted, Heard, Undecided, judge
from bridge.clock import Clock
from bridge.language import Sentence, say, unpacked
from bridge.limits import (
    ANSWER_READ_APART_FROM_BYTES,
    API_ANSWER_BYTES,
    API_LISTING_BYTES,
    API_MESSAGE_BYTES,
)
from bridge.model import Quota
from bridge.spool import Spooled

T = TypeVar("T")
Opened: TypeAlias = Callable[[bytes], Awaitable[Reply]]

OFF_LOOP_BYTES = 64 * 1024
"""A longer answer is parsed on a thread; a listing is read here, with turns for others between."""

ROWS_A_TURN = 25
"""How many rows of a listing are read at once: a millisecond or two."""

ID_LIMIT_CHARS = 500


class RequestTap(Protocol):
    """Whoever asked to be told of requests."""

    @property
    def is_on(self) -> bool:
        """Whether it is worth while to say anything."""

    def say(self, text: str) -> None:
        """Take note of a request."""


class PecClient:
    """The API as one account sees it.

    Args:
        connection: the way there, with the token.
        username: the mailbox's name at the API.
        password: the mailbox's password.
        clock: for Retry-After.
        budget: is charged for each read; None leaves reads free.
        purpose: what reads are made for, until ``charged`` says otherwise.
        encoding: how attachments are written (Q19).
        tap: is told of each request and what came of it, without secrets; None: nobody is.
    """

    def __init__(
        self,
        connection: ApiConnection,
        *,
        username: str,
        password: str,
        clock: Clock,
        budget: RequestBudget | None = None,
        purpose: Purpose = Purpose.COMMAND,
        encoding: AttachmentEncoding = "data-uri",
        tap: RequestTap | None = None,
    ) -> None:
        self._connection = connection
        self._username = username
        self._password = password
        self._clock = clock
        self._budget = budget
        self._purpose = purpose
        self._encoding: AttachmentEncoding = encoding
        self._tap = tap
        self._headers = {
            b"x-username": header_value(username, say("the user name")),
            b"x-password": header_value(password, say("the mailbox password")),
        }
        plain = (*connection.secrets, password)
        escaped = tuple(json.dumps(secret)[1:-1] for secret in plain)
        self._secrets = tuple(dict.fromkeys(plain + escaped + tuple(map(quote, plain))))

    def __repr__(self) -> str:
        """Name the user, never the password."""
        return f"<PecClient of {self._username}>"

    def charged(self, purpose: Purpose) -> Self:
        """Return the same client, whose reads are made for ``purpose``."""
        other = copy.copy(self)
        other._purpose = purpose
        return other

    async def send(self, request: SendRequest, start: Start | None = None) -> SendAnswer:
        """``POST /send``: make one message.

        ``start`` (see ``SendPacer.turn``) is awaited just before the first byte is written.

        Raises:
            NotSent: nothing was sent, and it may be tried again: no connection, 401, 402, 429.
            Refused: nothing was sent, and the same message would be refused again.
            OutcomeUnknown: it may have been sent.
        """
        upload = Upload(
            request, username=self._username, password=self._password, encoding=self._encoding
        )
        call = ApiRequest(
            "POST",
            "/send",
            {},
            body=upload.chunks(),
            body_bytes=await upload.length(),
            limit_bytes=API_ANSWER_BYTES,
        )
        answer = await self._exchange(call, start)
        reply = await self._open(answer)
        looked_through = len(answer.content) + len(request.body)
        match await _off_loop(looked_through, self._judge, answer, reply, request):
            case Accepted(code, sent):
                return SendAnswer(code, sent, answer.status, self._shown(answer))
            case Undecided(sentence, code):
                self._unreadable(answer, sentence, code)
        raise self._said_no(answer, reply)

    def _judge(
        self, answer: Answer, reply: Reply | None, request: SendRequest
    ) -> Accepted | Undecided | None:
        text = redact(answer.content.decode("utf-8", "replace"), self._secrets)
        return judge(Heard(answer.status, text, answer.whole, reply), request)

    async def send_status(self, code: str) -> tuple[StatusRow, ...]:
        """``GET /send/{code}``: the messages that the API ties to a sending.

        Raises:
            NotFound: none yet (Q14).
        """
        return await self._get(
            f"/send/{_segment(code)}", schema.read_status, limit_bytes=API_MESSAGE_BYTES
        )

    async def delete_send(self, code: str) -> None:
        """``DELETE /send/{code}``: delete a sending's receipts, and perhaps replies (Q13)."""
        await self._delete(f"/send/{_segment(code)}")

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        """``GET /inbox``: one page of rows, the API's default page if ``page`` is None.

        "Nothing found" is a page without rows, and without a total.
        """
        params = {} if page is None else {"page": str(page)}
        if query is not None:
            params["q"] = query
        try:
            call = ApiRequest(
                "GET", "/inbox", self._headers, params=params, limit_bytes=API_LISTING_BYTES
            )
            answer = await self._asked(call)
            return await self._value(answer, schema.read_page, opened=_opened_by_rows)
        except NotFound as nothing:
            if "empty" not in nothing.message.lower():
                raise
        return InboxPage((), None, None, None)

    async def inbox_message(self, api_id: str) -> InboxMessage:
        """``GET /inbox/{id}``: one message with its body; compare its row before trusting it."""
        call = ApiRequest(
            "GET",
            f"/inbox/{_segment(api_id)}",
            self._headers,
            limit_bytes=API_MESSAGE_BYTES,
            may_spool=True,
        )
        answer = await self._asked(call)
        apart, spooled = self._connection.apart, answer.spooled

        def read(reply: Reply) -> InboxMessage:
            return schema.read_message(reply, api_id)

        if apart is None or spooled is None:
            return await self._value(answer, read)
        if len(spooled) > ANSWER_READ_APART_FROM_BYTES:
            return await self._read_apart(apart, answer, spooled, api_id)
        async with self._connection.room.taken(len(spooled)):
            content = await asyncio.to_thread(spooled.whole)
            return await self._value(replace(answer, content=content, spooled=None), read)

    async def _read_apart(
        self, apart: Apart, answer: Answer, spooled: Spooled, api_id: str
    ) -> InboxMessage:
        try:
            message = await read_apart(apart.of(self._username), spooled.file, api_id)
        except TooCostly as fault:
            words = say("The API's message cannot be read: {fault}.", fault=fault)
            raise AnswerTooLong(words, status=answer.status) from None
        except UnreadableAnswer as fault:
            self._unreadable(answer, unpacked(str(fault)))
        except ApartCrashed:
            self._unreadable(answer, CANNOT_BE_READ)
        except (ApartFailed, OSError) as fault:
            raise OutcomeUnknown(
                say("The API's answer cannot be read now: {fault}.", fault=fault)
            ) from None
        if isinstance(message, NothingDone):
            raise self._no(answer, message.message, message.code)
        return message

    async def delete_inbox(self, api_id: str) -> None:
        """``DELETE /inbox/{id}``: delete whatever message has this id now (Q11)."""
        await self._delete(f"/inbox/{_segment(api_id)}")

    async def quota(self, mailbox: str = "INBOX") -> Quota:
        """``GET /quota/{mailbox}``: how full the mailbox is."""
        return await self._get(f"/quota/{_segment(mailbox)}", schema.read_quota)

    async def _get(
        self,
        path: str,
        read: Callable[[Reply], T],
        *,
        params: dict[str, str] | None = None,
        limit_bytes: int = API_ANSWER_BYTES,
    ) -> T:
        call = ApiRequest("GET", path, self._headers, params=params or {}, limit_bytes=limit_bytes)
        return await self._value(await self._asked(call), read)

    async def _asked(self, call: ApiRequest) -> Answer:
        if self._budget is not None:
            await self._budget.spend(self._purpose)
        answer = await self._exchange(call)
        told = read_requests_left(answer.fields, self._clock.now())
        if self._budget is not None and told is not None:
            await self._budget.heard(told)
        return answer

    async def _exchange(self, call: ApiRequest, start: Start | None = None) -> Answer:
        """Make a request, see ``ApiConnection.exchange``, and tell who asked to be told."""
        if self._tap is None or not self._tap.is_on:
            return await self._connection.exchange(call, start)
        query = "".join(f" {name}={value}" for name, value in call.params.items())
        asked = f"{call.method} {call.shown or call.path}{query} ({call.body_bytes} bytes)"
        try:
            answer = await self._connection.exchange(call, start)
        except ApiError as error:
            self._tap.say(redact(f"{asked}: {error.reason}", self._secrets))
            raise
        self._tap.say(f"{redact(asked, self._secrets)}: {answer.status} {self._shown(answer)}")
        return answer

    async def _value(
        self,
        answer: Answer,
        read: Callable[[Reply], T],
        *,
        opened: Opened | None = None,
    ) -> T:
        reply = await self._reply(answer, opened)
        try:
            return await _off_loop(len(answer.content), read, reply)
        except (ValueError, RecursionError):
            pass
        self._unreadable(answer, HOLDS_NOTHING)

    async def _delete(self, path: str) -> None:
        answer = await self._exchange(ApiRequest("DELETE", path, self._headers))
        if answer.content != b"" or not 200 <= answer.status < 300:
            await self._reply(answer)

    async def _reply(self, answer: Answer, opened: Opened | None = None) -> Reply:
        """Open a successful answer, or raise what any other one means."""
        reply = await self._open(answer, opened)
        fine = 200 <= answer.status < 300
        if fine and reply is None:
            self._unreadable(answer, CANNOT_BE_READ)
        if fine and reply is not None and reply.success is not False:
            return reply
        raise self._said_no(answer, reply)

    async def _open(self, answer: Answer, opened: Opened | None = None) -> Reply | None:
        try:
            return await (opened or _opened)(answer.content)
        except (UnreadableAnswer, ValueError, RecursionError):
            return None

    def _said_no(self, answer: Answer, reply: Reply | None) -> ApiError:
        """Return what an answer means that is no success."""
        if reply is None:
            return self._no(answer, "", None)
        return self._no(answer, reply.message, reply.code_like)

    def _no(self, answer: Answer, message: str, code: str | None) -> ApiError:
        return from_answer(
            answer.status,
            message=redact(message, self._secrets),
            code=code,
            answer=self._shown(answer),
            retry_after_s=retry_after_s(answer.retry_after, self._clock.now()),
        )

    def _unreadable(self, answer: Answer, reason: Sentence, code: str | None = None) -> NoReturn:
        words = say("{what} ({named}).", what=reason, named=f"HTTP {answer.status}")
        raise OutcomeUnknown(words, code=code, status=answer.status, answer=self._shown(answer))

    def _shown(self, answer: Answer) -> str:
        """Return the answer's text for the record: shortened, without secrets."""
        text = answer.content[: 4 * ANSWER_LIMIT_CHARS].decode("utf-8", "replace")
        return redact(text, self._secrets)[:ANSWER_LIMIT_CHARS]


async def _off_loop(size_bytes: int, work: Callable[..., T], *args: object) -> T:
    return await asyncio.to_thread(work, *args) if size_bytes > OFF_LOOP_BYTES else work(*args)


async def _opened(content: bytes) -> Reply:
    return await _off_loop(len(content), schema.read_reply, content)


async def _opened_by_rows(content: bytes) -> Reply:
    """Open a listing on the loop: a thread would take the interpreter from it at every turn."""
    return await _in_turns(schema.read_listing(await _off_loop(len(content), text_of, content)))


async def _in_turns(items: Items[T]) -> T:
    """Return what is made of items; others have their turn after a few of them."""
    left = ROWS_A_TURN
    while True:
        try:
            next(items)
        except StopIteration as ended:
            made: T = ended.value
            return made
        left -= 1
        if not left:
            left = ROWS_A_TURN
            await asyncio.sleep(0)


def _segment(text: str) -> str:
    """Quote ``text`` as one segment of a path.

    Raises:
        Refused: it cannot be one; a lone ``..`` would turn the request against another path.
    """
    if not text.strip(".") or len(text) > ID_LIMIT_CHARS:
        raise Refused(say("The API cannot be asked for such an id."), status=0, message="")
    return quote(text, safe="", errors="replace")
