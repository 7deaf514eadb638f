"""A row read as a receipt: what its subject, its sender and its text say together. Pure.

A text counts only if the subject it quotes is the one in the row's own subject: a delivery receipt
may show the sent message instead (Q5), and that may quote another receipt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bridge.model import RowText
from bridge.receipts.issuer import issuer_of
from bridge.receipts.kind import RECEIPTS, Classified, Kind, classify
from bridge.receipts.states import timeout_kind
from bridge.receipts.subject import is_cut, same_subject
from bridge.receipts.text import Statement, read_statement
from bridge.store.outbox import SubmissionRow
from bridge.store.remote import RemoteId


@dataclass(frozen=True, slots=True)
class Receipt:
    """One row as far as it may be a receipt: what it says, and when it came.

    ``statement`` is what its text says of the very message its subject names, else None.
    ``issuer`` is the provider's service that wrote it, "" if none did; ``readable`` tells whether
    its body was there to be read.
    """

    remote: RemoteId
    classified: Classified
    statement: Statement | None
    at: datetime
    issuer: str = ""
    readable: bool = True

    @property
    def code(self) -> str | None:
        """The code it carries, in its text or, where that shows none, in its subject."""
        if self.statement is not None and self.statement.code is not None:
            return self.statement.code  # the subject's may be cut
        return self.classified.code

    @property
    def subject(self) -> str:
        """The subject of the message it is about, without the code, as whole as it is shown."""
        if self.statement is not None and self.statement.code != self.classified.code:
            return self.statement.subject
        return self.classified.subject

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
    remote: RemoteId, subject: str, sender: str, body: RowText | None, at: datetime
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
    if statement is not None and not _is_about(classified, statement):
        statement = None
    return Receipt(remote, classified, statement, at, issuer_of(sender), readable=body is not None)


def _is_about(classified: Classified, statement: Statement) -> bool:
    """Tell whether a text speaks of the message that the row's own subject names.

    A provider quotes the whole subject, the code with it. What shows the subject alone where the
    row has a code is the sent message, and that may quote the receipt of an older one.
    """
    shown = classified.line
    quoted = statement.subject
    if statement.code is not None:
        quoted = f"{quoted} {statement.code}".lstrip()
    if _same(quoted, shown) or is_cut(shown, quoted):
        return True
    if classified.code is None:
        return _same(statement.subject, shown)
    return is_cut(quoted, shown) and not _same(quoted, classified.subject)


def _same(one: str, other: str) -> bool:
    """Compare two subjects of which either may be the spoilt one."""
    return same_subject(one, other) or same_subject(other, one)
