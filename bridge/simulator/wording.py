"""What the PEC network writes: subject prefixes, header values and the Italian texts.

Two wordings of each text, A after the technical rules and B after a large provider's practice.
Texts only; who gets which, and when, is decided in ``network``.

RFCs: 6109 §3 (message types), 6109 App. A (texts, in the English rendering).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from bridge.clock import ROME


class NetworkKind(Enum):
    """A type of message on the PEC network."""

    ACCEPTANCE = "acceptance"
    NON_ACCEPTANCE = "non-acceptance"
    NON_ACCEPTANCE_VIRUS = "non-acceptance-virus"
    DELIVERY = "delivery"
    FAILURE = "failure"
    FAILURE_VIRUS = "failure-virus"
    FIRST_NOTICE = "first-notice"
    FINAL_NOTICE = "final-notice"
    ENVELOPE = "envelope"
    ANOMALY = "anomaly"


PREFIXES: Mapping[NetworkKind, str] = MappingProxyType(
    {
        NetworkKind.ACCEPTANCE: "ACCETTAZIONE",
        NetworkKind.NON_ACCEPTANCE: "AVVISO DI NON ACCETTAZIONE",
        NetworkKind.NON_ACCEPTANCE_VIRUS: "AVVISO DI NON ACCETTAZIONE PER VIRUS",
        NetworkKind.DELIVERY: "CONSEGNA",
        NetworkKind.FAILURE: "AVVISO DI MANCATA CONSEGNA",
        NetworkKind.FAILURE_VIRUS: "AVVISO DI MANCATA CONSEGNA PER VIRUS",
        NetworkKind.FIRST_NOTICE: "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO",
        NetworkKind.FINAL_NOTICE: "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO",
        NetworkKind.ENVELOPE: "POSTA CERTIFICATA",
        NetworkKind.ANOMALY: "ANOMALIA MESSAGGIO",
    }
)
"""What subjects begin with, before a colon; both time notices share one (RFC 6109 §3.1.6)."""

HEADERS: Mapping[NetworkKind, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        NetworkKind.ACCEPTANCE: (("X-Ricevuta", "accettazione"),),
        NetworkKind.NON_ACCEPTANCE: (("X-Ricevuta", "non-accettazione"),),
        NetworkKind.NON_ACCEPTANCE_VIRUS: (
            ("X-Ricevuta", "non-accettazione"),
            ("X-VerificaSicurezza", "errore"),
        ),
        NetworkKind.DELIVERY: (("X-Ricevuta", "avvenuta-consegna"), ("X-TipoRicevuta", "completa")),
        NetworkKind.FAILURE: (("X-Ricevuta", "errore-consegna"),),
        NetworkKind.FAILURE_VIRUS: (
            ("X-Ricevuta", "errore-consegna"),
            ("X-VerificaSicurezza", "errore"),
        ),
        NetworkKind.FIRST_NOTICE: (("X-Ricevuta", "preavviso-errore-consegna"),),
        NetworkKind.FINAL_NOTICE: (("X-Ricevuta", "preavviso-errore-consegna"),),
        NetworkKind.ENVELOPE: (("X-Trasporto", "posta-certificata"),),
        NetworkKind.ANOMALY: (("X-Trasporto", "errore"),),
    }
)
"""The headers that tell a message's type to machines (RFC 6109 §4.2)."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """An addressee as an acceptance lists it."""

    address: str
    certified: bool

    @property
    def line(self) -> str:
        """The address and its type, as receipts print them."""
        return f'{self.address} ("posta {"certificata" if self.certified else "ordinaria"}")'


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a text speaks of; ``recipients`` are those it concerns, ``at`` is aware."""

    at: datetime
    subject: str
    sender: str
    recipients: tuple[Recipient, ...]
    identifier: str
    error: str = ""


_WHEN = "Il giorno {day} alle ore {time} ({zone})"

_TEMPLATE_A: Mapping[NetworkKind, str] = MappingProxyType(
    {
        NetworkKind.ACCEPTANCE: (
            "Ricevuta di accettazione\n"
            + _WHEN
            + ' il messaggio "{subject}" proveniente da "{sender}"\n'
            "ed indirizzato a:\n{recipient_lines}\n"
            "è stato accettato dal sistema ed inoltrato.\n"
            "Identificativo messaggio: {identifier}\n"
        ),
        NetworkKind.NON_ACCEPTANCE: (
            "Errore nell'accettazione del messaggio\n"
            + _WHEN
            + ' nel messaggio "{subject}" proveniente da "{sender}"\n'
            "ed indirizzato a:\n{addresses}\n"
            "è stato rilevato un problema che ne impedisce l'accettazione "
            "a causa di {error}.\nIl messaggio non è stato accettato.\n"
            "Identificativo messaggio: {identifier}\n"
        ),
        NetworkKind.DELIVERY: (
            "Ricevuta di avvenuta consegna\n"
            + _WHEN
            + ' il messaggio "{subject}" proveniente da "{sender}"\n'
            'ed indirizzato a "{recipient}"\n'
            "è stato consegnato nella casella di destinazione.\n"
            "Identificativo messaggio: {identifier}\n"
        ),
        NetworkKind.FAILURE: (
            "Avviso di mancata consegna\n"
            + _WHEN
            + ' nel messaggio "{subject}" proveniente da "{sender}"\n'
            'ed indirizzato a "{recipient}"\n'
            "è stato rilevato un errore: {error}.\nIl messaggio è stato rifiutato dal sistema.\n"
            "Identificativo messaggio: {identifier}\n"
        ),
        NetworkKind.FIRST_NOTICE: (
            "Avviso di mancata consegna\n"
            + _WHEN
            + ' il messaggio "{subject}" proveniente da "{sender}"\n'
            'ed indirizzato a "{recipient}"\n'
            "non è stato consegnato nelle prime dodici ore dal suo invio. Non escludendo che "
            "questo possa avvenire in seguito, si ritiene utile considerare che l'invio potrebbe "
            "non andare a buon fine. Il sistema provvederà comunque ad inviare un ulteriore "
            "avviso di mancata consegna se nelle prossime dodici ore non vi sarà la conferma "
            "della ricezione da parte del destinatario.\n"
            "Identificativo messaggio: {identifier}\n"
        ),
        NetworkKind.FINAL_NOTICE: (
            "Avviso di mancata consegna\n"
            + _WHEN
            + ' il messaggio "{subject}" proveniente da "{sender}"\n'
            'ed indirizzato a "{recipient}"\n'
            "non è stato consegnato nelle ventiquattro ore successive al suo invio. "
            "Si ritiene che la spedizione debba considerarsi non andata a buon fine.\n"
            "Identificativo messaggio: {identifier}\n"
        ),
        NetworkKind.ENVELOPE: (
            "Messaggio di posta certificata\n"
            + _WHEN
            + ' il messaggio "{subject}" è stato inviato da "{sender}"\n'
            "indirizzato a:\n{addresses}\n"
            "Il messaggio originale è incluso in allegato.\n"
            "Identificativo messaggio: {identifier}\n"
        ),
        NetworkKind.ANOMALY: (
            "Anomalia nel messaggio\n"
            + _WHEN
            + ' è stato ricevuto il messaggio "{subject}" proveniente da "{sender}"\n'
            "ed indirizzato a:\n{addresses}\n"
            "Tali dati non sono stati certificati per il seguente errore: {error}.\n"
            "Il messaggio originale è incluso in allegato.\n"
        ),
    }
)

_OPENING_B = (
    _WHEN + ' il messaggio con Oggetto\n"{subject}" inviato da "{sender}"\n'
    "ed indirizzato a:\n{recipient_lines}\n"
)
_CLOSING_B = (
    "Identificativo del messaggio: {identifier}\n"
    "L'allegato daticert.xml contiene informazioni di servizio sulla trasmissione.\n"
)
_TEMPLATE_B: Mapping[NetworkKind, str] = MappingProxyType(
    {
        NetworkKind.ACCEPTANCE: (
            "-- Ricevuta di accettazione del messaggio --\n\n"
            + _OPENING_B
            + "è stato accettato dal sistema ed inoltrato.\n"
            + _CLOSING_B
        ),
        NetworkKind.NON_ACCEPTANCE: (
            "-- Avviso di non accettazione del messaggio --\n\n"
            + _OPENING_B
            + "non è stato accettato: {error}.\n"
            + _CLOSING_B
        ),
        NetworkKind.DELIVERY: (
            "-- Ricevuta di avvenuta consegna del messaggio indirizzato a {recipient_line} --\n\n"
            + _OPENING_B
            + "è stato correttamente consegnato al destinatario.\n"
            + _CLOSING_B
        ),
        NetworkKind.FAILURE: (
            "-- Avviso di mancata consegna del messaggio indirizzato a {recipient_line} --\n\n"
            + _OPENING_B
            + "non è stato consegnato: {error}.\nIl messaggio è stato rifiutato dal sistema.\n"
            + _CLOSING_B
        ),
        NetworkKind.FIRST_NOTICE: (
            "-- Preavviso di mancata consegna del messaggio indirizzato a {recipient_line} --\n\n"
            + _OPENING_B
            + "non è stato consegnato nelle prime 12 ore dall'invio. La consegna resta possibile.\n"
            + _CLOSING_B
        ),
        NetworkKind.FINAL_NOTICE: (
            "-- Avviso di mancata consegna del messaggio indirizzato a {recipient_line} --\n\n"
            + _OPENING_B
            + "non è stato consegnato entro 24 ore dall'invio.\n"
            + _CLOSING_B
        ),
        NetworkKind.ENVELOPE: (
            "-- Messaggio di posta certificata --\n\n"
            + _WHEN
            + ' il messaggio\n"{subject}" è stato inviato da "{sender}"\n'
            "indirizzato a:\n{addresses}\n"
            "Il messaggio originale è incluso in allegato.\n" + _CLOSING_B
        ),
        NetworkKind.ANOMALY: (
            "-- Anomalia nel messaggio --\n\n"
            + _WHEN
            + ' è stato ricevuto\nil messaggio "{subject}" proveniente da "{sender}"\n'
            "ed indirizzato a:\n{addresses}\n"
            "Tali dati non sono stati certificati per il seguente errore: {error}.\n"
        ),
    }
)
_SAME_WORDS: Mapping[NetworkKind, NetworkKind] = MappingProxyType(
    {
        NetworkKind.NON_ACCEPTANCE_VIRUS: NetworkKind.NON_ACCEPTANCE,
        NetworkKind.FAILURE_VIRUS: NetworkKind.FAILURE,
    }
)


def text_of(kind: NetworkKind, facts: ReceiptFacts, *, template_b: bool) -> str:
    """Return the Italian text of a message of this kind; lines end in LF."""
    templates = _TEMPLATE_B if template_b else _TEMPLATE_A
    local = facts.at.astimezone(ROME)
    first = facts.recipients[0] if facts.recipients else Recipient("", certified=True)
    return templates[_SAME_WORDS.get(kind, kind)].format(
        day=local.strftime("%d/%m/%Y"),
        time=local.strftime("%H:%M:%S"),
        zone=local.strftime("%z"),
        subject=facts.subject,
        sender=facts.sender,
        recipient=first.address,
        recipient_line=first.line,
        recipient_lines="\n".join(recipient.line for recipient in facts.recipients),
        addresses="\n".join(recipient.address for recipient in facts.recipients),
        identifier=facts.identifier,
        error=facts.error,
    )
