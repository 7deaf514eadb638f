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

``basis`` in ``code_claim`` is ``evidence`` or ``word``. Losses are few, so looking for them is
cheap.
"""

USAGE = """
ALTER TABLE submission ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submission ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submission ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submission ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submission ADD COLUMN ordinary INTEGER NOT NULL DEFAULT 0;

CREATE TABLE usage_day (
    account INTEGER NOT NULL REFERENCES account (id),
    day TEXT NOT NULL,
    messages INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    ordinary INTEGER NOT NULL,
    uncertain INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE unweighed (
    submission TEXT PRIMARY KEY REFERENCES submission (id)
) STRICT, WITHOUT ROWID;
INSERT INTO unweighed SELECT DISTINCT submission FROM receipt
    WHERE submission IN (SELECT id FROM submission);

CREATE INDEX submission_counted ON submission (counted_on) WHERE counted_on IS NOT NULL;

CREATE TRIGGER submission_size AFTER INSERT ON submission BEGIN
    UPDATE submission
        SET size_bytes = coalesce((SELECT size_bytes FROM content WHERE id = NEW.content), 0)
        WHERE sequence = NEW.sequence;
END;
UPDATE submission SET size_bytes = coalesce(
    (SELECT content.size_bytes FROM content WHERE content.id = submission.content), 0);

INSERT INTO usage_day SELECT account, counted_on, count(*), sum(recipient_count), sum(counted),
    0, 0, 0, 0,
    sum(CASE WHEN state IN ('uncertain', 'dropped', 'restored') THEN recipient_count ELSE 0 END),
    sum(size_bytes)
    FROM submission WHERE counted_on IS NOT NULL GROUP BY account, counted_on;

CREATE TRIGGER usage_leaves AFTER UPDATE OF state, counted, counted_on, accepted, delivered,
    failed, ordinary ON submission WHEN OLD.counted_on IS NOT NULL
BEGIN
    UPDATE usage_day SET messages = messages - 1, recipients = recipients - OLD.recipient_count,
        counted = counted - OLD.counted, accepted = accepted - OLD.accepted,
        delivered = delivered - OLD.delivered, failed = failed - OLD.failed,
        ordinary = ordinary - OLD.ordinary,
        uncertain = uncertain - CASE WHEN OLD.state IN ('uncertain', 'dropped', 'restored')
            THEN OLD.recipient_count ELSE 0 END,
        size_bytes = size_bytes - OLD.size_bytes
        WHERE account = OLD.account AND day = OLD.counted_on;
END;
CREATE TRIGGER usage_comes AFTER UPDATE OF state, counted, counted_on, accepted, delivered,
    failed, ordinary ON submission WHEN NEW.counted_on IS NOT NULL
BEGIN
    INSERT INTO usage_day VALUES (NEW.account, NEW.counted_on, 1, NEW.recipient_count,
        NEW.counted, NEW.accepted, NEW.delivered, NEW.failed, NEW.ordinary,
        CASE WHEN NEW.state IN ('uncertain', 'dropped', 'restored')
            THEN NEW.recipient_count ELSE 0 END,
        NEW.size_bytes)
    ON CONFLICT (account, day) DO UPDATE SET messages = messages + 1,
        recipients = recipients + excluded.recipients, counted = counted + excluded.counted,
        accepted = accepted + excluded.accepted, delivered = delivered + excluded.delivered,
        failed = failed + excluded.failed, ordinary = ordinary + excluded.ordinary,
        uncertain = uncertain + excluded.uncertain, size_bytes = size_bytes + excluded.size_bytes;
END;
"""
"""What was sent each day in Rome, kept up by the triggers in whatever commit changes an entry.

An entry stands under the day that the plan counts it on, so what never left is in no sum.
``accepted`` to ``uncertain`` count recipients. ``unweighed`` has the entries whose receipts were
filed before there were such counts: they are weighed when somebody first asks.
"""

PRICES_LEAVE = """
ALTER TABLE submission DROP COLUMN cost_microeuro;
ALTER TABLE plan_day DROP COLUMN cost_microeuro;
"""
"""What a send costs is worked out from ``[prices]`` when somebody asks; nothing read these."""

URGENT = """
ALTER TABLE submission ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
DROP INDEX submission_state;
CREATE INDEX submission_state
    ON submission (state, account, forced DESC, urgent DESC, sequence);
"""
"""What goes ahead of the other entries of its account."""

PAUSED = """
CREATE TABLE paused (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    since INTEGER NOT NULL
) STRICT;
"""
"""The accounts of which a person wants nothing to leave for now."""

REFERENCE = """
ALTER TABLE submission ADD COLUMN reference TEXT NOT NULL DEFAULT '';
CREATE INDEX submission_reference ON submission (account, reference) WHERE reference <> '';
"""
"""What the sender calls an entry, '' for nothing."""

MARKS = """
CREATE TABLE mark (
    name TEXT PRIMARY KEY,
    dispatches INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    changed_ns INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO mark SELECT incarnation, mark_dispatches, mark_inode, mark_changed_ns FROM lineage;
ALTER TABLE lineage DROP COLUMN mark_dispatches;
ALTER TABLE lineage DROP COLUMN mark_inode;
ALTER TABLE lineage DROP COLUMN mark_changed_ns;
ALTER TABLE lineage ADD COLUMN leader TEXT NOT NULL DEFAULT '';
ALTER TABLE lineage ADD COLUMN origin TEXT NOT NULL DEFAULT '';
UPDATE lineage SET leader = incarnation;
"""
"""Each bridge on a store has a mark of its own, and one of them led last."""
