"""The table of the event log."""

EVENTS = """
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL,
    submission TEXT,
    recipient TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX event_submission ON event (submission, recipient) WHERE submission IS NOT NULL;
CREATE INDEX event_at ON event (at);
"""
"""What happened, in the order of commits; no number is used again (AUTOINCREMENT)."""
