"""Delivery status notifications in SQL: statements and nothing else (see ``store.dsn``)."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.model import QueueId
from bridge.store.dsn import DsnAction, DsnRequest, DsnState, DsnWish, NotifyOn
from bridge.store.sql.engine import Area


class SqlDsn(Area):
    """Satisfies ``DsnReads`` and ``DsnWrites``."""

    async def dsn(self, submission: QueueId) -> DsnState | None:
        """See ``DsnReads``."""
        row = self._row("SELECT full_text, count FROM dsn WHERE submission = ?", (submission,))
        if row is None:
            return None
        wishes, told = {}, {}
        for recipient, notify, original, action in self._rows(
            "SELECT recipient, notify, original, told FROM dsn_recipient WHERE submission = ?",
            (submission,),
        ):
            wishes[recipient] = DsnWish(_read(notify), original)
            if action is not None:
                told[recipient] = DsnAction(action)
        return DsnState(bool(row[0]), wishes, told, row[1])

    async def ask_dsn(self, submission: QueueId, request: DsnRequest) -> None:
        """See ``DsnWrites``."""
        self._row(
            "INSERT INTO dsn (submission, full_text) VALUES (?, ?)", (submission, request.full)
        )
        for recipient, wish in request.wishes.items():
            self._row(
                "INSERT INTO dsn_recipient (submission, recipient, notify, original)"
                " VALUES (?, ?, ?, ?)",
                (submission, recipient, _written(wish.notify), wish.original),
            )

    async def tell_dsn(self, submission: QueueId, told: Mapping[str, DsnAction]) -> None:
        """See ``DsnWrites``."""
        self._row("UPDATE dsn SET count = count + 1 WHERE submission = ?", (submission,))
        for recipient, action in told.items():
            self._row(
                "UPDATE dsn_recipient SET told = ? WHERE submission = ? AND recipient = ?",
                (action.value, submission, recipient),
            )


def _read(notify: str | None) -> frozenset[NotifyOn] | None:
    return None if notify is None else frozenset(map(NotifyOn, filter(None, notify.split(","))))


def _written(notify: frozenset[NotifyOn] | None) -> str | None:
    return None if notify is None else ",".join(sorted(one.value for one in notify))
