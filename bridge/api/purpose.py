"""What a request is made for, and how urgent that is.

Every GET has a ``Purpose``; ``share`` says by it whether one may be made, ``budget`` counts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from bridge.language import Sentence, say


class Purpose(Enum):
    """What a request is made for."""

    LOOK = "look"
    ARRIVAL = "arrival"
    NEWS = "news"
    VERIFICATION = "verification"
    BODY = "body"
    SEARCH = "search"
    STATUS = "status"
    LISTING = "listing"
    DELETION = "deletion"
    COMMAND = "command"
    QUOTA = "quota"
    RECEIPT = "receipt"
    CONFIRMATION = "confirmation"
    RECONCILIATION = "reconciliation"
    CLEARING = "clearing"


FLOORS: Mapping[Purpose, float] = {
    Purpose.LOOK: 0.0,
    Purpose.ARRIVAL: 0.0,
    Purpose.NEWS: 0.02,
    Purpose.VERIFICATION: 0.02,
    Purpose.BODY: 0.50,
    Purpose.SEARCH: 0.50,
    Purpose.STATUS: 0.50,
    Purpose.LISTING: 0.50,
    Purpose.DELETION: 0.50,
    Purpose.COMMAND: 0.60,
    Purpose.QUOTA: 0.60,
    Purpose.RECEIPT: 0.70,
    Purpose.CONFIRMATION: 0.75,
    Purpose.RECONCILIATION: 0.80,
    Purpose.CLEARING: 0.80,
}
"""How much of the even share each purpose leaves, the most urgent first: texts of what came just
now, so that what is listed is shown; the gap that a look found, which later looks would not come
by; what became of a deletion that was asked for, without which the list does not add up and each
look would go through it; texts of what came days before, as an import brings them, and of rows that
are alike; the evidence of an uncertain send; other pages that list what is new; then deletions,
what a person asks for at the command line, and texts of receipts that prove more with them. Texts
that only confirm what is known, the day's pass over all that is listed and what the settings clear
come last, and leave three quarters of the share and more to the rest: none is to take a request
from an incoming message, however many there are."""

BORROWING: frozenset[Purpose] = frozenset({Purpose.ARRIVAL, Purpose.NEWS})
"""Purposes that need leave only the watch beside their part of the share: most of what comes in an
hour is followed by quieter ones. Where the days before needed all there is, they leave ``HALF`` of
the share too, so that some of what comes is shown at every hour and not all of it until noon."""

SPARED: frozenset[Purpose] = frozenset(
    {
        Purpose.CLEARING,
        Purpose.CONFIRMATION,
        Purpose.DELETION,
        Purpose.QUOTA,
        Purpose.RECONCILIATION,
    }
)
"""Purposes that nobody misses if they have to wait a while: what is to be deleted is gone here."""

FOR_NEWS: frozenset[Purpose] = frozenset(
    {
        Purpose.LOOK,
        Purpose.ARRIVAL,
        Purpose.NEWS,
        Purpose.VERIFICATION,
        Purpose.BODY,
        Purpose.SEARCH,
        Purpose.STATUS,
    }
)
"""Purposes that requests are kept for where busy hours are expected."""

OF_RECEIPTS: frozenset[Purpose] = frozenset({Purpose.CONFIRMATION, Purpose.RECEIPT})
"""Texts whose rows said what counts, or most of it: no faster than half of the even pace after the
first ones, and the slower the more a look takes. A burst is not to find the day's requests spent on
texts of its own first receipts."""

CALLED: Mapping[Purpose, Sentence] = {
    Purpose.LOOK: say("look"),
    Purpose.ARRIVAL: say("arrival"),
    Purpose.NEWS: say("news"),
    Purpose.VERIFICATION: say("verification"),
    Purpose.SEARCH: say("search"),
    Purpose.STATUS: say("status"),
    Purpose.LISTING: say("listing"),
    Purpose.BODY: say("body"),
    Purpose.DELETION: say("deletion"),
    Purpose.COMMAND: say("command"),
    Purpose.QUOTA: say("quota"),
    Purpose.RECEIPT: say("receipt"),
    Purpose.CONFIRMATION: say("confirmation"),
    Purpose.RECONCILIATION: say("reconciliation"),
    Purpose.CLEARING: say("clearing"),
}
"""What a request is for, where a person reads it."""
