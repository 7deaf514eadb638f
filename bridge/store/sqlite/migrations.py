"""The schema as a list of steps; a file records how many it has seen.

A step is never edited once it has been released: a change is a new step at the end. Each step
and its record are one transaction, so a crash in between leaves the file at a whole number.
"""

from __future__ import annotations

import sqlite3

from bridge.language import say
from bridge.store.sqlite import (
    schema_archive,
    schema_clearing,
    schema_dsn,
    schema_events,
    schema_hooks,
    schema_keys,
    schema_lead,
    schema_messages,
    schema_notices,
    schema_outbox,
    schema_remote,
    schema_web,
)

STEPS: tuple[str, ...] = (
    schema_messages.V1,
    schema_outbox.V1,
    schema_remote.V1,
    schema_outbox.KINSHIP,
    schema_messages.STALE,
    schema_outbox.LINEAGE,
    schema_outbox.CLAIMS,
    schema_remote.OUTCOMES_STAY,
    schema_remote.REQUESTS_BY_PURPOSE,
    schema_remote.GONE_ROWS_RETURN,
    schema_outbox.USAGE,
    schema_remote.READING,
    schema_remote.TURNS,
    schema_outbox.PRICES_LEAVE,
    schema_remote.JUDGED_BY_ROW,
    schema_notices.NOTICES,
    schema_remote.SEEN,
    schema_outbox.URGENT,
    schema_notices.ACKNOWLEDGED,
    schema_outbox.PAUSED,
    schema_clearing.CLEARING,
    schema_remote.DRIFTS,
    schema_outbox.REFERENCE,
    schema_remote.ASKED,
    schema_clearing.ASKED,
    schema_web.SESSIONS,
    schema_web.SENT,
    schema_events.EVENTS,
    schema_dsn.ASKED,
    schema_archive.ARCHIVED,
    schema_keys.API_KEYS,
    schema_hooks.HOOKS,
    schema_lead.LEAD,
    schema_outbox.MARKS,
    schema_remote.OWED,
    schema_messages.IDENTIFIED,
    schema_web.SEALED,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to the newest schema.

    Raises:
        sqlite3.DatabaseError: the file was written by a newer version of the bridge.
    """
    (seen,) = connection.execute("PRAGMA user_version").fetchone()
    if seen > len(STEPS):
        raise sqlite3.DatabaseError(
            say(
                "the data was written by a newer pec-bridge (schema {seen}, this one knows "
                "{steps}); install that version",
                seen=seen,
                steps=len(STEPS),
            )
        )
    for number, step in enumerate(STEPS[seen:], start=seen + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {number};\nCOMMIT;"
        )
