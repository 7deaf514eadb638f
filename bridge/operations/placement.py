"""Where an account's receipts are best put, by how much is sent: what set-up and ``status`` say.

Pure. Every send brings two messages at least. Some dozens a day can be read in INBOX; hundreds
bury what came from people, and a mailbox of a month has room for them; thousands want one for each
kind, so that no mailbox has more than some ten thousand messages for mail programs to open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.language import say
from bridge.model import INBOX
from bridge.operations.finding import CheckFinding, warning

BY_MONTH = "Ricevute/{year}-{month}"
BY_KIND = "Ricevute/{year}-{month}/{kind}"

MANY_SENDS = 100
"""Sends a day from here on are too many for their receipts to stand in INBOX."""

VERY_MANY_SENDS = 1_000
"""From here on a month's receipts are too many for one mailbox."""

RECEIPTS_A_SEND = 2

QUESTION = say(
    "About how many messages are sent a day at the most? Each brings two "
    "receipts; many of them are better kept out of INBOX."
)
"""What set-up asks before ``deliver_to`` is written."""


def recommended(sends_a_day: int) -> str:
    """Return the ``[receipts] deliver_to`` for so many sends a day."""
    if sends_a_day < MANY_SENDS:
        return INBOX
    return BY_MONTH if sends_a_day < VERY_MANY_SENDS else BY_KIND


def explained(sends_a_day: int) -> str:
    """Return why ``recommended`` says so: a sentence for set-up."""
    receipts = RECEIPTS_A_SEND * sends_a_day
    place = recommended(sends_a_day)
    if place == INBOX:
        return say("Up to {receipts} receipts a day can be read in INBOX.", receipts=receipts)
    each = (
        say("a mailbox for each month") if place == BY_MONTH else say("mailboxes by month and kind")
    )
    return say(
        "{receipts} receipts a day would bury what came from people: they go to {each}, "
        "failures to INBOX too.",
        receipts=f"{receipts:,}",
        each=each,
    )


def hint(receipts_in_a_day: int, deliver_to: str) -> str | None:
    """Return what there is to say to an account whose receipts fill INBOX; None if nothing is.

    Args:
        receipts_in_a_day: how many came in the last 24 hours.
        deliver_to: where they go by the settings.
    """
    if deliver_to.upper() != INBOX:
        return None
    place = recommended(receipts_in_a_day // RECEIPTS_A_SEND)
    if place == INBOX:
        return None
    return say(
        "{receipts} receipts came into INBOX in the last 24 hours; with deliver_to = "
        '"{place}" in [receipts] they get mailboxes of their own, failures stay in INBOX too.',
        receipts=f"{receipts_in_a_day:,}",
        place=place,
    )


def hinted(status: Mapping[str, Any]) -> Iterator[CheckFinding]:
    """Yield what ``check`` says of the accounts of a status whose receipts fill INBOX."""
    for account in status["accounts"]:
        evidence, _, mend = (account.get("hint") or "").partition("; ")
        if mend:
            yield warning(
                "receipts",
                say("{address}: {evidence}", address=account["address"], evidence=evidence),
                mend,
                "fill INBOX",
            )
