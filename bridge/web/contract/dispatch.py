"""Finds the endpoint of a request, reads it, and makes an answer or a problem of what comes.

The order: is there such a path, does it know the method, who asks, may he, is the query right, is
the body. So nobody without a key learns more than which paths there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from bridge.config import Config
from bridge.language import LanguageSetting, Sentence, rendered, say
from bridge.operations.control import OperationFailed
from bridge.store.base import StoreFailed
from bridge.web.contract.endpoint import ApiAccess, Call, Endpoint, segments_of
from bridge.web.contract.events import EventEndpoint
from bridge.web.contract.faults import faults_of
from bridge.web.contract.keys import ApiKeys, Caller
from bridge.web.contract.openapi import description
from bridge.web.contract.sends import SendEndpoints
from bridge.web.contract.waiting import CallerGone, Waits
from bridge.web.problem import ProblemFound, ProblemKind, is_for_programs
from bridge.web.services import WebServices

CAUSES = {
    "refused": ProblemKind.NOT_POSSIBLE,
    "store": ProblemKind.STORE,
    "service": ProblemKind.SERVICE,
}


class Contract:
    """All endpoints, and the way to them.

    Args:
        services: what they work with.
        config: gives the settings: for exports, and the language in which reasons are said, as by
            ``--json``.
    """

    def __init__(self, services: WebServices, config: Callable[[], Config]) -> None:
        self._config = config
        self._keys = ApiKeys(services)
        self._answered = services.answered
        waits = Waits(services, self._keys)
        self.endpoints = (
            *SendEndpoints(services, waits, config).endpoints(),
            *EventEndpoint(services, waits).endpoints(),
            Endpoint(
                "GET",
                "/openapi.json",
                "get_description",
                "This description.",
                self._describe,
                ApiAccess.ANYBODY,
            ),
        )

    def routes(self) -> list[BaseRoute]:
        """Return the routes: whatever is under ``/api`` is answered here."""
        return [_Everything(self._answer)]

    async def _answer(self, request: Request) -> Response:
        try:
            answer, name = await self._performed(request), "ok"
        except ProblemFound as problem:
            answer, name = problem.answer(self._language()), problem.kind.value.name
        except CallerGone:
            answer, name = Response(status_code=204), "gone"  # nobody is there to read it
        self._answered[name] += 1
        return answer

    def _language(self) -> LanguageSetting:
        return self._config().display.language

    async def _performed(self, request: Request) -> Response:
        try:
            return await self._found(request)
        except StoreFailed as error:
            raise ProblemFound(
                ProblemKind.STORE, say("The store failed: {error}", error=error)
            ) from None
        except OperationFailed as failure:
            raise ProblemFound(CAUSES[failure.cause], failure.args[0]) from None

    async def _found(self, request: Request) -> Response:
        endpoint, names = endpoint_of(self.endpoints, request)
        caller = await self._allowed(request, endpoint)
        query = _read_query(request, endpoint.query)
        body = _read_body(request, await request.body(), endpoint.body)
        if caller is not None and endpoint.access is ApiAccess.WRITE:
            await self._keys.check(caller)  # who decides sends the body, as slowly as he likes
        answer = await endpoint.handler(Call(request, caller, names, query, body))
        if isinstance(answer, Response):
            return answer
        return JSONResponse(rendered(answer, self._language()))

    async def _allowed(self, request: Request, endpoint: Endpoint) -> Caller | None:
        if endpoint.access is ApiAccess.ANYBODY:
            return None
        caller = await self._keys.caller(request)
        if endpoint.access is ApiAccess.WRITE and not caller.may_write:
            raise ProblemFound(
                ProblemKind.READ_ONLY,
                say(
                    "This key may look and not decide; `pec-bridge apikey create NAME "
                    "--write` makes one that may."
                ),
            )
        return caller

    async def _describe(self, _call: Call) -> dict[str, Any]:
        return description(self.endpoints)


class _Everything(BaseRoute):
    """The route of all paths for programs and of all methods.

    One that is written as a pattern leaves out paths with a line break, and some methods, and they
    would be refused in another form.
    """

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        ours = scope["type"] == "http" and is_for_programs(scope["path"])
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)


def endpoint_of(endpoints: Sequence[Endpoint], request: Request) -> tuple[Endpoint, dict[str, str]]:
    """Return the endpoint that a request is for, and what its path names.

    Raises:
        ProblemFound: there is none.
    """
    try:
        segments = segments_of(request)
    except UnicodeDecodeError:
        raise ProblemFound(ProblemKind.BAD_REQUEST, say("The path is not UTF-8.")) from None
    found = [(one, names) for one in endpoints if (names := one.names_in(segments)) is not None]
    if not found:
        words = say("There is no such path; /api/v1/openapi.json describes those that there are.")
        raise ProblemFound(ProblemKind.NOT_FOUND, words)
    method = "GET" if request.method == "HEAD" else request.method
    for one, names in found:
        if one.method == method:
            return one, names
    known = {one.method for one, _ in found}
    allowed = ", ".join(sorted(known | ({"HEAD"} if "GET" in known else set())))
    raise ProblemFound(
        ProblemKind.METHOD,
        say("This path knows {allowed}.", allowed=allowed),
        headers={"Allow": allowed},
    )


def _read_query(request: Request, model: type[BaseModel] | None) -> Any:
    given = request.query_params.multi_items()
    twice = [name for name, count in Counter(name for name, _ in given).items() if count > 1]
    if twice:
        errors = [{"where": name, "what": say("is given twice")} for name in twice]
        raise ProblemFound(ProblemKind.BAD_REQUEST, say("The query is wrong."), {"errors": errors})
    if model is None:
        if given:
            errors = [{"where": name, "what": say("is not known here")} for name, _ in given]
            raise ProblemFound(
                ProblemKind.BAD_REQUEST, say("The query is wrong."), {"errors": errors}
            )
        return None
    try:
        return model.model_validate(dict(given))
    except ValidationError as fault:
        raise _bad(say("The query is wrong."), fault) from None


def _read_body(request: Request, body: bytes, model: type[BaseModel] | None) -> Any:
    if model is None:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if (body or kind) and kind != "application/json":
        words = say("The body is to be application/json.")
        raise ProblemFound(ProblemKind.MEDIA, words)
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as fault:
        raise _bad(say("The body is wrong."), fault) from None


def _bad(words: Sentence, fault: ValidationError) -> ProblemFound:
    return ProblemFound(ProblemKind.BAD_REQUEST, words, {"errors": faults_of(fault)})
