"""What alarms of each kind are called on the page, and what a person does about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class AlarmLabel(NamedTuple):
    """What alarms of a kind are called, and what to do."""

    words: str
    do: str


def _(text: str) -> str:
    """Mark a text for the catalogues."""
    return text


_SEE = _("Look into the webmail, and do not send it again before this is clear.")

ALARMS: Mapping[str, AlarmLabel] = {
    "uncertain": AlarmLabel(
        _("It is not known whether a message was sent"),
        _("Look for its acceptance in the webmail, then say on its page what became of it."),
    ),
    "restored": AlarmLabel(
        _("The data was put back from a backup"),
        _("Look for each message's acceptance in the webmail, then say what became of it."),
    ),
    "waiting": AlarmLabel(
        _("Messages wait for longer than is usual"),
        _("Each says on its page why it waits. The tries go on by themselves."),
    ),
    "credentials": AlarmLabel(
        _("The service refuses token or password"),
        _("Mend the token or the mailbox's password in the configuration, then reload it."),
    ),
    "payment": AlarmLabel(
        _("The credit is used up"),
        _("Top up the wallet: sending goes on by itself within an hour."),
    ),
    "plan": AlarmLabel(
        _("The plan is used up"),
        _("Messages leave from the next period on; what cannot wait is sent from its page."),
    ),
    "revoked": AlarmLabel(
        _("What was said of a message is taken back"),
        _("Whether it was sent is uncertain again: whoever relied on that should check."),
    ),
    "code-twice": AlarmLabel(
        _("The service gave one code to several messages"),
        _("Receipts with that code count for none of them: look into the webmail."),
    ),
    "contradicted": AlarmLabel(
        _("The outcome of a message is taken back"),
        _("The state that is shown now holds: whoever relied on the one before should check."),
    ),
    "not-accepted": AlarmLabel(_("No acceptance within half an hour"), _SEE),
    "open-12h": AlarmLabel(
        _("No outcome after 12 hours"),
        _("Delivery is not proven. If a deadline is near, reach the recipient in another way."),
    ),
    "open-26h": AlarmLabel(
        _("No outcome after 26 hours"),
        _("Delivery is not proven, and there is nothing to wait for: use another way."),
    ),
    "unseen": AlarmLabel(
        _("Receipts could not be looked for"),
        _("Nothing is called missing: the inbox could not be read. It ends by itself."),
    ),
    "failure": AlarmLabel(
        _("A message was not delivered"),
        _("Check the address and send a new message, or use another way: it is the sender's turn."),
    ),
    "anomaly": AlarmLabel(
        _("An anomaly came in"),
        _("Open it in the inbox: it is no certified mail, and may be a refusal."),
    ),
    "quota": AlarmLabel(
        _("The mailbox is filling up"),
        _("Delete for good what is not needed: a full mailbox turns mail and receipts away."),
    ),
    "reading": AlarmLabel(
        _("The inbox cannot be read"),
        _("The reason stands with the account. Mail comes as soon as it can be read again."),
    ),
    "requests": AlarmLabel(
        _("The day's requests are used up"),
        _("Texts and receipts may show late; tomorrow everything goes on."),
    ),
    "deletion": AlarmLabel(
        _("Something could not be deleted at the service"),
        _("It stays there, for in doubt nothing is deleted: delete it in the webmail."),
    ),
    "clearing": AlarmLabel(
        _("Receipts are cleared at the service"),
        _("They stay here, in mailboxes and archive, as the settings ask for."),
    ),
    "token-expiry": AlarmLabel(
        _("A token is about to expire"),
        _("Renew it (`pec-bridge token renew`): afterwards nothing is sent or received."),
    ),
    "mailbox-expiry": AlarmLabel(
        _("A mailbox is about to expire"),
        _("Renew it (`pec-bridge mailbox renew`), or see that the credit is enough."),
    ),
    "credit": AlarmLabel(
        _("The credit does not pay for what waits"),
        _("Top up the wallet: sending stops when it is used up, and loses nothing."),
    ),
    "subscription": AlarmLabel(
        _("A subscription is nearly used up"),
        _("Renew or enlarge it in the service's console."),
    ),
    "not-certified": AlarmLabel(
        _("A recipient has no certified mailbox"),
        _("It comes there as ordinary mail, without a delivery receipt."),
    ),
    "disk": AlarmLabel(
        _("The disk is nearly full"),
        _("Make room on the machine: on a full disk no message is taken any more."),
    ),
    "clock": AlarmLabel(
        _("The machine's clock is wrong"),
        _("Set it right, best by a time service of the network."),
    ),
}
"""By kind, see ``bridge.alarms.kind``."""
