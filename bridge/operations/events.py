"""``events``: what happened to messages, in order, from where whoever asks left off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.clock import Clock, rfc3339
from bridge.language import say
from bridge.mailbox import Mailboxes
from bridge.operations.accounts import ApiAccounts, Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.watching import watched
from bridge.store.base import ReadTransaction, Store
from bridge.store.events import EventRow

AT_A_TIME = 1_000


class EventOperations:
    """See the module.

    Args:
        store: the log.
        clock: for waiting.
        accounts: the accounts.
        changing: whose commits a wait looks at; None if nothing changes while nobody runs.
    """

    def __init__(
        self, store: Store, clock: Clock, accounts: ApiAccounts, changing: Mailboxes | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._changing = changing

    def methods(self) -> Methods:
        """Return the operation by its name."""
        return {"events": self._events}

    async def _events(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return the first events behind the number ``after``, at most ``limit``.

        ``wait_s`` is how long to wait for the first one.
        """
        if self._changing is None:
            return await self._now(arguments)
        wait_s = float(arguments.get("wait_s") or 0.0)
        return await watched(
            lambda: self._now(arguments),
            lambda found: bool(found["events"]),
            self._changing,
            self._clock,
            wait_s,
        )

    async def _now(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        after = int(arguments.get("after") or 0)
        limit = min(int(arguments.get("limit") or AT_A_TIME), AT_A_TIME)
        chosen = self._accounts.chosen(arguments)
        account = None if arguments.get("account") is None else chosen[0].id

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            oldest, newest = await tx.event_numbers()
            if after > newest:
                raise OperationFailed(
                    say(
                        "There is no event {after}: the last one is {newest}. The data is "
                        "another, or a backup that was put back; begin anew with --after 0.",
                        after=after,
                        newest=newest,
                    )
                )
            if not await tx.was_told(after):
                raise OperationFailed(
                    say(
                        "There is no event {after}: a backup was put back that was made before "
                        "it. Begin anew with --after 0.",
                        after=after,
                    )
                )
            rows = await tx.events(account, after, limit)
            return {
                "events": [await self._facts(tx, row) for row in rows],
                "missing": 0 < after < oldest - 1,
                "waits": self._changing is not None,
            }

        return await self._store.read(work)

    async def _facts(self, tx: ReadTransaction, row: EventRow) -> dict[str, Any]:
        return await event_facts(self._accounts, tx, row)


async def event_facts(accounts: ApiAccounts, tx: ReadTransaction, row: EventRow) -> dict[str, Any]:
    """Return what an event is, as everybody is told who asks for events or is told of them."""
    event = row.event
    address = accounts.address(event.account) or await tx.address(event.account)
    return {
        "number": row.number,
        "at": rfc3339(event.at),
        "event": event.kind.value,
        "account": address,
        "id": event.submission,
        "message_id": row.message_id,
        "reference": row.reference,
        "envid": row.envid,
        "code": row.code,
        "recipient": event.recipient or None,
        "detail": event.detail,
    }
