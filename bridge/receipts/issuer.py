"""Who issued a receipt: a provider's service, by one address and nothing else. Pure.

A receipt comes from ``posta-certificata@`` of some provider (RFC 6109 §3). What only mentions such
an address does not: as a display name, as one of two addresses, behind letters that look alike or
have no shape. Quotes, blanks and angle brackets around the address are the API's own.
"""

from __future__ import annotations

import re

from bridge.mime.row.address import SERVICE_MAILBOX

LIMIT_CHARS = 1_000
"""A longer sender is nobody's service."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SERVICE = rf"{SERVICE_MAILBOX}@{_LABEL}(?:\.{_LABEL})+"
_ISSUER = re.compile(
    rf'(?ai)(?:"?(?P<name>{_SERVICE})"? *)?<(?P<angled>{_SERVICE})>|"?(?P<bare>{_SERVICE})"?'
)
"""ASCII alone: without that flag, a long s (U+017F) would be an ``s``."""


def issuer_of(sender: str) -> str:
    """Return the service's address in small letters, "" if a row's sender is no service.

    >>> issuer_of('"Posta-Certificata@pec.example" ')
    'posta-certificata@pec.example'
    >>> issuer_of("posta-certificata@pec.example <mario@pec.example>")
    ''
    """
    match = _ISSUER.fullmatch(sender.strip(" \t\r\n")) if len(sender) <= LIMIT_CHARS else None
    if match is None:
        return ""
    address = (match["angled"] or match["bare"]).lower()
    return address if match["name"] in (None, "") or match["name"].lower() == address else ""
