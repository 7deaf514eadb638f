"""The table of programs' keys."""

API_KEYS = """
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    may_write INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;
"""
"""What programs show over HTTP; ``used_at`` is NULL before the first use."""
