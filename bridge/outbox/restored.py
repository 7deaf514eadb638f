"""What a person is told when a backup was put back. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.alarms import Notice
from bridge.language import in_italian
from bridge.store.outbox import SubmissionRow

NAMED = 20
"""So many messages are named; the commands list the rest."""


def restored(rows: Sequence[SubmissionRow], fault: str) -> Notice:
    """Say that messages of an account wait for a decision, because they may have been sent.

    Args:
        rows: the account's entries that wait, at least one.
        fault: how it was noticed, as a sentence.
    """
    named = "\n".join(map(_named, rows[:NAMED]))
    if len(rows) > NAMED:
        named += f"\n    … +{len(rows) - NAMED}"
    commands = (
        "    pec-bridge queue list --state restored\n"
        f"    pec-bridge queue resolve {rows[0].id} --sent CODE\n"
        f"    pec-bridge queue resolve {rows[0].id} --resend\n"
        f"    pec-bridge queue resolve {rows[0].id} --drop"
    )
    return Notice(
        f"Dati ripristinati, {len(rows)} invii fermi / Data restored, {len(rows)} sends wait",
        "I dati di pec-bridge non sono quelli usati per ultimi: sembrano una copia. "
        f"({in_italian(fault)})\n"
        "I messaggi che vi erano in coda possono essere già partiti dopo la copia, e una PEC "
        "inviata due volte è un secondo atto. Perciò non vengono inviati da soli: se ne cerca la "
        "ricevuta di accettazione, e quelli trovati risultano inviati.\n"
        f"Messaggi:\n{named}\n\n"
        "Per ciascuno degli altri cercare nella webmail una ricevuta ACCETTAZIONE con il suo "
        "oggetto. Se è stato inviato, dire con quale codice; se non lo è stato, inviarlo o "
        f"rinunciare:\n\n{commands}",
        f"The data of pec-bridge is not what was used last: it seems to be a copy. ({fault})\n"
        "What waited in it may have left after the copy was made, and a PEC sent twice is a "
        "second legal act. So it is not sent by itself: its acceptance receipt is looked for, and "
        "what is found counts as sent.\n"
        f"Messages:\n{named}\n\n"
        "For each of the others look in the webmail for an ACCETTAZIONE with its subject. If it "
        "was sent, say with which code; if it was not, send it or give it up:\n\n"
        f"{commands}",
    )


def put_back(fault: str) -> Notice:
    """Say that an account's data is older than what was used last, though nothing in it waits.

    Args:
        fault: how it was noticed, as a sentence.
    """
    return Notice(
        "Dati ripristinati / Data restored",
        "I dati di pec-bridge non sono quelli usati per ultimi: sembrano una copia. "
        f"({in_italian(fault)})\n"
        "Nulla vi era in coda. I messaggi accettati (250) dopo la copia però non vi sono: se non "
        "erano ancora partiti, non partiranno. Cercare nella webmail la ricevuta ACCETTAZIONE di "
        "ciò che è stato inviato da allora, e inviare di nuovo quello che manca.\n"
        "Se i dati sono stati spostati di proposito, a bridge fermo, non c'è nulla da fare.",
        f"The data of pec-bridge is not what was used last: it seems to be a copy. ({fault})\n"
        "Nothing waited in it. But messages that were taken (250) after the copy are not in it: "
        "what had not left by then will not. Look in the webmail for the ACCETTAZIONE of what was "
        "sent since, and send again what is missing.\n"
        "If the data was moved on purpose, with the bridge stopped, there is nothing to do.",
    )


def _named(row: SubmissionRow) -> str:
    called = f"  {row.reference}" if row.reference else ""
    return f"    {row.id}{called}  {row.subject}  ({', '.join(row.recipients)})"
