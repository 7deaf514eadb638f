"""The names that a part gives its file, as people write them. Pure; never raises.

A name may be spelled in three ways: as encoded words, in one piece with its charset in front, or
cut into numbered segments (which ``parameter`` has put together).

RFCs: 2183 §2.3 (filename), 2231 §4 (charsets), 2047 (as older mailers have it).
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from bridge.charset.decode import decode_text
from bridge.mime.grammar.header import Fields, unfold
from bridge.mime.grammar.words import decode_field
from bridge.mime.lenient.parameter import (
    Parameters,
    parse_content_type,
    parse_disposition,
    readable_type,
)

_FIELDS = frozenset({b"content-disposition", b"content-type"})
_NAMES = frozenset({b"filename", b"name"})


def file_names(fields: Fields) -> list[str]:
    """Return the file names in a part's header, each once."""
    names: dict[str, None] = {}
    for field, value in fields:
        if field in _FIELDS and b"name" in value.lower():
            for parameter, content in _parameters(field, value):
                if parameter.lower().rstrip(b"*") in _NAMES and content:
                    names.setdefault(decode_parameter(parameter, content))
    return list(names)


def _parameters(field: bytes, value: bytes) -> Parameters:
    if field == b"content-type":
        return readable_type(parse_content_type(value), value).parameters
    disposition = parse_disposition(value)
    return disposition[1] if disposition else ()


def decode_parameter(name: bytes, value: bytes) -> str:
    """Return a parameter's value as text in one line; a ``name`` with ``*`` says its charset."""
    if not name.endswith(b"*"):
        text = decode_field(unfold(value)).text
    else:
        charset, quote, rest = value.partition(b"'")
        content = rest.partition(b"'")[2] if quote else value
        label = charset.decode("ascii", "replace") if quote else ""
        text = decode_text(unquote_to_bytes(content), label).text
    return " ".join(text.split("\n")).replace("\r", " ")
