r"""Who is told that a message is ``\\Recent``: the first read-write session that hears of it.

Claims are kept in memory and written down when a session selects, so a crash can show a message
as recent twice, never not at all. Where there are other bridges each claim is written down before
it holds, for their sessions count as well; while the store fails it holds (RFC 3501 §2.3.2).
"""

from __future__ import annotations

from bridge.mailbox import Mailboxes
from bridge.model import MailboxId, Uid
from bridge.store.base import StoreFailed


class RecentClaims:
    """The first unclaimed UID of each mailbox that was opened."""

    def __init__(self) -> None:
        self._next: dict[MailboxId, int] = {}

    async def claim(
        self, mailboxes: Mailboxes, mailbox: MailboxId, below: Uid, read_only: bool
    ) -> int:
        """Return the first UID that is recent to a session that opens the mailbox now.

        Args:
            mailboxes: where the mark is kept.
            mailbox: the one that is opened.
            below: its next UID; what is below it is claimed.
            read_only: whether it is opened by EXAMINE, which claims nothing.
        """
        if mailbox not in self._next or mailboxes.has_company():
            stored = await mailboxes.recent_from(mailbox)
            self._next[mailbox] = max(self._next.get(mailbox, 0), stored)
        first = self._next[mailbox]
        if not read_only and first < below:
            self._next[mailbox] = below
            first = max(first, await mailboxes.claim_recent(mailbox, below))
        return first

    def claim_now(self, mailbox: MailboxId, below: Uid, read_only: bool) -> int:
        """Likewise for messages that arrive while it is open."""
        first = self._next.get(mailbox, 0)
        if not read_only and first < below:
            self._next[mailbox] = below
        return first


async def claimed(mailboxes: Mailboxes, mailbox: MailboxId, uids: list[Uid]) -> list[Uid]:
    """Return which of some messages, claimed here by ``claim_now``, no other bridge had claimed."""
    try:
        first = await mailboxes.claim_recent(mailbox, Uid(uids[-1] + 1))
    except StoreFailed:
        return uids
    return [uid for uid in uids if uid >= first]
