"""What rows say as receipts, as the store keeps it: of which send, by what, and what is untied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from bridge.model import AccountId, QueueId
from bridge.store.remote import RemoteId, RemoteRow


class ReceiptBasis(Enum):
    """What a receipt was read from."""

    TEXT = "text"
    """Its row in the inbox and its text, or what there is of that."""
    ROW = "row"
    """Its row in the inbox alone; the text is still to be fetched."""
    STATUS = "status"
    """``GET /send``: the same receipt may be in the inbox as well."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An ``ACCETTAZIONE`` that is tied to no submission.

    ``subject`` has neither the prefix nor the code; ``recipients`` are those its text names, ()
    when it names none that can be read. ``sender`` is as received; ``readable`` tells whether its
    body was there to be read.
    """

    remote: RemoteId
    code: str | None
    subject: str
    at: datetime
    recipients: tuple[str, ...]
    sender: str = ""
    readable: bool = True


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One receipt of one submission.

    ``addresses`` are those its text names; ``ordinary`` those of them that it calls uncertified.
    """

    remote: RemoteId
    submission: QueueId
    kind: str
    at: datetime
    addresses: tuple[str, ...]
    detail: str
    ordinary: tuple[str, ...] = ()
    basis: ReceiptBasis = ReceiptBasis.TEXT


class ReceiptReads(Protocol):
    """What can be asked."""

    async def listed_with_code(self, account: AccountId, code: str) -> list[RemoteRow]:
        """Return the rows without a body that were judged to be receipts with this code."""

    async def unread_likes(self, remote: RemoteId) -> list[RemoteRow]:
        """Return the rows of its fingerprint that went from the API before their body came."""

    async def has_like(self, remote: RemoteId) -> bool:
        """Tell whether another row of the account, live or gone, has the same fingerprint."""

    async def unclaimed_acceptances(
        self, account: AccountId, since: datetime, until: datetime
    ) -> list[Acceptance]:
        """Return acceptances of that time that are tied to no submission."""

    async def remote_with_code(self, account: AccountId, code: str) -> list[RemoteRow]:
        """Return every row whose subject ends in ``code``, in the order first seen."""

    async def receipts_of(self, submission: QueueId) -> list[ReceiptRow]:
        """Return the receipts of a submission, oldest first."""


class ReceiptWrites(Protocol):
    """What can be changed."""

    async def classify_remote(
        self,
        remote: RemoteId,
        kind: str,
        code: str | None,
        stripped_subject: str,
        recipients: Sequence[str],
        *,
        readable: bool = True,
    ) -> None:
        """Remember what a row is: its receipt kind, code, subject without both, addressees.

        Args:
            remote: the row.
            kind: what kind of receipt it is, or of other mail, as the store writes it.
            code: the code in its subject; None for none.
            stripped_subject: the subject without the kind's prefix and the code.
            recipients: whom its text is about.
            readable: whether its body was there to be read.
        """

    async def claim_remote(self, remote: RemoteId, submission: QueueId) -> None:
        """Tie a row to a submission."""

    async def release_remote(self, remote: RemoteId) -> None:
        """Take a row's tie to a submission back, and the receipt that it was.

        Without its body it is to be judged anew.
        """

    async def release_receipts(self, submission: QueueId) -> None:
        """Likewise for every row of a submission."""

    async def add_receipt(self, receipt: ReceiptRow) -> bool:
        """Keep a receipt; False if it is there already.

        One read from its row alone gives way to the same one read with its text.
        """
