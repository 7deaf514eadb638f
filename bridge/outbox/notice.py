"""What the outbox's alarms say: subject, Italian, English. Pure text.

Every notice says what is known, what is not, and the command that ends it.
"""

from __future__ import annotations

from datetime import datetime

from bridge.alarms import Notice
from bridge.clock import ROME
from bridge.language import in_italian, listed, say
from bridge.outbox.plan import Plan
from bridge.store.outbox import AttemptRow, HoldCause, SubmissionRow


def uncertain(
    row: SubmissionRow, attempt: AttemptRow | None, candidates: tuple[str, ...]
) -> Notice:
    """Say that nobody knows whether a message was sent, and how to end that.

    Args:
        row: the entry.
        attempt: the request in question.
        candidates: codes of acceptances that may be this message's or a twin's.
    """
    started = _rome(attempt.started_at if attempt else row.updated_at)
    reason = row.reason or (attempt.error if attempt else "")
    code = candidates[0] if candidates else row.named_code or "CODE"
    recipients = ", ".join(row.recipients)
    found_it, found_en = reference(row, "Riferimento"), reference(row, "Reference")
    if candidates:
        listed = ", ".join(candidates)
        found_it += (
            "\nNella posta in arrivo ci sono accettazioni che potrebbero essere di questo "
            f"messaggio o di uno uguale: {listed}."
        )
        found_en += (
            "\nThe inbox holds acceptances that may be this message's or those of one just like "
            f"it: {listed}."
        )
    commands = (
        f"    pec-bridge queue resolve {row.id} --sent {code}\n"
        f"    pec-bridge queue resolve {row.id} --resend\n"
        f"    pec-bridge queue resolve {row.id} --drop"
    )
    return Notice(
        f"Invio incerto / Uncertain send: {row.subject}",
        "Non si sa se questo messaggio è stato inviato. La richiesta è partita "
        f"({started}), ma non è arrivata una risposta certa: {in_italian(reason)}\n"
        f"Oggetto: {row.subject}\nDestinatari: {recipients}{found_it}\n\n"
        "Il messaggio non viene rispedito da solo, perché una PEC inviata due volte è un secondo "
        "atto. Cercare una ricevuta ACCETTAZIONE con questo oggetto, anche nella webmail. Poi, se "
        "è stato inviato, dire con quale codice (in fondo all'oggetto della ricevuta); se non è "
        f"stato inviato, rispedirlo o rinunciare:\n\n{commands}",
        "Nobody knows whether this message was sent. The request left "
        f"({started}), but no certain answer came: {reason}\n"
        f"Subject: {row.subject}\nRecipients: {recipients}{found_en}\n\n"
        "It is not sent again by itself, because a PEC sent twice is a second legal act. Look for "
        "an ACCETTAZIONE with this subject, in the webmail too. Then, if it was sent, say with "
        "which code (at the end of the receipt's subject); if it was not, send it again or give "
        f"it up:\n\n{commands}",
        line(row, reason),
    )


def revoked(row: SubmissionRow, reason: str) -> Notice:
    """Say that what was claimed for a message is not true, and that nobody knows again."""
    recipients = ", ".join(row.recipients)
    called_it, called_en = reference(row, "Riferimento"), reference(row, "Reference")
    return Notice(
        f"Esito ritirato / Claim revoked: {row.subject}",
        f"Questo messaggio risultava inviato con il codice {row.code}, ma non è così: "
        f"{in_italian(reason)}\n"
        f"Oggetto: {row.subject}\nDestinatari: {recipients}{called_it}\n\n"
        "Il codice e le ricevute non gli sono più attribuiti: il suo invio è di nuovo incerto, e "
        "la sua accettazione viene cercata ancora. Chi ha fatto conto su quell'esito lo verifichi.",
        f"This message was said to be sent with the code {row.code}, but it is not so: {reason}\n"
        f"Subject: {row.subject}\nRecipients: {recipients}{called_en}\n\n"
        "The code and the receipts count for it no longer: nobody knows again whether it was sent, "
        "and its acceptance is looked for once more. Whoever relied on that outcome should check.",
        line(row, reason),
    )


def held(cause: HoldCause, reason: str, address: str) -> Notice:
    """Say that an account's queue waits for a person."""
    if cause is HoldCause.CREDENTIALS:
        return Notice(
            f"Invii fermi / Sending stopped: {address}",
            f"Il servizio PEC rifiuta il token o la password di {address}. {in_italian(reason)}\n"
            "I messaggi restano in coda e nulla va perso. Correggere il token o la password "
            "nella configurazione e riavviare; gli invii riprendono da soli, o subito con "
            "`pec-bridge queue retry ID`.",
            f"The PEC service refuses the token or the password of {address}. {reason}\n"
            "Messages stay queued and nothing is lost. Mend the token or the password in the "
            "configuration and restart; sending goes on by itself, or at once with "
            "`pec-bridge queue retry ID`.",
        )
    return Notice(
        f"Invii fermi / Sending stopped: {address}",
        f"Il servizio PEC chiede un pagamento per {address}: il credito è esaurito. "
        f"{in_italian(reason)}\n"
        "I messaggi restano in coda e nulla va perso. Ricaricare il credito; gli invii riprendono "
        "da soli entro un'ora, o subito con `pec-bridge queue retry ID`.",
        f"The PEC service asks for payment for {address}: the credit is used up. {reason}\n"
        "Messages stay queued and nothing is lost. Top up the wallet; sending goes on by itself "
        "within an hour, or at once with `pec-bridge queue retry ID`.",
    )


def plan_reason(plan: Plan, until: datetime) -> str:
    """Say in a sentence why an entry waits for the plan's next period."""
    at = f"{until:%Y-%m-%d %H:%M}"
    if plan.period == "day":
        return say(
            "The plan's {limit} PEC a day are used up until {at} (Rome).", limit=plan.limit, at=at
        )
    return say(
        "The plan's {limit} PEC a month are used up until {at} (Rome).", limit=plan.limit, at=at
    )


def plan_used_up(plan: Plan, until: datetime) -> Notice:
    """Say that messages wait for the plan's next period."""
    period = {"day": "al giorno", "month": "al mese"}[plan.period]
    return Notice(
        "Invii in attesa: piano esaurito / Sending waits: plan used up",
        f"Le {plan.limit} PEC {period} del piano sono esaurite. I messaggi restano in coda, nulla "
        f"va perso e gli invii riprendono da soli dal {until:%d/%m/%Y %H:%M}.\n"
        "Un messaggio che non può aspettare si invia con `pec-bridge queue retry ID`; l'elenco è "
        "in `pec-bridge queue list --state held`.",
        f"The plan's {plan.limit} PEC a {plan.period} are used up. Messages stay queued, nothing "
        f"is lost, and sending goes on by itself from {until:%Y-%m-%d %H:%M} (Rome).\n"
        "What cannot wait is sent by `pec-bridge queue retry ID`; `pec-bridge queue list --state "
        "held` shows what waits.",
    )


def line(row: SubmissionRow, reason: str) -> str:
    """Return what tells an entry apart from others in one line, and why it is there."""
    recipients = ", ".join(row.recipients)
    parts = (row.subject[:200], row.id, row.reference, recipients, reason)
    return listed("  |  ", parts)


def reference(row: SubmissionRow, word: str) -> str:
    """Return a line with the sender's reference, "" without one; ``word`` names it."""
    return f"\n{word}: {row.reference}" if row.reference else ""


def _rome(at: datetime) -> str:
    return f"{at.astimezone(ROME):%d/%m/%Y %H:%M:%S}"
