"""What was worked out from a text by older rules, replaced by what newer ones make of it.

Only what SEARCH, SORT, THREAD and PREVIEW look at; nothing that a client may have kept.
"""

from __future__ import annotations

from bridge.mime.ingest import Ingested
from bridge.model import ContentId
from bridge.store.sql.engine import Area


class SqlRenewal(Area):
    """Of ``store.messages``, what replaces."""

    async def renew_content(self, content: ContentId, message: Ingested) -> None:
        sort, search = message.sort, message.search
        self._engine.forget_body(content)
        self._change(
            "UPDATE content SET sent_at = ?, sent_on = ?, base_subject = ?, from_mailbox = ?,"
            " to_mailbox = ?, cc_mailbox = ?, from_display = ?, to_display = ?, is_reply = ?,"
            " preview = ? WHERE id = ?",
            (
                message.sent_at,
                message.sent_on.isoformat() if message.sent_on else None,
                sort.base_subject,
                sort.from_mailbox,
                sort.to_mailbox,
                sort.cc_mailbox,
                sort.from_display,
                sort.to_display,
                sort.is_reply,
                message.preview,
                content,
            ),
        )
        self._change(
            "UPDATE content_text SET subject = ?, sender = ?, recipient = ?, cc = ?, bcc = ?,"
            " header = ? WHERE content = ?",
            (
                search.subject,
                search.sender,
                search.to,
                search.cc,
                search.bcc,
                search.header,
                content,
            ),
        )
        self._change(
            "UPDATE content_body_text SET is_whole = ?, body = ? WHERE content = ?",
            (search.body_is_whole, search.body, content),
        )
        self._engine.remember_body(content)
        self._change("DELETE FROM stale_content WHERE content = ?", (content,))
