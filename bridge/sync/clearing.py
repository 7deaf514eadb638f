"""Clearing the mailbox at the API by ``[archive] clear_at_api``: receipts whose work is done.

What may go ``receipts.clearable`` says, when it is wanted and again right before each deletion.
The deletion is the same as a person's (``deletion``): the row is listed, the message behind its id
read and the same to the last byte, and the list lacks it afterwards. The message stays in its
mailbox here, as a local one.

What is to go is written down before, so that a kill leaves nothing but work to be done again; the
rest is in the log that ``receipts cleared`` lists. A batch at a time, ``EVERY_S`` apart and after
all else that wants requests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from bridge.api.budget import within_budget
from bridge.clock import ROME, Clock
from bridge.model import Quota
from bridge.sync.clearings import Clearings
from bridge.sync.deletion import TOGETHER, Deleter
from bridge.sync.telling import QUIET, Teller

EVERY_S = 60.0
"""Between two batches: 17,000 a day, more than any plan brings."""

YOUNGEST = timedelta(days=1)
"""Receipts younger than this stay however full the mailbox is: another may contradict them."""


@dataclass(frozen=True, slots=True)
class ClearingRule:
    """When receipts go: after ``age``, or once the mailbox is fuller than ``percent``."""

    age: timedelta | None = None
    percent: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "never", "receipts-after 30d" or "over 70%".

        Raises:
            ValueError: it is none of these.
        """
        if match := re.fullmatch(r"receipts-after (\d{1,5})d", text, re.ASCII):
            return cls(age=timedelta(days=int(match[1])))
        if match := re.fullmatch(r"over (\d{1,2})%", text, re.ASCII):
            return cls(percent=int(match[1]))
        if text != "never":
            raise ValueError(f"no rule: {text}")
        return cls()

    def before(self, now: datetime, quota: Quota | None) -> datetime | None:
        """Return the latest time at which what goes now was first seen; None if nothing goes."""
        if self.age is not None:
            return now - max(self.age, YOUNGEST)
        if self.percent is None or quota is None or quota.percent is None:
            return None
        return now - YOUNGEST if quota.percent > self.percent else None


class Clearing:
    """Clears one account's mailbox; nothing without a rule.

    Args:
        rule: when what goes.
        clearings: what is to go, and what went.
        deleter: carries it out.
        teller: says that it goes.
        clock: time.
    """

    def __init__(
        self,
        rule: ClearingRule,
        clearings: Clearings,
        deleter: Deleter,
        teller: Teller,
        clock: Clock,
    ) -> None:
        self._rule = rule
        self._clearings = clearings
        self._deleter = deleter
        self._teller = teller
        self._clock = clock
        self._next_s = clock.monotonic()

    async def carry_out(self, quota: Quota | None) -> None:
        """Clear a batch if it is time; what the day's requests do not allow for waits.

        Args:
            quota: how full the mailbox was when last asked.

        Raises:
            ApiError: the API is in trouble.
        """
        now_s, now = self._clock.monotonic(), self._clock.now()
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        before = self._rule.before(now, quota)
        if before is not None:
            if len(await self._clearings.wanted()) < TOGETHER:
                await self._clearings.choose(before, TOGETHER)
            await within_budget(self._deleter.carry_out())
        month = now.astimezone(ROME).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        lately, in_month = await self._clearings.counts(now - QUIET, month)
        await self._teller.clears(in_month, month, is_lately=bool(lately))
