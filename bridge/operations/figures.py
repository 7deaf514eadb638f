"""What was sent in a period, added up by day or month, and what that costs. Pure.

Every recipient of what left stands in exactly one of ``delivered``, ``failed``, ``ordinary`` (no
certified mailbox), ``uncertain`` and ``open``, so the columns add up; ``accepted`` counts across
them. Money is before VAT where nothing else is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bridge.config import Prices
from bridge.model import AccountId
from bridge.operations.cost import CENT, cost_of
from bridge.operations.period import MONTHS_A_YEAR, Period
from bridge.outbox.plan import Plan
from bridge.store.figures import DayFigures

SUMS = (
    "messages",
    "recipients",
    "counted",
    "accepted",
    "delivered",
    "failed",
    "ordinary",
    "uncertain",
    "size_bytes",
)
"""Figures of ``DayFigures`` that are added up."""

TOLD = (*(name for name in SUMS if name != "size_bytes"), "open", "bytes")
"""Names of what is told of each line, in order."""

CLOSED = ("delivered", "failed", "ordinary", "uncertain")


def bucket(day: date, by: str) -> str:
    """Return the name of the day or of the month that a day is in."""
    return day.isoformat() if by == "day" else f"{day:%Y-%m}"


def rows_of(
    figures: Iterable[DayFigures], addresses: Mapping[AccountId, str], by: str
) -> list[dict[str, Any]]:
    """Return figures by account and day or month, in order."""
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(SUMS, 0))
    for one in figures:
        into = sums[bucket(one.day, by), addresses[one.account]]
        for name in SUMS:
            into[name] += getattr(one, name)
    return [
        {"date": on, "account": address, **_told(found)}
        for (on, address), found in sorted(sums.items())
    ]


def totals_of(figures: Iterable[DayFigures]) -> dict[str, int]:
    """Return the sums over everything."""
    listed = list(figures)
    return _told({name: sum(getattr(one, name) for one in listed) for name in SUMS})


def _told(sums: Mapping[str, int]) -> dict[str, int]:
    still_open = sums["recipients"] - sum(sums[name] for name in CLOSED)
    found = {**sums, "open": still_open, "bytes": sums["size_bytes"]}
    return {name: found[name] for name in TOLD}


def plan_facts(
    figures: Iterable[DayFigures], addresses: Mapping[AccountId, str], plan: Plan
) -> dict[str, Any]:
    """Return the plan, and the period in which an account used most of it."""
    used: dict[tuple[str, str], int] = defaultdict(int)
    for one in figures:
        used[bucket(one.day, plan.period), addresses[one.account]] += one.counted
    top = min(used.items(), key=lambda item: (-item[1], item[0]), default=None)
    return {
        "name": plan.name,
        "limit": plan.limit,
        "period": plan.period,
        "peak": top[1] if top else 0,
        "peak_on": top[0][0] if top else None,
        "peak_account": top[0][1] if top else None,
    }


def cost_facts(
    counted: int, mailboxes: int, period: Period, plan: Plan, prices: Prices
) -> dict[str, Any]:
    """Return what sends and mailboxes cost in a period.

    A year's fee is shared out evenly over its months: a month has a twelfth, begun or not.

    Args:
        counted: the PECs of the period.
        mailboxes: how many are paid for.
        period: months or years.
        plan: the one that is paid for.
        prices: in EUR, as configured.
    """
    flat = plan.name == "flat"
    each = Decimal(0) if flat else Decimal(str(prices.pec))
    a_year = Decimal(str(prices.flat_year if flat else prices.mailbox_year))
    sends = (each * counted).quantize(CENT)
    fees = (a_year * mailboxes * period.months / MONTHS_A_YEAR).quantize(CENT)
    share = "" if period.months == MONTHS_A_YEAR else f", of which {period.months}/12"
    sending = "in the price" if flat else f"at {each.normalize():f} EUR: {sends:,} EUR"
    words = (
        f"{counted:,} PECs {sending}; mailboxes: {mailboxes} at {a_year.quantize(CENT):,} EUR "
        f"a year{share}: {fees:,} EUR. {cost_of(prices, sends + fees)['words']}"
    )
    whole = cost_of(prices, sends + fees)
    return {
        "sends_eur": float(sends),
        "mailboxes_eur": float(fees),
        "net_eur": whole["net_eur"],
        "vat_percent": prices.vat_percent,
        "gross_eur": whole["gross_eur"],
        "words": words,
    }


def stacks(
    first: str, last: str, by: str, rows: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[list[int]]]:
    """Return what a plot shows of a period: its days or months, those without sends included.

    Args:
        first: the first day, ``YYYY-MM-DD``.
        last: the last day.
        by: ``day`` or ``month``.
        rows: see ``rows_of``.

    Returns:
        The labels, and the heights of delivered, failed and all other recipients.
    """
    days = range(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal() + 1)
    names = list(dict.fromkeys(bucket(date.fromordinal(day), by) for day in days))
    heights = {name: [0, 0, 0] for name in names}
    for row in rows:
        known = row["delivered"], row["failed"]
        for place, count in enumerate((*known, row["recipients"] - sum(known))):
            heights[row["date"]][place] += count
    return [name[-2:] for name in names], [list(one) for one in zip(*heights.values(), strict=True)]
