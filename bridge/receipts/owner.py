"""Which sent message a receipt belongs to.

The code at the end of a receipt's subject, or of the subject its text quotes, names the send: an
account and a code are one entry of the outbox. A code that the outbox does not know is a send made
elsewhere. Where the API cut the code off with the end of a long subject, and the text does not
show it either, the entry is the one sent in that time whose subject begins so, if there is exactly
one and no send of unknown outcome could be meant as well: a weak tie, and it is called so where
people look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bridge.model import AccountId, SubmissionState
from bridge.receipts.kind import RECEIPTS
from bridge.receipts.receipt import Receipt, equals, is_cut
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow

CLOCK_SLACK = timedelta(minutes=2)
"""How far the provider's clock may be behind ours."""

LATEST = timedelta(hours=30)
"""A receipt is due within a day; a weak tie is not looked for beyond this."""

WEAK = "matched by subject and time, the code is missing"


@dataclass(frozen=True, slots=True)
class Owner:
    """The sent message; ``weak`` if only subject and time say so."""

    submission: SubmissionRow
    weak: bool = False


async def find_owner(tx: ReadTransaction, account: AccountId, receipt: Receipt) -> Owner | None:
    """Return the sent message that a row is a receipt of; None if it is none, or not one's here."""
    if receipt.classified.kind not in RECEIPTS:
        return None
    if receipt.code is None:
        return await _weak_owner(tx, account, receipt)
    row = await tx.submission_by_code(account, receipt.code)
    return None if row is None else Owner(row)


async def _weak_owner(tx: ReadTransaction, account: AccountId, receipt: Receipt) -> Owner | None:
    shown = receipt.classified.subject
    if receipt.statement is not None:
        return None  # its text shows the whole subject, and there is no code in it
    sent = await tx.submissions_sent(account, receipt.at - LATEST, receipt.at + CLOCK_SLACK)
    undecided = [
        *await tx.uncertain_submissions(account),
        *await tx.submissions(account=account, state=SubmissionState.DISPATCHING),
    ]
    fitting = [row for row in (*sent, *undecided) if _fits(row, shown)]
    if len(fitting) != 1 or fitting[0].code is None:
        return None
    return Owner(fitting[0], weak=True)


def _fits(row: SubmissionRow, shown: str) -> bool:
    """Tell whether ``shown`` is this send's subject cut short.

    A whole subject without a code is that of a message sent elsewhere, by a webmail say.
    """
    return is_cut(shown, f"{row.subject} {row.code or ''}") and not equals(shown, row.subject)
