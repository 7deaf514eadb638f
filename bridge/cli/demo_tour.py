"""What the demo has to show: messages in the states that a person meets, sent by SMTP as anybody's.

What becomes of each is said by its recipients' local parts, see ``simulator.scenario``. The second
mailbox has used up its credit and is paused, so that something waits there.
"""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import structlog

from bridge.net.listening import Listener
from bridge.operations.control import OperationFailed, ask

OTHER_ADDRESS = "fatture@pec.example"
"""The mailbox that waits."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TourMessage:
    """A message of the tour; ``reference`` is what an ERP would call it."""

    subject: str
    recipients: tuple[str, ...]
    reference: str = ""


SENT: tuple[TourMessage, ...] = (
    TourMessage(
        "Fattura 2026/0117 - Ditta Rossi S.r.l.",
        ("amministrazione@pec.ditta-rossi.example",),
        "FT-2026-0117",
    ),
    TourMessage(
        "Disdetta contratto 4471",
        ("protocollo@pec.comune.example", "fail-ufficio@pec.example"),
        "CT-4471",
    ),
    TourMessage("Diffida ad adempiere", ("late-avvocato@pec.example",)),
    TourMessage("Sollecito di pagamento", ("slow-fornitore@pec.example",), "SOL-88"),
    TourMessage("Convocazione assemblea", ("ordinary-socio@posta.example",)),
    TourMessage("Richiesta documenti", ("nonaccept-ufficio@pec.example",)),
    TourMessage("Offerta tecnica", ("http-422-gara@pec.example",)),
    TourMessage("Reclamo n. 12", ("mute-gestore@pec.example",)),
    TourMessage("Comunicazione urgente al Comune", ("http-503-comune@pec.example",)),
    TourMessage("Preavviso di recesso", ("http-503-locatore@pec.example",)),
)
GIVEN_UP = "Preavviso di recesso"

HELD = TourMessage("Fattura 2026/0118", ("http-402-cliente@pec.example",), "FT-2026-0118")
WAITING: tuple[TourMessage, ...] = (
    TourMessage("Fattura 2026/0119", ("cliente@pec.example",), "FT-2026-0119"),
    TourMessage("Fattura 2026/0120 (errata)", ("cliente@pec.example",), "FT-2026-0120"),
)
CANCELLED = "Fattura 2026/0120 (errata)"

_LOOKS, _APART_S = 60, 0.5


async def begin_tour(
    folder: Path, smtp: Listener, address: str, password: str, sleep: Any = asyncio.sleep
) -> None:
    """Send what the tour shows, and decide what a person would have.

    Args:
        folder: the demo's data.
        smtp: where it takes messages.
        address: of the first mailbox.
        password: of both.
        sleep: waits so many seconds.
    """
    try:
        await asyncio.to_thread(_submit, smtp, address, password, SENT)
        await asyncio.to_thread(_submit, smtp, OTHER_ADDRESS, password, [HELD])
        if await _found(folder, HELD.subject, "held", sleep):
            await ask(folder, "queue pause", {"account": OTHER_ADDRESS})
            await asyncio.to_thread(_submit, smtp, OTHER_ADDRESS, password, WAITING)
        if given_up := await _found(folder, GIVEN_UP, "uncertain", sleep):
            await ask(folder, "queue resolve --drop", {"id": given_up})
        for state in ("queued", "held"):
            if cancelled := await _found(folder, CANCELLED, state, sleep, looks=1):
                await ask(folder, "queue cancel", {"id": cancelled})
    except (OSError, smtplib.SMTPException, OperationFailed) as error:
        log.warning("tour_incomplete", reason=str(error))


def _submit(smtp: Listener, address: str, password: str, messages: Sequence[TourMessage]) -> None:
    with smtplib.SMTP(smtp.host, smtp.port, timeout=30) as client:
        client.login(address, password)
        for one in messages:
            message = EmailMessage()
            message["From"], message["To"] = address, ", ".join(one.recipients)
            message["Subject"] = one.subject
            if one.reference:
                message["X-PEC-Reference"] = one.reference
            message.set_content("Messaggio di prova: nulla lascia questa macchina.\n")
            client.send_message(message)


async def _found(
    folder: Path, subject: str, state: str, sleep: Any, looks: int = _LOOKS
) -> str | None:
    """Return the id of an entry once it is in a state; None if it does not come to that."""
    for look in range(looks):
        if look:
            await sleep(_APART_S)
        for entry in await ask(folder, "queue list", {"state": state}):
            if entry["subject"] == subject:
                return str(entry["id"])
    return None
