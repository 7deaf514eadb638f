"""What the archive is looked through by."""

from bridge.store.sql.archive import RECEIVED_AT

ARCHIVED = f"""
CREATE INDEX remote_archived ON remote (account, {RECEIVED_AT});
CREATE INDEX submission_archived ON submission (account, created_at);
"""
