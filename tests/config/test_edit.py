"""Changes of a configuration's text: what was not meant stays as it was, to the letter."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bridge.config import parse
from bridge.config.edit import (
    CannotEdit,
    new_text,
    with_account,
    with_local_password,
    with_setting,
    without_account,
)

TEXT = """\
# Ours, and its order is ours.
[api]
token = { file = "t" }   # from the console

[[account]]
address = "a@x.example"  # the first
password = { file = "a" }

[prices]
pec = 0.04 # net
"""
HERE = {"file": "p"}


def added(text: str, address: str = "b@x.example") -> str:
    return with_account(text, address, None, HERE, {"file": "l"})


def test_an_account_is_added_and_the_rest_is_as_it_was() -> None:
    text = added(TEXT)
    assert [one["address"] for one in tomllib.loads(text)["account"]] == [
        "a@x.example",
        "b@x.example",
    ]
    left = iter(text.splitlines())
    assert all(line in left for line in TEXT.splitlines())
    parse(text)


def test_added_and_taken_out_again_nothing_is_left() -> None:
    for text in (TEXT, without_account(TEXT, "A@X.EXAMPLE"), new_text(Path("/d"), HERE, None)):
        before = tomllib.loads(text)
        assert tomllib.loads(without_account(added(text), "b@x.example")) == before


def test_an_empty_list_of_accounts_is_no_hindrance() -> None:
    text = 'account = []\n[api]\ntoken = { file = "t" }\n'
    assert tomllib.loads(added(text))["account"][0]["address"] == "b@x.example"


def test_one_key_of_an_account_or_a_table() -> None:
    text = with_local_password(TEXT, "A@x.example", {"credential": "c"})
    assert tomllib.loads(text)["account"][0]["local_password"] == {"credential": "c"}
    text = with_setting(text, "receipts", "deliver_to", "Ricevute")
    text = with_setting(text, "prices", "pec", 0.03)
    document = tomllib.loads(text)
    assert document["receipts"] == {"deliver_to": "Ricevute"}
    assert document["prices"] == {"pec": 0.03}
    assert "# net" in text


@pytest.mark.parametrize(
    "text",
    [
        '[api]\ntoken = "t\n',
        'account = [{ address = "a@x.example" }]\n',
        'account = "a@x.example"\n',
        'account = "a"\n[account.x]\n',
    ],
)
def test_what_is_better_changed_by_hand(text: str) -> None:
    with pytest.raises(CannotEdit):
        added(text)
    with pytest.raises(CannotEdit):
        without_account(text, "b@x.example")


def test_a_table_that_is_none() -> None:
    with pytest.raises(CannotEdit, match="is no table"):
        with_setting("receipts = 1\n", "receipts", "deliver_to", "x")
