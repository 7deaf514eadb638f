"""What happened to the messages of an account, in order, from where a program left off."""

from __future__ import annotations

from typing import Any

from bridge.operations.control import OperationFailed
from bridge.web.contract.endpoint import Call, Endpoint
from bridge.web.contract.shapes import Events, EventsQuery
from bridge.web.contract.waiting import Waits
from bridge.web.problem import ProblemFound, ProblemKind
from bridge.web.services import WebServices


class EventEndpoint:
    """See the module.

    Args:
        services: carries operations out.
        waits: how long an answer may take.
    """

    def __init__(self, services: WebServices, waits: Waits) -> None:
        self._services = services
        self._waits = waits

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the endpoint."""
        return (
            Endpoint(
                "GET",
                "/events",
                "list_events",
                "What happened behind a number, in order; with `wait` as soon as something does.",
                self._list,
                query=EventsQuery,
                answer=Events,
                problems=(ProblemKind.POSITION, ProblemKind.TOO_MANY_WAITS),
            ),
        )

    async def _list(self, call: Call) -> dict[str, Any]:
        query: EventsQuery = call.query

        async def ask(wait_s: float) -> dict[str, Any]:
            asked = {
                "account": call.me.account,
                "after": query.after,
                "limit": query.limit,
                "wait_s": wait_s,
            }
            try:
                found: dict[str, Any] = await self._services.do("events", asked)
            except OperationFailed as failure:
                if failure.cause == "refused":  # nothing else that was asked for can be
                    raise ProblemFound(ProblemKind.POSITION, failure.args[0]) from None
                raise
            return found

        found = await self._waits.until(call, ask, lambda one: bool(one["events"]), query.wait)
        events = found["events"]
        return {
            "events": events,
            "next": events[-1]["number"] if events else query.after,
            "missing": found["missing"],
        }
