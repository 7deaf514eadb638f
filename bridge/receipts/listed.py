"""Receipts judged by their row of the listing, before their text is here.

A listing costs one request for many rows, a text one each. A row shows prefix, issuer, subject with
the code, and date; so of an acceptance and of a delivery it says all that the text would, but for
whom they are about. They are read and find their send as with a text (``receipt``, ``owner``), and
more is asked of a row:

- it has a date, and nothing else at the API is or was just like it;
- it is addressed to nobody but the account or recipients of the send;
- its code is one send's, however two of them could be told apart;
- it is the one acceptance of its code and subject, and the account's provider is known as its
  issuer; or the send has its acceptance, no other is listed, and there are no more deliveries than
  recipients. For who sends a message on from the webmail may keep its subject, with the code.

What else there is about a message waits for its text: failures, notices, anomalies.

Rows of one code are judged together, so their order does not matter. What a row has proven stays
until it is more than one send's, or a text speaks against it: then it is taken back, with an alarm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from bridge.alarms import Alarm, AlarmKind, raise_alarm
from bridge.mailbox import MailboxTransaction
from bridge.mime.row.address import read_recipients
from bridge.model import AccountId, QueueId
from bridge.receipts import notice
from bridge.receipts.address import names_only
from bridge.receipts.dsn import waits_for_text
from bridge.receipts.filed import read_row
from bridge.receipts.kind import RECEIPTS, WARNINGS, Kind
from bridge.receipts.owner import Owner, find_owners, send_of
from bridge.receipts.proof import belongs
from bridge.receipts.receipt import Receipt
from bridge.receipts.record import record, refresh, standing_of
from bridge.receipts.states import RANK, DeliveryStatus
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow
from bridge.store.receipts import ReceiptBasis
from bridge.store.remote import RemoteRow, Worth

SPEAKING = (Kind.ACCEPTANCE, Kind.DELIVERY)
"""Kinds whose rows say it all, in the order in which they are judged."""

WORTH: Mapping[Kind, Worth] = MappingProxyType(
    {kind: Worth.FAILURE if kind in WARNINGS else Worth.RECEIPT for kind in RECEIPTS}
)
"""What the text of a receipt is worth at first; that of anything else is ``INCOMING``."""


CONFIRMING = (Worth.CONFIRMATION, Worth.SHOWN)
"""Worths of texts that nobody waits for."""


async def judge(mtx: MailboxTransaction, rows: Sequence[RemoteRow], now: datetime) -> None:
    """Judge rows whose text is not here and that were never judged; sends, keywords, alarms too."""
    codes: dict[tuple[AccountId, str], None] = {}
    for row in rows:
        receipt = await read_row(mtx.tx, row)
        kind = receipt.classified.kind
        code = receipt.code if kind in SPEAKING else None
        await mtx.tx.judge_remote(row.id, WORTH.get(kind, Worth.INCOMING), code)
        if code is not None:
            codes[row.account, code] = None
    for account, code in codes:
        await conclude(mtx, account, code, now)


async def conclude(mtx: MailboxTransaction, account: AccountId, code: str, now: datetime) -> None:
    """Let the judged rows of a code move the send they belong to, or no longer do so.

    Args:
        mtx: the commit to join.
        account: whose rows.
        code: which they carry.
        now: when.
    """
    rows = await mtx.tx.listed_with_code(account, code)
    if not rows:
        return
    before = await resting_on_rows(mtx.tx, _ties(rows))
    listed = [(row, await read_row(mtx.tx, row)) for row in rows]
    others = [await read_row(mtx.tx, row) for row in await mtx.tx.remote_with_code(account, code)]
    everything = [*(receipt for _, receipt in listed), *others]
    touched: dict[QueueId, None] = {}
    for row, receipt in sorted(listed, key=_turn):
        if row.submission is not None:
            owners = await find_owners(mtx.tx, account, receipt)
            if [one.submission.id for one in owners] != [row.submission]:
                await mtx.tx.release_remote(row.id)
                await mtx.tx.judge_remote(row.id, Worth.RECEIPT, code)
                touched[row.submission] = None
            continue
        owner = await _proven_owner(mtx.tx, row, receipt, everything)
        if owner is not None:
            await record(mtx, owner, receipt, ReceiptBasis.ROW)
            submission = owner.submission
            is_said = len(submission.recipients) == 1
            if is_said and not await waits_for_text(mtx.tx, submission, receipt.classified.kind):
                await mtx.tx.judge_remote(row.id, Worth.CONFIRMATION, code)
            touched[submission.id] = None
    for id in touched:
        await refresh(mtx, id, now)
    await tell_fallen(mtx, before, now)


def _ties(rows: Iterable[RemoteRow]) -> set[QueueId]:
    return {row.submission for row in rows if row.submission is not None}


def _turn(one: tuple[RemoteRow, Receipt]) -> tuple[int, datetime, int]:
    row, receipt = one
    return SPEAKING.index(receipt.classified.kind), receipt.at, int(row.id)


async def _proven_owner(
    tx: ReadTransaction, row: RemoteRow, receipt: Receipt, everything: Sequence[Receipt]
) -> Owner | None:
    """Return the send that a row alone proves something about; see the module.

    Args:
        tx: the store.
        row: the row.
        receipt: what it says.
        everything: all receipts that carry its code.
    """
    if row.received_at is None or receipt.code is None or await tx.has_like(row.id):
        return None
    owners = await find_owners(tx, row.account, receipt)
    sends = await tx.submissions_by_code(row.account, receipt.code)
    if len(owners) != 1 or len(sends) != 1:
        return None
    submission = owners[0].submission
    ours = (await tx.address(row.account) or "", *submission.recipients)
    if not names_only((one.address for one in read_recipients(row.recipient)), ours):
        return None
    issuers, send = await tx.issuers(row.account), await send_of(tx, submission)
    kinds = [one.classified.kind for one in everything if belongs(one, send, issuers)]
    if receipt.classified.kind is Kind.ACCEPTANCE:
        is_proof = receipt.issuer in issuers and kinds.count(Kind.ACCEPTANCE) == 1
    else:
        is_proof = (
            await _is_accepted(tx, submission)
            and kinds.count(Kind.ACCEPTANCE) <= 1
            and kinds.count(Kind.DELIVERY) <= len(submission.recipients)
        )
    return owners[0] if is_proof else None


async def _is_accepted(tx: ReadTransaction, submission: SubmissionRow) -> bool:
    known = await tx.receipts_of(submission.id)
    return any(one.kind == Kind.ACCEPTANCE.value for one in known)


async def confirming_rows(tx: ReadTransaction, id: QueueId) -> list[RemoteRow]:
    """Return the rows at the API that a send's state rests on and whose texts nobody waits for."""
    found = []
    for one in await tx.receipts_of(id):
        row = await tx.remote_row(one.remote) if one.basis is ReceiptBasis.ROW else None
        if row is not None and row.gone_at is None and row.worth in CONFIRMING:
            found.append(row)
    return found


# -- what a text takes back ------------------------------------------------------------------


async def resting_on_rows(
    tx: ReadTransaction, ids: Collection[QueueId]
) -> dict[QueueId, DeliveryStatus]:
    """Return where those of the sends stand of which something rests on rows alone."""
    found = {}
    for id in ids:
        submission = await tx.submission(id)
        if submission is not None:
            where = await standing_of(tx, submission)
            if where.is_by_row:
                found[id] = where
    return found


async def tell_fallen(
    mtx: MailboxTransaction, before: Mapping[QueueId, DeliveryStatus], now: datetime
) -> None:
    """Raise an alarm for each send that does not stand any more where rows had put it."""
    for id, old in before.items():
        submission = await mtx.tx.submission(id)
        if submission is None or not _fell(old, await standing_of(mtx.tx, submission)):
            continue
        words = notice.contradicted(submission)
        await raise_alarm(
            mtx,
            Alarm(
                submission.account, AlarmKind.CONTRADICTED, id, words, answers=submission.message_id
            ),
            now,
        )


def _fell(old: DeliveryStatus, new: DeliveryStatus) -> bool:
    pairs = zip(old.recipients, new.recipients, strict=True)
    is_lower = any(RANK[later.state] < RANK[earlier.state] for earlier, later in pairs)
    return is_lower or (old.accepted_at is not None and new.accepted_at is None)
