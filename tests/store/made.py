"""Contents and messages to store, without the parser that makes real ones."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

from bridge.mime.ingest import Ingested, SearchText, SortKeys
from bridge.model import ContentId, Flags, MessageRow, ModSeq, Uid

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


def ingested(
    subject: str = "Oggetto",
    *,
    body: str = "testo",
    body_is_whole: bool = True,
    message_id: str | None = None,
    references: tuple[str, ...] = (),
) -> Ingested:
    """Return a message of which every piece is plain to see."""
    header = f"Subject: {subject}\r\n\r\n".encode()
    raw = header + body.encode() + b"\r\n"
    return Ingested(
        raw=raw,
        size_bytes=len(raw),
        sha256=hashlib.sha256(raw + str(message_id).encode()).digest(),
        header=header,
        imap_envelope=b"(envelope of %b)" % subject.encode(),
        imap_body=b"(body of %b)" % subject.encode(),
        imap_bodystructure=b"(bodystructure of %b)" % subject.encode(),
        parts=b"parts of %b" % subject.encode(),
        message_id=message_id,
        in_reply_to=None,
        references=references,
        sent_at=int(NOW.timestamp()),
        sent_on=date(2026, 1, 15),
        sort=SortKeys(subject.casefold(), "anna", "bruno", "", "Anna", "Bruno", False),
        search=SearchText(
            subject.casefold(),
            "anna@pec.example",
            "bruno@pec.example",
            "carla@pec.example",
            "dario@pec.example",
            f"subject:{subject.casefold()}",
            body,
            body_is_whole,
        ),
        preview=body[:200],
    )


def row(
    uid: int,
    content: ContentId,
    *,
    modseq: int = 2,
    flags: Flags = frozenset(),
    size_bytes: int = 9,
) -> MessageRow:
    """Return a message of a mailbox."""
    return MessageRow(Uid(uid), ModSeq(modseq), flags, NOW, NOW, size_bytes, content)
