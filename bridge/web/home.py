"""Home: is everything well, and if not, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from bridge.alarms.words import entry_of
from bridge.operations.control import OperationFailed
from bridge.web.alarmwords import ALARMS
from bridge.web.page import Look, PageRoutes
from bridge.web.words import ON_THEIR_WAY, STATES


def routes(pages: PageRoutes) -> list[BaseRoute]:
    """Return its routes."""
    return [
        pages.member("/", _show),
        pages.member("/alarms", _acknowledge, methods=("POST",)),
    ]


async def _show(look: Look) -> Response:
    status = await look.services.do("status")
    accounts = [one for one in status["accounts"] if look.me.may_see(one["address"])]
    alarms = [one for one in status["alarms"] if look.me.may_see(one["account"])]
    if look.me.is_administrator:
        queue = status["queue"]
    else:
        queue = await look.services.do("sent counts", look.mine())
    return look.render(
        "home.html",
        status=status,
        credit_eur=await _credit(look),
        accounts=accounts,
        alarms=[
            {**one, "about": ALARMS.get(one["kind"]), "entry": entry_of(one["key"])}
            for one in alarms
        ],
        queue={state: queue[state] for state in STATES if queue.get(state)},
        states=STATES,
        uncertain=queue.get("uncertain", 0) + queue.get("restored", 0),
        is_well=is_well(accounts, alarms, queue),
        moves=any(queue.get(state) for state in ON_THEIR_WAY),
    )


async def _credit(look: Look) -> float | None:
    """Return what is left to spend, for whoever pays; None if that is not known."""
    if not look.me.is_administrator:
        return None
    try:
        credit: float | None = (await look.services.do("expiry list"))["credit_eur"]
    except OperationFailed:
        return None
    return credit


def is_well(
    accounts: Sequence[Mapping[str, Any]],
    alarms: Sequence[Mapping[str, Any]],
    queue: Mapping[str, int],
) -> bool:
    """Tell whether nothing asks for a person.

    Args:
        accounts: as ``status`` has them.
        alarms: those that are raised; acknowledged ones were seen.
        queue: how many entries are in each state.
    """
    return not (
        any(one["error"] for one in accounts)
        or any(one["acknowledged_at"] is None for one in alarms)
        or any(queue.get(state) for state in ("uncertain", "restored", "held"))
    )


async def _acknowledge(look: Look) -> Response:
    await look.services.do("alarm ack", look.mine({"ids": [look.form.get("id", "")]}))
    return RedirectResponse("/", 303)
