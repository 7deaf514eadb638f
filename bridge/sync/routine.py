"""When all that is listed is gone through, though nothing asks for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WHOLE_EVERY = timedelta(days=1)
AT_ONCE = 4
BROKEN_WAIT = timedelta(minutes=1)
"""So many whole passes follow each other while rows move under them; the next waits so long, and
each after it twice as long as the one before.
"""


@dataclass(slots=True)
class Routine:
    """The whole passes that prove nothing, and when the next one may begin."""

    broken: int = 0
    not_before: datetime | None = None

    @property
    def is_repeated(self) -> bool:
        """Whether the last pass has to be made again."""
        return self.broken > 0

    def is_due(self, last: datetime | None, now: datetime) -> bool:
        """Tell whether a pass is due, if the last one that proved something was then."""
        is_old = last is None or now - last >= WHOLE_EVERY
        return is_old and (self.not_before is None or now >= self.not_before)

    def ended(self, now: datetime, *, is_proof: bool) -> None:
        """Repeat a pass that proved nothing: at once, and ever later if that goes on."""
        self.broken = 0 if is_proof else self.broken + 1
        late = self.broken - AT_ONCE
        wait = timedelta() if late < 0 else BROKEN_WAIT * 2 ** min(late, 11)
        self.not_before = now + min(wait, WHOLE_EVERY)
