"""The ASGI app: routes, authentication, faults, and the record of every call.

One way through for all seven operations: note the call, wait out the latency, let a rule strike
or not, check the credentials, process, let a rule take the answer away or not.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bridge.simulator.fault import (
    Failure,
    FaultRule,
    FixedAnswer,
    Operation,
    Phase,
    ReceivedRequest,
)
from bridge.simulator.operations import NOT_VALID, UNAUTHORIZED, Endpoints
from bridge.simulator.respond import FailingResponse, answer_response
from bridge.simulator.scenario import call_fault
from bridge.simulator.submission import NotValid, Request, read_request
from bridge.simulator.world import ServiceMailbox, World

Endpoint = Callable[[HttpRequest], Awaitable[Response]]

_CHANGING = frozenset({Operation.SEND, Operation.SEND_DELETE, Operation.INBOX_DELETE})


class Front:
    """Builds the endpoints of the API."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._operations = Endpoints(world)

    def app(self, more_routes: list[BaseRoute]) -> Starlette:
        """Return the app: the API's routes and any others."""
        routes: list[BaseRoute] = []
        for operation in Operation:
            method, _, path = operation.value.partition(" ")
            routes.append(Route(path, self._endpoint(operation), methods=[method]))
        return Starlette(routes=routes + more_routes)

    def _endpoint(self, operation: Operation) -> Endpoint:
        async def endpoint(request: HttpRequest) -> Response:
            return await self._handle(operation, request)

        return endpoint

    async def _handle(self, operation: Operation, http: HttpRequest) -> Response:
        call = self._world.begin_call(operation, _target(http))
        username = _header(http, b"x-username")
        call.mailbox = self._world.named(username)
        if self._world.options.latency_s:
            await self._world.clock.sleep(self._world.options.latency_s)
        during = self._world.faults.take(call, Phase.DURING)
        if during is not None and (broken := await self._strike(call, during)):
            await _read_a_part(http)
            return broken
        response = await self._process(call, http, username)
        if call.failure is None:
            call.status = response.status_code
        return response

    async def _process(self, call: ReceivedRequest, http: HttpRequest, username: str) -> Response:
        request: Request | NotValid | None = None
        if call.operation is Operation.SEND:
            try:
                request = await self._submission(http)
            except ClientDisconnect:
                call.failure = Failure.DISCONNECT
                return FailingResponse(Failure.DISCONNECT)
            if isinstance(request, Request):
                call.mailbox = self._world.named(request.username)
        self._world.run_due()
        fault = self._world.faults.take(call, Phase.BEFORE, Phase.INSTEAD, Phase.AFTER)
        if fault is not None and fault.phase is not Phase.AFTER:
            struck = await self._strike(call, fault)
            if struck is not None:
                return struck
        response = self._answer(call, http, username, request)
        if call.processed and call.operation in _CHANGING:
            self._world.changed()
        if fault is not None and fault.phase is Phase.AFTER:
            struck = await self._strike(call, fault)
            return response if struck is None else struck
        if isinstance(request, Request) and isinstance(
            lost := call_fault(request.recipients), Failure
        ):
            return self._fail(call, lost)
        return response

    async def _submission(self, http: HttpRequest) -> Request | NotValid:
        options = self._world.options
        body = await http.body()
        try:
            return await read_request(
                body, options.attachment_form, keep_content=options.keep_content
            )
        except NotValid as problem:
            return problem

    def _answer(
        self,
        call: ReceivedRequest,
        http: HttpRequest,
        username: str,
        request: Request | NotValid | None,
    ) -> Response:
        if not self._bearer_is_right(call.operation, http):
            return self._operations.refusal(401, UNAUTHORIZED)
        if isinstance(request, NotValid):
            return self._operations.refusal(400, NOT_VALID)
        password = _header(http, b"x-password")
        if request is not None:
            username, password = request.username, request.password
        account = self._world.authenticated(username, password)
        if account is None:
            return self._operations.refusal(401, UNAUTHORIZED)
        if request is not None:
            asked_for = call_fault(request.recipients)
            if isinstance(asked_for, FixedAnswer):
                return answer_response(asked_for)
            response = self._operations.send(call, account, request)
            call.processed = response.status_code == 201
            return response
        call.processed = True
        return self._read_or_delete(call.operation, account, http)

    def _read_or_delete(
        self, operation: Operation, account: ServiceMailbox, http: HttpRequest
    ) -> Response:
        names = http.path_params
        match operation:
            case Operation.SEND_STATUS:
                return self._operations.send_status(account, names["code"])
            case Operation.SEND_DELETE:
                return self._operations.send_delete(account, names["code"])
            case Operation.INBOX_GET:
                return self._operations.inbox_get(account, names["id"])
            case Operation.INBOX_DELETE:
                return self._operations.inbox_delete(account, names["id"])
            case Operation.QUOTA:
                return self._operations.quota(account, names["mailbox"])
            case _:
                query = http.query_params
                return self._operations.inbox_list(account, query.get("page"), query.get("q"))

    def _bearer_is_right(self, operation: Operation, http: HttpRequest) -> bool:
        scheme, _, given = _header(http, b"authorization").partition(" ")
        token = given.strip()
        right = hmac.compare_digest(token.encode(), self._world.token.encode())
        method, _, path = operation.value.partition(" ")
        made = self._world.allows(token, f"{method}:{path.split('/')[1]}")
        return scheme.casefold() == "bearer" and (right or made is True)

    async def _strike(self, call: ReceivedRequest, fault: FaultRule) -> Response | None:
        if fault.delay_s:
            await self._world.clock.sleep(fault.delay_s)
        if fault.hold is not None:
            await fault.hold.wait()
        if isinstance(fault.result, FixedAnswer):
            call.status = fault.result.status
            return answer_response(fault.result)
        return None if fault.result is None else self._fail(call, fault.result)

    def _fail(self, call: ReceivedRequest, failure: Failure) -> Response:
        call.failure = failure
        return FailingResponse(failure)


def _target(http: HttpRequest) -> str:
    return str(next(iter(http.path_params.values()), http.url.query))


def _header(http: HttpRequest, name: bytes) -> str:
    value = next((value for key, value in http.headers.raw if key == name), b"")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _read_a_part(http: HttpRequest) -> None:
    async with contextlib.aclosing(http.stream()) as chunks:
        with contextlib.suppress(ClientDisconnect):
            await anext(chunks, b"")
