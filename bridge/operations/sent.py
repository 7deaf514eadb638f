"""What the page lists: what was submitted, by filter and page by page, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.clock import rfc3339
from bridge.language import say
from bridge.model import AccountId
from bridge.operations.accounts import ApiAccounts, Methods, on_word
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.period import midnight, not_looked_for
from bridge.store.base import ReadTransaction, Store
from bridge.store.figures import ReceiptSummary
from bridge.store.outbox import SubmissionRow
from bridge.store.web import SentGroup, SentQuery

PAGE_ROWS = 50
FULL_PAGE = 500


class SentOperations:
    """See the module.

    Args:
        store: what was submitted.
        accounts: the accounts.
    """

    def __init__(self, store: Store, accounts: ApiAccounts) -> None:
        self._store = store
        self._accounts = accounts

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {"sent list": self._list, "sent counts": self._counts}

    async def _list(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return ``rows`` and ``next``, the ``before`` of the page after; None for the last.

        ``group`` is one of ``SentGroup``; ``since`` and ``until`` are days in Rome, both included.
        """
        query = self._query(arguments)

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            account = None
            if arguments.get("account") is not None:
                account = await tx.account(str(arguments["account"]))
                if account is None:
                    raise OperationFailed(
                        say("There is no account {account}.", account=arguments["account"])
                    )
            found = await tx.sent_page(_of(query, account))
            rows = [
                {**_facts(row, summary), "account": await tx.address(row.account)}
                for row, summary in found[: query.limit]
            ]
            more = len(found) > query.limit
            return {"rows": rows, "next": found[query.limit - 1][0].sequence if more else None}

        return await self._store.scan(work)

    async def _counts(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return how many entries of the ``account`` are in each state."""
        (one,) = self._accounts.chosen(arguments)

        async def work(tx: ReadTransaction) -> dict[str, int]:
            return {state.value: count for state, count in (await tx.sent_counts(one.id)).items()}

        return await self._store.scan(work)

    def _query(self, arguments: Mapping[str, Any]) -> SentQuery:
        group, before = arguments.get("group"), arguments.get("before")
        try:
            return SentQuery(
                limit=min(max(int(arguments.get("limit") or PAGE_ROWS), 1), FULL_PAGE),
                group=SentGroup(group) if group else None,
                since=_day(arguments.get("since")),
                until=_day(arguments.get("until"), after=1),
                recipient=str(arguments.get("recipient") or "") or None,
                text=str(arguments.get("text") or "") or None,
                before=None if before is None else int(before),
            )
        except (ValueError, OverflowError) as fault:
            raise not_looked_for(fault) from None


def _of(query: SentQuery, account: AccountId | None) -> SentQuery:
    """Return a query for an account, and for one row more, which tells whether there are others."""
    return replace(query, account=account, limit=query.limit + 1)


def _day(text: object, *, after: int = 0) -> datetime | None:
    if not text:
        return None
    return midnight(str(text), after=after)


def _facts(row: SubmissionRow, summary: ReceiptSummary) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state.value,
        "message_id": row.message_id,
        "subject": row.subject,
        "recipients": list(row.recipients),
        "code": row.code,
        "reference": row.reference,
        "envid": row.envid,
        "created_at": rfc3339(row.created_at),
        "sent_at": rfc3339(row.sent_at),
        "accepted": summary.accepted,
        "delivered": summary.delivered,
        "failed": summary.failed,
        "ordinary": summary.ordinary,
        **on_word(row),
    }
