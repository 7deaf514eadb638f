"""Rows that were filed, read again as what they say."""

from __future__ import annotations

from bridge.receipts.receipt import Receipt, read_receipt
from bridge.store.base import ReadTransaction
from bridge.store.remote import RemoteRow


async def read_row(tx: ReadTransaction, row: RemoteRow) -> Receipt:
    """Return what a row that was filed says."""
    body = await tx.remote_body(row.id) if row.readable else None
    at = row.received_at or row.first_seen
    return read_receipt(row.id, row.subject, row.sender, body, at)
