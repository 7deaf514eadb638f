"""The accounts that an operation is about, and times as its answer writes them."""

from __future__ import annotations

from datetime import datetime

import pytest

from bridge.clock import ROME, rfc3339
from bridge.model import AccountId
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.control import OperationFailed

ONE = ApiAccount(AccountId(1), "uno@pec.example", None)
TWO = ApiAccount(AccountId(2), "due@pec.example", None)
BOTH = ApiAccounts((ONE, TWO))


def test_who_names_no_account_means_all() -> None:
    assert BOTH.chosen({}) == (ONE, TWO)
    assert BOTH.chosen({"account": "DUE@pec.example"}) == (TWO,)


def test_an_account_that_is_not_there_is_named() -> None:
    with pytest.raises(OperationFailed, match="tre@pec"):
        BOTH.chosen({"account": "tre@pec.example"})
    assert BOTH.address(AccountId(3)) is None


def test_without_secrets_there_is_no_client() -> None:
    with pytest.raises(OperationFailed, match="secrets of uno@pec"):
        ONE.api()


def test_times_are_in_utc() -> None:
    assert rfc3339(datetime(2026, 1, 15, 10, 0, tzinfo=ROME)) == "2026-01-15T09:00:00.000Z"
    assert rfc3339(None) is None
