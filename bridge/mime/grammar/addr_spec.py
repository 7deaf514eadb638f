"""Addresses compared as the same mailbox, however they are spelled.

``Info@Città.example``, ``info@xn--citt-3na.example.`` and ``"info"@citta\u0300.example`` are one
mailbox: domains are compared by their A-labels, a trailing dot and quotes that nobody needs
don't count, nor does case (RFC 5321 lets local parts differ by it; no PEC provider does).

RFCs: 5321 §2.4 and §4.1.2, 5890 §2.3.2.1 (A-labels), UTS 46.
"""

from __future__ import annotations

import re

import idna

DOMAIN_LIMIT_CHARS = 255  # a longer one is none, and costs the square of its length
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_PAIR = re.compile(r"\\(.)")
_DOT_ATOM = re.compile(r"[^\s\"(),.:;<>@\[\\\]]+(?:\.[^\s\"(),.:;<>@\[\\\]]+)*")


def tidied(address: str) -> str:
    """Return an address without what nobody needs: quotes, and the dot behind the domain."""
    local, at, domain = address.rpartition("@")
    quoted = _QUOTED.fullmatch(local)
    if quoted and _DOT_ATOM.fullmatch(unquoted := _PAIR.sub(r"\1", quoted[1])):
        local = unquoted
    return f"{local}{at}{domain.removesuffix('.')}"


def comparable(address: str) -> str:
    """Return what is equal for two spellings of one mailbox, and for no others."""
    local, at, domain = tidied(address).rpartition("@")
    return f"{local.casefold()}{at}{_a_labels(domain)}"


def _a_labels(domain: str) -> str:
    if domain.isascii() or len(domain) > DOMAIN_LIMIT_CHARS:
        return domain.casefold()
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return domain.casefold()
