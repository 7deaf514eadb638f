"""What sync's alarms say: subject, Italian, English. Pure text.

Every notice says what is known, what was left undone, and what a person can do.
"""

from __future__ import annotations

from datetime import datetime

from bridge.alarms import Notice
from bridge.api.budget import Use
from bridge.api.forecast import Forecast
from bridge.api.purpose import Purpose
from bridge.clock import ROME
from bridge.language import in_italian
from bridge.mime.row.address import one_line
from bridge.store.remote import RemoteRow

SHOWN_CHARS = 200
"""Of a row's fields that may be of any length."""


def doubted(row: RemoteRow, reason_italian: str, reason: str) -> Notice:
    """Say that a message was not deleted at the API because it could have been another one."""
    subject = _shown(row.subject)
    about = f"    {subject}\n    {_shown(row.sender)}\n    {_shown(row.date_text)}"
    return Notice(
        f"Cancellazione non eseguita / Not deleted: {subject}",
        "Questo messaggio è stato eliminato qui, ma non presso il servizio PEC, dove è rimasto: "
        f"{reason_italian}\n\n{about}\n\n"
        "Nel dubbio non si cancella nulla. Se deve sparire anche lì, eliminarlo dalla webmail.",
        "This message was deleted here but not at the PEC service, where it still is: "
        f"{reason}\n\n{about}\n\n"
        "In doubt nothing is deleted. If it is to go there too, delete it in the webmail.",
    )


def may_not_delete(address: str, reason: str) -> Notice:
    """Say that the token reads but may not delete."""
    return Notice(
        f"Cancellazioni ferme / Deletions stopped: {address}",
        f"Il servizio PEC non permette di cancellare messaggi di {address}: {in_italian(reason)}\n"
        "Forse il token non ha il permesso DELETE su /inbox. I messaggi eliminati qui restano "
        "presso il servizio; le cancellazioni riprendono da sole quando sono permesse. Per non "
        'cancellare mai: delete = "never" in [sync].',
        f"The PEC service does not allow messages of {address} to be deleted: {reason}\n"
        "Perhaps the token lacks DELETE on /inbox. Messages deleted here stay at the service; "
        "deletions go on by themselves once they are allowed. To never delete there, set "
        'delete = "never" in [sync].',
    )


def refused(address: str, reason: str) -> Notice:
    """Say that the API refuses to show the inbox."""
    return Notice(
        f"Ricezione ferma / Reading stopped: {address}",
        f"Il servizio PEC rifiuta il token o la password di {address}. {in_italian(reason)}\n"
        "Nuovi messaggi e ricevute non arrivano finché non si corregge la configurazione e si "
        "riavvia; quanto è già qui resta leggibile.",
        f"The PEC service refuses the token or the password of {address}. {reason}\n"
        "New messages and receipts do not arrive until the configuration is mended and the bridge "
        "restarted; what is here already can be read.",
    )


def unpaid(address: str, reason: str) -> Notice:
    """Say that the API asks for payment before it shows the inbox."""
    return Notice(
        f"Ricezione ferma / Reading stopped: {address}",
        f"Il servizio PEC chiede un pagamento per {address}. {in_italian(reason)}\n"
        "Ricaricare il credito; la ricezione riprende da sola entro un'ora.",
        f"The PEC service asks for payment for {address}. {reason}\n"
        "Top up the wallet; reading goes on by itself within an hour.",
    )


def out_of_reach(address: str, since: datetime, reason: str) -> Notice:
    """Say that the inbox has not been readable for long."""
    when = _when(since)
    return Notice(
        f"Ricezione ferma / Reading stopped: {address}",
        f"Dal {when} la casella {address} non si può leggere presso il servizio PEC. "
        f"{in_italian(reason)}\n"
        "Nuovi messaggi e ricevute arrivano appena torna leggibile; si continua a provare.",
        f"Since {when} the mailbox {address} cannot be read at the PEC service. {reason}\n"
        "New messages and receipts arrive as soon as it can; it is being tried.",
    )


def missing(address: str, rows: int, since: datetime, until: datetime | None) -> Notice:
    """Say that very many messages vanished at the API at once, and that this is doubted.

    Args:
        address: whose.
        rows: how many.
        since: since when.
        until: when it is believed; None if it never is, as it stands.
    """
    when = _when(since)
    italian = "Il servizio si contraddice, e finché lo fa non si toglie nulla."
    english = "The service contradicts itself, and as long as it does nothing is taken out."
    if until is not None:
        italian = f"Se mancano ancora il {_when(until)}, lasceranno INBOX."
        english = f"If they are still missing on {_when(until)}, they will leave INBOX."
    return Notice(
        f"Messaggi spariti presso il servizio / Messages missing at the service: {address}: {rows}",
        f"Dal {when} il servizio PEC non elenca più {rows} messaggi di {address}. Può essere un "
        f"guasto: qui restano dove sono. {italian}",
        f"Since {when} the PEC service does not list {rows} messages of {address} any more. That "
        f"may be a failure: here they stay where they are. {english}",
    )


def unread(address: str, rows: int) -> Notice:
    """Say that the API does not show the text of some messages."""
    return Notice(
        f"Messaggi non leggibili / Messages that cannot be read: {address}: {rows}",
        f"Il servizio PEC elenca messaggi di {address} di cui da oltre un'ora non mostra il "
        f"testo; al momento: {rows}. Si riprova; se non cambia nulla verranno mostrati senza "
        "testo. Nella webmail si possono forse leggere.",
        f"The PEC service lists messages of {address} whose text it has not shown for more than "
        f"an hour; at the moment: {rows}. It is being tried; if nothing changes they will be shown "
        "without a text. The webmail may show them.",
    )


def used_up(address: str, use: Use, needs: Forecast) -> Notice:
    """Say that the day's requests do not suffice, with figures, and what such days lead to."""
    spent = ", ".join(f"{one.value} {use.made[one]}" for one in Purpose if use.made.get(one))
    waiting = ", ".join(sorted(one.value for one in use.refused)) or "look"
    return Notice(
        f"Richieste del giorno esaurite / The day's requests are used up: {address} ({waiting})",
        f"Delle {use.per_day} richieste di oggi per {address} ne sono state fatte {use.used} "
        f"({spent}). Aspettano: {waiting}. Le restanti servono a vedere che cosa arriva fino a "
        "mezzanotte. Testi e ricevute possono comparire in ritardo; domani riprende tutto. "
        f"{in_italian(needs.sentence)} Il limite è request_budget_per_day in [sync].",
        f"Of today's {use.per_day} requests for {address} {use.used} were made ({spent}). Waiting: "
        f"{waiting}. What is left is kept for looking for new mail until midnight. Texts and "
        f"receipts may show late; tomorrow everything goes on. {needs.sentence} The limit is "
        "request_budget_per_day in [sync].",
    )


def _when(at: datetime) -> str:
    return f"{at.astimezone(ROME):%Y-%m-%d %H:%M}"


def filling(address: str, percent: float) -> Notice:
    """Say that the mailbox is filling up."""
    return Notice(
        f"Casella piena al {percent:.0f} % / Mailbox {percent:.0f} % full: {address}",
        f"La casella {address} è piena al {percent:.0f} %. Quando è piena, la posta in arrivo e "
        "le ricevute vengono respinte. Liberare spazio: quanto si elimina definitivamente qui "
        "viene cancellato anche presso il servizio (vedi [sync] delete).",
        f"The mailbox {address} is {percent:.0f} % full. Once it is full, incoming mail and "
        "receipts are turned away. Make room: what is deleted for good here is deleted at the "
        "service too (see [sync] delete).",
    )


def cleared(address: str, rows: int, since: datetime) -> Notice:
    """Say that receipts are being cleared at the API by the settings, with figures."""
    month = f"{since.astimezone(ROME):%m/%Y}"
    return Notice(
        f"Ricevute tolte dal servizio / Receipts cleared at the service: {address}: {rows}",
        f"Nel {month} finora sono state cancellate presso il servizio PEC {rows} ricevute di "
        f"{address}, come chiede clear_at_api in [archive]. Sono ricevute definitive di messaggi "
        "inviati da qui; qui restano, nelle loro cartelle e nell'archivio. Elenco: "
        "`pec-bridge receipts cleared`. Gli originali firmati non sono più presso il servizio.",
        f"In {month} {rows} receipts of {address} were deleted at the PEC service so far, as "
        "clear_at_api in [archive] asks for. They are final receipts of messages sent from here; "
        "here they stay, in their mailboxes and in the archive. List: `pec-bridge receipts "
        "cleared`. The signed originals are no longer at the service.",
    )


def _shown(text: str) -> str:
    return one_line(text)[:SHOWN_CHARS]
