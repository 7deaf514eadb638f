"""The ENVELOPE of a message, wire-ready.

Addresses of several fields of one name are shown together, as if a comma stood between; of Date,
Subject, In-Reply-To and Message-ID the last counts. Sender and Reply-To fall back to From.

RFCs: 3501 §2.3.5, §7.4.2; 5322 §3.6.
"""

from __future__ import annotations

from bridge.limits import ADDRESS_FIELDS_BYTES, ADDRESSES_SHOWN
from bridge.mime.grammar.header import Fields
from bridge.mime.lenient.address import Address, parse_addresses
from bridge.mime.lenient.quote import quote_line, quote_or_nil, quote_readable

_TEXTS = frozenset((b"date", b"subject", b"in-reply-to", b"message-id"))
_ADDRESSES = frozenset((b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc"))
_NUL = "\N{REPLACEMENT CHARACTER}".encode()


class ImapEnvelope:
    """What the ENVELOPE fields of a header say.

    ``texts`` and ``addresses`` are keyed by the field's name in lower case; a field that is
    missing, or has no address in it, has no entry.
    """

    __slots__ = ("addresses", "texts")

    addresses: dict[bytes, tuple[Address, ...]]

    def __init__(self, fields: Fields) -> None:
        self.texts: dict[bytes, bytes] = {}
        found: dict[bytes, list[Address]] = {}
        left_bytes, left = ADDRESS_FIELDS_BYTES, ADDRESSES_SHOWN
        for name, value in fields:
            if name in _TEXTS:
                self.texts[name] = value
            elif name in _ADDRESSES and left > 0:
                read = parse_addresses(value[:left_bytes])[:left]
                left_bytes, left = max(left_bytes - len(value), 0), left - len(read)
                found.setdefault(name, []).extend(read)
        self.addresses = {name: tuple(read) for name, read in found.items() if read}

    def wire(self) -> bytes:
        """Return the ENVELOPE as FETCH sends it."""
        addresses, texts = self.addresses, self.texts
        author = addresses.get(b"from", ())
        return b"(%b %b %b %b %b %b %b %b %b %b)" % (
            quote_line(_without_nul(texts.get(b"date"))),
            _subject(texts.get(b"subject")),
            _list(author),
            _list(addresses.get(b"sender", author)),
            _list(addresses.get(b"reply-to", author)),
            _list(addresses.get(b"to", ())),
            _list(addresses.get(b"cc", ())),
            _list(addresses.get(b"bcc", ())),
            quote_line(_without_nul(texts.get(b"in-reply-to"))),
            quote_line(_without_nul(texts.get(b"message-id"))),
        )


def _without_nul(value: bytes | None) -> bytes | None:
    return value.replace(b"\0", _NUL) if value and b"\0" in value else value


def _subject(value: bytes | None) -> bytes:
    readable = _without_nul(value)
    return b"NIL" if readable is None else quote_readable(readable)


def _list(addresses: tuple[Address, ...]) -> bytes:
    return b"(%b)" % b"".join(map(_wire, addresses)) if addresses else b"NIL"


def _wire(address: Address) -> bytes:
    name, route, mailbox, domain = address
    return b"(%b %b %b %b)" % (
        b"NIL" if name is None else quote_readable(name),
        quote_or_nil(route),
        quote_or_nil(mailbox),
        quote_or_nil(domain),
    )
