"""What the page calls states, outcomes and steps. Texts are English here; catalogues have the rest.

Each name has its words and how it looks: ``good``, ``warn``, ``bad`` or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple


class Label(NamedTuple):
    """Words, and how they look."""

    words: str
    look: str = ""


def _(text: str) -> str:
    """Mark a text for the catalogues."""
    return text


STATES: Mapping[str, Label] = {
    "queued": Label(_("Waiting its turn")),
    "dispatching": Label(_("Being sent")),
    "submitted": Label(_("Sent to the provider")),
    "refused": Label(_("Refused, not sent"), "bad"),
    "held": Label(_("Held back, not sent"), "warn"),
    "cancelled": Label(_("Cancelled, not sent")),
    "dropped": Label(_("Given up, may have been sent"), "warn"),
    "uncertain": Label(_("Uncertain: it may have been sent"), "bad"),
    "restored": Label(_("From a backup: it may have been sent"), "bad"),
}
"""The states of an entry."""

ON_THEIR_WAY = frozenset({"queued", "dispatching"})
"""States that an entry leaves by itself, mostly within seconds."""

SOON_S, LATER_S = 3, 60
"""After how long a page that follows something looks again."""

ACCEPTED = Label(_("Accepted, delivery to come"))
DELIVERED = Label(_("Delivered"), "good")
UNDELIVERED = Label(_("Not delivered"), "bad")
PARTLY = Label(_("Not delivered to everybody"), "bad")
ORDINARY = Label(_("Accepted; no certified mailbox, so no delivery receipt"), "warn")

RECIPIENTS: Mapping[str, Label] = {
    "pending": Label(_("No receipt yet")),
    "accepted": ACCEPTED,
    "accepted_uncertifiable": ORDINARY,
    "late_12h": Label(_("Not delivered within 12 hours; it still may be"), "warn"),
    "failed_24h": Label(_("Not delivered within 24 hours"), "bad"),
    "failed": UNDELIVERED,
    "delivered": DELIVERED,
}
"""Where a recipient stands."""

GROUPS: Mapping[str, str] = {
    "waiting": _("Not sent yet"),
    "under_way": _("Sent, receipts to come"),
    "delivered": _("Delivered"),
    "failed": _("Refused or not delivered"),
    "uncertain": _("Uncertain"),
    "ended": _("Cancelled or given up"),
}
"""Ways to look at what was submitted."""

RECEIPTS: Mapping[str, str] = {
    "acceptance": _("Accepted by the provider"),
    "non-acceptance": _("Refused by the provider"),
    "non-acceptance-virus": _("Refused by the provider for a virus"),
    "delivery": _("Delivered"),
    "failure": _("Not delivered"),
    "failure-virus": _("Stopped for a virus"),
    "late-12h": _("Not delivered within 12 hours; it still may be"),
    "failed-24h": _("Not delivered within 24 hours"),
    "taken-in-charge": _("Taken in charge by the recipient's provider"),
    "security": _("A security notice"),
    "anomaly": _("An anomaly"),
}
"""Kinds of receipts."""


ARCHIVE_KINDS: Mapping[str, str] = {
    "envelope": _("Certified mail received"),
    "ordinary": _("Ordinary mail received"),
}
"""What else there is in the archive."""

KEPT: Mapping[str, Label] = {
    "live": Label(_("At the service")),
    "gone": Label(_("No longer at the service")),
    "deleted": Label(_("Deleted from here")),
}
"""Where something that came is."""


def standing(row: Mapping[str, Any]) -> Label:
    """Return how a listed entry stands: its state, or what its receipts say."""
    if row["state"] != "submitted":
        return STATES.get(row["state"], Label(row["state"]))
    known = row["delivered"] + row["failed"] + row["ordinary"]
    recipients = len(row["recipients"])
    if row["failed"]:
        return UNDELIVERED if row["failed"] >= recipients else PARTLY
    if known < recipients:
        return ACCEPTED if row["accepted"] else STATES["submitted"]
    return DELIVERED if row["delivered"] else ORDINARY


def moves_in_s(row: Mapping[str, Any], now: datetime) -> int | None:
    """Return after how long to look again at a listed entry; None if it stands as it will.

    What is on its way stands otherwise within seconds, and so does what lacks receipts at first.
    After an hour these come when they come, and after two days most likely never.
    """
    if row["state"] != "submitted":
        return SOON_S if row["state"] in ON_THEIR_WAY else None
    known = row["delivered"] + row["failed"] + row["ordinary"]
    age = now - datetime.fromisoformat(row["created_at"])
    if known >= len(row["recipients"]) or age > timedelta(days=2):
        return None
    return SOON_S if age < timedelta(hours=1) else LATER_S
