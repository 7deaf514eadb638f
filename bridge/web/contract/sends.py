"""Messages: all, one by any of its names, its receipts, and what is decided about one.

A name finds a message of the key's account and of no other, and the queue's id before all else, so
that an id always names one. What is decided says which ``version`` it was decided on: a decision
that comes twice, or late, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from bridge.config import Config
from bridge.language import say
from bridge.limits import API_CANDIDATES
from bridge.operations.control import OperationFailed
from bridge.web.contract.endpoint import ApiAccess, Call, Endpoint
from bridge.web.contract.shapes import (
    Cancel,
    Resolve,
    Retry,
    SendQuery,
    SendReceipts,
    SentMessage,
    SentPage,
)
from bridge.web.contract.shapes import SendsQuery as ListQuery
from bridge.web.contract.waiting import Waits
from bridge.web.evidence import archive
from bridge.web.problem import ProblemFound, ProblemKind
from bridge.web.receipt import EML, receipt_message
from bridge.web.services import WebServices

CANDIDATE = ("id", "message_id", "reference", "code", "state", "outcome", "created_at")
RECEIPT = ("kind", "at", "addresses", "detail", "size_bytes")
ZIP = "application/zip"
NAME = {
    "name": "Any of the message's names: the queue's id, its Message-ID (with or without its angle "
    "brackets), the service's code, or your reference; percent-encoded as one segment."
}
FINDING = (ProblemKind.UNKNOWN_SEND, ProblemKind.AMBIGUOUS)
DECIDING = (
    *FINDING,
    ProblemKind.CHANGED,
    ProblemKind.NOT_POSSIBLE,
    ProblemKind.MEDIA,
    ProblemKind.SERVICE,
)


class SendEndpoints:
    """See the module.

    Args:
        services: carries operations out.
        waits: how long an answer may take.
        config: gives the settings, for exports.
    """

    def __init__(self, services: WebServices, waits: Waits, config: Callable[[], Config]) -> None:
        self._services = services
        self._waits = waits
        self._config = config

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the endpoints."""
        one = "/sends/{name}"
        return (
            Endpoint(
                "GET",
                "/sends",
                "list_sends",
                "What was submitted and what became of it, the newest first.",
                self._list,
                query=ListQuery,
                answer=SentPage,
            ),
            Endpoint(
                "GET",
                one,
                "get_send",
                "What became of a message; with `wait` once it is known.",
                self._show,
                query=SendQuery,
                answer=SentMessage,
                problems=(*FINDING, ProblemKind.TOO_MANY_WAITS),
                parameters=NAME,
            ),
            Endpoint(
                "GET",
                f"{one}/receipts",
                "list_receipts",
                "The receipts of a message, in order of time.",
                self._receipts,
                answer=SendReceipts,
                problems=FINDING,
                parameters=NAME,
            ),
            Endpoint(
                "GET",
                f"{one}/receipts/{{number}}",
                "get_receipt",
                "A receipt as a mail message, as INBOX shows it. It is made from what the service "
                "gives out, which the provider's signature is not part of.",
                self._receipt,
                media=EML,
                problems=(*FINDING, ProblemKind.UNKNOWN_RECEIPT),
                parameters={**NAME, "number": "The receipt's `number`, from the list of them."},
            ),
            Endpoint(
                "GET",
                f"{one}/evidence.zip",
                "get_evidence",
                "All that is known of a message as a ZIP file with sums, as `pec-bridge export` "
                "writes it: what was submitted, each request and answer, each receipt's bytes.",
                self._evidence,
                media=ZIP,
                problems=(*FINDING, ProblemKind.NOT_POSSIBLE, ProblemKind.TOO_MANY_WAITS),
                parameters=NAME,
            ),
            Endpoint(
                "POST",
                f"{one}/cancel",
                "cancel_send",
                "Take back a message that has not left; repeating it does no harm.",
                self._cancel,
                ApiAccess.WRITE,
                body=Cancel,
                answer=SentMessage,
                problems=DECIDING,
                parameters=NAME,
            ),
            Endpoint(
                "POST",
                f"{one}/retry",
                "retry_send",
                "Send a waiting or held message now.",
                self._retry,
                ApiAccess.WRITE,
                body=Retry,
                answer=SentMessage,
                problems=DECIDING,
                parameters=NAME,
            ),
            Endpoint(
                "POST",
                f"{one}/resolve",
                "resolve_send",
                "Say what happened to an uncertain message. A person has to know.",
                self._resolve,
                ApiAccess.WRITE,
                body=Resolve,
                answer=SentMessage,
                problems=DECIDING,
                parameters=NAME,
            ),
        )

    async def _list(self, call: Call) -> dict[str, Any]:
        query: ListQuery = call.query
        if query.account is not None and query.account.casefold() != call.me.account.casefold():
            return {"sends": [], "next": None}
        found = await self._services.do(
            "sends",
            {
                "account": call.me.account,
                "since": query.since and query.since.isoformat(),
                "state": query.state and query.state.value,
                "reference": query.reference,
                "limit": query.limit,
                "before": query.cursor,
            },
        )
        following = found["next"]
        return {
            "sends": found["sends"],
            "next": None if following is None else str(following),
        }

    async def _show(self, call: Call) -> dict[str, Any]:
        send, query = await self._found(call), call.query
        if query.wait == 0:
            return send

        async def ask(wait_s: float) -> dict[str, Any]:
            asked = {**self._mine(call, send["id"]), "until": query.until.value, "wait_s": wait_s}
            found: dict[str, Any] = await self._services.do("outcome", asked)
            return found

        found = await self._waits.until(call, ask, lambda one: bool(one["over"]), query.wait)
        return _one(found["sends"], send["id"])

    async def _receipts(self, call: Call) -> dict[str, Any]:
        send = await self._found(call)
        facts = await self._services.do("export send", {"id": send["id"]})
        receipts = (
            {"number": one["remote"], **{name: one[name] for name in RECEIPT}}
            for one in facts["receipts"]
        )
        return {"receipts": sorted(receipts, key=lambda one: str(one["at"]))}

    async def _receipt(self, call: Call) -> Response:
        send = await self._found(call)
        facts = await self._services.do("export send", {"id": send["id"]})
        answer = receipt_message(self._services, facts, call.names["number"])
        if answer is None:
            words = say("This message has no receipt of that number whose text is here.")
            raise ProblemFound(ProblemKind.UNKNOWN_RECEIPT, words)
        return answer

    async def _evidence(self, call: Call) -> Response:
        send = await self._found(call)
        with self._waits.turn(call.me):  # one is made at a time
            return await archive(
                self._services, self._config(), send["id"], lambda: self._waits.check(call.me)
            )

    async def _cancel(self, call: Call) -> dict[str, Any]:
        send = await self._found(call)
        if send["state"] == "cancelled":
            return send
        return await self._decided(call, send, "queue cancel", {"version": call.body.version})

    async def _retry(self, call: Call) -> dict[str, Any]:
        send = await self._found(call)
        return await self._decided(call, send, "queue retry", {"version": call.body.version})

    async def _resolve(self, call: Call) -> dict[str, Any]:
        send, said = await self._found(call), call.body
        how = {"version": said.version, "code": said.code, "force": said.force}
        return await self._decided(call, send, f"queue resolve --{said.action}", how)

    async def _decided(
        self, call: Call, send: Mapping[str, Any], operation: str, how: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Carry a decision out; return how the message stands then."""
        try:
            await self._services.do(operation, {"id": send["id"], **how})
        except OperationFailed as failure:
            if failure.cause != "refused":
                raise
            now = await self._again(call, send["id"])
            if operation == "queue cancel" and now["state"] == "cancelled":
                return now  # somebody else's cancel came first
            is_late = how["version"] is not None and how["version"] != now["version"]
            kind = ProblemKind.CHANGED if is_late else ProblemKind.NOT_POSSIBLE
            raise ProblemFound(kind, failure.args[0], {"send": now}) from None
        return await self._again(call, send["id"])

    async def _again(self, call: Call, id: str) -> dict[str, Any]:
        found = await self._services.do("outcome", self._mine(call, id))
        return _one(found["sends"], id)

    async def _found(self, call: Call) -> dict[str, Any]:
        """Return the one message that the path names.

        Raises:
            ProblemFound: none, or several.
        """
        name = call.names["name"]
        found = await self._services.do("outcome", self._mine(call, name))
        sends: list[dict[str, Any]] = found["sends"]
        if len(sends) > 1 and not any(one["id"] == name for one in sends):
            some = [{what: one[what] for what in CANDIDATE} for one in sends[:API_CANDIDATES]]
            raise ProblemFound(
                ProblemKind.AMBIGUOUS,
                say("Several messages have this name: ask for one by its id."),
                {"candidates": some, "more": len(sends) > API_CANDIDATES},
            )
        if not sends:
            words = say("Nothing of this account has this name.")
            raise ProblemFound(ProblemKind.UNKNOWN_SEND, words)
        return _one(sends, name)

    def _mine(self, call: Call, name: str) -> dict[str, Any]:
        """Return the arguments that ask for a name among the key's own."""
        return {"what": name, "account": call.me.account, "most": API_CANDIDATES + 1}


def _one(sends: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the message whose id a name is, else the first."""
    return next((one for one in sends if one["id"] == name), sends[0])
