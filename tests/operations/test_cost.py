"""What an operation costs, before anybody agrees to it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.config import Prices
from bridge.operations.cost import cost_of, cost_of_years, pecs_for

PRICES = Prices(pec=0.03, mailbox_year=7.0, vat_percent=22.0)


def test_an_amount_with_vat_in_figures_and_words() -> None:
    cost = cost_of(PRICES, Decimal("1234.5"))
    assert (cost["net_eur"], cost["gross_eur"]) == (1234.5, 1506.09)
    assert cost["words"] == "It costs 1,234.50 EUR plus 22 % VAT: 1,506.09 EUR."


@pytest.mark.parametrize(("kind", "net_eur"), [("pecmassiva", 14.0), ("ALTRA", None)])
def test_only_what_is_priced_has_a_figure(kind: str, net_eur: float | None) -> None:
    assert cost_of_years(PRICES, kind, 2)["net_eur"] == net_eur


@pytest.mark.parametrize(("credit_eur", "pecs"), [(0.09, 3), (0.089, 2), (-1.0, 0)])
def test_a_credit_pays_for_whole_pecs(credit_eur: float, pecs: int) -> None:
    assert pecs_for(PRICES, credit_eur) == pecs


def test_what_costs_nothing_is_paid_for_without_end() -> None:
    assert pecs_for(Prices(pec=0.0), 1.0) is None
