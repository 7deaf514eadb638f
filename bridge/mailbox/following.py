"""What was changed in a mailbox since an index last heard of it, told from how it stands now. Pure.

And the other way round: where others are to look (``announce``).

What came and went in between is not spoken of, and of several changes of one message's flags only
the last is: so a client is told that was away for a moment, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bridge.mailbox.index import MailboxIndex
from bridge.model import (
    AccountId,
    Added,
    Change,
    Expunged,
    Flags,
    FlagsChanged,
    MailboxId,
    MessageChange,
    MessageRow,
    ModSeq,
    SubscriptionChanged,
    Uid,
)
from bridge.store.base import Transaction
from bridge.store.messages import IndexRow, message_of


def changes_since(
    index: MailboxIndex, rows: Sequence[IndexRow], gone: Sequence[Uid]
) -> list[MessageChange]:
    """Return the changes that an index lacks: what left, what came, then flags by their MODSEQs.

    Args:
        index: what is known.
        rows: the messages with a MODSEQ above the index's, in UID order.
        gone: UIDs that left since then, in order; those that nobody knew here among them.
    """
    changes: list[MessageChange] = []
    left = tuple(uid for uid in gone if index.position(uid) is not None)
    if left:
        changes.append(Expunged(index.mailbox, ModSeq(index.highest_modseq + 1), left))
    came: list[MessageRow] = []
    flagged: dict[ModSeq, list[tuple[Uid, Flags]]] = defaultdict(list)
    for row in map(message_of, rows):
        if row.uid >= index.uid_next:
            came.append(row)
        elif index.position(row.uid) is not None:
            flagged[row.modseq].append((row.uid, row.flags))
    if came:
        changes.append(Added(index.mailbox, max(row.modseq for row in came), tuple(came)))
    changes += [
        FlagsChanged(index.mailbox, modseq, tuple(flagged[modseq])) for modseq in sorted(flagged)
    ]
    return changes


async def announce(tx: Transaction, changes: Sequence[Change]) -> None:
    """Let other bridges hear, with the commit, where something changed."""
    mailboxes: set[MailboxId] = set()
    accounts: set[AccountId] = set()
    for change in changes:
        if isinstance(change, Added | FlagsChanged | Expunged):
            mailboxes.add(change.mailbox)
        elif not isinstance(change, SubscriptionChanged):  # nobody keeps those
            accounts.add(change.mailbox.account)
    if mailboxes or accounts:
        await tx.announce(mailboxes, accounts)
