"""What the archive says of one thing in it, as JSON has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bridge.clock import rfc3339
from bridge.model import ContentId
from bridge.operations.accounts import on_word
from bridge.operations.archive_named import ArchivedRow, when_of
from bridge.receipts.kind import classify
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow
from bridge.store.remote import RemoteRow

ORDINARY = "ordinary"
"""What the kind of a message that is nothing special is called."""


class ArchiveFacts:
    """See the module; ``retention`` is how long what left the API is kept."""

    def __init__(self, retention: timedelta) -> None:
        self._retention = retention

    async def short(self, tx: ReadTransaction, row: ArchivedRow) -> dict[str, Any]:
        """Return a line of a list.

        ``kind`` is a receipt's, or ``ordinary``, and None of what was submitted. ``state`` is the
        entry's of what was submitted; of what came ``live`` (the API lists it), ``gone`` or
        ``deleted`` (from here). ``send`` is the entry that a receipt is about.
        """
        account = await tx.address(row.account)
        if isinstance(row, SubmissionRow):
            return {
                "id": row.id,
                "direction": "submitted",
                "account": account,
                "at": rfc3339(row.created_at),
                "kind": None,
                "state": row.state.value,
                "sender": account,
                "recipients": list(row.recipients),
                "subject": row.subject,
                "code": row.code,
                "send": row.id,
                **on_word(row),
            }
        return {
            "id": f"R{row.id}",
            "direction": "received",
            "account": account,
            "at": rfc3339(when_of(row)),
            "kind": _kind_of(row),
            "state": await _state_of(tx, row),
            "sender": row.sender,
            "recipients": [row.recipient],
            "subject": row.subject,
            "code": row.code or classify(row.subject, row.sender).code,
            "send": row.submission,
        }

    async def whole(self, tx: ReadTransaction, row: ArchivedRow) -> dict[str, Any]:
        """Return all that is known: the line, the text's names, where it is, how long it stays.

        ``email_id`` is IMAP's EMAILID; ``sha256`` and ``size_bytes`` are the message's as IMAP has
        it. ``kept_until`` is None as long as no end is known: of what came while the API lists it,
        of what was submitted always. ``mailboxes`` are those that show it.
        """
        facts = await self.short(tx, row)
        if isinstance(row, SubmissionRow):
            facts |= {
                "reference": row.reference or None,
                "sent_at": rfc3339(row.sent_at),
                "reason": row.reason or None,
                "kept_until": None,
            }
        else:
            facts |= {
                "date_text": row.date_text,
                "api_id": row.api_id or None,
                "first_seen_at": rfc3339(row.first_seen),
                "gone_at": rfc3339(row.gone_at),
                "has_text": row.body_sha256 is not None and row.readable,
                "kept_until": rfc3339(row.gone_at and row.gone_at + self._retention),
            }
        return facts | await _text_facts(tx, row.content)


async def _text_facts(tx: ReadTransaction, content: ContentId | None) -> dict[str, Any]:
    text = None if content is None else await tx.archived_text(content)
    if content is None or text is None:
        names = ("email_id", "message_id", "size_bytes", "sha256", "preview")
        return dict.fromkeys(names) | {"mailboxes": []}
    boxes = []
    for copy in await tx.copies(content):
        box = await tx.mailbox(copy.mailbox)
        boxes.append({"mailbox": box.name if box else None, "uid": copy.uid})
    return {
        "email_id": f"M{content}",
        "message_id": text.message_id,
        "size_bytes": text.size_bytes,
        "sha256": text.sha256.hex(),
        "preview": text.preview,
        "mailboxes": boxes,
    }


def _kind_of(row: RemoteRow) -> str:
    """Return its kind: as its text showed it, or while that is not here, as its subject says."""
    if row.body_sha256 is not None:
        return row.kind or ORDINARY
    return classify(row.subject, row.sender).kind.value or ORDINARY


async def _state_of(tx: ReadTransaction, row: RemoteRow) -> str:
    if row.gone_at is None:
        return "live"
    return "deleted" if await tx.was_deleted(row.id) else "gone"
