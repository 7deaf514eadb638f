"""Tables of what a person was told.

``notice`` has what a day's collected message lists. Its key begins with the account and what the
notice is about, for an alarm that ends looks for its days.
"""

NOTICES = """
CREATE TABLE notice_day (
    account INTEGER NOT NULL REFERENCES account (id),
    day TEXT NOT NULL,
    singly INTEGER NOT NULL,
    of_messages INTEGER NOT NULL,
    writes INTEGER NOT NULL,
    written_at INTEGER,
    due_at INTEGER,
    content INTEGER,
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_day_due ON notice_day (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE notice (
    account INTEGER NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    day TEXT NOT NULL,
    line TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, kind, key, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_of_day ON notice (account, day);

ALTER TABLE alarm ADD COLUMN notice INTEGER;
ALTER TABLE alarm ADD COLUMN told_at INTEGER;
CREATE INDEX alarm_raised ON alarm (account, raised_at) WHERE cleared_at IS NULL;
"""
"""An alarm's ``notice`` is the content of the message that told of it, if it had one of its own."""

ACKNOWLEDGED = """
ALTER TABLE alarm ADD COLUMN acknowledged_at INTEGER;
"""
"""When a person said that an alarm was seen; it stays raised."""
