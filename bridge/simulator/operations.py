"""The seven operations, from authenticated request to HTTP answer, as the description has them.

Each method answers one operation and nothing else; faults, authentication and records are the
caller's work (``app``). Success and failure texts are the description's own, misspellings too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from starlette.responses import Response

from bridge.simulator.fault import ReceivedRequest
from bridge.simulator.inbox import Row
from bridge.simulator.network import Submitted
from bridge.simulator.options import CodeForm, CodePlace, Errors, Missing, SentCount
from bridge.simulator.respond import json_response
from bridge.simulator.submission import Request, Sent
from bridge.simulator.world import ServiceMailbox, World

UNAUTHORIZED = "Authorization is not valid or empty"
NOT_VALID = "Post parameter is not valid"


_SENT_COUNTS: Mapping[SentCount, Callable[[Sent], int]] = {
    SentCount.ONE: lambda _sent: 1,
    SentCount.RECIPIENTS: lambda sent: len(sent.recipients),
    SentCount.ZERO: lambda _sent: 0,
}

_ODD_CODES: Mapping[CodeForm, Callable[[str | int], object]] = {
    CodeForm.CODE: lambda code: code,
    CodeForm.ERROR_TEXT: lambda _code: "SMTP connect() failed",
    CodeForm.FALSE: lambda _code: False,
    CodeForm.ZERO: lambda _code: 0,
    CodeForm.LIST: lambda code: [code],
    CodeForm.OBJECT: lambda code: {"id": code},
    CodeForm.FLOAT: lambda code: float(code),
    CodeForm.LINE_END: lambda code: f"{code}\r\n",
    CodeForm.PATH: lambda code: f"/send/{code}",
    CodeForm.MARKUP: lambda code: f"<b>{code}</b>",
}


class Endpoints:
    """Answers for authenticated callers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(self, call: ReceivedRequest, account: ServiceMailbox, request: Request) -> Response:
        """``POST /send``: 201 with the code, or 429 when it comes too soon."""
        world = self._world
        if self._too_soon(call):
            return self._too_many()
        last_s = world.last_send_s
        world.last_send_s = call.received_s if last_s is None else max(call.received_s, last_s)
        size_bytes = len(request.body) + sum(one.size_bytes for one in request.attachments)
        submitted = Submitted(
            account.address,
            request.sender,
            request.recipients,
            request.subject,
            request.body,
            size_bytes,
        )
        code = world.network.submit(submitted)
        sent = Sent(
            call.number,
            call.received_at,
            call.received_s,
            account.address,
            request.sender,
            request.recipients,
            request.subject,
            request.body,
            request.attachments,
            code,
        )
        world.sent.append(sent)
        return json_response(201, self._receipt_of(sent))

    def send_status(self, account: ServiceMailbox, code: str) -> Response:
        """``GET /send/{code}``: every row whose subject holds the code, or 404."""
        rows = [row for row in account.inbox.rows if code in row.subject]
        if not rows:
            return self.refusal(404, "Result empty")
        return json_response(200, self._world.rendering.status(rows))

    def send_delete(self, account: ServiceMailbox, code: str) -> Response:
        """``DELETE /send/{code}``: takes away what ``GET`` shows, replies by others included."""
        if not account.inbox.remove_where(lambda row: code in row.subject):
            return self.refusal(404, "Email not found")
        return json_response(200, {"success": True, "message": "Operation succefull"})

    def inbox_list(self, account: ServiceMailbox, page: str | None, query: str | None) -> Response:
        """``GET /inbox``: one page; a page that is no number is the first."""
        number = int(page) if page is not None and _is_number(page) else None
        result = account.inbox.page(number, query or None)
        if not result.found:
            return self.refusal(404, "Result empty")
        return json_response(200, self._world.rendering.page(result, number))

    def inbox_get(self, account: ServiceMailbox, identifier: str) -> Response:
        """``GET /inbox/{id}``: the message, or 404."""
        row = self._find(account, identifier)
        if row is None:
            return self.refusal(404, "Message not found")
        return json_response(200, self._world.rendering.single(row))

    def inbox_delete(self, account: ServiceMailbox, identifier: str) -> Response:
        """``DELETE /inbox/{id}``: the description knows no 404 here; the reading decides."""
        row = self._find(account, identifier)
        if row is not None:
            account.inbox.remove(row)
        elif self._world.options.missing is Missing.NOT_FOUND:
            return self.refusal(404, "Message not found")
        return json_response(200, {"success": True, "message": "Message deleted"})

    def quota(self, account: ServiceMailbox, mailbox: str) -> Response:
        """``GET /quota/{mailbox}``: INBOX in any case, else 400."""
        if mailbox.casefold() != "inbox":
            message = "An error occured: the requested mailbox might be unavailable"
            return self.refusal(400, message)
        answer = self._world.rendering.quota(account.used_bytes, account.limit_bytes)
        return json_response(200, answer)

    def refusal(self, status: int, message: str) -> Response:
        """Return a refusal in the shape of the reading; 401 keeps its status in every one."""
        shape = self._world.options.errors
        text = message
        if shape is Errors.NESTED:
            text = json.dumps({"error": {"code": status, "message": message}})
        if shape is Errors.OK_STATUS and status != 401:
            status = 200
        return json_response(status, {"success": False, "message": text})

    def _receipt_of(self, sent: Sent) -> dict[str, object]:
        options = self._world.options
        numeric = options.code_place in (CodePlace.TOP_NUMBER, CodePlace.DATA_NUMBER)
        code = int(sent.code) if numeric else sent.code
        identifier = {"message_id": _ODD_CODES[options.code_form](code)}
        answer: dict[str, object] = {"success": True, "message": ""}
        if options.sent_count is not SentCount.ABSENT:
            answer["sent"] = _SENT_COUNTS[options.sent_count](sent)
        if options.code_place in (CodePlace.DATA, CodePlace.DATA_NUMBER):
            return {**answer, "data": identifier}
        return {**answer, **identifier}

    def _too_soon(self, call: ReceivedRequest) -> bool:
        """Tell whether it began too near another; what takes long to arrive began before it."""
        last_s = self._world.last_send_s
        interval_s = self._world.options.send_interval_s
        return last_s is not None and abs(call.received_s - last_s) < interval_s

    def _too_many(self) -> Response:
        response = self.refusal(429, "Too many requests")
        if self._world.options.retry_after_s is not None:
            response.headers["Retry-After"] = str(self._world.options.retry_after_s)
        return response

    def _find(self, account: ServiceMailbox, identifier: str) -> Row | None:
        if _is_number(identifier) and (row := account.inbox.find(int(identifier))):
            return row
        return account.inbox.find_raw(identifier)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
