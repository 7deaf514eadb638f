"""Where receipts of messages sent from here go: one mailbox, or one for each kind and month.

Pure. A pattern may hold ``{kind}``, ``{year}`` and ``{month}``: ``Ricevute/{year}-{month}/{kind}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.model import INBOX, SEEN, Flags
from bridge.receipts.kind import WARNINGS, Kind

_GROUPS: Mapping[Kind, str] = {
    Kind.ACCEPTANCE: "acceptance",
    Kind.DELIVERY: "delivery",
    **dict.fromkeys(WARNINGS, "failure"),
}


@dataclass(frozen=True, slots=True)
class Destination:
    """See the module.

    ``names`` says what ``{kind}`` stands for, by "acceptance", "delivery", "failure" and "other".
    Kinds in ``seen`` are marked as read, for nobody reads them.
    """

    pattern: str = INBOX
    names: Mapping[str, str] = field(default_factory=dict)
    seen: frozenset[Kind] = frozenset({Kind.ACCEPTANCE})

    def mailboxes(self, kind: Kind, at: datetime) -> tuple[str, ...]:
        """Return where a receipt that came then goes: what somebody has to see to INBOX too.

        Args:
            kind: what it is.
            at: when it came, in Italian time.
        """
        group = _GROUPS.get(kind, "other")
        name = self.pattern
        for mark, value in (
            ("{kind}", self.names.get(group, group)),
            ("{year}", f"{at.year:04}"),
            ("{month}", f"{at.month:02}"),
        ):
            name = name.replace(mark, value)
        if name.upper() == INBOX:
            return (INBOX,)
        return (name, INBOX) if kind in WARNINGS else (name,)

    def flags(self, kind: Kind) -> Flags:
        """Return the flags that a receipt gets."""
        return frozenset({SEEN}) if kind in self.seen else frozenset()
