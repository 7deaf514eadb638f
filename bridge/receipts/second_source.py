"""What ``GET /send/{code}`` proves about a send, where the inbox lacks a receipt.

The API finds those messages by their subject, perhaps among others' (Q13), and shows no text of
their own (Q5). So only what is a receipt by prefix and sender, carries the very code, and can be
about nobody else (``proof``) is kept: as a row that is not in the inbox, with the JSON as received,
and as a receipt. When the same receipt turns up in the inbox later, it says the same again, which
harms nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from bridge.api.schema import StatusRow
from bridge.mailbox import MailboxTransaction
from bridge.model import QueueId
from bridge.receipts.address import plain_address
from bridge.receipts.owner import Owner, find_owner
from bridge.receipts.receipt import Receipt, read_receipt
from bridge.receipts.record import record, refresh
from bridge.receipts.states import EFFECTS, Scope
from bridge.store.outbox import SubmissionRow
from bridge.store.receipts import ReceiptBasis, ReceiptRow
from bridge.store.remote import NewRemote, RemoteId

REMARK = "told by GET /send"
_NOT_YET = RemoteId(0)


async def keep_status(
    mtx: MailboxTransaction, id: QueueId, shown: Sequence[StatusRow], now: datetime
) -> None:
    """Keep the receipts among ``shown`` that a send lacks.

    Args:
        mtx: the commit to join.
        id: the send.
        shown: what ``GET /send`` tells of its code.
        now: when.
    """
    submission = await mtx.tx.submission(id)
    if submission is None:
        return
    for row in shown:
        at = row.date or now
        receipt = read_receipt(_NOT_YET, row.subject, row.sender, row.body, at)
        owner = await find_owner(mtx.tx, submission.account, receipt)
        if owner is None or owner.weak or owner.submission.id != id:
            continue
        known = await mtx.tx.receipts_of(id)
        if _settles(receipt, submission) and not _is_known(receipt, submission, known):
            remote = await _keep_row(mtx, submission, row, receipt, now)
            told = receipt.of(remote)
            await record(mtx, Owner(submission), told, ReceiptBasis.STATUS, REMARK)
    await refresh(mtx, id, now)


def _settles(receipt: Receipt, submission: SubmissionRow) -> bool:
    effect = EFFECTS.get(receipt.kind_for(submission))
    if effect is None:
        return False
    return effect.scope is Scope.ALL or len(_concerned(receipt.addresses, submission)) == 1


def _concerned(addresses: Sequence[str], submission: SubmissionRow) -> set[str]:
    everybody = set(map(plain_address, submission.recipients))
    return everybody if len(everybody) == 1 else everybody & set(map(plain_address, addresses))


def _is_known(receipt: Receipt, submission: SubmissionRow, known: Sequence[ReceiptRow]) -> bool:
    kind = receipt.kind_for(submission).value
    about = _concerned(receipt.addresses, submission)
    return any(one.kind == kind and _concerned(one.addresses, submission) == about for one in known)


async def _keep_row(
    mtx: MailboxTransaction,
    submission: SubmissionRow,
    row: StatusRow,
    receipt: Receipt,
    now: datetime,
) -> RemoteId:
    remote = await mtx.tx.add_remote(
        NewRemote(
            account=submission.account,
            fingerprint=hashlib.sha256(f"status {row.raw}".encode()).digest(),
            api_id="",
            raw=row.raw,
            **row.row_fields,
            received_at=row.date,
            first_seen=now,
        )
    )
    await mtx.tx.mark_remote_gone(remote, now)
    await mtx.tx.classify_remote(
        remote,
        receipt.kind_for(submission).value,
        receipt.code,
        receipt.subject,
        receipt.addresses,
    )
    return remote
