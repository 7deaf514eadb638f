"""Claims looked at again: what contradicts one revokes it, with an alarm.

A claim is a code that the API itself did not answer: found by its acceptance, or named by a person.
Only what came since the last look is read.

Failure: the store's own errors pass; the next look sees the same.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from bridge.alarms import Alarm, AlarmKind, raise_alarm
from bridge.language import say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId, QueueId, SubmissionState
from bridge.outbox import notice
from bridge.outbox.candidates import MEMORY
from bridge.outbox.revoke import take_back
from bridge.outbox.states import Event
from bridge.receipts.filed import read_row
from bridge.receipts.owner import send_of
from bridge.receipts.proof import contradicts
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import SubmissionRow
from bridge.store.remote import RemoteId

log = structlog.get_logger()

Seen = frozenset[RemoteId | QueueId]


class Reviewer:
    """See the module.

    Args:
        store: reads.
        mailboxes: the single writer.
    """

    def __init__(self, store: Store, mailboxes: Mailboxes) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._seen: dict[QueueId, Seen] = {}

    async def review(self, account: AccountId, now: datetime) -> set[QueueId]:
        """Look at one account's claims; returns the entries whose claim was revoked."""
        claims = await self._store.read(lambda tx: tx.claimed_submissions(account))
        revoked = set()
        for row in claims:
            if row.code is not None and now - row.updated_at < MEMORY:
                reason = await self._contradiction(row)
                if reason and await self._revoke(row, reason, now):
                    revoked.add(row.id)
        return revoked

    async def _contradiction(self, row: SubmissionRow) -> str:
        """Return what speaks against a claim, "" if nothing new does."""
        seen = self._seen.get(row.id)

        async def work(tx: ReadTransaction) -> tuple[Seen, str]:
            now_seen = await _carrying(tx, row)
            return now_seen, "" if now_seen == seen else await contradiction(tx, row)

        self._seen[row.id], reason = await self._store.read(work)
        return reason

    async def _revoke(self, row: SubmissionRow, reason: str, now: datetime) -> bool:
        words = notice.revoked(row, reason)

        async def work(mtx: MailboxTransaction) -> bool:
            current = await mtx.tx.submission(row.id)
            if current != row or row.state is not SubmissionState.SUBMITTED:
                return False
            await take_back(mtx, row, Event.REVOCATION, reason, now)
            await raise_alarm(
                mtx,
                Alarm(row.account, AlarmKind.REVOKED, row.id, words, answers=row.message_id),
                now,
            )
            return True

        done = await self._mailboxes.write(work)
        if done:
            del self._seen[row.id]
            log.error(
                "claim_revoked",
                id=row.id,
                account=row.account,
                code=row.code,
            )
        return done


async def _carrying(tx: ReadTransaction, row: SubmissionRow) -> Seen:
    code = row.code or ""
    rows = [one.id for one in await tx.remote_with_code(row.account, code)]
    return frozenset([*rows, *(one.id for one in await tx.submissions_by_code(row.account, code))])


async def contradiction(tx: ReadTransaction, row: SubmissionRow, code: str = "") -> str:
    """Return, as a sentence, what shows that a code is not an entry's; "" if nothing does.

    Args:
        tx: the store.
        row: the entry.
        code: the code in question; its own unless given.
    """
    code = code or row.code or ""
    for other in await tx.submissions_by_code(row.account, code):
        if other.id != row.id and other.claim is None:
            return say("The service itself gave the code {code} to {id}.", code=code, id=other.id)
    send = await send_of(tx, row, code)
    for one in await tx.remote_with_code(row.account, code):
        receipt = await read_row(tx, one)
        if contradicts(receipt, send):
            named = ", ".join(receipt.addresses) or f"{receipt.at:%Y-%m-%d %H:%M}"
            return say(
                "A receipt with the code {code} is of another message: {named}.",
                code=code,
                named=named,
            )
    return ""
