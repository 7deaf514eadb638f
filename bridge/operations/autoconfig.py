"""An account's servers as files that mail programs read: Thunderbird, Outlook, Apple, DNS. Pure.

All are made of ``mailprograms.connection``, so they say where the bridge really listens, and how.
They name a user, never a password. Nothing is offered that is not there: without IMAP or SMTP, or
with a port that is not known yet, there is no file.

RFCs: 6186 and 8314 (SRV records).
"""

from __future__ import annotations

import json
import plistlib
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

from bridge.mime.grammar.addr_spec import DOMAIN_LIMIT_CHARS
from bridge.net.address import is_loopback

Facts = Mapping[str, Any]
"""What ``mailprograms.connection`` returns."""

ANY_ADDRESS = "%EMAILADDRESS%"
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
)
_ADDRESS = re.compile(r"[^\s@\"<>%\x00-\x1f\x7f]{1,64}@[^\s@\"<>%\x00-\x1f\x7f]{1,253}")
_TTL_S = 3600


def is_complete(facts: Facts) -> bool:
    """Tell whether servers for both protocols are known, with their ports."""
    return all(facts[one] is not None and facts[one]["port"] for one in ("imap", "smtp"))


def address_in(text: str) -> str | None:
    """Return a mail address that can stand in such a file; None if it is none."""
    return text if _ADDRESS.fullmatch(text) and text.isprintable() else None


def domain_of(address: str) -> str | None:
    """Return the domain of an address by its A-labels, None if no host can be called so."""
    named = address.rpartition("@")[2].rstrip(".")
    if len(named) > DOMAIN_LIMIT_CHARS:  # whoever asks needs no login, and to encode it takes n²
        return None
    try:
        domain = named.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return domain if _HOST_NAME.fullmatch(domain) else None


# -- Thunderbird -----------------------------------------------------------------------------------

_SOCKETS = {"SSL/TLS": "SSL", "STARTTLS": "STARTTLS", "none": "plain"}


def thunderbird(facts: Facts, address: str = "") -> bytes:
    """Return the configuration that Thunderbird, K-9 Mail and Evolution ask for, version 1.1.

    The user name is ``%EMAILADDRESS%``, whoever asks: the program puts in what its user typed.
    """
    domain = domain_of(address) or "%EMAILDOMAIN%"
    root = ET.Element("clientConfig", version="1.1")
    provider = ET.SubElement(root, "emailProvider", id=domain)
    for name, text in (("domain", domain), ("displayName", "PEC"), ("displayShortName", "PEC")):
        ET.SubElement(provider, name).text = text
    for kind, protocol in (("incomingServer", "imap"), ("outgoingServer", "smtp")):
        one = facts[protocol]
        server = ET.SubElement(provider, kind, type=protocol)
        for name, text in (
            ("hostname", one["host"]),
            ("port", str(one["port"])),
            ("socketType", _SOCKETS[one["security"]]),
            ("authentication", "password-cleartext"),
            ("username", ANY_ADDRESS),
        ):
            ET.SubElement(server, name).text = text
    return _xml(root)


# -- Outlook ---------------------------------------------------------------------------------------

RESPONSE_SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_ANSWER_SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_ENCRYPTION = {"SSL/TLS": "SSL", "STARTTLS": "TLS", "none": "None"}


def outlook(facts: Facts, address: str) -> bytes:
    """Return the answer of Autodiscover in XML (POX) for an account of IMAP and SMTP."""
    root = ET.Element("Autodiscover", xmlns=_ANSWER_SCHEMA)
    response = ET.SubElement(root, "Response", xmlns=RESPONSE_SCHEMA)
    ET.SubElement(ET.SubElement(response, "User"), "DisplayName").text = address
    account = ET.SubElement(response, "Account")
    ET.SubElement(account, "AccountType").text = "email"
    ET.SubElement(account, "Action").text = "settings"
    for kind in ("imap", "smtp"):
        one = facts[kind]
        protocol = ET.SubElement(account, "Protocol")
        for name, text in (
            ("Type", kind.upper()),
            ("Server", one["host"]),
            ("Port", str(one["port"])),
            ("LoginName", address),
            ("DomainRequired", "off"),
            ("SPA", "off"),
            ("SSL", "off" if one["security"] == "none" else "on"),
            ("Encryption", _ENCRYPTION[one["security"]]),
            ("AuthRequired", "on"),
        ):
            ET.SubElement(protocol, name).text = text
    return _xml(root)


def outlook_fault(code: int, message: str, *, at: str) -> bytes:
    """Return the answer to a request of Autodiscover that cannot be answered.

    Args:
        code: 600 for one that cannot be read, 601 for another schema.
        message: why.
        at: the time of day, ``hh:mm:ss``.
    """
    root = ET.Element("Autodiscover", xmlns=_ANSWER_SCHEMA)
    response = ET.SubElement(root, "Response")
    error = ET.SubElement(response, "Error", Time=at, Id="0")
    ET.SubElement(error, "ErrorCode").text = str(code)
    ET.SubElement(error, "Message").text = message
    ET.SubElement(error, "DebugData")
    return _xml(root)


def outlook_json(protocol: str, url: str) -> tuple[int, bytes]:
    """Return status and answer of Autodiscover in JSON (v2): where the XML is asked for.

    Args:
        protocol: what the program asked for; only ``AutodiscoverV1`` is there.
        url: that of the XML.
    """
    if protocol.casefold() != "autodiscoverv1":
        message = f"The protocol {protocol!r} is not here. AutodiscoverV1 is."
        fault = {"ErrorCode": "ProtocolNotSupported", "ErrorMessage": message}
        return 400, json.dumps(fault).encode()
    return 200, json.dumps({"Protocol": "AutodiscoverV1", "Url": url}).encode()


# -- Apple -----------------------------------------------------------------------------------------


def apple(facts: Facts, address: str) -> bytes:
    """Return a configuration profile for Mail on macOS and iOS, which asks for the password."""
    mail: dict[str, Any] = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadDisplayName": f"PEC {address}",
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": f"PEC {address}",
        "EmailAddress": address,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    for side, protocol in (("Incoming", "imap"), ("Outgoing", "smtp")):
        one = facts[protocol]
        mail |= {
            f"{side}MailServerAuthentication": "EmailAuthPassword",
            f"{side}MailServerHostName": one["host"],
            f"{side}MailServerPortNumber": one["port"],
            f"{side}MailServerUseSSL": one["security"] != "none",
            f"{side}MailServerUsername": address,
        }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadDisplayName": f"PEC {address}",
        "PayloadContent": [mail],
    }
    for name, payload in (("mail", mail), ("profile", profile)):
        known = uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{address}#{name}")  # a new one replaces it
        payload["PayloadIdentifier"] = f"pec-bridge.{name}.{known}"
        payload["PayloadUUID"] = str(known).upper()
    return plistlib.dumps(profile)


# -- DNS -------------------------------------------------------------------------------------------

_SERVICES = (
    ("imap", {"SSL/TLS": "_imaps", "STARTTLS": "_imap"}),
    ("smtp", {"SSL/TLS": "_submissions", "STARTTLS": "_submission"}),
)


def srv(facts: Facts, address: str) -> bytes:
    """Return SRV records for the domain's zone, of the servers that programs should use.

    A bridge that only its own machine reaches has none.
    """
    domain = domain_of(address)
    hosts = [facts[one]["host"] for one in ("imap", "smtp")]
    if domain is None or any(map(_is_alone, hosts)):
        return b"; Other machines do not reach this bridge: there is nothing to publish.\n"
    lines = [f"; Mail programs find the bridge by these, in the zone of {domain} (RFC 6186, 8314)."]
    for protocol, services in _SERVICES:
        one = facts[protocol]
        name = f"{services[one['security']]}._tcp.{domain}."
        lines.append(f"{name} {_TTL_S} IN SRV 0 1 {one['port']} {one['host'].rstrip('.')}.")
    return ("\n".join(lines) + "\n").encode()


def _is_alone(host: str) -> bool:
    return host == "localhost" or is_loopback(host)


# -- all of them -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClientFormat:
    """One kind of file: its name and media type, and what writes it."""

    file_name: str
    media_type: str
    write: Callable[[Facts, str], bytes]


FORMATS: Mapping[str, ClientFormat] = MappingProxyType(
    {
        "thunderbird": ClientFormat("config-v1.1.xml", "application/xml", thunderbird),
        "outlook": ClientFormat("autodiscover.xml", "application/xml", outlook),
        "apple": ClientFormat("pec.mobileconfig", "application/x-apple-aspen-config", apple),
        "srv": ClientFormat("srv.zone", "text/plain", srv),
    }
)


def _xml(root: ET.Element) -> bytes:
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
