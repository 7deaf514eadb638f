"""Finding sends by any of their names: queue id, code, Message-ID, the sender's reference."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.model import AccountId, QueueId
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow


async def find_sends(
    tx: ReadTransaction, accounts: Iterable[AccountId], what: str, most: int | None = None
) -> list[SubmissionRow]:
    """Return all entries that ``what`` names, oldest first; none if it names nothing.

    Args:
        tx: what was submitted.
        accounts: where names are looked for; a queue id finds its entry whoever's it is.
        what: the name; a Message-ID may lack its angle brackets.
        most: how many of one Message-ID, and of one reference, are looked at, for a program may
            give one to all it sends; None for all.
    """
    bracketed = what if what.startswith("<") else f"<{what}>"
    entry = await tx.submission(QueueId(what))
    found = {} if entry is None else {entry.id: entry}
    for account in accounts:
        for rows in (
            await tx.submissions_by_code(account, what),
            await tx.submissions_by_message_id(account, bracketed, most),
            await tx.submissions_by_reference(account, what, most),
        ):
            found |= {row.id: row for row in rows}
    return sorted(found.values(), key=lambda row: row.sequence)
