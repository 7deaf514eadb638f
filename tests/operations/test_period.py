from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bridge.operations.control import OperationFailed
from bridge.operations.period import chosen, month, year

NEW_YEAR_IN_ROME = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("2026-01", date(2026, 1, 31)),
        ("2026-02", date(2026, 2, 28)),
        ("2028-02", date(2028, 2, 29)),
        ("2026-12", date(2026, 12, 31)),
    ],
)
def test_months(text: str, last: date) -> None:
    period = month(text)
    assert (period.first, period.last, period.months) == (last.replace(day=1), last, 1)


@pytest.mark.parametrize(
    "text",
    [
        "2026-13",
        "2026-00",
        "2026-1",
        "2026",
        "gennaio",
        "",
        "\u0662\u0660\u0662\u0666-01",
        "0000-01",
        "9999-12",
    ],
)
def test_what_is_no_month_is_named(text: str) -> None:
    with pytest.raises(OperationFailed, match="is no month"):
        month(text)


@pytest.mark.parametrize("text", ["26", "2026-01", "0000", "", "MMXX"])
def test_what_is_no_year_is_named(text: str) -> None:
    with pytest.raises(OperationFailed, match="is no year"):
        year(text)


def test_a_year() -> None:
    period = year("2026")
    assert (period.first, period.last) == (date(2026, 1, 1), date(2026, 12, 31))
    assert period.months == 12


def test_now_is_told_by_the_clocks_of_rome() -> None:
    assert chosen({}, NEW_YEAR_IN_ROME).name == "2026-01"
    summer = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert chosen({"month": None}, summer).name == "2026-07"
    assert chosen({"year": "2025"}, NEW_YEAR_IN_ROME).name == "2025"
