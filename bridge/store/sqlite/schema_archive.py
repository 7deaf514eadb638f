"""What the archive is looked through by."""

RECEIVED_AT = "coalesce(received_at, first_seen)"

ARCHIVED = f"""
CREATE INDEX remote_archived ON remote (account, {RECEIVED_AT});
CREATE INDEX submission_archived ON submission (account, created_at);
"""
