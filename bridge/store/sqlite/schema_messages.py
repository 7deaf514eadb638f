"""Accounts, mailboxes, messages and contents: the schema's first step.

What a FETCH asks for together lies together: the pieces of ENVELOPE and BODYSTRUCTURE in one
table, headers and whole texts in one each, so that a scan reads no page it does not need.
``body_index`` holds which body texts have which three letters, of contents up to the id in
``body_indexed``; those after it are looked through instead (see ``bodysearch``).
"""

V1 = """
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT;

CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL DEFAULT 1,
    highest_modseq INTEGER NOT NULL DEFAULT 1,
    recent_from INTEGER NOT NULL DEFAULT 1,
    special_use TEXT,
    UNIQUE (account, name)
) STRICT;

CREATE TABLE uid_validity (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    highest INTEGER NOT NULL
) STRICT;
INSERT INTO uid_validity VALUES (1, 0);

CREATE TABLE subscription (
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE content (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id),
    sha256 BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    message_id TEXT,
    reference_ids TEXT NOT NULL,
    sent_at INTEGER,
    sent_on TEXT,
    base_subject TEXT NOT NULL,
    from_mailbox TEXT NOT NULL,
    to_mailbox TEXT NOT NULL,
    cc_mailbox TEXT NOT NULL,
    from_display TEXT NOT NULL,
    to_display TEXT NOT NULL,
    is_reply INTEGER NOT NULL,
    preview TEXT NOT NULL,
    UNIQUE (account, sha256)
) STRICT;
CREATE INDEX content_by_message_id ON content (message_id, account)
    WHERE message_id IS NOT NULL;

CREATE TABLE content_structure (
    content INTEGER PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE,
    envelope BLOB NOT NULL,
    body BLOB NOT NULL,
    bodystructure BLOB NOT NULL,
    parts BLOB NOT NULL
) STRICT;

CREATE TABLE content_header (
    content INTEGER PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE,
    header BLOB NOT NULL
) STRICT;

CREATE TABLE content_raw (
    content INTEGER PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE,
    raw BLOB NOT NULL
) STRICT;

CREATE TABLE content_text (
    content INTEGER PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    cc TEXT NOT NULL,
    bcc TEXT NOT NULL,
    header TEXT NOT NULL
) STRICT;

CREATE TABLE content_body_text (
    content INTEGER PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE,
    is_whole INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE INDEX content_body_cut ON content_body_text (content) WHERE NOT is_whole;

CREATE VIRTUAL TABLE body_index USING fts5 (
    body, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE TABLE body_indexed (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    up_to INTEGER NOT NULL
) STRICT;
INSERT INTO body_indexed VALUES (1, 0);

CREATE TABLE message (
    mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    flags TEXT NOT NULL,
    internal_date INTEGER NOT NULL,
    zone_minutes INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    content INTEGER NOT NULL REFERENCES content (id),
    PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_by_content ON message (content);

CREATE TABLE orphan (
    content INTEGER PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE expunged (
    mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX expunged_by_modseq ON expunged (mailbox, modseq);

CREATE TABLE header_set (
    id INTEGER PRIMARY KEY,
    names TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE header_fields (
    header_set INTEGER NOT NULL REFERENCES header_set (id) ON DELETE CASCADE,
    content INTEGER NOT NULL REFERENCES content (id) ON DELETE CASCADE,
    fields BLOB NOT NULL,
    PRIMARY KEY (header_set, content)
) STRICT, WITHOUT ROWID;
CREATE INDEX header_fields_by_content ON header_fields (content);
"""
