"""Receipts that came before the answer was known."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.mailbox import MailboxTransaction
from bridge.model import AccountId, QueueId
from bridge.receipts.kind import RECEIPTS, Kind
from bridge.receipts.owner import Owner
from bridge.receipts.receipt import read_receipt
from bridge.receipts.record import record, refresh
from bridge.store.remote import RemoteId, RemoteRow


async def claim(
    mtx: MailboxTransaction,
    account: AccountId,
    queue_id: QueueId,
    code: str,
    *,
    remotes: Sequence[RemoteId] = (),
) -> None:
    """Tie rows that carry ``code`` to the submission that got it, and ``remotes`` likewise.

    They become its receipts: keywords and alarms follow in the same commit.
    """
    submission = await mtx.tx.submission(queue_id)
    if submission is None:
        return
    rows = await mtx.tx.remote_with_code(account, code) if code else []
    named = [await mtx.tx.remote_row(remote) for remote in remotes]
    rows += [row for row in named if row is not None]
    claimed = {row.id: row for row in rows if row.submission is None and _is_receipt(row)}
    for row in claimed.values():
        body = await mtx.tx.remote_body(row.id)
        at = row.received_at or row.first_seen
        receipt = read_receipt(row.id, row.subject, row.sender, body, at)
        await record(mtx, Owner(submission), receipt)
    if claimed:
        await refresh(mtx, queue_id, max(row.first_seen for row in claimed.values()))


def _is_receipt(row: RemoteRow) -> bool:
    return row.kind != "" and Kind(row.kind) in RECEIPTS
