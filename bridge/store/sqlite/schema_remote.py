"""The API's rows, deletions, receipts, alarms and progress: the schema's third step."""

V1 = """
CREATE TABLE remote (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id),
    fingerprint BLOB NOT NULL,
    api_id TEXT NOT NULL,
    raw TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    date_text TEXT NOT NULL,
    subject TEXT NOT NULL,
    received_at INTEGER,
    first_seen INTEGER NOT NULL,
    rank REAL NOT NULL,
    body_sha256 BLOB,
    content INTEGER REFERENCES content (id),
    gone_at INTEGER,
    kind TEXT NOT NULL DEFAULT '',
    code TEXT,
    stripped_subject TEXT NOT NULL DEFAULT '',
    recipients TEXT NOT NULL DEFAULT '[]',
    submission TEXT
) STRICT;
CREATE INDEX remote_live ON remote (account, rank) WHERE gone_at IS NULL;
CREATE INDEX remote_by_fingerprint ON remote (account, fingerprint) WHERE gone_at IS NULL;
CREATE INDEX remote_bodiless ON remote (account, rank)
    WHERE body_sha256 IS NULL AND gone_at IS NULL;
CREATE INDEX remote_gone ON remote (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX remote_by_content ON remote (content);
CREATE INDEX remote_by_code ON remote (account, code) WHERE code IS NOT NULL;
CREATE INDEX remote_unclaimed ON remote (account, received_at)
    WHERE kind = 'acceptance' AND submission IS NULL;

CREATE TABLE remote_body (
    remote INTEGER PRIMARY KEY REFERENCES remote (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE deletion (
    remote INTEGER PRIMARY KEY REFERENCES remote (id) ON DELETE CASCADE,
    requested_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    settled_at INTEGER
) STRICT;
CREATE INDEX deletion_by_state ON deletion (state);

CREATE TABLE receipt (
    remote INTEGER PRIMARY KEY REFERENCES remote (id) ON DELETE CASCADE,
    submission TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    addresses TEXT NOT NULL,
    detail TEXT NOT NULL,
    ordinary TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX receipt_by_submission ON receipt (submission);

CREATE TABLE alarm (
    account INTEGER NOT NULL REFERENCES account (id),
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    cleared_at INTEGER,
    PRIMARY KEY (account, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE sync_state (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    state TEXT NOT NULL
) STRICT;

CREATE TABLE request_count (
    account INTEGER NOT NULL REFERENCES account (id),
    day TEXT NOT NULL,
    made INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;
"""

OUTCOMES_STAY = """
CREATE TABLE receipt_kept (
    remote INTEGER PRIMARY KEY,
    submission TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    addresses TEXT NOT NULL,
    detail TEXT NOT NULL,
    ordinary TEXT NOT NULL DEFAULT '[]'
) STRICT;
INSERT INTO receipt_kept
    SELECT remote, submission, kind, at, addresses, detail, ordinary FROM receipt;
DROP TABLE receipt;
ALTER TABLE receipt_kept RENAME TO receipt;
CREATE INDEX receipt_by_submission ON receipt (submission);
ALTER TABLE remote ADD COLUMN readable INTEGER NOT NULL DEFAULT 1;
INSERT OR IGNORE INTO issuer
    SELECT remote.account, lower(trim(sender, ' "<>')) FROM receipt
    JOIN remote ON remote.id = receipt.remote
    JOIN submission ON submission.id = receipt.submission
    WHERE receipt.kind = 'acceptance' AND submission.code IS NOT NULL
    AND remote.code = submission.code
    AND NOT EXISTS (SELECT 1 FROM code_claim WHERE submission = submission.id)
    AND lower(trim(sender, ' "<>')) GLOB 'posta-certificata@[a-z0-9]*.[a-z0-9]*'
    AND lower(trim(sender, ' "<>')) NOT GLOB '*[^a-z0-9.@-]*';
"""
"""Receipts outlive their rows: what became of a message is known for longer than the archive keeps.

A row's number is never given again, so it goes on naming the receipt. ``readable`` is 0 for a row
whose body could not be read. Who accepted before is learned from what is there already.
"""

REQUESTS_BY_PURPOSE = """
CREATE TABLE request_use (
    account INTEGER NOT NULL REFERENCES account (id),
    day TEXT NOT NULL,
    purpose TEXT NOT NULL,
    made INTEGER NOT NULL,
    PRIMARY KEY (account, day, purpose)
) STRICT, WITHOUT ROWID;
INSERT INTO request_use SELECT account, day, 'look', made FROM request_count;
DROP TABLE request_count;
"""
"""What requests were made for was not kept before: old counts stand as looks."""

GONE_ROWS_RETURN = """
ALTER TABLE remote ADD COLUMN gone_how TEXT NOT NULL DEFAULT '';
ALTER TABLE remote ADD COLUMN left_inbox TEXT;
CREATE INDEX remote_gone_by_fingerprint ON remote (account, fingerprint)
    WHERE gone_at IS NOT NULL;
"""
"""``gone_how`` is 'deleted' where we deleted the row at the API; ``left_inbox`` is the JSON of the
message that left INBOX with it: flags, date and size, so that it can come back as it was."""

READING = """
CREATE TABLE reading (
    remote INTEGER PRIMARY KEY,
    times INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""Rows whose bodies are being fetched, and how often that was begun and never ended."""

TURNS = """
ALTER TABLE remote ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
CREATE INDEX remote_by_turn ON remote (account, turn) WHERE gone_at IS NULL;
"""
"""When a row's id was noted, as ``store.remote.Place`` counts it."""

JUDGED_BY_ROW = """
ALTER TABLE remote ADD COLUMN worth INTEGER;
ALTER TABLE remote ADD COLUMN listed_code TEXT;
ALTER TABLE receipt ADD COLUMN basis TEXT NOT NULL DEFAULT 'text';
UPDATE receipt SET basis = 'status' WHERE detail LIKE '%told by GET /send';
CREATE INDEX remote_by_listed_code ON remote (account, listed_code)
    WHERE listed_code IS NOT NULL AND body_sha256 IS NULL;
CREATE INDEX remote_by_worth ON remote (account, worth, rank DESC)
    WHERE body_sha256 IS NULL AND gone_at IS NULL;
CREATE INDEX remote_unjudged ON remote (account, rank)
    WHERE worth IS NULL AND body_sha256 IS NULL AND gone_at IS NULL;
DROP INDEX remote_bodiless;
"""
"""``worth`` is ``store.remote.Worth``, NULL for a row that was not judged yet; ``listed_code`` the
code that the row of an acceptance or a delivery carries, as long as its text is not here.
``basis`` in ``receipt`` is ``store.receipts.ReceiptBasis``."""

SEEN = """
CREATE INDEX remote_by_first_seen ON remote (account, first_seen, worth);
"""
"""For the count of what came in a day."""

DRIFTS = """
ALTER TABLE remote ADD COLUMN drift_least INTEGER NOT NULL DEFAULT 0;
ALTER TABLE remote ADD COLUMN drift_most INTEGER NOT NULL DEFAULT 0;
"""
"""By how much the id of a row that was not seen moved, as ``store.remote.Place`` says."""

ASKED = """
ALTER TABLE deletion ADD COLUMN asked_after INTEGER;
ALTER TABLE deletion ADD COLUMN alike INTEGER NOT NULL DEFAULT 0;
"""
"""The last row known when the API was asked for a deletion of which it is not known what came of
it, and how many rows with its text were listed then."""

OWED = """
CREATE INDEX remote_owed ON remote (account, first_seen, id)
    WHERE body_sha256 IS NULL AND gone_at IS NULL AND coalesce(worth, 0) < 3;
"""
"""Rows whose texts do more than confirm (``store.remote.Worth``): the first of them is asked for at
each look for what is overdue."""
