"""``outcome``: what became of a message, asked by any of its names, now or once it is known.

A wait reads anew after commits, at most once a second, and never asks the API. One that nobody
listens to any more ends by its time, so whoever asks over a connection asks for a short one again
and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.operations.accounts import ApiAccounts, Methods, moment
from bridge.operations.control import Progress
from bridge.operations.named import find_sends
from bridge.operations.reason import Reasons
from bridge.operations.receipts import send_facts
from bridge.operations.watching import watched
from bridge.outbox.window import Window
from bridge.receipts.outcome import is_over, next_step, outcome_in
from bridge.receipts.record import standing_of
from bridge.receipts.states import FAILED_STATES, DeliveryStatus
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import SubmissionRow


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
        """Return the operation by its name."""
        return {"outcome": self._outcome}

    async def _outcome(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return what became of all that ``what`` names, and whether waiting is over.

        ``wait_s`` is how long to wait for what ``until`` says (``final`` or ``submitted``).
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
        now = self._clock.now()

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            rows = await find_sends(tx, accounts, what)
            reasons = await Reasons.read(tx, rows, self._accounts, now, self._window)
            stands = [(row, await standing_of(tx, row)) for row in rows]
            return {
                "what": what,
                "over": all(is_over(row.state, where, until) for row, where in stands),
                "waits": self._changing is not None,
                "sends": [self._facts(row, where, reasons.of(row)) for row, where in stands],
            }

        return await self._store.read(work)

    def _facts(self, row: SubmissionRow, where: DeliveryStatus, reason: str) -> dict[str, Any]:
        failed = [one.detail for one in where.recipients if one.state in FAILED_STATES]
        return {
            "id": row.id,
            "account": self._accounts.address(row.account),
            "state": row.state.value,
            "outcome": outcome_in(row.state, where).value,
            "reason": reason or "; ".join(dict.fromkeys(filter(None, failed))),
            "next": next_step(row, where),
            "created_at": moment(row.created_at),
            "updated_at": moment(_last_change(row, where)),
            **send_facts(row, where),
        }


def _last_change(row: SubmissionRow, where: DeliveryStatus) -> datetime:
    """Return when its state or that of a recipient last changed."""
    return max([row.updated_at, *(one.at for one in where.recipients if one.at is not None)])
