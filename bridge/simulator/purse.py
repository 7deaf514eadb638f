"""The account's wallet: what is left, and every charge that was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bridge.simulator.admin_call import NotDone


@dataclass(frozen=True, slots=True)
class Charge:
    """One movement, in EUR; what was spent is negative."""

    id: str
    amount_eur: float
    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class AdminPrices:
    """What the paid operations cost, in EUR."""

    mailbox_year: float = 99.0
    space: float = 10.0
    conversion: float = 30.0
    user: float = 5.0
    domain: float = 0.0


class Purse:
    """See the module; ``now`` and ``name`` give the time and a new id."""

    def __init__(self, now: Callable[[], datetime], name: Callable[[], str]) -> None:
        self.credit_eur = 500.0
        self.charges: list[Charge] = []
        self._now = now
        self._name = name

    def charge(self, amount_eur: float, what: str, number: int) -> None:
        """Take an amount.

        Raises:
            NotDone: there is not enough; 402 with ``number``.
        """
        if amount_eur > self.credit_eur:
            raise NotDone(402, f"Insufficient Credit in Wallet: {self.credit_eur:.2f}", number)
        if amount_eur:
            self.credit_eur = round(self.credit_eur - amount_eur, 4)
            self.charges.append(Charge(self._name(), -amount_eur, self._now(), what))

    def top_up(self, amount_eur: float) -> None:
        """Add to what is left."""
        self.credit_eur = round(self.credit_eur + amount_eur, 4)
        self.charges.append(Charge(self._name(), amount_eur, self._now(), "Wallet recharge"))
