"""What the alarms about receipts say: subject, Italian, English. Pure text.

Every notice says what is known, what is not, and what a person can do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.alarms import Notice
from bridge.clock import ROME
from bridge.language import in_italian, listed
from bridge.mime.row.address import one_line
from bridge.store.outbox import ClaimBasis, SubmissionRow

SHOWN_RECIPIENTS = 20


def not_accepted(submission: SubmissionRow) -> Notice:
    """Say that no acceptance came within half an hour."""
    return Notice(
        f"Nessuna accettazione / No acceptance: {submission.subject}",
        "Dopo 30 minuti non è arrivata la ricevuta di accettazione di questo messaggio. Il "
        "servizio lo ha preso in carico, ma senza accettazione non risulta inviato a norma di "
        f"legge.\n\n{_about(submission)}\n\n"
        "Controllare la casella (webmail). Non inviarlo di nuovo finché non è chiaro: una PEC "
        "inviata due volte è un secondo atto. L'avviso cessa da solo quando la ricevuta arriva.",
        "After 30 minutes no acceptance receipt has come for this message. The service took it, "
        f"but without the acceptance it does not count as sent.\n\n{_about(submission)}\n\n"
        "Look into the mailbox (webmail). Do not send it again before this is clear: a PEC sent "
        "twice is a second legal act. This alarm ends by itself when the receipt comes.",
        _line(submission, submission.recipients),
    )


def unseen(address: str, count: int, since: datetime | None) -> Notice:
    """Say that what came for an account's sends could not be looked at."""
    italian = f"dal {since.astimezone(ROME):%d/%m/%Y %H:%M}" if since else "dall'inizio"
    english = f"since {since.astimezone(ROME):%Y-%m-%d %H:%M}" if since else "from the start"
    return Notice(
        f"Ricevute non ancora viste / Receipts not seen yet: {address}: {count}",
        f"Per {count} messaggi inviati da {address} non si sa se sono arrivate le ricevute: "
        f"{italian} la posta in arrivo non è stata vista per intero. Non risultano mancanti: non "
        "sono state cercate. Il motivo è in `pec-bridge status`; l'avviso cessa da solo quando la "
        "posta si vede di nuovo.",
        f"For {count} messages sent by {address} it is not known whether their receipts came: "
        f"{english} the inbox was not seen as a whole. They are not called missing: nobody could "
        "look. `pec-bridge status` tells why; this alarm ends by itself when the inbox is seen "
        "again.",
    )


def still_open(submission: SubmissionRow, hours: int, waiting: Sequence[str]) -> Notice:
    """Say that some recipients' outcome is not known after so many hours."""
    names = _names(waiting)
    return Notice(
        f"Esito mancante dopo {hours} ore / No outcome after {hours} hours: {submission.subject}",
        f"Dopo {hours} ore non c'è una ricevuta definitiva per: {names}.\n\n"
        f"{_about(submission)}\n\n"
        "La consegna non è provata. Controllare la casella (webmail) e, se c'è una scadenza, "
        "contattare il destinatario per altra via.",
        f"After {hours} hours there is no final receipt for: {names}.\n\n"
        f"{_about(submission)}\n\n"
        "Delivery is not proven. Look into the mailbox (webmail) and, if a deadline is near, "
        "reach the recipient in another way.",
        _line(submission, waiting),
    )


def failed(submission: SubmissionRow, addresses: Sequence[str], reason: str) -> Notice:
    """Say that some recipients will not get the message; ``addresses`` () if it names none."""
    names_it = _names(addresses) or "un destinatario che la ricevuta non nomina"
    names_en = _names(addresses) or "a recipient that the receipt does not name"
    because_it = f"\nMotivo: {in_italian(reason)}" if reason else ""
    because_en = f"\nReason: {reason}" if reason else ""
    return Notice(
        f"Mancata consegna / Not delivered: {submission.subject}",
        f"Questo messaggio non è stato consegnato a {names_it}.{because_it}\n\n"
        f"{_about(submission)}\n\n"
        "Anche «casella piena» vale come mancata consegna: tocca al mittente provvedere. "
        "Verificare l'indirizzo e inviare un nuovo messaggio, o usare un'altra via.",
        f"This message was not delivered to {names_en}.{because_en}\n\n"
        f"{_about(submission)}\n\n"
        "A full mailbox counts as not delivered too: it is for the sender to act. Check the "
        "address and send a new message, or use another way.",
        _line(submission, addresses, reason),
    )


def not_taken(submission: SubmissionRow, reason: str) -> Notice:
    """Say that the provider refused the whole message."""
    because_it = f"\nMotivo: {in_italian(reason)}" if reason else ""
    because_en = f"\nReason: {reason}" if reason else ""
    return Notice(
        f"Non accettato / Not accepted: {submission.subject}",
        f"Il gestore non ha accettato questo messaggio: non è partito nulla.{because_it}\n\n"
        f"{_about(submission)}\n\n"
        "Correggere il messaggio e inviarlo di nuovo.",
        f"The provider did not accept this message: nothing was sent.{because_en}\n\n"
        f"{_about(submission)}\n\n"
        "Mend the message and send it again.",
        _line(submission, submission.recipients, reason),
    )


def shared_code(code: str, sends: Sequence[SubmissionRow]) -> Notice:
    """Say that the service gave one code to several messages, so that receipts prove nothing."""
    about = "\n\n".join(map(_about, sends))
    return Notice(
        f"Codice ripetuto / Code given twice: {code}",
        f"Il servizio ha dato lo stesso codice {code} a più messaggi uguali per oggetto e "
        f"destinatari:\n\n{about}\n\n"
        "Una ricevuta con questo codice non dice di quale dei due parla: non è attribuita a "
        "nessuno. Le ricevute sono nella posta in arrivo; controllare nella webmail.",
        f"The service gave one code, {code}, to several messages that are alike in subject and "
        f"recipients:\n\n{about}\n\n"
        "A receipt with this code does not say which of them it is about, so it counts for none. "
        "The receipts are in the inbox; look into the webmail.",
    )


def contradicted(submission: SubmissionRow) -> Notice:
    """Say that the text of a receipt takes back what its row in the listing had shown."""
    return Notice(
        f"Esito ritirato / Outcome taken back: {submission.subject}",
        "L'elenco della posta mostrava per questo messaggio ricevute che, lette per intero, sono "
        f"di un altro messaggio o non bastano.\n\n{_about(submission)}\n\n"
        "Lo stato indicato prima non vale più: vale quello di `pec-bridge receipts show`. Chi ha "
        "fatto conto su quell'esito lo verifichi.",
        "The list of mail showed receipts for this message that, read as a whole, are another "
        f"message's or do not suffice.\n\n{_about(submission)}\n\n"
        "The state that was shown before holds no longer; `pec-bridge receipts show` tells the "
        "one that does. Whoever relied on that outcome should check.",
        _line(submission, submission.recipients),
    )


def anomaly(subject: str, sender: str) -> Notice:
    """Say that an anomaly came in."""
    about = f"    {one_line(subject)[:300]}\n    {one_line(sender)[:300]}"
    return Notice(
        f"Anomalia / Anomaly: {one_line(subject)[:200]}",
        f"È arrivato un messaggio di anomalia:\n\n{about}\n\n"
        "Non è posta certificata: può essere posta ordinaria, un messaggio difettoso o un "
        "rifiuto da un server non PEC. Aprirlo nella posta in arrivo e verificarne la "
        "provenienza; i suoi allegati sono solo nella webmail.",
        f"An anomaly message came in:\n\n{about}\n\n"
        "It is not certified mail: it may be ordinary mail, a broken message or a refusal by a "
        "server outside PEC. Open it in the inbox and check where it comes from; its "
        "attachments are in the webmail only.",
    )


def _about(submission: SubmissionRow) -> str:
    sent_at = (submission.sent_at or submission.created_at).astimezone(ROME)
    return (
        f"    {one_line(submission.subject)[:300]}\n"
        f"    {sent_at:%d/%m/%Y %H:%M:%S}  {submission.code or ''}{_word(submission)}\n"
        f"    {_names(submission.recipients)}{_reference(submission)}"
    )


def _line(submission: SubmissionRow, addresses: Sequence[str], reason: str = "") -> str:
    """Return what tells a message apart from others in one line: all addresses, for all count."""
    known = (submission.subject[:200], submission.code or "", submission.reference)
    parts = (*known, ", ".join(addresses), reason)
    return listed("  |  ", parts)


def _reference(submission: SubmissionRow) -> str:
    return f"\n    Rif. / Ref.: {submission.reference}" if submission.reference else ""


def _word(submission: SubmissionRow) -> str:
    if submission.claim is not ClaimBasis.WORD:
        return ""
    return "  (codice indicato da una persona, non confermato / named by a person, not confirmed)"


def _names(addresses: Sequence[str]) -> str:
    shown = ", ".join(addresses[:SHOWN_RECIPIENTS])
    more = len(addresses) - SHOWN_RECIPIENTS
    return f"{shown}, … (+{more})" if more > 0 else shown
