"""Accounts, mailboxes, messages and contents: the schema's first step.

What a FETCH asks for together lies together: the pieces of ENVELOPE and BODYSTRUCTURE in one
table, headers and whole texts in one each, so that a scan reads no page it does not need.
A content is written through the view ``whole_content``, a message that comes in through
``last_message``: what the triggers do in one statement would take the writer's thread many.
``body_index`` holds which body texts have which three letters, of contents up to the id in
``body_indexed``; those after it are looked through instead (see ``bodysearch``).
``stale_content`` has the contents whose texts, sort keys and preview were worked out by older
rules; a step that changes the rules puts all there, and they are worked out anew meanwhile.
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

CREATE VIEW whole_content AS
    SELECT content.id, account, sha256, size_bytes, message_id, reference_ids, sent_at, sent_on,
        base_subject, from_mailbox, to_mailbox, cc_mailbox, from_display, to_display, is_reply,
        preview, envelope, content_structure.body AS body, bodystructure, parts,
        content_header.header AS header, raw, subject, sender, recipient, cc, bcc,
        content_text.header AS header_text, is_whole, content_body_text.body AS body_text
    FROM content
    JOIN content_structure ON content_structure.content = content.id
    JOIN content_header ON content_header.content = content.id
    JOIN content_raw ON content_raw.content = content.id
    JOIN content_text ON content_text.content = content.id
    JOIN content_body_text ON content_body_text.content = content.id;
CREATE TRIGGER whole_content_insert INSTEAD OF INSERT ON whole_content BEGIN
    INSERT INTO content VALUES (NEW.id, NEW.account, NEW.sha256, NEW.size_bytes, NEW.message_id,
        NEW.reference_ids, NEW.sent_at, NEW.sent_on, NEW.base_subject, NEW.from_mailbox,
        NEW.to_mailbox, NEW.cc_mailbox, NEW.from_display, NEW.to_display, NEW.is_reply,
        NEW.preview);
    INSERT INTO content_structure VALUES
        (NEW.id, NEW.envelope, NEW.body, NEW.bodystructure, NEW.parts);
    INSERT INTO content_header VALUES (NEW.id, NEW.header);
    INSERT INTO content_raw VALUES (NEW.id, NEW.raw);
    INSERT INTO content_text VALUES
        (NEW.id, NEW.subject, NEW.sender, NEW.recipient, NEW.cc, NEW.bcc, NEW.header_text);
    INSERT INTO content_body_text VALUES (NEW.id, NEW.is_whole, NEW.body_text);
END;

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

CREATE VIEW last_message AS
    SELECT mailbox, uid, modseq, flags, internal_date, zone_minutes, saved_at, size_bytes, content
    FROM message JOIN mailbox ON id = mailbox AND uid = uid_next - 1;
CREATE TRIGGER last_message_insert INSTEAD OF INSERT ON last_message BEGIN
    INSERT INTO message VALUES (NEW.mailbox, NEW.uid, NEW.modseq, NEW.flags, NEW.internal_date,
        NEW.zone_minutes, NEW.saved_at, NEW.size_bytes, NEW.content);
    UPDATE mailbox SET uid_next = NEW.uid + 1, highest_modseq = NEW.modseq WHERE id = NEW.mailbox;
END;

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

STALE = """
CREATE TABLE stale_content (
    content INTEGER PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE
) STRICT;
INSERT INTO stale_content SELECT id FROM content;
"""

_FIELD = "char(10) || 'message-id:'"
_END = "instr(id_lines, '>')"

IDENTIFIED = f"""
ALTER TABLE content_text ADD COLUMN id_lines TEXT AS (
    CASE substr(header, 1, 11)
    WHEN 'message-id:' THEN substr(header, 12)
    ELSE substr(header, nullif(instr(header, {_FIELD}), 0) + 12)
    END
) VIRTUAL;
ALTER TABLE content_text ADD COLUMN identification TEXT AS (
    CASE
    WHEN id_lines IS NULL THEN NULL
    WHEN substr(id_lines, 1, 1) = '<' AND {_END} <= 200
        AND substr(id_lines, {_END}, 2) IN ('>', '>' || char(10))
        AND instr(substr(id_lines, 2, {_END}), '<') = 0 AND instr(id_lines, {_FIELD}) = 0
    THEN substr(id_lines, 1, {_END})
    ELSE ''
    END
) VIRTUAL;
CREATE INDEX content_by_identification ON content_text (identification);
"""
"""The folded Message-ID that a search asks for: NULL where a text has no such field, "" where it
has several, or one that is not ``<…>``. ``id_lines`` is the header from its value on. What is
virtual is worked out with each mention, so few are made: 10 us a text.
"""
