"""Whether a receipt belongs to a send: the one answer for everything that asks. Pure.

A code can be quoted by anybody, so it proves nothing alone. A receipt is a send's only if

- a provider's service issued it, and it says what such a service says (``kind``);
- its subject *is* the send's, but for letters lost: ``I: ACCETTAZIONE: Diffida <code>`` is that
  of another message, which forwards the receipt of this one;
- it is not older than the send;
- it names nobody but recipients of the send;
- acceptances, and refusals to accept, come from the account's own provider: one that accepted for
  it before, unless none is known yet, or the text names the recipients.

Rows of the inbox, of ``GET /send`` and of a search are all judged here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.clock import ROME
from bridge.receipts.address import names_only
from bridge.receipts.kind import OWN_PROVIDERS, RECEIPTS
from bridge.receipts.receipt import Receipt
from bridge.receipts.subject import is_cut, same_subject

CLOCK_SLACK = timedelta(minutes=2)
"""How far the provider's clock may be behind ours."""

CLOCK_AHEAD = timedelta(minutes=15)
"""How far our clock may be ahead of the service's, where a code shows that it is."""

Issuers = frozenset[str]
"""The services that accepted for an account before, as ``issuer_of`` writes them."""


@dataclass(frozen=True, slots=True)
class ProvenSend:
    """What a receipt has to agree with; ``begun_at`` is when the first request for it began."""

    subject: str
    recipients: tuple[str, ...]
    begun_at: datetime


def begun_at(started_at: datetime, code: str | None) -> datetime:
    """Return when a send began by the clock that dates its receipts.

    A code begins with the service's own time (Q2): where ours is a little ahead of it, all that
    comes would seem to be older than the send.
    """
    try:
        named = datetime.strptime((code or "")[:14], "%Y%m%d%H%M%S").replace(tzinfo=ROME)
    except ValueError:
        return started_at
    is_ahead = timedelta(0) < started_at - named <= CLOCK_AHEAD
    return named if is_ahead else started_at


def belongs(receipt: Receipt, send: ProvenSend, issuers: Issuers) -> bool:
    """Tell whether a receipt that carries a send's code is that send's."""
    return (
        agrees(receipt, send)
        and same_subject(send.subject, receipt.subject)
        and from_own_provider(receipt, issuers)
    )


def belongs_cut(receipt: Receipt, send: ProvenSend, code: str, issuers: Issuers) -> bool:
    """Tell whether a receipt without a code may be that of a send, its subject cut short.

    A whole subject without a code is that of a message sent elsewhere, by a webmail say; one that
    has a code is whole; and a text would have shown the code.

    Args:
        receipt: what came.
        send: what it has to agree with.
        code: the send's.
        issuers: who accepted for the account before.
    """
    if receipt.code is not None or receipt.statement is not None:
        return False
    shown = receipt.classified.subject
    return (
        agrees(receipt, send)
        and is_cut(shown, f"{send.subject} {code}".rstrip())
        and not same_subject(send.subject, shown)
        and from_own_provider(receipt, issuers)
    )


def agrees(receipt: Receipt, send: ProvenSend) -> bool:
    """Tell whether nothing but the subject and the issuer could speak against it."""
    return (
        receipt.classified.kind in RECEIPTS
        and receipt.at >= send.begun_at - CLOCK_SLACK
        and names_only(receipt.addresses, send.recipients)
    )


def from_own_provider(receipt: Receipt, issuers: Issuers) -> bool:
    """Tell whether a receipt comes from where receipts of its kind must come from."""
    if receipt.classified.kind not in OWN_PROVIDERS or not issuers:
        return True
    return receipt.issuer in issuers or bool(receipt.addresses)


def names_another(receipt: Receipt, send: ProvenSend) -> bool:
    """Tell whether a receipt shows that another message has the send's code and subject too.

    Somebody sent it once more from the webmail, to other people, say.
    """
    return contradicts(receipt, send) and receipt.at >= send.begun_at - CLOCK_SLACK


def contradicts(receipt: Receipt, send: ProvenSend) -> bool:
    """Tell whether a receipt shows that its code is another message's than the send's.

    The same subject and the same code, yet it names somebody else or is older than the send. A
    receipt of another subject that ends in the code only quotes it.
    """
    return (
        receipt.classified.kind in RECEIPTS
        and same_subject(send.subject, receipt.subject)
        and not agrees(receipt, send)
    )
