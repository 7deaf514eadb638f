"""Receipts that came before it was known whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.mailbox import MailboxTransaction
from bridge.model import AccountId, QueueId
from bridge.receipts.filed import read_row
from bridge.receipts.kind import RECEIPTS, Kind
from bridge.receipts.listed import conclude
from bridge.receipts.owner import Owner, find_owners, send_of
from bridge.receipts.proof import agrees, names_another
from bridge.receipts.receipt import Receipt
from bridge.receipts.record import record, refresh, tell_shared_code
from bridge.store.remote import RemoteId, RemoteRow


async def claim(
    mtx: MailboxTransaction,
    account: AccountId,
    queue_id: QueueId,
    code: str,
    *,
    remotes: Sequence[RemoteId] = (),
) -> None:
    """Tie rows that carry ``code`` to the submission whose it now is, and ``remotes`` likewise.

    Each has to be that submission's by all that it says. What fits another one of the same code
    as well is nobody's any more, with an alarm. Keywords and alarms follow in the same commit.

    Args:
        mtx: the commit to join.
        account: whose submission.
        queue_id: which one.
        code: what the API gave it.
        remotes: rows that are known to be its, whatever they carry.
    """
    touched: dict[QueueId, datetime] = {}
    for row in await mtx.tx.remote_with_code(account, code) if code else ():
        if row.submission is None or row.submission != queue_id:
            await _judge(mtx, row, touched)
    if code:
        for one in (await mtx.tx.listed_with_code(account, code))[-1:]:
            await conclude(mtx, account, code, one.first_seen)
    for remote in remotes:
        named = await mtx.tx.remote_row(remote)
        if named is not None and named.submission is None:
            await _take(mtx, named, queue_id, touched)
    for id, at in touched.items():
        await refresh(mtx, id, at)


async def _judge(mtx: MailboxTransaction, row: RemoteRow, touched: dict[QueueId, datetime]) -> None:
    """Give a row to the one send it belongs to, or take it from all if there are several."""
    if row.kind == "" or Kind(row.kind) not in RECEIPTS:
        return
    receipt = await read_row(mtx.tx, row)
    owners = await find_owners(mtx.tx, row.account, receipt)
    if len(owners) == 1 and row.submission is None:
        await record(mtx, owners[0], receipt)
        touched[owners[0].submission.id] = row.first_seen
    elif len(owners) > 1:
        await mtx.tx.release_remote(row.id)
        touched |= {one.submission.id: row.first_seen for one in owners}
        if receipt.code is not None:
            await tell_shared_code(mtx, receipt.code, owners, row.first_seen)


async def release_doubtful(
    mtx: MailboxTransaction, account: AccountId, receipt: Receipt, now: datetime
) -> None:
    """Take back from sends of a receipt's code what it puts in doubt: it names somebody else.

    What was counted for a send and names nobody may be of the other message as well.

    Args:
        mtx: the commit to join.
        account: whose inbox the receipt came into.
        receipt: what names somebody else.
        now: when.
    """
    if receipt.code is None or not receipt.addresses:
        return
    for submission in await mtx.tx.submissions_by_code(account, receipt.code):
        if not names_another(receipt, await send_of(mtx.tx, submission)):
            continue
        for counted in await mtx.tx.receipts_of(submission.id):
            row = None if counted.addresses else await mtx.tx.remote_row(counted.remote)
            if row is None or row.code != receipt.code:
                continue
            owners = await find_owners(mtx.tx, account, await read_row(mtx.tx, row))
            if all(one.submission.id != submission.id for one in owners):
                await mtx.tx.release_remote(row.id)
        await refresh(mtx, submission.id, now)


async def _take(
    mtx: MailboxTransaction, row: RemoteRow, queue_id: QueueId, touched: dict[QueueId, datetime]
) -> None:
    """Give a row to the send that its finder matched it with, unless its text says otherwise."""
    submission = await mtx.tx.submission(queue_id)
    receipt = await read_row(mtx.tx, row)
    if submission is None or not agrees(receipt, await send_of(mtx.tx, submission)):
        return
    await record(mtx, Owner(submission), receipt)
    touched[queue_id] = row.first_seen
