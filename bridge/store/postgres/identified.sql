-- The folded Message-ID that a search asks for: NULL where a text has no such field, "" where it has
-- several, or one that is not <...>. SQLite's says the same (schema_messages.py).

ALTER TABLE content_text ADD COLUMN identification words GENERATED ALWAYS AS (
    CASE
    WHEN strpos(E'\n' || header, E'\nmessage-id:') = 0 THEN NULL
    WHEN split_part(E'\n' || header || E'\n', E'\nmessage-id:', 3) <> '' THEN ''
    ELSE coalesce(substring(
        split_part(split_part(E'\n' || header, E'\nmessage-id:', 2), E'\n', 1)
        FROM '^<[^<>]{0,198}>$'
    ), '')
    END
) STORED;

CREATE INDEX content_by_identification ON content_text (identification)
    WHERE identification IS NOT NULL;
