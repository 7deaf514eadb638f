"""What is in the archive by any of its names.

``R12`` is a row of the API, ``M34`` a text (EMAILID in IMAP, RFC 8474), which several things may
have, and a queue id an entry of the outbox. Then there are Message-IDs, codes and references.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from bridge.model import AccountId, ContentId
from bridge.operations.named import find_sends
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow
from bridge.store.remote import RemoteId, RemoteRow

ArchivedRow = RemoteRow | SubmissionRow

_NUMBERED = re.compile(r"(?a)([RM])(\d{1,18})")


async def archived_by(
    tx: ReadTransaction, accounts: Collection[AccountId], id: str
) -> ArchivedRow | None:
    """Return the one thing of these accounts with an id, ``R12`` or one of the queue."""
    if (numbered := _NUMBERED.fullmatch(id)) and numbered[1] == "R":
        rows: list[ArchivedRow] = await _received(tx, RemoteId(int(numbered[2])))
    else:
        rows = [row for row in await find_sends(tx, (), id) if row.id == id]
    return next((row for row in rows if row.account in accounts), None)


async def archived_named(
    tx: ReadTransaction, accounts: Collection[AccountId], what: str
) -> list[ArchivedRow]:
    """Return all of these accounts that ``what`` names, the oldest first; see the module.

    A Message-ID may lack its angle brackets.
    """
    found: list[ArchivedRow] = []
    if numbered := _NUMBERED.fullmatch(what):
        number = int(numbered[2])
        if numbered[1] == "R":
            found += await _received(tx, RemoteId(number))
        for account in accounts if numbered[1] == "M" else ():
            found += await _of_content(tx, account, ContentId(number))
    found += await find_sends(tx, accounts, what)
    bracketed = what if what.startswith("<") else f"<{what}>"
    for account in accounts:
        for content in await tx.contents_by_message_id(account, bracketed):
            found += await _of_content(tx, account, content)
        found += await tx.remote_with_code(account, what)
        found += await tx.listed_with_code(account, what)
    named = {(type(row), row.id): row for row in found if row.account in accounts}
    return sorted(named.values(), key=when_of)


def when_of(row: ArchivedRow) -> datetime:
    """Return when something came or was submitted, as the archive has it in its order."""
    if isinstance(row, SubmissionRow):
        return row.created_at
    return row.received_at or row.first_seen


async def _received(tx: ReadTransaction, remote: RemoteId) -> list[ArchivedRow]:
    row = await tx.remote_row(remote)
    return [] if row is None else [row]


async def _of_content(
    tx: ReadTransaction, account: AccountId, content: ContentId
) -> list[ArchivedRow]:
    rows: list[ArchivedRow] = [*await tx.archived_of_content(account, content)]
    return [*rows, *await tx.submissions_of_content(account, content)]
