"""Refusals as mail: what a bounce says in each case, and the copy in INBOX.

Where very many are refused on one day, most stand in the day's collected notice instead (see
``alarms.notices``). Whoever gave NOTIFY for a recipient (RFC 3461) has a bounce of each message if
they named FAILURE, and none if not.

The words are here, the form is ``mime.write.dsn``'s. A bounce goes to INBOX from the null
reverse-path in the same commit that makes the entry ``refused``, so nobody is told of a refusal
that was not written down, nor the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.alarms.kind import REFUSED
from bridge.alarms.notices import day_in_rome, mark_of, show, tell
from bridge.clock import ROME
from bridge.language import said_by
from bridge.mailbox import MailboxTransaction
from bridge.mime.write.dsn import RecipientReport
from bridge.model import UNSENT
from bridge.outbox.notice import line
from bridge.receipts.dsn import is_for_itself, report_of, wants_failure
from bridge.store.dsn import NO_WISH, DsnAction
from bridge.store.notices import NoticeRow
from bridge.store.outbox import SubmissionRow

HEADING = "Messaggio non inviato / Message not sent"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an entry ends as refused; see ``mime.write.dsn`` for the fields."""

    status: str
    italian: str
    english: str
    diagnostic: str = ""
    diagnostic_type: str = "x-pec-bridge"
    remote_mta: str = ""


def refused_by_api(status: int | None, words: str, api_host: str) -> Verdict:
    """Return the verdict for an answer that said no."""
    shown = f"HTTP {status}: {words}" if words else f"HTTP {status}"
    return Verdict(
        status="5.0.0",
        italian=(
            "Il messaggio non è stato inviato: il servizio PEC lo ha rifiutato. Non è partito "
            "nulla e nulla è stato addebitato.\n"
            "Leggere la risposta del servizio qui sotto, correggere il messaggio e inviarlo di "
            f"nuovo. L'originale è nella cartella {UNSENT}."
        ),
        english=(
            "The message was not sent: the PEC service refused it. Nothing left and nothing was "
            "charged.\n"
            "Read the service's answer below, mend the message and send it again. The original "
            f"is in the mailbox {UNSENT}."
        ),
        diagnostic=shown,
        diagnostic_type="http",
        remote_mta=api_host,
    )


def unreachable(since: datetime, reason: str, api_host: str) -> Verdict:
    """Return the verdict after five days of tries."""
    day = since.astimezone(ROME)
    return Verdict(
        status="4.4.1",
        italian=(
            f"Il messaggio non è stato inviato: dal {day:%d/%m/%Y} non è stato possibile "
            "consegnarlo al servizio PEC. I tentativi sono finiti e non è partito nulla.\n"
            "Verificare la connessione (`pec-bridge status`) e inviarlo di nuovo. L'originale è "
            f"nella cartella {UNSENT}."
        ),
        english=(
            f"The message was not sent: since {day:%Y-%m-%d} it could not be handed to the PEC "
            "service. The tries are over and nothing left.\n"
            "Check the connection (`pec-bridge status`) and send it again. The original is in "
            f"the mailbox {UNSENT}."
        ),
        diagnostic=reason,
        remote_mta=api_host,
    )


def unsendable(reason: str) -> Verdict:
    """Return the verdict for a message that cannot be put into the API's words."""
    return Verdict(
        status="5.6.3",
        italian=(
            "Il messaggio non è stato inviato: non può essere tradotto nella forma che il "
            "servizio PEC accetta. Non è partito nulla.\n"
            "Inviarlo di nuovo in una forma più semplice, con i documenti come allegati."
        ),
        english=(
            "The message was not sent: it cannot be put into the form that the PEC service "
            "takes. Nothing left.\n"
            "Send it again in a simpler form, with the documents as attachments."
        ),
        diagnostic=reason,
    )


async def bounce(
    mtx: MailboxTransaction, row: SubmissionRow, verdict: Verdict, now: datetime
) -> None:
    """Put the bounce for ``row`` into its account's INBOX, for whom it is wanted.

    Args:
        mtx: the commit that this joins.
        row: the entry that is refused.
        verdict: why it is refused.
        now: the time, aware.
    """
    asked = await mtx.tx.dsn(row.id)
    wishes = asked.wishes if asked else {}
    people = [one for one in row.recipients if wants_failure(wishes.get(one))]
    if not people:
        return
    reports = [
        RecipientReport(
            one,
            DsnAction.FAILED.value,
            verdict.status,
            now,
            verdict.diagnostic,
            verdict.diagnostic_type,
            verdict.remote_mta,
            wishes.get(one, NO_WISH).original,
        )
        for one in people
    ]
    words = (HEADING, verdict.italian, verdict.english)
    raw = await report_of(mtx, row, asked, reports, words, now, whole=True)
    if told := {one: DsnAction.FAILED for one in people if is_for_itself(wishes.get(one))}:
        await show(mtx, row.account, raw, now, flags=mark_of(mtx.voice))
        await mtx.tx.tell_dsn(row.id, told)
        return
    text = said_by(line(row, verdict.diagnostic), mtx.voice.language)
    await tell(mtx, NoticeRow(row.account, day_in_rome(now), REFUSED, row.id, text, now), raw)
