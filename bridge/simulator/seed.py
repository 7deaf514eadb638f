"""Fills an inbox with made-up but plausible mail, deterministic by position.

Bodies are made when they are asked for, so that 100,000 rows stay small.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from bridge.clock import ROME
from bridge.simulator.content import NetworkMessage, content_of
from bridge.simulator.inbox import Inbox
from bridge.simulator.options import Options, SenderShape
from bridge.simulator.wording import PREFIXES, NetworkKind, ReceiptFacts, Recipient, text_of

_SENDERS = (
    "protocollo@comune.esempio.invalid",
    "fatture@fornitore.invalid",
    "tribunale.esempio@giustizia.invalid",
    "studio.rossi@avvocati.invalid",
    "agenzia@entrate.invalid",
    "acquisti@cliente.invalid",
)
_SUBJECTS = (
    "Richiesta di integrazione documentale prot. {n}",
    "Fattura n. {n}/2026",
    "Convocazione assemblea: pratica {n}",
    "Diffida ad adempiere: contratto {n}",
    "Comunicazione di cancelleria R.G. {n}",
    "Disdetta del contratto n. {n}, però con preavviso",
)
_PARAGRAPH = (
    "Con riferimento alla pratica in oggetto si trasmette quanto richiesto, con preghiera di "
    "darne cortese riscontro entro i termini di legge. Città di emissione: Forlì."
)
_INTERVAL = timedelta(minutes=37)


def fill(
    inbox: Inbox, options: Options, address: str, count: int, newest: datetime, body_bytes: int
) -> None:
    """Append made-up rows, 37 minutes apart.

    Args:
        inbox: where the rows are put.
        options: the reading of the description.
        address: the mailbox's own.
        count: how many rows.
        newest: the date of the last one, aware.
        body_bytes: about what each body weighs.
    """
    for index in range(count):
        at = newest - _INTERVAL * (count - 1 - index)
        kind = NetworkKind.ACCEPTANCE if index % 5 == 4 else NetworkKind.ENVELOPE
        subject = f"{PREFIXES[kind]}: {_subject(index, at, kind)}"
        inbox.add(
            sender=_sender(index, kind, options),
            recipient=address,
            at=at,
            subject=subject,
            body=partial(_body, index, kind, options, address, at, body_bytes),
            size_bytes=body_bytes + 1024,
        )


def _subject(index: int, at: datetime, kind: NetworkKind) -> str:
    subject = _SUBJECTS[index % len(_SUBJECTS)].format(n=index + 1)
    if kind is NetworkKind.ENVELOPE:
        return subject
    return f"{subject} {at.astimezone(ROME):%Y%m%d%H%M%S}{index % 100:02d}"


def _sender(index: int, kind: NetworkKind, options: Options) -> str:
    if kind is NetworkKind.ACCEPTANCE:
        return "posta-certificata@pec.invalid"
    shown = f'"Per conto di: {_SENDERS[index % len(_SENDERS)]}" '
    if options.sender_shape is SenderShape.QUOTED:
        return shown
    return f"{shown}<posta-certificata@pec.invalid>"


def _body(
    index: int, kind: NetworkKind, options: Options, address: str, at: datetime, body_bytes: int
) -> str:
    author = _SENDERS[index % len(_SENDERS)]
    subject = _subject(index, at, kind)
    identifier = f"seed{index}@pec.invalid"
    recipients = (Recipient(address, certified=True),)
    facts = ReceiptFacts(at, subject, author, recipients, identifier)
    paragraphs = max(body_bytes // len(_PARAGRAPH), 1)
    original = f"<p>Messaggio {index + 1}.</p>" + f"<p>{_PARAGRAPH}</p>" * paragraphs
    notice = NetworkMessage(
        kind=kind,
        sender=_sender(index, kind, options),
        recipient=address,
        subject=f"{PREFIXES[kind]}: {subject}",
        at=at,
        identifier=identifier,
        text=text_of(kind, facts, template_b=False),
        original_html=original if kind is NetworkKind.ENVELOPE else None,
        shows_original=kind is NetworkKind.ENVELOPE,
    )
    return content_of(notice, options.body_content)
