"""Why each entry of the outbox is where it is, and until when it waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bridge.model import AccountId
from bridge.operations.accounts import ApiAccounts
from bridge.outbox.states import UNFINISHED
from bridge.outbox.waiting import WAITING, AccountQueue, account_queue, removed, why
from bridge.outbox.window import Window
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow


class Reasons:
    """Says why, of entries read in the same transaction; build it with ``read``.

    Args:
        queues: what each account's entries wait for.
        gone: the addresses of accounts that left the settings.
        now: when.
        window: the hours in which messages leave.
    """

    def __init__(
        self,
        queues: Mapping[AccountId, AccountQueue],
        gone: Mapping[AccountId, str],
        now: datetime,
        window: Window,
    ) -> None:
        self._queues = queues
        self._gone = gone
        self._now = now
        self._window = window

    @classmethod
    async def read(
        cls,
        tx: ReadTransaction,
        rows: Iterable[SubmissionRow],
        known: ApiAccounts,
        now: datetime,
        window: Window,
    ) -> Reasons:
        """Read what the queues of ``rows`` wait for.

        Args:
            tx: what is so.
            rows: the entries that will be asked about.
            known: the accounts of the settings.
            now: for what is due.
            window: the hours in which messages leave.
        """
        accounts = {row.account for row in rows}
        return cls(
            {id: await account_queue(tx, id) for id in accounts},
            {id: await tx.address(id) or "?" for id in accounts if known.address(id) is None},
            now,
            window,
        )

    def of(self, row: SubmissionRow) -> str:
        """Return why an entry is where it is, "" if that needs no saying."""
        if row.account in self._gone and row.state in UNFINISHED:
            return removed(row, self._gone[row.account])
        if row.state not in WAITING:
            return row.reason
        queue = self._queues.get(row.account)
        return row.reason if queue is None else why(row, queue, self._now, self._window)
