"""A provider's service is one address and nothing else."""

from __future__ import annotations

import pytest

from bridge.receipts.issuer import LIMIT_CHARS, issuer_of

SERVICE = "posta-certificata@pec.example"


@pytest.mark.parametrize(
    "sender",
    [
        SERVICE,
        f" {SERVICE.upper()} ",
        f"<{SERVICE}>",
        f'"{SERVICE}" <{SERVICE}>',
        f'"{SERVICE}"',
    ],
)
def test_a_service(sender: str) -> None:
    assert issuer_of(sender) == SERVICE


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "mario@pec.example",
        f"{SERVICE} <mario@pec.example>",
        f'"Per conto di: mario@pec.example" <{SERVICE}>',
        f"{SERVICE}, mario@pec.example",
        "po\u017fta-certificata@pec.example",
        "posta-certificata@pec",
        f"posta-certificata@{'a.' * LIMIT_CHARS}example",
    ],
)
def test_what_only_mentions_one(sender: str) -> None:
    assert issuer_of(sender) == ""
