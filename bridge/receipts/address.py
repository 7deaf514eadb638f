"""One form for each address, so that receipts and messages can be compared by it. Pure.

A receipt may write a domain in Unicode or as A-labels (``xn--``), in any case, and with a dot
behind it.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.charset.normalise import normalised
from bridge.mime.grammar.addr_spec import DOMAIN_LIMIT_CHARS


def plain_address(address: str) -> str:
    """Return an address in the form to compare it by.

    >>> plain_address("Anna@Città.example.")
    'anna@xn--citt-3na.example'
    """
    folded = normalised("NFKC", address).casefold().rstrip(".")
    local, at, domain = folded.rpartition("@")
    if folded.isascii() or len(domain) > DOMAIN_LIMIT_CHARS:
        return folded
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return folded


def names_only(addresses: Iterable[str], recipients: Iterable[str]) -> bool:
    """Tell whether all ``addresses`` are recipients; none at all are."""
    return set(map(plain_address, addresses)) <= set(map(plain_address, recipients))
