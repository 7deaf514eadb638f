"""The archive as it is looked through: all that came and all that was submitted, whatever shows it.

What came is a row of the API, here until long after it left there; what was submitted is an entry
of the outbox with its text. Neither needs a message in a mailbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from bridge.model import AccountId, ContentId
from bridge.store.outbox import SubmissionRow
from bridge.store.remote import RemoteId, RemoteRow


class Direction(IntEnum):
    """Which way something went; of the same moment what was submitted is the newer."""

    RECEIVED = 0
    SUBMITTED = 1


@dataclass(frozen=True, order=True, slots=True)
class ArchivePlace:
    """Where something stands in the archive's order, the oldest least.

    ``at`` is aware: the date that the API gave a row (when it was first listed, if that cannot be
    read), and when a message was submitted. ``number`` tells things of one moment apart.
    """

    at: datetime
    direction: Direction
    number: int


@dataclass(frozen=True, slots=True)
class ArchiveQuery:
    """What to look for, all of it together; None is whatever there is.

    ``since`` and ``until`` are aware, the second excluded. ``words``, folded, each are part of the
    subject, of an address or a name. ``address`` is part of a sender or a recipient. ``kind`` is a
    kind of receipt as rows have it (only what came has one); of rows whose text is not here yet
    those fit whose subjects begin with one of ``beginnings``. ``gone`` is whether a row left the
    API (likewise). ``before`` is the place of the last one of the page before.
    """

    account: AccountId
    limit: int
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: tuple[str, ...] = ()
    address: str | None = None
    code: str | None = None
    kind: str | None = None
    beginnings: tuple[str, ...] = ()
    gone: bool | None = None
    before: ArchivePlace | None = None


@dataclass(frozen=True, slots=True)
class Archived:
    """One thing of the archive and its place."""

    place: ArchivePlace
    row: RemoteRow | SubmissionRow


@dataclass(frozen=True, slots=True)
class ArchivedText:
    """What is known of a text without reading it; see ``store.messages``."""

    message_id: str | None
    size_bytes: int
    sha256: bytes
    preview: str


class ArchiveReads(Protocol):
    """What can be asked."""

    async def archive_page(self, query: ArchiveQuery) -> tuple[Archived, ...]:
        """Return what fits, newest first."""

    async def archived_of_content(
        self, account: AccountId, content: ContentId
    ) -> tuple[RemoteRow, ...]:
        """Return the rows, live and gone, that a text was composed from, in order of their ids."""

    async def contents_by_message_id(
        self, account: AccountId, message_id: str
    ) -> Sequence[ContentId]:
        """Return the account's texts with this Message-ID, in order of their ids."""

    async def archived_text(self, content: ContentId) -> ArchivedText | None:
        """Return what is known of a text, None if it is not here."""

    async def was_deleted(self, remote: RemoteId) -> bool:
        """Tell whether a row left the API because it was deleted from here."""
