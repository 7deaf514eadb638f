from __future__ import annotations

from ipaddress import ip_network

import pytest

from bridge.model import AccountId
from bridge.smtpserver.settings import SmtpSettings, TrustedNetwork

ONE, TWO = AccountId(1), AccountId(2)
SETTINGS = SmtpSettings(
    {ONE: "one@pec.example", TWO: "two@pec.example"},
    trusted=(
        TrustedNetwork(ip_network("127.0.0.1/32"), ONE),
        TrustedNetwork(ip_network("127.0.0.0/8"), TWO),
        TrustedNetwork(ip_network("127.0.0.8/29"), TWO, urgent=True),
        TrustedNetwork(ip_network("fe80::/10"), TWO),
    ),
)


@pytest.mark.parametrize(
    ("peer", "accounts"),
    [
        ("127.0.0.1", {ONE, TWO}),
        ("127.0.0.2", {TWO}),
        ("::ffff:127.0.0.1", {ONE, TWO}),
        ("fe80::1%eth0", {TWO}),
        ("192.0.2.1", set()),
        ("::1", set()),
        ("", set()),
        ("localhost", set()),
    ],
)
def test_who_is_trusted(peer: str, accounts: set[AccountId]) -> None:
    assert SETTINGS.trusted_accounts(peer) == accounts


@pytest.mark.parametrize(
    ("peer", "urgent"),
    [
        ("127.0.0.9", {TWO}),
        ("::ffff:127.0.0.9", {TWO}),
        ("127.0.0.1", set()),
        ("127.0.0.16", set()),
    ],
)
def test_whose_goes_ahead(peer: str, urgent: set[AccountId]) -> None:
    assert {one for one in (ONE, TWO) if SETTINGS.is_urgent_from(peer, one)} == urgent
