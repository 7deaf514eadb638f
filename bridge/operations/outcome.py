"""``outcome``: what became of a message, asked by any of its names, now or once it is known.

``sends`` lists what was submitted with the same facts of each, newest first and page by page.

A wait reads anew after commits, at most once a second, and never asks the API. One that nobody
listens to any more ends by its time, so whoever asks over a connection asks for a short one again
and again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.clock import Clock, rfc3339
from bridge.limits import API_PAGE_SENDS as PAGE_SENDS
from bridge.mailbox import Mailboxes
from bridge.model import SubmissionState
from bridge.operations.accounts import ApiAccounts, Methods
from bridge.operations.control import Progress
from bridge.operations.named import find_sends
from bridge.operations.period import not_looked_for, zoned
from bridge.operations.reason import Reasons
from bridge.operations.receipts import send_facts
from bridge.operations.watching import watched
from bridge.outbox.window import Window
from bridge.receipts.outcome import is_over, next_step, outcome_in
from bridge.receipts.record import standing_of
from bridge.receipts.states import FAILED_STATES, DeliveryStatus
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import SubmissionRow
from bridge.store.web import SentQuery


class OutcomeOperations:
    """See the module.

    Args:
        store: what was submitted, and the receipts of it.
        clock: for waiting.
        accounts: the accounts.
        window: the hours in which messages leave.
        changing: whose commits a wait looks at; None if nothing changes while nobody runs.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        accounts: ApiAccounts,
        window: Window,
        changing: Mailboxes | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._window = window
        self._changing = changing

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {"outcome": self._outcome, "sends": self._list}

    async def _outcome(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return what became of all that ``what`` names, and whether waiting is over.

        ``wait_s`` is how long to wait for what ``until`` says (``final`` or ``submitted``),
        ``most`` how many of one name are looked at.
        """
        if self._changing is None:
            return await self._now(arguments)
        wait_s = float(arguments.get("wait_s") or 0.0)
        return await watched(
            lambda: self._now(arguments),
            lambda found: bool(found["over"]),
            self._changing,
            self._clock,
            wait_s,
        )

    async def _now(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        what = str(arguments["what"]).strip()
        until = str(arguments.get("until") or "final")
        accounts = [one.id for one in self._accounts.chosen(arguments)]
        named = arguments.get("account") is not None
        now = self._clock.now()

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            found = await find_sends(tx, accounts, what, arguments.get("most"))
            rows = [row for row in found if not named or row.account in accounts]
            stands = [await standing_of(tx, row) for row in rows]
            return {
                "what": what,
                "over": all(
                    is_over(row.state, where, until)
                    for row, where in zip(rows, stands, strict=True)
                ),
                "waits": self._changing is not None,
                "sends": await self._all_facts(tx, rows, stands, now),
            }

        return await self._store.read(work)

    async def _list(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return ``sends``, newest first, and ``next``, the ``before`` of the page after.

        Arguments narrow the list: ``account``, ``since`` (RFC 3339, when it was submitted),
        ``state`` and the whole ``reference``; ``limit`` is how many there are on a page. ``next``
        is None on the last page.
        """
        query, now = _query(arguments), self._clock.now()

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            account = None
            if arguments.get("account") is not None:
                (chosen,) = self._accounts.chosen(arguments)
                account = chosen.id
            # One more than is shown tells whether there are others.
            page = await tx.sent_page(replace(query, account=account, limit=query.limit + 1))
            rows = [row for row, _ in page[: query.limit]]
            stands = [await standing_of(tx, row) for row in rows]
            return {
                "sends": await self._all_facts(tx, rows, stands, now),
                "next": rows[-1].sequence if len(page) > query.limit else None,
            }

        return await self._store.scan(work)

    async def _all_facts(
        self,
        tx: ReadTransaction,
        rows: Sequence[SubmissionRow],
        stands: Sequence[DeliveryStatus],
        now: datetime,
    ) -> list[dict[str, Any]]:
        reasons = await Reasons.read(tx, rows, self._accounts, now, self._window)
        return [
            {
                **self._facts(row, where, reasons.of(row)),
                "version": await tx.step_count(row.id),
            }
            for row, where in zip(rows, stands, strict=True)
        ]

    def _facts(self, row: SubmissionRow, where: DeliveryStatus, reason: str) -> dict[str, Any]:
        failed = [one.detail for one in where.recipients if one.state in FAILED_STATES]
        return {
            "id": row.id,
            "account": self._accounts.address(row.account),
            "state": row.state.value,
            "outcome": outcome_in(row.state, where).value,
            "reason": reason or "; ".join(dict.fromkeys(filter(None, failed))),
            "next": next_step(row, where),
            "created_at": rfc3339(row.created_at),
            "updated_at": rfc3339(_last_change(row, where)),
            **send_facts(row, where),
        }


def _query(arguments: Mapping[str, Any]) -> SentQuery:
    state, since, before = (arguments.get(name) for name in ("state", "since", "before"))
    try:
        return SentQuery(
            limit=min(max(int(arguments.get("limit") or PAGE_SENDS), 1), PAGE_SENDS),
            state=SubmissionState(state) if state else None,
            reference=arguments.get("reference") or None,
            since=zoned(str(since)) if since else None,
            before=None if before is None else int(before),
        )
    except (ValueError, OverflowError) as fault:
        raise not_looked_for(fault) from None


def _last_change(row: SubmissionRow, where: DeliveryStatus) -> datetime:
    """Return when its state or that of a recipient last changed."""
    return max([row.updated_at, *(one.at for one in where.recipients if one.at is not None)])
