"""What the alarms about what runs out say: subject, Italian, English. Pure text."""

from __future__ import annotations

from datetime import date

from bridge.alarms import Notice


def token_expires(name: str, on: date, days: int) -> Notice:
    """Say that the token that sends and reads is about to expire."""
    return Notice(
        f"{_title(days)}: token {name}",
        f"Il token {name!r} {_italian(days)} ({on:%d/%m/%Y}). Da allora non si invia e non si "
        "riceve più nulla.\nPer prolungarlo: pec-bridge token renew",
        f"The token {name!r} {_english(days)} ({on.isoformat()}). From then on nothing is sent or "
        "received.\nTo prolong it: pec-bridge token renew",
    )


def mailbox_expires(address: str, id: str, on: date, days: int, renews_itself: bool) -> Notice:
    """Say that a mailbox is about to expire.

    Args:
        address: the mailbox's.
        id: the service's, by which it is renewed.
        on: its last day.
        days: how many are left.
        renews_itself: whether the service renews it, if the credit is enough.
    """
    italian = english = ""
    if renews_itself:
        italian = "\nIl rinnovo automatico è attivo: controllare che il credito basti."
        english = "\nIt renews itself: see that the credit is enough."
    return Notice(
        f"{_title(days)}: {address}",
        f"La casella {address} {_italian(days)} ({on:%d/%m/%Y}). Da allora non invia e non riceve "
        f"più; il rinnovo costa.{italian}\nPer rinnovarla: pec-bridge mailbox renew {id}",
        f"The mailbox {address} {_english(days)} ({on.isoformat()}). From then on it neither sends "
        f"nor receives; renewing costs money.{english}\nTo renew it: pec-bridge mailbox renew {id}",
    )


def credit_is_low(credit_eur: float, waiting: int, cost_eur: float) -> Notice:
    """Say that the wallet does not pay for what waits in the queue."""
    return Notice(
        f"Credito insufficiente / Not enough credit: {credit_eur:.2f} EUR",
        f"Nel conto restano {credit_eur:.2f} EUR; per i {waiting} destinatari in coda servono "
        f"circa {cost_eur:.2f} EUR ([prices]). Quando il credito finisce gli invii si fermano, "
        "senza perdersi, e riprendono dopo la ricarica.",
        f"The wallet has {credit_eur:.2f} EUR left; the {waiting} recipients in the queue cost "
        f"about {cost_eur:.2f} EUR ([prices]). When the credit is used up sending stops, loses "
        "nothing, and goes on once it is topped up.",
    )


def few_requests(available: int, until: date | None, a_day: int, needed: int) -> Notice:
    """Say that a subscription has too few requests left to look for new mail.

    Args:
        available: how many are left.
        until: its last day; None if it was not told.
        a_day: what each mailbox has of them a day.
        needed: what it takes to look all day.
    """
    end_it = "" if until is None else f" fino al {until:%d/%m/%Y}"
    end_en = "" if until is None else f" until {until.isoformat()}"
    return Notice(
        f"Abbonamento quasi esaurito / Subscription nearly used up: {available}",
        f"L'abbonamento ha ancora {available} richieste per leggere la posta{end_it}: {a_day} al "
        f"giorno per casella, e per guardare tutto il giorno ne servono circa {needed}, che "
        "vengono fatte comunque. Quando finiscono, il servizio usa il credito o rifiuta. "
        "Rinnovarlo o ampliarlo nella console del servizio.",
        f"The subscription has {available} requests left for reading{end_en}: {a_day} a day for "
        f"each mailbox, and looking all day takes about {needed}, which are made all the same. "
        "Once they are used up the service takes the credit or refuses. Renew or enlarge it in "
        "the service's console.",
    )


def few_sends(available: int, waiting: int) -> Notice:
    """Say that a subscription has not enough sends left for what waits."""
    return Notice(
        f"Abbonamento quasi esaurito / Subscription nearly used up: {available}",
        f"L'abbonamento ha ancora {available} invii e in coda ci sono {waiting} destinatari. "
        "Quando finiscono, il servizio usa il credito o rifiuta; quanto rifiuta resta in coda.",
        f"The subscription has {available} sends left, and {waiting} recipients wait in the queue. "
        "Once they are used up the service takes the credit or refuses; what it refuses waits.",
    )


def _title(days: int) -> str:
    return "Scaduto / Expired" if days < 0 else "In scadenza / About to expire"


def _italian(days: int) -> str:
    return "è scaduto" if days < 0 else "scade oggi" if days == 0 else f"scade fra {days} giorni"


def _english(days: int) -> str:
    if days < 0:
        return "has expired"
    return "expires today" if days == 0 else f"expires in {days} days"
