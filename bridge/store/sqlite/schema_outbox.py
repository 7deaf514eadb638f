"""Tables of the outbox.

Times are microseconds since 1970 UTC; days are ``YYYY-MM-DD`` in Rome; ``recipients`` is a JSON
array. ``sequence`` is the order of enqueueing. ``fingerprint`` is empty where an entry must not
be taken for another, ``kinship`` where it came without a Message-ID. Partial indexes keep a year
of finished entries out of the dispatcher's way.
"""

V1 = """
CREATE TABLE submission (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES account (id),
    state TEXT NOT NULL,
    message_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    recipients TEXT NOT NULL,
    recipient_count INTEGER NOT NULL,
    content INTEGER NOT NULL REFERENCES content (id),
    fingerprint BLOB NOT NULL,
    code TEXT,
    named_code TEXT,
    reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    not_before INTEGER,
    retrying_since INTEGER,
    sent_at INTEGER,
    forced INTEGER NOT NULL DEFAULT 0,
    counted INTEGER NOT NULL DEFAULT 0,
    counted_on TEXT,
    cost_microeuro INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX submission_message_id ON submission (account, message_id);
CREATE INDEX submission_content ON submission (content);
CREATE INDEX submission_created ON submission (created_at);
CREATE INDEX submission_sent ON submission (account, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX submission_code ON submission (account, code) WHERE code IS NOT NULL;
CREATE INDEX submission_fingerprint ON submission (account, fingerprint) WHERE fingerprint <> x'';
CREATE INDEX submission_state ON submission (state, account, forced DESC, sequence);

CREATE TABLE attempt (
    submission TEXT NOT NULL REFERENCES submission (id),
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    status INTEGER,
    answer TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (submission, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_ended ON attempt (ended_at);

CREATE TABLE transition (
    number INTEGER PRIMARY KEY,
    submission TEXT NOT NULL REFERENCES submission (id),
    at INTEGER NOT NULL,
    old TEXT NOT NULL,
    new TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempt INTEGER
) STRICT;
CREATE INDEX transition_submission ON transition (submission);

CREATE TABLE account_hold (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    probe_at INTEGER NOT NULL,
    probes INTEGER NOT NULL
) STRICT;

CREATE TABLE plan_day (
    account INTEGER NOT NULL REFERENCES account (id),
    day TEXT NOT NULL,
    counted INTEGER NOT NULL,
    cost_microeuro INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;
"""

KINSHIP = """
ALTER TABLE submission ADD COLUMN kinship BLOB NOT NULL DEFAULT x'';
CREATE INDEX submission_kinship ON submission (account, kinship) WHERE kinship <> x'';
"""

LINEAGE = """
CREATE TABLE lineage (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    incarnation TEXT NOT NULL,
    dispatches INTEGER NOT NULL,
    mark_dispatches INTEGER NOT NULL,
    mark_inode INTEGER NOT NULL,
    mark_changed_ns INTEGER,
    seen_at INTEGER NOT NULL
) STRICT;
"""

CLAIMS = """
CREATE TABLE code_claim (
    submission TEXT PRIMARY KEY REFERENCES submission (id),
    basis TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO code_claim
    SELECT id, CASE WHEN EXISTS (
        SELECT 1 FROM transition WHERE submission = submission.id AND old = 'uncertain'
        AND new = 'submitted' AND reason LIKE 'resolved%') THEN 'word' ELSE 'evidence' END
    FROM submission WHERE state = 'submitted' AND EXISTS (
        SELECT 1 FROM transition WHERE submission = submission.id AND old = 'uncertain'
        AND new = 'submitted');
CREATE INDEX transition_lost ON transition (at) WHERE new IN ('uncertain', 'restored');

CREATE TABLE issuer (
    account INTEGER NOT NULL REFERENCES account (id),
    address TEXT NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;
"""
"""Codes that the API itself did not answer, and who accepted for an account before.

``code_claim.basis`` is ``evidence`` or ``word``. Losses are few, so looking for them is cheap.
"""
