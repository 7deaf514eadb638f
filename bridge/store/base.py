"""The store as its users see it: transactions by name, no SQL, no cursors.

A *work* is an ``async def`` that receives a transaction, awaits nothing but its methods, and
returns a value. ``Store.write(work)`` runs it as one atomic, durable transaction. The same works
run on SQLite and on PostgreSQL, driven to the end on a thread without an event loop (SQLite's short
reads on the loop's own); a work must therefore touch no state but its transaction, its arguments
and its result, and may be run again from the start after a conflict.

One protocol per area, each in a file of its own:
``messages`` (mailboxes, messages, contents), ``outbox`` (submissions, attempts),
``remote`` (the API's rows and bodies), ``deletions`` (of these, at the API), ``receipts`` (what
they say of sends), ``alarms``, ``progress`` (how far the reading of an inbox got),
``notices`` (what a person was told), ``clearing`` (what the settings clear at the API),
``web`` (who is logged in to the page), ``events`` (what happened, in order),
``dsn`` (what a submitter asked to be notified of), ``archive`` (all that came and was submitted,
to be looked through), ``keys`` (what programs show over HTTP),
``hooks`` (who is told of what happens), ``lead`` (which of several bridges leads),
``news`` (what they tell each other).

Failure: ``StoreFull`` when the disk is, ``StoreFailed`` for anything else the medium does;
either way nothing of the work was kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from bridge.store.alarms import AlarmReads, AlarmWrites
from bridge.store.archive import ArchiveReads
from bridge.store.clearing import ClearingReads, ClearingWrites
from bridge.store.deletions import DeletionReads, DeletionWrites
from bridge.store.dsn import DsnReads, DsnWrites
from bridge.store.events import EventReads, EventWrites
from bridge.store.hooks import HookReads, HookWrites
from bridge.store.keys import ApiKeyReads, ApiKeyWrites
from bridge.store.lead import LeadReads, LeadWrites
from bridge.store.messages import MessageReads, MessageWrites
from bridge.store.news import NewsWrites
from bridge.store.notices import NoticeReads, NoticeWrites
from bridge.store.outbox import OutboxReads, OutboxWrites
from bridge.store.progress import ProgressReads, ProgressWrites
from bridge.store.purging import PurgingReads, PurgingWrites
from bridge.store.receipts import ReceiptReads, ReceiptWrites
from bridge.store.remote import RemoteReads, RemoteWrites
from bridge.store.web import WebReads, WebWrites

T = TypeVar("T")


class StoreFailed(Exception):
    """The medium failed; nothing of the transaction was kept."""


class StoreFull(StoreFailed):
    """No space is left; nothing of the transaction was kept, and later ones may succeed."""


class ReadTransaction(
    MessageReads,
    OutboxReads,
    RemoteReads,
    DeletionReads,
    ReceiptReads,
    AlarmReads,
    ProgressReads,
    NoticeReads,
    ClearingReads,
    PurgingReads,
    WebReads,
    EventReads,
    DsnReads,
    ArchiveReads,
    ApiKeyReads,
    HookReads,
    LeadReads,
    Protocol,
):
    """A consistent view of everything committed so far."""


class Transaction(
    ReadTransaction,
    MessageWrites,
    OutboxWrites,
    RemoteWrites,
    DeletionWrites,
    ReceiptWrites,
    AlarmWrites,
    ProgressWrites,
    NoticeWrites,
    ClearingWrites,
    PurgingWrites,
    WebWrites,
    EventWrites,
    DsnWrites,
    ApiKeyWrites,
    HookWrites,
    LeadWrites,
    NewsWrites,
    Protocol,
):
    """A view that can also change things, all or nothing."""


ReadWork = Callable[[ReadTransaction], Awaitable[T]]
Work = Callable[[Transaction], Awaitable[T]]


class Store(Protocol):
    """Where everything durable lives."""

    @property
    def failing(self) -> str | None:
        """Why nothing can be kept at the moment, as far as was seen last; None if it can."""

    async def write(self, work: Work[T], committed: Callable[[T], None] | None = None) -> T:
        """Run ``work`` as one durable transaction and return what it returned.

        ``committed`` is called with the result on the event loop, after the commit is synced and
        before any later commit's callback: changes published from it keep commit order. An
        exception from ``work`` undoes it and reaches the caller unchanged.

        Raises:
            StoreFull, StoreFailed: nothing was kept.
        """

    async def read(self, work: ReadWork[T]) -> T:
        """Run a short read (at most a few hundred rows, under 1 MB) and return its result.

        A work may be run again from its beginning, here and in ``scan``: it does nothing but ask.
        """

    async def scan(self, work: ReadWork[T]) -> T:
        """Run a long read away from the event loop and return its result."""

    async def close(self) -> None:
        """Finish what is under way and release the files; idempotent."""
