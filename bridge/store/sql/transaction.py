"""All areas of the store over one engine."""

from __future__ import annotations

from bridge.store.sql.alarms import SqlAlarms
from bridge.store.sql.archive import SqlArchive
from bridge.store.sql.clearing import SqlClearing
from bridge.store.sql.deletions import SqlDeletions
from bridge.store.sql.engine import Engine
from bridge.store.sql.hooks import SqlHooks
from bridge.store.sql.keys import SqlApiKeys
from bridge.store.sql.lead import SqlLead
from bridge.store.sql.messages import SqlMessages
from bridge.store.sql.news import SqlNews
from bridge.store.sql.notices import SqlNotices
from bridge.store.sql.outbox import SqlOutbox
from bridge.store.sql.progress import SqlProgress
from bridge.store.sql.purging import SqlPurging
from bridge.store.sql.receipts import SqlReceipts
from bridge.store.sql.remote import SqlRemote
from bridge.store.sql.web import SqlWeb


class SqlTransaction(
    SqlArchive,
    SqlMessages,
    SqlOutbox,
    SqlRemote,
    SqlDeletions,
    SqlReceipts,
    SqlAlarms,
    SqlProgress,
    SqlNotices,
    SqlClearing,
    SqlPurging,
    SqlWeb,
    SqlApiKeys,
    SqlHooks,
    SqlLead,
    SqlNews,
):
    """Satisfies ``ReadTransaction`` and ``Transaction``; its methods never suspend."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
