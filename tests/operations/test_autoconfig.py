"""Files for mail programs, read back as those programs read them."""

from __future__ import annotations

import json
import plistlib
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.operations.autoconfig import (
    FORMATS,
    RESPONSE_SCHEMA,
    address_in,
    apple,
    domain_of,
    is_complete,
    outlook,
    outlook_fault,
    outlook_json,
    srv,
    thunderbird,
)
from bridge.operations.mailprograms import connection
from tests.running import ADDRESS

NETWORK = (("imap", "0.0.0.0", 993, "implicit"), ("smtp", "10.0.0.1", 587, "starttls"))
ALONE = (("imap", "127.0.0.1", 1143, "starttls"), ("smtp", "127.0.0.1", 1025, "starttls"))

# What https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat lets stand where.
SCHEMA: Mapping[str, frozenset[str]] = {
    "clientConfig": frozenset({"emailProvider"}),
    "emailProvider": frozenset(
        {"domain", "displayName", "displayShortName", "incomingServer", "outgoingServer"}
    ),
    "incomingServer": frozenset({"hostname", "port", "socketType", "authentication", "username"}),
    "outgoingServer": frozenset({"hostname", "port", "socketType", "authentication", "username"}),
}
SOCKETS = {"plain", "SSL", "STARTTLS"}


def facts(ports: tuple[tuple[str, str, int, str], ...], address: str = ADDRESS) -> dict[str, Any]:
    names = ("protocol", "host", "port", "tls")
    ports_of = [dict(zip(names, one, strict=True)) for one in ports]
    return connection(address, ports_of, "posta.example")


def checked(element: ET.Element) -> None:
    """Expect an element and what is in it to be where the format has them."""
    inside = SCHEMA.get(element.tag, frozenset())
    assert {one.tag for one in element} <= inside
    assert bool(inside) is not bool((element.text or "").strip())
    for one in element:
        checked(one)


@pytest.mark.parametrize(
    ("ports", "incoming", "outgoing"),
    [
        (NETWORK, ("posta.example", "993", "SSL"), ("10.0.0.1", "587", "STARTTLS")),
        (ALONE, ("localhost", "1143", "plain"), ("localhost", "1025", "plain")),
    ],
)
def test_thunderbird_reads_the_servers_that_there_are(
    ports: Any, incoming: tuple[str, ...], outgoing: tuple[str, ...]
) -> None:
    root = ET.fromstring(thunderbird(facts(ports), ADDRESS))
    assert (root.tag, root.attrib) == ("clientConfig", {"version": "1.1"})
    checked(root)
    provider = root[0]
    assert provider.attrib == {"id": "pec.example"}
    assert provider.findtext("domain") == "pec.example"
    for kind, type_, server in (
        ("incomingServer", "imap", incoming),
        ("outgoingServer", "smtp", outgoing),
    ):
        (found,) = provider.findall(kind)
        assert found.attrib == {"type": type_}
        assert tuple(found.findtext(one) for one in ("hostname", "port", "socketType")) == server
        assert found.findtext("socketType") in SOCKETS
        assert found.findtext("authentication") == "password-cleartext"
        assert found.findtext("username") == "%EMAILADDRESS%"


@pytest.mark.parametrize("address", ["", "x", "a@localhost", "a@<x>", "a@b..c", "a@-b.it"])
def test_without_a_domain_the_program_puts_in_its_own(address: str) -> None:
    root = ET.fromstring(thunderbird(facts(NETWORK), address))
    assert root[0].attrib == {"id": "%EMAILDOMAIN%"}
    assert root[0].findtext("domain") == "%EMAILDOMAIN%"


def test_a_domain_outside_ascii_is_named_by_its_a_labels() -> None:
    assert domain_of("info@Città.example.") == "xn--citt-3na.example"


@given(st.text(max_size=80))
def test_whatever_is_asked_for_it_stays_a_file(text: str) -> None:
    ET.fromstring(thunderbird(facts(NETWORK), text))
    address = address_in(text)
    for write in (outlook, apple, srv) if address else ():
        assert write(facts(NETWORK, address or ""), address or "")


@given(st.emails().filter(lambda one: address_in(one) is not None))
def test_an_address_is_in_each_file_as_it_is(address: str) -> None:
    said = facts(NETWORK, address)
    found = ET.fromstring(outlook(said, address)).iter(f"{{{RESPONSE_SCHEMA}}}LoginName")
    assert {one.text for one in found} == {address}
    assert plistlib.loads(apple(said, address))["PayloadContent"][0]["EmailAddress"] == address


def test_outlook_reads_an_account_of_imap_and_smtp() -> None:
    space = {"r": RESPONSE_SCHEMA}
    root = ET.fromstring(outlook(facts(NETWORK), ADDRESS))
    account = root.find("r:Response/r:Account", space)
    assert account is not None
    assert account.findtext("r:AccountType", None, space) == "email"
    assert account.findtext("r:Action", None, space) == "settings"
    protocols = [
        {one.tag.rpartition("}")[2]: one.text for one in each}
        for each in account.findall("r:Protocol", space)
    ]
    usual = {"LoginName": ADDRESS, "DomainRequired": "off", "SPA": "off", "AuthRequired": "on"}
    assert protocols == [
        {"Type": "IMAP", "Server": "posta.example", "Port": "993", "SSL": "on"}
        | {"Encryption": "SSL"}
        | usual,
        {"Type": "SMTP", "Server": "10.0.0.1", "Port": "587", "SSL": "on"}
        | {"Encryption": "TLS"}
        | usual,
    ]
    alone = ET.fromstring(outlook(facts(ALONE), ADDRESS))
    assert {one.text for one in alone.iter(f"{{{RESPONSE_SCHEMA}}}SSL")} == {"off"}


def test_outlook_is_told_why_not() -> None:
    root = ET.fromstring(outlook_fault(600, "Perché <no>", at="10:00:00"))
    error = root[0][0]
    assert error.attrib == {"Time": "10:00:00", "Id": "0"}
    assert [(one.tag.rpartition("}")[2], one.text) for one in error] == [
        ("ErrorCode", "600"),
        ("Message", "Perché <no>"),
        ("DebugData", None),
    ]


def test_outlook_is_told_where_to_ask() -> None:
    status, body = outlook_json("autodiscoverv1", "https://h/a.xml")
    assert (status, json.loads(body)) == (
        200,
        {"Protocol": "AutodiscoverV1", "Url": "https://h/a.xml"},
    )
    status, body = outlook_json("ActiveSync", "https://h/a.xml")
    assert status == 400
    assert json.loads(body)["ErrorCode"] == "ProtocolNotSupported"


def test_apple_mail_reads_a_profile_that_a_newer_one_replaces() -> None:
    profile = plistlib.loads(apple(facts(NETWORK), ADDRESS))
    (mail,) = profile["PayloadContent"]
    assert profile["PayloadType"] == "Configuration"
    assert mail["PayloadType"] == "com.apple.mail.managed"
    assert mail["IncomingMailServerHostName"] == "posta.example"
    assert mail["IncomingMailServerPortNumber"] == 993
    assert mail["IncomingMailServerUseSSL"] is True
    assert mail["OutgoingMailServerUsername"] == ADDRESS
    assert not {"IncomingPassword", "OutgoingPassword"} & mail.keys()
    again = plistlib.loads(apple(facts(ALONE), ADDRESS))
    assert again["PayloadUUID"] == profile["PayloadUUID"] != mail["PayloadUUID"]
    assert again["PayloadContent"][0]["IncomingMailServerUseSSL"] is False


def test_records_are_of_what_listens_for_others() -> None:
    lines = srv(facts(NETWORK), ADDRESS).decode().splitlines()[1:]
    assert lines == [
        "_imaps._tcp.pec.example. 3600 IN SRV 0 1 993 posta.example.",
        "_submission._tcp.pec.example. 3600 IN SRV 0 1 587 10.0.0.1.",
    ]
    assert b"SRV" not in srv(facts(ALONE), ADDRESS)
    assert b"SRV" not in srv(facts(NETWORK), "a@localhost")


def test_what_is_not_known_yet_is_not_offered() -> None:
    assert is_complete(facts(NETWORK))
    assert not is_complete(facts(NETWORK[:1]))
    assert not is_complete(facts((*NETWORK[:1], ("smtp", "127.0.0.1", 0, "starttls"))))


def test_no_file_has_a_password() -> None:
    for form in FORMATS.values():
        text = form.write(facts(NETWORK), ADDRESS).lower()
        assert (
            text.count(b"password")
            == text.count(b"authpassword")
            + text.count(b"password-cleartext")
            + text.count(b"passwordsameasincomingpassword") * 2
        )
