"""What sync's alarms say: subject, Italian, English. Pure text.

Every notice says what is known, what was left undone, and what a person can do.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.store.remote import RemoteRow


@dataclass(frozen=True, slots=True)
class Notice:
    """An alarm's words."""

    subject: str
    italian: str
    english: str


def doubted(row: RemoteRow, reason_italian: str, reason: str) -> Notice:
    """Say that a message was not deleted at the API because it could have been another one."""
    subject = one_line(row.subject)
    about = f"    {subject}\n    {one_line(row.sender)}\n    {one_line(row.date_text)}"
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
        f"Il servizio PEC non permette di cancellare messaggi di {address}: {reason}\n"
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
        f"Il servizio PEC rifiuta il token o la password di {address}. {reason}\n"
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
        f"Il servizio PEC chiede un pagamento per {address}. {reason}\n"
        "Ricaricare il credito; la ricezione riprende da sola entro un'ora.",
        f"The PEC service asks for payment for {address}. {reason}\n"
        "Top up the wallet; reading goes on by itself within an hour.",
    )


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


def one_line(text: str) -> str:
    """Return ``text`` without anything that could end a line or a header."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:200]
