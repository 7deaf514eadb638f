"""Where receipts go: one mailbox or many, and INBOX too where somebody has to see them."""

from __future__ import annotations

from datetime import datetime

import pytest

from bridge.clock import ROME
from bridge.model import SEEN
from bridge.receipts.destination import Destination
from bridge.receipts.kind import Kind

AT = datetime(2026, 1, 5, tzinfo=ROME)


@pytest.mark.parametrize(
    ("pattern", "kind", "mailboxes"),
    [
        ("inbox", Kind.DELIVERY, ("INBOX",)),
        ("Ricevute", Kind.DELIVERY, ("Ricevute",)),
        ("Ricevute", Kind.FAILURE, ("Ricevute", "INBOX")),
        ("R/{year}-{month}/{kind}", Kind.DELIVERY, ("R/2026-01/consegne",)),
        ("R/{kind}", Kind.ACCEPTANCE, ("R/acceptance",)),
        ("R/{kind}", Kind.TAKEN_IN_CHARGE, ("R/other",)),
    ],
)
def test_where_a_receipt_goes(pattern: str, kind: Kind, mailboxes: tuple[str, ...]) -> None:
    assert Destination(pattern, {"delivery": "consegne"}).mailboxes(kind, AT) == mailboxes


def test_acceptances_are_read_already() -> None:
    assert Destination().flags(Kind.ACCEPTANCE) == {SEEN}
    assert Destination().flags(Kind.FAILURE) == frozenset()
