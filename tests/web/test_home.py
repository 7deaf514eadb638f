"""The first page: the credit is for whoever pays, and nothing is said where it is not known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Site
from tests.web.test_entrance import set_administrator


def expiries(credit_eur: float | None) -> dict[str, Any]:
    return {"looked_at": None, "mailboxes": [], "tokens": [], "credit_eur": credit_eur}


@pytest.mark.parametrize(("credit_eur", "shown"), [(12.5, True), (None, False)])
async def test_the_administrator_sees_what_is_left_to_spend(
    made: Site, credit_eur: float | None, shown: bool
) -> None:
    made.done.answers["expiry list"] = lambda _arguments: expiries(credit_eur)
    set_administrator(made)
    page = await (await made.administrator()).get("/")
    assert ("Credit: 12.50" in page.text, "Credit" in page.text) == (shown, shown)


async def test_others_do_not(made: Site) -> None:
    made.done.answers["expiry list"] = lambda _arguments: expiries(12.5)
    assert "Credit" not in (await (await made.anna()).get("/")).text
    assert "expiry list" not in [name for name, _ in made.done.asked]


async def test_a_service_that_was_not_asked_is_no_fault(made: Site) -> None:
    set_administrator(made)
    page = await (await made.administrator()).get("/")
    assert (page.status_code, "Credit" in page.text) == (200, False)
