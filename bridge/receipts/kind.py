"""What kind of message a row is, from its subject and its sender; one table. Pure.

The network names its messages by the beginning of the subject (RFC 6109 §3, App. A). Who may say
so is checked too: receipts and notices come from a provider's own service, on nobody's behalf;
whatever a person writes arrives wrapped, behind ``POSTA CERTIFICATA:`` or ``ANOMALIA MESSAGGIO:``.
A row whose beginning and sender don't go together is ``UNKNOWN``: shown, and it moves nothing.

New evidence types (REM) are rows more in ``PREFIXES``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from bridge.api import schema
from bridge.charset.normalise import normalised
from bridge.mime.grammar.words import decode_words
from bridge.mime.row.address import one_line, read_sender
from bridge.receipts.issuer import issuer_of

CODE = schema.CODE.pattern
"""A send's code: Italian time to the second and a tail of one to six digits (Q2)."""

LIMIT_CHARS = 20_000
"""Of a subject that is longer the rest is not looked at."""

CODE_AT_END = re.compile(rf"(?a)(?:^|\s)({CODE})\s*$")
"""As a subject ends with it."""


class Kind(Enum):
    """A kind of message; the value is what the store keeps."""

    ACCEPTANCE = "acceptance"
    NON_ACCEPTANCE = "non-acceptance"
    NON_ACCEPTANCE_VIRUS = "non-acceptance-virus"
    DELIVERY = "delivery"
    FAILURE = "failure"
    FAILURE_VIRUS = "failure-virus"
    TIMEOUT = "timeout"
    LATE_12H = "late-12h"
    FAILED_24H = "failed-24h"
    TAKEN_IN_CHARGE = "taken-in-charge"
    SECURITY = "security"
    ENVELOPE = "envelope"
    ANOMALY = "anomaly"
    UNKNOWN = "unknown"
    ORDINARY = ""


class Issuer(Enum):
    """Who a kind comes from."""

    SERVICE = "service"
    ANYBODY_ELSE = "anybody else"


OWN_PROVIDERS: frozenset[Kind] = frozenset(
    {Kind.ACCEPTANCE, Kind.NON_ACCEPTANCE, Kind.NON_ACCEPTANCE_VIRUS}
)
"""Receipts that the sender's own provider issues (RFC 6109 §3.1)."""

RECEIPTS: frozenset[Kind] = frozenset(
    {
        Kind.ACCEPTANCE,
        Kind.NON_ACCEPTANCE,
        Kind.NON_ACCEPTANCE_VIRUS,
        Kind.DELIVERY,
        Kind.FAILURE,
        Kind.FAILURE_VIRUS,
        Kind.TIMEOUT,
        Kind.LATE_12H,
        Kind.FAILED_24H,
    }
)
"""Kinds that say something about a message that was sent."""

FAILURES: frozenset[Kind] = frozenset(
    {
        Kind.NON_ACCEPTANCE,
        Kind.NON_ACCEPTANCE_VIRUS,
        Kind.FAILURE,
        Kind.FAILURE_VIRUS,
        Kind.FAILED_24H,
    }
)
"""Receipts that say that it did not arrive, for good."""

WARNINGS: frozenset[Kind] = FAILURES | {Kind.TIMEOUT, Kind.LATE_12H}
"""Receipts that somebody has to see."""

PREFIXES: tuple[tuple[str, Kind, Issuer], ...] = (
    ("AVVISO DI NON ACCETTAZIONE PER VIRUS", Kind.NON_ACCEPTANCE_VIRUS, Issuer.SERVICE),
    ("AVVISO DI NON ACCETTAZIONE", Kind.NON_ACCEPTANCE, Issuer.SERVICE),
    ("AVVISO DI MANCATA CONSEGNA PER VIRUS", Kind.FAILURE_VIRUS, Issuer.SERVICE),
    ("AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO", Kind.TIMEOUT, Issuer.SERVICE),
    ("AVVISO DI MANCATA CONSEGNA PER SUP TEMPO MASSIMO", Kind.TIMEOUT, Issuer.SERVICE),
    ("AVVISO DI MANCATA CONSEGNA", Kind.FAILURE, Issuer.SERVICE),
    ("ACCETTAZIONE", Kind.ACCEPTANCE, Issuer.SERVICE),
    ("CONSEGNA", Kind.DELIVERY, Issuer.SERVICE),
    ("POSTA CERTIFICATA", Kind.ENVELOPE, Issuer.ANYBODY_ELSE),
    ("ANOMALIA MESSAGGIO", Kind.ANOMALY, Issuer.ANYBODY_ELSE),
    ("PRESA IN CARICO", Kind.TAKEN_IN_CHARGE, Issuer.SERVICE),
    ("PROBLEMA DI SICUREZZA", Kind.SECURITY, Issuer.SERVICE),
    # Seen in client code only; never written by a provider that is known.
    ("PREAVVISO DI MANCATA CONSEGNA", Kind.TIMEOUT, Issuer.SERVICE),
    ("AVVENUTA CONSEGNA", Kind.DELIVERY, Issuer.SERVICE),
    ("MANCATA CONSEGNA", Kind.FAILURE, Issuer.SERVICE),
    ("ERRORE CONSEGNA", Kind.FAILURE, Issuer.SERVICE),
)
"""What a subject begins with, the longer before the shorter; a colon follows."""

FIELDS: Mapping[Kind, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        Kind.ACCEPTANCE: (("X-Ricevuta", "accettazione"),),
        Kind.NON_ACCEPTANCE: (("X-Ricevuta", "non-accettazione"),),
        Kind.NON_ACCEPTANCE_VIRUS: (
            ("X-Ricevuta", "non-accettazione"),
            ("X-VerificaSicurezza", "errore"),
        ),
        Kind.DELIVERY: (("X-Ricevuta", "avvenuta-consegna"),),
        Kind.FAILURE: (("X-Ricevuta", "errore-consegna"),),
        Kind.FAILURE_VIRUS: (
            ("X-Ricevuta", "errore-consegna"),
            ("X-VerificaSicurezza", "errore"),
        ),
        Kind.TIMEOUT: (("X-Ricevuta", "preavviso-errore-consegna"),),
        Kind.TAKEN_IN_CHARGE: (("X-Ricevuta", "presa-in-carico"),),
        Kind.SECURITY: (("X-Ricevuta", "rilevazione-virus"),),
        Kind.ENVELOPE: (("X-Trasporto", "posta-certificata"),),
        Kind.ANOMALY: (("X-Trasporto", "errore"),),
    }
)
"""What the network writes into the header of each kind (RFC 6109 §4.2)."""

_BEGINNINGS = tuple(
    (
        re.compile(prefix.replace(".", r"\.").replace(" ", r"\s++") + r"\s*+:\s*+", re.I),
        kind,
        issuer,
    )
    for prefix, kind, issuer in PREFIXES
)


@dataclass(frozen=True, slots=True)
class Classified:
    """What a row is.

    ``code`` is the one at the end of a receipt's subject, None if there is none, and for all other
    kinds; ``subject`` has neither the prefix nor, in a receipt, the code.
    """

    kind: Kind
    code: str | None
    subject: str

    @property
    def line(self) -> str:
        """The subject without the prefix, the code with it."""
        return self.subject if self.code is None else f"{self.subject} {self.code}".lstrip()


def classify(subject: str, sender: str) -> Classified:
    """Return what a row with this subject and this sender, as received, is."""
    line = one_line(normalised("NFKC", decode_words(subject[:LIMIT_CHARS])))
    for beginning, kind, issuer in _BEGINNINGS:
        match = beginning.match(line)
        if match is None:
            continue
        rest = line[match.end() :]
        if not _may_come_from(issuer, sender):
            return Classified(Kind.UNKNOWN, None, rest)
        return _split_code(kind, rest) if kind in RECEIPTS else Classified(kind, None, rest)
    return Classified(Kind.ORDINARY, None, line)


def _may_come_from(issuer: Issuer, sender: str) -> bool:
    if issuer is Issuer.SERVICE:
        return issuer_of(sender) != ""
    return not read_sender(sender).is_service


def _split_code(kind: Kind, subject: str) -> Classified:
    match = CODE_AT_END.search(subject)
    if match is None:
        return Classified(kind, None, subject)
    return Classified(kind, match[1], subject[: match.start()].rstrip())
