"""Statistics of tables that are young, long before autovacuum would make them.

A plan that was made for an empty table takes any index for as good as another, and connections keep
their plans: in a queue that has grown meanwhile each message then looks at all others. ANALYZE has
every connection plan anew. Each table gets it as often as it has doubled, until it is so large
that the server has long seen to it.

Failure: the connection's; a table that somebody else analyses or alters is left for the next time.
"""

from __future__ import annotations

from bridge.store.postgres.connection import Connection

REFRESH_EVERY_S = 5.0
FEW_ROWS = 200
"""So many walk by as quickly in any order."""

LARGE_BYTES = 64 * 1024 * 1024
"""Of a larger table it takes long enough to keep others waiting."""

_GROWN = (
    "SELECT relid::regclass::text FROM pg_stat_user_tables JOIN pg_class ON pg_class.oid = relid"
    " WHERE schemaname = current_schema AND n_mod_since_analyze > greatest(reltuples, $1)"
    " AND pg_relation_size(relid) < $2 ORDER BY 1"
)


def refresh(connection: Connection) -> list[str]:
    """Analyse the tables that have doubled; return their names. Blocks.

    Raises:
        psycopg.Error: the connection failed.
    """
    grown = [name for (name,) in connection.execute(_GROWN, (FEW_ROWS, LARGE_BYTES)).fetchall()]
    for name in grown:
        connection.execute(f"ANALYZE (SKIP_LOCKED) {name}")
    return grown
