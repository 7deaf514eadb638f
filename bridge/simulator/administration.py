"""The two administration hosts, on the simulator's own port: mailboxes, tokens, the wallet.

Their paths do not meet those of the sending API, so ``admin_url`` and ``oauth_url`` may both name
the simulator itself. Calls to the mailbox host take the simulator's own token, which may do all,
or one made by ``POST /tokens`` with the scope; the token host takes ``email`` and ``api_key``. A
token that was made opens the sending API too, and a mailbox that has become active can send and
receive with ``mailbox_password``.

``POST /_simulator/mailboxes`` with ``{"id": …, "state": …}`` moves a mailbox, for people and
scripts without Python.

In tests::

    simulator.administration.faults.refuse(AdminOperation.REGISTER, 402, "Insufficient …", 262)
    simulator.administration.registry.move(id, "documenti_errati")
    simulator.administration.purse.charges
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bridge.simulator import admin_json
from bridge.simulator.admin_call import AdminCall, AdminFaults, AdminOperation, NotDone
from bridge.simulator.fault import Failure, FixedAnswer, Operation, Phase
from bridge.simulator.purse import Purse
from bridge.simulator.registry import STATES, Box, Registry
from bridge.simulator.respond import FailingResponse, answer_response, json_response
from bridge.simulator.tokens import TokenEndpoints, check_period
from bridge.simulator.world import World

PEC_PRICE_EUR = 0.05

_SAID = {"success": True, "message": "", "error": None}


class Administration:
    """See the module.

    Attributes:
        calls: every call, oldest first.
        faults: the rules in force; add to them.
        registry: the mailboxes; ``move`` one, or set ``processing_s``.
        purse: the wallet, and what was charged.
        tokens: those made here.
        subscriptions: what ``GET /subscriptions`` lists, as JSON.
    """

    def __init__(self, world: World) -> None:
        self.email = "titolare@example.it"
        self.api_key = "demo-api-key"
        self.mailbox_password = "demo"  # noqa: S105 - of simulated mailboxes
        self.calls: list[AdminCall] = []
        self.faults = AdminFaults()
        self.purse = Purse(world.clock.now, self._name)
        self.registry = Registry(world.clock.now, self._name, self.purse, self._open)
        self.tokens = TokenEndpoints(world.clock.now, self._name)
        self.subscriptions: list[dict[str, object]] = []
        self._world = world
        world.allows = self.tokens.allows

    def routes(self) -> list[BaseRoute]:
        """Return the routes to add to the app."""
        routes: list[BaseRoute] = []
        for operation in AdminOperation:
            method, _, path = operation.value.partition(" ")
            routes.append(Route(path, self._endpoint(operation), methods=[method]))
        for empty in ("/domini_pec/", "/verifica_pec/"):
            operation = AdminOperation.DOMAIN if "domini" in empty else AdminOperation.CHECK
            routes.append(Route(empty, self._endpoint(operation), methods=["GET"]))
        routes.append(Route("/_simulator/mailboxes", self._move, methods=["POST"]))
        return routes

    async def _move(self, http: Request) -> Response:
        wanted = _object(await http.body())
        id, state = str(wanted.get("id")), str(wanted.get("state"))
        if id not in self.registry.boxes or state not in STATES:
            words = f"send a JSON object with id (of a mailbox) and state: {', '.join(STATES)}"
            return json_response(400, {"success": False, "message": words})
        self.registry.move(id, state)
        return _said(admin_json.box_row(self.registry.boxes[id]))

    def _name(self) -> str:
        return f"{self._world.random.getrandbits(96):024x}"

    def _open(self, address: str) -> None:
        if address.casefold() not in self._world.accounts:
            self._world.add_account(address, address, self.mailbox_password)
            self._world.changed()

    def _endpoint(self, operation: AdminOperation) -> Callable[[Request], object]:
        async def endpoint(http: Request) -> Response:
            target = str(next(iter(http.path_params.values()), http.url.query))
            call = AdminCall(operation, self._world.clock.now(), target)
            self.calls.append(call)
            response = self._answer(call, http, await http.body())
            if isinstance(response, FailingResponse):
                call.failure = response.failure
            else:
                call.status = response.status_code
            return response

        return endpoint

    def _answer(self, call: AdminCall, http: Request, content: bytes) -> Response:
        struck = self.faults.take(call.operation, Phase.BEFORE, Phase.INSTEAD)
        if struck is not None:
            return _struck(struck)
        self.registry.run_due()
        try:
            self._let_in(call.operation, http)
            call.body = _object(content)
            response = self._do(call.operation, http, call.body)
        except NotDone as no:
            response = _no(no)
        lost = self.faults.take(call.operation, Phase.AFTER)
        return response if lost is None else _struck(lost)

    def _let_in(self, operation: AdminOperation, http: Request) -> None:
        scheme, _, given = http.headers.get("authorization", "").partition(" ")
        if operation.by_account:
            right = base64.b64encode(f"{self.email}:{self.api_key}".encode()).decode()
            refreshed = operation is AdminOperation.TOKEN_UPDATE and scheme == "Bearer"
            if not refreshed and (scheme != "Basic" or not hmac.compare_digest(given, right)):
                raise NotDone(401, "Unauthorized", None)
            return
        if scheme == "Bearer" and hmac.compare_digest(given, self._world.token):
            return
        allowed = self.tokens.allows(given, operation.scope)
        if allowed is None or scheme != "Bearer":
            raise NotDone(401, "Wrong Token", None)
        if not allowed:
            raise NotDone(403, f"Wrong Scope: {operation.scope}", None)

    def _do(self, operation: AdminOperation, http: Request, body: dict[str, object]) -> Response:
        name = str(next(iter(http.path_params.values()), ""))
        if operation.by_account:
            return self._account(operation, http, name, body)
        registry = self.registry
        match operation:
            case AdminOperation.DOMAIN:
                found = registry.domain(name)
                told = {**_SAID, "message": f"{name} found!", "data": []}
                return json_response(200, told) if found else Response(status_code=204)
            case AdminOperation.CHECK:
                return _said({"available": registry.available(name)})
            case AdminOperation.LIST:
                if not registry.boxes:
                    raise NotDone(404, "no pec linked to this account", 200)
                return _said([admin_json.box_row(box) for box in registry.boxes.values()])
            case AdminOperation.FORM:
                return Response(registry.form(name), media_type="application/pdf")
            case _:
                years = http.query_params.get("anni", "1")
                return _said(admin_json.box_whole(self._box(operation, name, body, years)))

    def _box(self, operation: AdminOperation, id: str, body: dict[str, object], years: str) -> Box:
        registry = self.registry
        does: dict[AdminOperation, Callable[[], Box]] = {
            AdminOperation.REGISTER: lambda: registry.register(body),
            AdminOperation.SHOW: lambda: registry.find(id, 201, 202),
            AdminOperation.REVOKE: lambda: registry.revoke(id),
            AdminOperation.ACTIVATE: lambda: registry.activate(id, body),
            AdminOperation.SPACE: lambda: registry.space(id, body),
            AdminOperation.CONVERT: lambda: registry.convert(id, body),
            AdminOperation.RENEW: lambda: registry.renew(id, years),
            AdminOperation.USER: lambda: registry.add_user(id, body),
        }
        return does[operation]()

    def _account(  # noqa: C901 - one case for each operation
        self, operation: AdminOperation, http: Request, name: str, body: dict[str, object]
    ) -> Response:
        query = http.query_params
        match operation:
            case AdminOperation.TOKEN_CREATE:
                return json_response(200, admin_json.token(self.tokens.create(body)))
            case AdminOperation.TOKEN_LIST:
                page = self.tokens.page(query.get("limit", "100"), query.get("skip", "0"))
                return json_response(200, {"data": [admin_json.token(one) for one in page]})
            case AdminOperation.TOKEN_SHOW:
                return json_response(200, admin_json.token(self.tokens.find(name, 120)))
            case AdminOperation.TOKEN_UPDATE:
                scheme, _, given = http.headers.get("authorization", "").partition(" ")
                refresh = given if scheme == "Bearer" else None
                return json_response(200, admin_json.token(self.tokens.update(name, body, refresh)))
            case AdminOperation.TOKEN_DELETE:
                self.tokens.delete(name)
                return json_response(200, {"message": "Deleted", "data": None})
            case AdminOperation.SCOPES:
                return json_response(200, {"data": self._scopes()})
            case AdminOperation.WALLET:
                now = self._world.clock.now()
                return json_response(200, {"data": admin_json.wallet(self.purse, now)})
            case AdminOperation.TRANSACTIONS:
                count = int(query.get("limit", "100"))
                newest = self.purse.charges[::-1][:count]
                return json_response(200, {"data": [admin_json.transaction(one) for one in newest]})
            case AdminOperation.SUBSCRIPTIONS:
                begin, count = int(query.get("skip", "0")), int(query.get("limit", "100"))
                if not (bought := self.subscriptions[begin : begin + count]):
                    raise NotDone(404, "Subscription not found", 220)
                return json_response(200, {"data": bought})
            case _:
                check_period(query.get("date"))
                sends = [one for one in self._world.calls if one.operation is Operation.SEND]
                refused = sum(one.status != 201 for one in sends)
                figures = admin_json.stats(len(sends), refused, PEC_PRICE_EUR)
                return json_response(200, {"data": figures})

    def _scopes(self) -> list[dict[str, object]]:
        paths = [(one.value, "ws.pecmassiva.com") for one in Operation]
        paths += [(one.value, "pec.openapi.it") for one in AdminOperation if not one.by_account]
        found: dict[str, dict[str, object]] = {}
        for value, host in paths:
            method, _, path = value.partition(" ")
            endpoint = path.split("/")[1]
            scope = f"{method}:{host}/{endpoint}"
            found[scope] = {
                "id": f"{len(found):024x}",
                "scope": scope,
                "method": method,
                "endpoint": endpoint,
                "domain": host,
                "enabled": scope not in self.tokens.forbidden,
            }
        return list(found.values())


def _said(data: object) -> Response:
    return json_response(200, {**_SAID, "data": data})


def _no(no: NotDone) -> Response:
    if no.plain:
        return PlainTextResponse(no.message, no.status)
    answer = {"success": False, "message": no.message, "error": no.number, "data": None}
    return json_response(no.status, answer)


def _struck(result: Failure | FixedAnswer) -> Response:
    return answer_response(result) if isinstance(result, FixedAnswer) else FailingResponse(result)


def _object(content: bytes) -> dict[str, object]:
    try:
        value = json.loads(content) if content else {}
    except ValueError:
        value = {}
    return value if isinstance(value, dict) else {}
