"""What an operation costs, in words, before anybody is asked to agree to it. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bridge.config import Prices
from bridge.language import say

CENT = Decimal("0.01")
PRICED_KIND = "PECMASSIVA"
UNPRICED = say(
    "What it costs is not among [prices]: see the service's price list. The service takes it from "
    "the wallet at once."
)


def cost_of_years(prices: Prices, kind: str, years: int = 1) -> dict[str, Any]:
    """Return what so many years of a mailbox cost; figures are None for kinds not in [prices]."""
    if kind.upper() != PRICED_KIND:
        return unpriced()
    return cost_of(prices, Decimal(str(prices.mailbox_year)) * years)


def cost_of(prices: Prices, net: Decimal) -> dict[str, Any]:
    """Return an amount before and with VAT, as figures and in words."""
    net = net.quantize(CENT, ROUND_HALF_UP)
    vat = Decimal(str(prices.vat_percent))
    gross = (net * (100 + vat) / 100).quantize(CENT, ROUND_HALF_UP)
    words = say(
        "It costs {net} EUR plus {vat} % VAT: {gross} EUR.",
        net=f"{net:,}",
        vat=f"{vat.normalize():f}",
        gross=f"{gross:,}",
    )
    return {"net_eur": float(net), "gross_eur": float(gross), "words": words}


def unpriced() -> dict[str, Any]:
    """Return the words for what [prices] does not know."""
    return {"net_eur": None, "gross_eur": None, "words": UNPRICED}


def pecs_for(prices: Prices, credit_eur: float) -> int | None:
    """Return how many PECs a credit pays for; None if they cost nothing."""
    if not prices.pec:
        return None
    return max(int(Decimal(str(credit_eur)) / Decimal(str(prices.pec))), 0)
