"""A row of the API's inbox with its body, and what its message is composed from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.clock import ROME
from bridge.mime.write.compose import Source
from bridge.model import RowFields, RowText
from bridge.receipts.kind import FIELDS, Kind
from bridge.receipts.receipt import Receipt
from bridge.store.remote import RemoteId, RemoteRow

_WITHOUT_ATTACHMENTS = frozenset({Kind.ENVELOPE, Kind.ANOMALY, Kind.UNKNOWN, Kind.ORDINARY})
"""Kinds that may have had attachments of somebody's."""


@dataclass(frozen=True, slots=True)
class Arrival(RowFields):
    """A row with its body as received.

    ``received_at`` is None when ``date_text`` is no date. ``unreadable`` says, if it is not "",
    why the row or its body could not be read; ``body`` is then the raw JSON to show. It is "" if
    ``unfetched``.
    """

    remote: RemoteId
    received_at: datetime | None
    first_seen: datetime
    body: RowText
    unreadable: str = ""
    unfetched: bool = False

    @classmethod
    def of(
        cls, row: RemoteRow, body: RowText, unreadable: str = "", *, unfetched: bool = False
    ) -> Arrival:
        """Return a known row with its body, ready to be filed.

        Args:
            row: the row.
            body: its body.
            unreadable: see the class.
            unfetched: likewise.
        """
        return cls(
            remote=row.id,
            **row.row_fields,
            received_at=row.received_at,
            first_seen=row.first_seen,
            body=body,
            unreadable=unreadable,
            unfetched=unfetched,
        )

    @property
    def at(self) -> datetime:
        """When it came, as far as is known, in Italian time."""
        return (self.received_at or self.first_seen).astimezone(ROME)


def source_of(arrival: Arrival, receipt: Receipt, answers: str) -> Source:
    """Return what the message of a row is composed from.

    Args:
        arrival: the row.
        receipt: what it says.
        answers: the Message-ID of the sent message it belongs to, "" for none.

    A body on the disk is left out.
    """
    kind = receipt.classified.kind
    return Source(
        **arrival.row_fields,
        body=arrival.body if isinstance(arrival.body, str) else "",
        at=arrival.at,
        dated=arrival.received_at is not None,
        fields=FIELDS.get(kind, ()),
        answers=answers,
        attachments_lost=kind in _WITHOUT_ATTACHMENTS,
        unreadable=arrival.unreadable,
        unfetched=arrival.unfetched,
    )
