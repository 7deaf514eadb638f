"""The schema as a list of steps; the database records which it has seen.

The first step is the whole schema as it stood when PostgreSQL came; a step is never edited once it
was released: a change is a new step at the end. All are applied in one transaction, under a lock
that lets one bridge at a time do so.

Failure: ``StoreFailed`` where a newer version wrote the data, the server is too old, or the
database keeps no UTF-8.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from bridge.language import say
from bridge.store import mark
from bridge.store.base import StoreFailed
from bridge.store.postgres.connection import OLDEST_SERVER, Connection

STEPS = ("schema.sql", "marks.sql", "owed.sql", "identified.sql", "seals.sql")
"""Files beside this one."""

SCHEMA_LOCK, WRITE_LOCK = 0x7065_6301, 0x7065_6302
"""Advisory locks (PostgreSQL manual §13.3.5): of the schema, and of whoever writes."""

FORGET_AFTER = "30 days"
"""After which the last commit of a process is forgotten: it has long ended."""

_VERSIONS = (
    "CREATE TABLE IF NOT EXISTS schema_step (number bigint PRIMARY KEY, at timestamptz NOT NULL)"
)
_BODY_INDEX = (
    "CREATE INDEX IF NOT EXISTS content_body_trigrams ON content_body_text"
    " USING gin (body gin_trgm_ops) WHERE is_indexed"
)


def seen(connection: Connection) -> int:
    """Return how many steps the database has seen, 0 for none."""
    found = connection.execute("SELECT to_regclass('schema_step') IS NOT NULL").fetchone()
    if found is None or not found[0]:
        return 0
    row = connection.execute("SELECT coalesce(max(number), 0) FROM schema_step").fetchone()
    return int(row[0]) if row else 0


def check(connection: Connection, name: str) -> int:
    """Return how many steps the database has seen.

    Raises:
        StoreFailed: it cannot be used.
    """
    if connection.info.server_version < OLDEST_SERVER:
        raise StoreFailed(say("{name} is too old: version 15 or later is needed.", name=name))
    row = connection.execute("SHOW server_encoding").fetchone()
    if row is None or row[0] != "UTF8":
        raise StoreFailed(
            say(
                "{name} keeps no UTF-8 (its encoding is {encoding}): make the database with"
                " ENCODING 'UTF8' TEMPLATE template0.",
                name=name,
                encoding=row[0] if row else "",
            )
        )
    found = seen(connection)
    if found > len(STEPS):
        raise StoreFailed(
            say(
                "{source} was written by a newer pec-bridge (schema {seen}, this one "
                "knows {steps}); install that version.",
                source=name,
                seen=found,
                steps=len(STEPS),
            )
        )
    return found


def migrate(connection: Connection, name: str, data_dir: Path | None) -> None:
    """Bring the database up to the newest schema.

    Args:
        connection: the database.
        name: how it is called.
        data_dir: where its mark is, if it has one; None where it is about to be filled.

    Raises:
        StoreFailed: it cannot be used, or is empty although there is a mark.
        psycopg.Error: it failed.
    """
    check(connection, name)
    connection.execute("BEGIN")
    try:
        connection.execute(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")
        found = check(connection, name)
        if not found and data_dir is not None and (data_dir / mark.FILE_NAME).exists():
            raise StoreFailed(
                say(
                    "{name} is empty, but {file} in {folder} says that there was data. Put the"
                    " database back; to begin with an empty one, take {file} away.",
                    name=name,
                    file=mark.FILE_NAME,
                    folder=data_dir,
                )
            )
        if not found:
            connection.execute(_VERSIONS)
        for number, step in enumerate(STEPS[found:], start=found + 1):
            connection.execute(resources.files(__package__).joinpath(step).read_text("utf-8"))
            connection.execute("INSERT INTO schema_step VALUES ($1, now())", (number,))
        connection.execute(
            "DELETE FROM last_commit WHERE at < now() - $1::interval", (FORGET_AFTER,)
        )
        connection.execute("COMMIT")
    except BaseException:
        if not connection.closed:
            connection.execute("ROLLBACK")
        raise


def index_bodies(connection: Connection) -> bool:
    """Make the index of bodies' trigrams where it can be made; tell whether it is there.

    Raises:
        psycopg.Error: it failed for another reason than that there is no such extension.
    """
    available = connection.execute(
        "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm' AND (installed_version"
        " IS NOT NULL OR has_database_privilege(current_database(), 'CREATE'))"
    ).fetchone()
    if available is None:
        return False
    connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    connection.execute(_BODY_INDEX)
    return True
