from __future__ import annotations

import pytest

from bridge.config import parse
from bridge.operations.placement import BY_KIND, BY_MONTH, explained, hint, hinted, recommended


@pytest.mark.parametrize(
    ("sends", "place", "why"),
    [
        (0, "INBOX", "Up to 0 receipts"),
        (99, "INBOX", "Up to 198 receipts a day can be read in INBOX."),
        (100, BY_MONTH, "200 receipts a day would bury"),
        (999, BY_MONTH, "a mailbox for each month"),
        (1_000, BY_KIND, "2,000 receipts"),
        (3_500, BY_KIND, "mailboxes by month and kind"),
    ],
)
def test_receipts_of_many_sends_get_mailboxes_of_their_own(
    sends: int, place: str, why: str
) -> None:
    assert recommended(sends) == place
    assert why in explained(sends)


@pytest.mark.parametrize("place", [BY_MONTH, BY_KIND])
def test_what_is_recommended_can_be_set(place: str) -> None:
    config = parse(
        f'[api]\ntoken = {{ env = "T" }}\n[receipts]\ndeliver_to = "{place}"\n'
        '[[account]]\naddress = "a@pec.example"\npassword = { env = "P" }\n'
    )
    assert config.config.receipts.deliver_to == place


@pytest.mark.parametrize(
    ("receipts", "deliver_to", "words"),
    [
        (199, "INBOX", None),
        (200, "inbox", f'"{BY_MONTH}" in [receipts]'),
        (
            7_000,
            "INBOX",
            f'7,000 receipts came into INBOX in the last 24 hours; with deliver_to = "{BY_KIND}"',
        ),
        (7_000, "Ricevute", None),
    ],
)
def test_a_hint_comes_where_inbox_fills(receipts: int, deliver_to: str, words: str | None) -> None:
    said = hint(receipts, deliver_to)
    assert (said is None) if words is None else (said is not None and words in said)


def test_check_says_it_with_what_mends_it() -> None:
    accounts = [
        {"address": "a@pec.example", "hint": hint(7_000, "INBOX")},
        {"address": "b@pec.example", "hint": None},
    ]
    (found,) = hinted({"accounts": accounts})
    assert found.as_json() == {
        "check": "receipts",
        "verdict": "warning",
        "evidence": "a@pec.example: 7,000 receipts came into INBOX in the last 24 hours",
        "mend": f'with deliver_to = "{BY_KIND}" in [receipts] they get mailboxes of their own, '
        "failures stay in INBOX too.",
    }
