"""How facts are written on a page: times in the display's zone, numbers and sizes, by language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo

from bridge.web.language import Language

_MONTHS = {
    "it": ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}
_UNITS = ("B", "kB", "MB", "GB", "TB")


class Formats:
    """Writes facts.

    Args:
        language: of who reads.
        zone: what times are shown in.
        now: aware; a time of another year has its year.
    """

    def __init__(self, language: Language, zone: tzinfo, now: datetime) -> None:
        self._language = language
        self._zone = zone
        self._now = now.astimezone(zone)

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return them by the names that templates use."""
        return {
            "when": self.when,
            "clock": self.clock,
            "number": self.number,
            "size": self.size,
            "euro": self.euro,
            "percent": self.percent,
        }

    def when(self, at: str | datetime | None) -> str:
        """Return day and time, such as ``15 gen 09:30``; "" for None."""
        if at is None:
            return ""
        local = self._local(at)
        year = "" if local.year == self._now.year else f" {local.year}"
        day = f"{local.day} {_MONTHS[self._language][local.month - 1]}{year}"
        return f"{day} {local:%H:%M}"

    def clock(self, at: str | datetime | None) -> str:
        """Return the same to the second."""
        return "" if at is None else f"{self.when(at)}{self._local(at).strftime(':%S')}"

    def number(self, value: float | None) -> str:
        """Return a whole number in groups of three; "" for None."""
        return "" if value is None else self._grouped(f"{value:,.0f}")

    def euro(self, value: float | None) -> str:
        """Return an amount."""
        return "" if value is None else f"{self._grouped(f'{value:,.2f}')} €"

    def percent(self, value: float | None) -> str:
        """Return a share with one place."""
        return "" if value is None else f"{self._grouped(f'{value:,.1f}')} %"

    def size(self, value: float | None) -> str:
        """Return bytes in the unit that suits."""
        if value is None:
            return ""
        for unit in _UNITS[:-1]:
            if value < 1000:
                return f"{self._grouped(f'{value:.3g}')} {unit}"
            value /= 1000
        return f"{self._grouped(f'{value:.3g}')} {_UNITS[-1]}"

    def _local(self, at: str | datetime) -> datetime:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        return moment.astimezone(self._zone)

    def _grouped(self, text: str) -> str:
        if self._language == "en":
            return text
        return text.translate(str.maketrans(",.", ".,"))
