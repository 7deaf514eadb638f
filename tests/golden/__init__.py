"""Rows as the API gives them (``.json``) and the messages they have become for ever (``.eml``).

``python -m tests.golden`` writes the messages of rows that have none yet; it changes none.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bridge.api.date import parse_date
from bridge.mime.write.compose import compose
from bridge.receipts.arrival import Arrival, source_of
from bridge.receipts.receipt import read_receipt
from bridge.store.remote import RemoteId

HERE = Path(__file__).parent
FIRST_SEEN = datetime(2026, 1, 15, 9, 5, tzinfo=UTC)


def composed(row: Path) -> bytes:
    """Return what the row in a file becomes."""
    value = json.loads(row.read_text())
    arrival = Arrival(
        RemoteId(1),
        sender=value["sender"],
        recipient=value["recipient"],
        date_text=value["date"],
        subject=value["object"],
        received_at=parse_date(value["date"]),
        first_seen=FIRST_SEEN,
        body=value["body"],
        unreadable=value["unreadable"],
    )
    body = None if arrival.unreadable else arrival.body
    receipt = read_receipt(arrival.remote, arrival.subject, arrival.sender, body, arrival.at)
    source = source_of(arrival, receipt, value["answers"])
    return compose(replace(source, occurrence=value["occurrence"]))
