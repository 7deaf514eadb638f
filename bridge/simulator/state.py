"""The state page and the control endpoints: what came in and when, and ways to interfere.

``GET /_simulator`` is a page, ``GET /_simulator/state`` the same as JSON; ``POST
/_simulator/messages``, ``POST`` and ``DELETE /_simulator/faults`` are for people and scripts
without Python (``administration`` has one more). No authentication: the simulator belongs on
loopback. Passwords and the token are never shown. A request it can't read is answered 400 with a
sentence.
"""

from __future__ import annotations

import dataclasses
import html
import json
from enum import Enum
from itertools import islice

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from bridge.simulator.fault import (
    Failure,
    FaultRule,
    FixedAnswer,
    Operation,
    Phase,
    ReceivedRequest,
)
from bridge.simulator.respond import json_response
from bridge.simulator.scenario import OUTCOMES
from bridge.simulator.submission import Sent
from bridge.simulator.world import ServiceMailbox, World

_SHOWN = 200


class WorldState:
    """Answers about the world, for people."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[BaseRoute]:
        """Return the routes to add to the app."""
        return [
            Route("/_simulator", self._page, methods=["GET"]),
            Route("/_simulator/state", self._state, methods=["GET"]),
            Route("/_simulator/messages", self._add_message, methods=["POST"]),
            Route("/_simulator/faults", self._add_fault, methods=["POST"]),
            Route("/_simulator/faults", self._clear_faults, methods=["DELETE"]),
        ]

    def snapshot(self) -> dict[str, object]:
        """Return the state as JSON values; the last 200 calls, messages and rows of each inbox."""
        world = self._world
        world.run_due()
        return {
            "now": world.clock.now().isoformat(),
            "options": _options(world),
            "mailboxes": [_mailbox(account) for account in world.accounts.values()],
            "receipts_pending": len(world.network.events),
            "faults_pending": [_fault(fault) for fault in world.faults.pending],
            "sent_count": len(world.sent),
            "sent": [_sent(sent) for sent in world.sent[-_SHOWN:]],
            "calls": [_call(call) for call in islice(reversed(world.calls), _SHOWN)][::-1],
        }

    async def _state(self, _request: Request) -> Response:
        return json_response(200, self.snapshot())

    async def _page(self, _request: Request) -> Response:
        return HTMLResponse(_html_page(self.snapshot()))

    async def _add_message(self, request: Request) -> Response:
        try:
            fields = await _object(request)
            account = self._world.account(str(fields["mailbox"]))
            subject = str(fields["subject"])
        except (KeyError, ValueError):
            return _bad("send a JSON object with mailbox (one that exists), subject, body, sender")
        account.inbox.add(
            sender=str(fields.get("sender", '"Per conto di: mittente@esempio.invalid" ')),
            recipient=account.address,
            at=self._world.clock.now(),
            subject=subject,
            body=str(fields.get("body", "Testo.")),
        )
        self._world.changed()
        return json_response(201, {"success": True})

    async def _add_fault(self, request: Request) -> Response:
        try:
            fault = _fault_from(await _object(request))
        except (KeyError, TypeError, ValueError) as problem:
            return _bad(
                "send a JSON object with phase, operation (e.g. 'POST /send'), and either failure "
                f"or status with body and headers; optional skip, times, delay_s ({problem})"
            )
        self._world.faults.add(fault)
        return json_response(201, _fault(fault))

    async def _clear_faults(self, _request: Request) -> Response:
        self._world.faults.clear()
        return json_response(200, {"success": True})


async def _object(request: Request) -> dict[str, object]:
    value = json.loads(await request.body())
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _bad(message: str) -> Response:
    return json_response(400, {"success": False, "message": message})


def _fault_from(fields: dict[str, object]) -> FaultRule:
    result: Failure | FixedAnswer | None = None
    if "failure" in fields:
        result = Failure[str(fields["failure"]).upper().replace("-", "_")]
    elif "status" in fields:
        body = fields.get("body", "")
        headers = fields.get("headers", {})
        if not isinstance(headers, dict):
            raise ValueError("headers is not an object")
        result = FixedAnswer(
            int(str(fields["status"])), body.encode() if isinstance(body, str) else body, headers
        )
    operation = fields.get("operation")
    times = fields.get("times", 1)
    return FaultRule(
        phase=Phase(fields["phase"]),
        result=result,
        operation=None if operation is None else Operation(operation),
        mailbox=None if fields.get("mailbox") is None else str(fields["mailbox"]),
        skip=int(str(fields.get("skip", 0))),
        times=None if times is None else int(str(times)),
        delay_s=float(str(fields.get("delay_s", 0))),
    )


def _options(world: World) -> dict[str, object]:
    shown: dict[str, object] = {}
    for entry in dataclasses.fields(world.options):
        value = getattr(world.options, entry.name)
        if entry.name == "token":
            continue
        if entry.name == "delays":
            value = dataclasses.asdict(value)
        shown[entry.name] = value.name.lower() if isinstance(value, Enum) else value
    return shown


def _mailbox(account: ServiceMailbox) -> dict[str, object]:
    rows = account.inbox.listed(_SHOWN)
    return {
        "address": account.address,
        "messages": len(account.inbox),
        "used_bytes": account.used_bytes,
        "limit_bytes": account.limit_bytes,
        "inbox": [
            {
                "id": listed.id,
                "at": listed.row.at.isoformat(),
                "sender": listed.row.sender,
                "subject": listed.row.subject,
            }
            for listed in rows
        ],
    }


def _sent(sent: Sent) -> dict[str, object]:
    return {
        "call": sent.call,
        "received_at": sent.received_at.isoformat(timespec="microseconds"),
        "received_s": sent.received_s,
        "mailbox": sent.mailbox,
        "sender": sent.sender,
        "recipients": list(sent.recipients),
        "subject": sent.subject,
        "body": sent.body,
        "attachments": [
            {
                "name": one.name,
                "media_type": one.media_type,
                "size_bytes": one.size_bytes,
                "sha256": one.sha256,
            }
            for one in sent.attachments
        ],
        "code": sent.code,
    }


def _call(call: ReceivedRequest) -> dict[str, object]:
    return {
        "number": call.number,
        "operation": call.operation.value,
        "received_at": call.received_at.isoformat(timespec="microseconds"),
        "received_s": call.received_s,
        "mailbox": call.mailbox,
        "target": call.target,
        "status": call.status,
        "failure": None if call.failure is None else call.failure.name.lower(),
        "processed": call.processed,
    }


def _fault(fault: FaultRule) -> dict[str, object]:
    result = fault.result
    told: object = None
    if isinstance(result, Failure):
        told = result.name.lower()
    elif isinstance(result, FixedAnswer):
        told = result.status
    return {
        "phase": fault.phase.value,
        "operation": None if fault.operation is None else fault.operation.value,
        "mailbox": fault.mailbox,
        "result": told,
        "skip": fault.skip,
        "times": fault.times,
    }


def _html_page(state: dict[str, object]) -> str:
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Simulator</title>"
        "<style>body{font:14px sans-serif;margin:2em}td,th{padding:2px 8px;text-align:left;"
        "border-bottom:1px solid #ddd;vertical-align:top}table{border-collapse:collapse}</style>"
        "<h1>Simulated API</h1>"
        f"<p>{html.escape(str(state['now']))}; messages taken: {state['sent_count']}; "
        f"receipts still to come: {state['receipts_pending']}. "
        '<a href="/_simulator/state">as JSON</a></p>'
    ]
    for title in ("sent", "calls", "faults_pending"):
        parts.append(_table(title.replace("_", " ").capitalize(), state[title]))
    mailboxes = state["mailboxes"]
    for mailbox in mailboxes if isinstance(mailboxes, list) else []:
        parts.append(_table(f"Inbox of {mailbox['address']}", mailbox["inbox"]))
    rows = [{"local part": f"{name}-…", "outcome": one.meaning} for name, one in OUTCOMES.items()]
    parts.append(_table("What becomes of a message, by recipient", rows))
    return "".join(parts)


def _table(title: str, rows: object) -> str:
    if not isinstance(rows, list) or not rows:
        return f"<h2>{html.escape(title)}</h2><p>None.</p>"
    head = "".join(f"<th>{html.escape(name)}</th>" for name in rows[0])
    lines = [
        "<tr>"
        + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row.values())
        + "</tr>"
        for row in reversed(rows)
    ]
    return f"<h2>{html.escape(title)}</h2><table><tr>{head}</tr>{''.join(lines)}</table>"


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else text[:300] + "…"
