"""All areas of the SQLite store over one connection."""

from __future__ import annotations

import sqlite3

from bridge.store.sqlite.alarms import SqliteAlarms
from bridge.store.sqlite.archive import SqliteArchive
from bridge.store.sqlite.clearing import SqliteClearing
from bridge.store.sqlite.deletions import SqliteDeletions
from bridge.store.sqlite.hooks import SqliteHooks
from bridge.store.sqlite.keys import SqliteApiKeys
from bridge.store.sqlite.messages import SqliteMessages
from bridge.store.sqlite.notices import SqliteNotices
from bridge.store.sqlite.outbox import SqliteOutbox
from bridge.store.sqlite.progress import SqliteProgress
from bridge.store.sqlite.purging import SqlitePurging
from bridge.store.sqlite.receipts import SqliteReceipts
from bridge.store.sqlite.remote import SqliteRemote
from bridge.store.sqlite.web import SqliteWeb


class SqliteTransaction(
    SqliteArchive,
    SqliteMessages,
    SqliteOutbox,
    SqliteRemote,
    SqliteDeletions,
    SqliteReceipts,
    SqliteAlarms,
    SqliteProgress,
    SqliteNotices,
    SqliteClearing,
    SqlitePurging,
    SqliteWeb,
    SqliteApiKeys,
    SqliteHooks,
):
    """Satisfies ``ReadTransaction`` and ``Transaction``; its methods never suspend."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
