"""Tables of the page."""

from bridge.store.sql.groups import ENDED, FAILED, UNCERTAIN, UNDER_WAY, WAITING

SESSIONS = """
CREATE TABLE web_session (
    token_hash BLOB PRIMARY KEY,
    account INTEGER REFERENCES account (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
"""Who is logged in; ``account`` is NULL for the administrator."""

SEALED = "ALTER TABLE web_session ADD COLUMN seal BLOB NOT NULL DEFAULT x'';"
"""What a session's account was opened by; who logged in before that was kept does so again."""

SENT = f"""
CREATE INDEX submission_shown ON submission (account, sequence);
CREATE INDEX submission_counted_by_state ON submission (account, state);
CREATE INDEX submission_waiting ON submission (sequence) WHERE {WAITING};
CREATE INDEX submission_under_way ON submission (sequence) WHERE {UNDER_WAY};
CREATE INDEX submission_failed ON submission (sequence) WHERE {FAILED};
CREATE INDEX submission_uncertain ON submission (sequence) WHERE {UNCERTAIN};
CREATE INDEX submission_ended ON submission (sequence) WHERE {ENDED};
"""
"""What the page lists, newest first, and what it counts.

Of what is rare among 50,000 entries there is an index of its own; a query has to name it and to
say its condition word by word.
"""
