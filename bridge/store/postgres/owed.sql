-- Rows whose texts do more than confirm: the first of them is asked for at each look for what is
-- overdue.

CREATE INDEX remote_owed ON remote (account, first_seen, id)
    WHERE body_sha256 IS NULL AND gone_at IS NULL AND coalesce(worth, 0) < 3;
