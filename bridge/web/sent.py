"""Sent: what was submitted, by filter and page by page; one message, and what a person decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from bridge.operations.control import OperationFailed
from bridge.web.page import Look, PageNotFound, PageRoutes
from bridge.web.words import (
    GROUPS,
    ON_THEIR_WAY,
    RECEIPTS,
    RECIPIENTS,
    STATES,
    moves_in_s,
    standing,
)

FILTERS = ("text", "recipient", "group", "since", "until", "account")
DECISIONS: Mapping[str, str] = {
    "sent": "queue resolve --sent",
    "resend": "queue resolve --resend",
    "drop": "queue resolve --drop",
    "reopen": "queue resolve --reopen",
    "retry": "queue retry",
    "cancel": "queue cancel",
}
"""The operation of each button."""

MAY_FORCE = frozenset({"sent", "resend"})
SECOND = len("2026-01-15T08:30:00")
NUMBER_DIGITS = 18
"""No entry has a number with more."""

OPEN = frozenset({"pending", "accepted", "late_12h"})


def routes(pages: PageRoutes) -> list[BaseRoute]:
    """Return its routes."""
    return [
        pages.member("/sent", _list),
        pages.member("/sent/{id}", _show),
        pages.member("/sent/{id}", _decide, methods=("POST",)),
    ]


async def _list(look: Look) -> Response:
    now = look.services.clock.now()
    asked = {name: look.asked(name) for name in FILTERS}
    arguments: dict[str, Any] = {name: value for name, value in asked.items() if value}
    before = look.asked("before")
    if before.isascii() and before.isdigit() and len(before) <= NUMBER_DIGITS:
        arguments["before"] = int(before)
    fault = ""
    try:
        found = await look.services.do("sent list", look.mine(arguments))
    except OperationFailed as failure:
        found, fault = {"rows": [], "next": None}, look.say(failure.args[0])
    return look.render(
        "sent.html",
        200 if not fault else 400,
        rows=[{**row, "standing": standing(row)} for row in found["rows"]],
        next=found["next"],
        before=before,
        asked=asked,
        is_filtered=any(asked.values()),
        groups=GROUPS,
        accounts=await look.accounts(),
        fault=fault,
        every_s=min(filter(None, (moves_in_s(row, now) for row in found["rows"])), default=None),
    )


async def facts_of(look: Look, id: str) -> dict[str, Any]:
    """Return all that is known of an entry.

    Raises:
        PageNotFound: there is none, or it is not the visitor's.
    """
    try:
        facts: dict[str, Any] = await look.services.do("export send", {"id": id})
    except OperationFailed:
        raise PageNotFound from None
    if not look.me.may_see(facts["account"]):
        raise PageNotFound
    return facts


async def _show(look: Look) -> Response:
    return await _page(look, await facts_of(look, look.request.path_params["id"]))


async def _page(
    look: Look, facts: Mapping[str, Any], status: int = 200, *, fault: str = "", tried: str = ""
) -> Response:
    shown = await look.services.do("queue show", {"id": facts["id"]})
    is_open = any(one["state"] in OPEN for one in facts["recipients"])
    return look.render(
        "message.html",
        status,
        facts={"on_word": False, **facts},
        reason=shown["reason"],
        expected_at=shown["expected_at"],
        state=STATES[facts["state"]],
        recipients=RECIPIENTS,
        steps=steps(facts),
        states=STATES,
        receipts=RECEIPTS,
        fault=fault,
        tried=tried,
        code=look.form.get("code", ""),
        may_force=tried in MAY_FORCE,
        done=look.asked("done") in DECISIONS and look.asked("done"),
        moves=facts["state"] in ON_THEIR_WAY or (facts["state"] == "submitted" and is_open),
    )


def steps(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return all that happened to an entry, in order of time, to the second."""
    found = [
        {"at": facts["created_at"], "kind": "submitted", "detail": "", "addresses": []},
        *(
            {
                "at": one["at"],
                "kind": "step",
                "new": one["new"],
                "detail": one["reason"],
                "addresses": [],
            }
            for one in facts["transitions"]
        ),
        *(
            {
                "at": one["at"],
                "kind": "receipt",
                "receipt": one["kind"],
                "number": one["remote"] if one["size_bytes"] else None,
                "detail": one["detail"],
                "addresses": one["addresses"],
            }
            for one in facts["receipts"]
        ),
    ]
    # Receipts are dated to the second: within one, they come after what they are about.
    return sorted(found, key=lambda step: str(step["at"])[:SECOND])


async def _decide(look: Look) -> Response:
    facts = await facts_of(look, look.request.path_params["id"])
    action = look.form.get("action", "")
    if action not in DECISIONS:
        raise PageNotFound
    arguments: dict[str, Any] = {"id": facts["id"]}
    if action in MAY_FORCE:
        arguments["force"] = look.form.get("force") == "yes"
    if action == "sent":
        arguments["code"] = look.form.get("code", "").strip()
    try:
        await look.services.do(DECISIONS[action], arguments)
    except OperationFailed as failure:
        return await _page(look, facts, 409, fault=look.say(failure.args[0]), tried=action)
    return RedirectResponse(f"/sent/{facts['id']}?done={action}", 303)
