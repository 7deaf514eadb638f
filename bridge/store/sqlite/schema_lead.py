"""The table of who leads."""

LEAD = """
CREATE TABLE lead (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    bridge TEXT NOT NULL,
    term INTEGER NOT NULL,
    beat INTEGER NOT NULL
) STRICT;
INSERT INTO lead VALUES (1, '', 0, 0);
"""
"""One row. A file has one bridge, which need not ask; it is here for the tests, and for copies."""
