"""A row read as a receipt: what its subject, its sender and its text say together. Pure.

A text counts only if the subject it quotes is the one in the row's own subject: a delivery receipt
may show the sent message instead (Q5), and that may quote another receipt.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.receipts.kind import RECEIPTS, Classified, Kind, classify
from bridge.receipts.states import timeout_kind
from bridge.receipts.text import Statement, read_statement
from bridge.store.outbox import SubmissionRow
from bridge.store.remote import RemoteId

MIN_CUT_CHARS = 20
"""A shorter subject is not taken for the beginning of a longer one."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One row as far as it may be a receipt: what it says, and when it came.

    ``statement`` is what its text says of the very message its subject names, else None.
    """

    remote: RemoteId
    classified: Classified
    statement: Statement | None
    at: datetime

    @property
    def code(self) -> str | None:
        """The code it carries, in its subject or in its text."""
        if self.classified.code is not None or self.statement is None:
            return self.classified.code
        return self.statement.code

    @property
    def addresses(self) -> tuple[str, ...]:
        """The recipients that its text names."""
        found = self.statement.addressees if self.statement is not None else ()
        return tuple(one.address for one in found)

    @property
    def ordinary(self) -> tuple[str, ...]:
        """Those of ``addresses`` that its text calls ordinary mail."""
        found = self.statement.addressees if self.statement is not None else ()
        return tuple(one.address for one in found if one.certified is False)

    @property
    def reason(self) -> str:
        """The reason that its text gives, "" for none."""
        return self.statement.reason if self.statement is not None else ""

    def of(self, remote: RemoteId) -> Receipt:
        """Return the same, read from another row."""
        return replace(self, remote=remote)

    def kind_for(self, submission: SubmissionRow | None) -> Kind:
        """Return the kind, the two time notices told apart as far as they can be."""
        if self.classified.kind is not Kind.TIMEOUT:
            return self.classified.kind
        hours = self.statement.hours if self.statement is not None else None
        if submission is None:
            return Kind.TIMEOUT if hours is None else timeout_kind(hours, None)
        return timeout_kind(hours, self.at - (submission.sent_at or submission.created_at))


def read_receipt(
    remote: RemoteId, subject: str, sender: str, body: str | None, at: datetime
) -> Receipt:
    """Return what a row says; its body only counts if it is a receipt's own text.

    Args:
        remote: the row.
        subject: as received, like ``sender``.
        sender: who says so.
        body: as received; None if it could not be read.
        at: when it came.
    """
    classified = classify(subject, sender)
    statement = None
    if classified.kind in RECEIPTS and body is not None:
        statement = read_statement(body)
    return Receipt(remote, classified, statement if _is_about(classified, statement) else None, at)


def _is_about(classified: Classified, statement: Statement | None) -> bool:
    """Tell whether a text speaks of the message that the row's own subject names."""
    if statement is None:
        return False
    if classified.code is not None and statement.code is not None:
        return classified.code == statement.code
    whole = f"{statement.subject} {statement.code or ''}"
    ours = classified.subject
    return equals(ours, whole) or equals(ours, statement.subject) or is_cut(ours, whole)


def is_cut(beginning: str, whole: str) -> bool:
    """Tell whether one subject may be the other cut short."""
    return any(
        len(plain(beginning)) >= MIN_CUT_CHARS and plain(whole).startswith(plain(beginning))
        for plain in _PLAIN
    )


def equals(one: str, other: str) -> bool:
    """Tell whether two subjects may be the same."""
    return any(plain(one) == plain(other) for plain in _PLAIN)


def _without_accents(subject: str) -> str:
    return _letters(unicodedata.normalize("NFKD", subject))


def _letters(subject: str) -> str:
    return "".join(char for char in subject.casefold() if char.isascii() and char.isalnum())


_PLAIN = (_without_accents, _letters)
"""Two ways to compare what the API may have spoilt (Q7): accents gone, or their letters too."""
