"""What is cleared at the API by the settings.

``clearing`` has a row's words of its own, for it outlives the row. Of one row there is at most one
entry that has not come to its end (``done``).
"""

CLEARING = """
CREATE TABLE clearing (
    number INTEGER PRIMARY KEY,
    remote INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    subject TEXT NOT NULL,
    date_text TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT,
    submission TEXT NOT NULL,
    body_sha256 BLOB NOT NULL,
    state TEXT NOT NULL,
    wanted_at INTEGER NOT NULL,
    settled_at INTEGER,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX clearing_open ON clearing (remote) WHERE state <> 'done';
CREATE INDEX clearing_by_state ON clearing (account, state, settled_at);
CREATE INDEX clearing_wanted ON clearing (account, wanted_at);
CREATE INDEX deletion_requested ON deletion (requested_at);
CREATE INDEX remote_of_sends ON remote (account, id)
    WHERE gone_at IS NULL AND submission IS NOT NULL AND body_sha256 IS NOT NULL;
"""

ASKED = """
ALTER TABLE clearing ADD COLUMN asked_after INTEGER;
ALTER TABLE clearing ADD COLUMN alike INTEGER NOT NULL DEFAULT 0;
"""
"""As of a deletion that a person asked for (``schema_remote``)."""
