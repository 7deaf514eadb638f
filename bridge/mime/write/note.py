"""What a composed message says about itself, in Italian and English. Pure text.

Each note is true of every message it is put into, whatever the API left out.
"""

from __future__ import annotations

ATTACHMENTS = (
    "Nota del bridge PEC: questo messaggio è stato ricostruito da ciò che mostra l'API del "
    "servizio. Eventuali allegati non si ottengono tramite l'API: si trovano solo nella casella "
    "originale (webmail).",
    "PEC bridge's note: this message was rebuilt from what the service's API shows. Attachments, "
    "if there are any, are not to be had through the API: they are only in the original mailbox "
    "(webmail).",
)

UNREADABLE = (
    "Il bridge PEC non è riuscito a leggere questo messaggio dall'API del servizio: {reason}\n"
    "Il messaggio si trova nella casella originale (webmail). Qui sotto è allegato quanto "
    "ricevuto dall'API, così com'è.",
    "The PEC bridge could not read this message from the service's API: {reason}\n"
    "The message is in the original mailbox (webmail). What the API sent is attached as it is.",
)

WHOLE = (
    "Nota del bridge PEC: il messaggio completo, così come lo ha dato l'API del servizio, è "
    "allegato come messaggio.eml.",
    "PEC bridge's note: the whole message, as the service's API gave it, is attached as "
    "messaggio.eml.",
)

UNFETCHED = (
    "Nota del bridge PEC: questa ricevuta è stata composta dalla sola riga che l'elenco della "
    "posta mostra: mittente, destinatario, data e oggetto. Il suo testo non è stato letto "
    "([receipts] text) e questo messaggio non cambia più; `pec-bridge receipts show CODICE "
    "--fetch` lo legge. La ricevuta firmata si trova nella casella originale (webmail).",
    "PEC bridge's note: this receipt was made of nothing but the row that the list of mail shows: "
    "sender, recipient, date and subject. Its text was not read ([receipts] text), and this "
    "message changes no more; `pec-bridge receipts show CODE --fetch` reads it. The signed "
    "receipt is in the original mailbox (webmail).",
)

RULE = "-" * 60
UNREADABLE_SUBJECT = "Messaggio illeggibile / Unreadable message"
PROVENANCE = (
    "rebuilt by pec-bridge from the fields and the text that the provider's API shows; "
    "unsigned, not the certified original"
)
PROVENANCE_UNFETCHED = (
    "rebuilt by pec-bridge from the fields of the provider's list of mail, the text unread; "
    "unsigned, not the certified original"
)
PROVENANCE_WHOLE = (
    "header rebuilt by pec-bridge from the fields that the provider's API shows; "
    "the parts are as the API gave them; not the certified original"
)
