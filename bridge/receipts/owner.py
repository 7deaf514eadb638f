"""Which sent message a receipt belongs to.

The code at the end of a receipt's subject, or of the subject its text quotes, names the send, and
everything else has to agree (``proof``). A code that the outbox does not know is a send made
elsewhere. Where the API gave one code to two sends, what tells them apart decides, else neither
has the receipt.

Where the API cut the code off with the end of a long subject, and the text does not show it
either, the entry is the one sent in that time whose subject begins so, if there is exactly one and
no send of unknown outcome could be meant as well: a weak tie, and it is called so where people
look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.language import say
from bridge.model import AccountId, SubmissionState
from bridge.receipts.address import plain_address
from bridge.receipts.filed import read_row
from bridge.receipts.kind import RECEIPTS, Kind
from bridge.receipts.proof import (
    CLOCK_AHEAD,
    CLOCK_SLACK,
    Issuers,
    ProvenSend,
    begun_at,
    belongs,
    belongs_cut,
    names_another,
)
from bridge.receipts.receipt import Receipt
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow

LATEST = timedelta(hours=30)
"""A receipt is due within a day; a weak tie is not looked for beyond this."""

WEAK = say("matched by subject and time, the code is missing")


@dataclass(frozen=True, slots=True)
class Owner:
    """The sent message; ``weak`` if only subject and time say so."""

    submission: SubmissionRow
    weak: bool = False


async def find_owner(tx: ReadTransaction, account: AccountId, receipt: Receipt) -> Owner | None:
    """Return the sent message that a row is a receipt of; None if it is none, or not one's here."""
    found = await find_owners(tx, account, receipt)
    return found[0] if len(found) == 1 else None


async def find_owners(
    tx: ReadTransaction, account: AccountId, receipt: Receipt
) -> tuple[Owner, ...]:
    """Return every sent message that a row may be a receipt of; more than one is a doubt."""
    if receipt.classified.kind not in RECEIPTS:
        return ()
    issuers = await tx.issuers(account)
    if receipt.code is None:
        return await _weak_owners(tx, account, receipt, issuers)
    found = []
    for row in await tx.submissions_by_code(account, receipt.code):
        send = await send_of(tx, row)
        if belongs(receipt, send, issuers) and not await _is_doubtful(tx, row, receipt, send):
            found.append(Owner(row))
    return tuple(found)


async def _is_doubtful(
    tx: ReadTransaction, row: SubmissionRow, receipt: Receipt, send: ProvenSend
) -> bool:
    """Tell whether a receipt that names nobody may be of another message of the same code.

    There is one if some receipt names other people: a message that was sent on from the webmail
    keeps its subject, the code with it. What is older than its acceptance is not its.
    """
    if receipt.addresses or receipt.code is None:
        return False
    since = receipt.at + CLOCK_SLACK
    others = [
        await read_row(tx, one) for one in await tx.remote_with_code(row.account, receipt.code)
    ]
    others = [one for one in others if one.remote != receipt.remote and names_another(one, send)]
    accepted = [one for one in others if one.classified.kind is Kind.ACCEPTANCE]
    later = {plain_address(each) for one in accepted if one.at > since for each in one.addresses}
    return any(one.at <= since for one in accepted) or any(
        not later.issuperset(map(plain_address, one.addresses)) for one in others
    )


async def send_of(tx: ReadTransaction, row: SubmissionRow, code: str | None = None) -> ProvenSend:
    """Return what a receipt of an entry has to agree with, if its code is ``code`` or its own."""
    attempts = await tx.attempts(row.id)
    started_at = attempts[0].started_at if attempts else row.created_at
    return ProvenSend(row.subject, row.recipients, begun_at(started_at, code or row.code))


async def _weak_owners(
    tx: ReadTransaction, account: AccountId, receipt: Receipt, issuers: Issuers
) -> tuple[Owner, ...]:
    since, until = receipt.at - LATEST, receipt.at + CLOCK_AHEAD
    rivals = [*await tx.submissions(account=account, state=SubmissionState.DISPATCHING)]
    rivals += [one.submission for one in await tx.lost_tries(account, since)]
    sent = await tx.submissions_sent(account, since, until)
    distinct = {row.id: row for row in (*sent, *rivals)}
    fitting = []
    for row in distinct.values():
        send = await send_of(tx, row)
        if row.code is None:  # nothing tells by how much our clock is ahead
            send = replace(send, begun_at=send.begun_at - CLOCK_AHEAD)
        if belongs_cut(receipt, send, row.code or "", issuers):
            fitting.append(row)
    if any(row.code is None for row in fitting):
        return ()
    return tuple(Owner(row, weak=True) for row in fitting)
