"""The tables of delivery status notifications (RFC 3461)."""

ASKED = """
ALTER TABLE submission ADD COLUMN envid TEXT NOT NULL DEFAULT '';
CREATE INDEX submission_envid ON submission (account, envid) WHERE envid <> '';

CREATE TABLE dsn (
    submission TEXT PRIMARY KEY REFERENCES submission (id),
    full_text INTEGER NOT NULL,
    count INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE dsn_recipient (
    submission TEXT NOT NULL REFERENCES submission (id),
    recipient TEXT NOT NULL,
    notify TEXT,
    original TEXT NOT NULL,
    told TEXT,
    PRIMARY KEY (submission, recipient)
) STRICT, WITHOUT ROWID;
"""
"""What was asked for an entry, and what was told last of each recipient.

``notify`` is NULL where nothing was said, '' for NEVER, else words with commas between them.
"""
