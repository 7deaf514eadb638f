"""``winmail.dat``: the files inside Outlook's own envelope (MS-OXTNEF).

Reads just enough to give the attached files back byte for byte: a stream of attributes, of which
a few matter. It is our own because the one library there is (tnefparse 1.4) returns a file that
is held as a property shortened, without an error. Whatever does not fit the format, checksums
among it, gives nothing, and the caller sends the envelope as it came.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.charset.labels import codec_of

SIGNATURE = 0x223E9F78
_RENDER_DATA = 0x9002
_TITLE = 0x8010
_DATA = 0x800F
_PROPERTIES = 0x9005
_MESSAGE_PROPERTIES = 0x9003
_CODE_PAGE = 0x9007
_BODIES = {0x1000, 0x1009, 0x1013}
_LONG_NAME = 0x3707
_BINARY_DATA = 0x3701
_SLICE_BYTES = 64 * 1024
_MULTIPLE = 0x1000
_NAMED = 0x8000
_FIXED_BYTES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16}
_TEXT_8 = 0x1E
_TEXT_16 = 0x1F
_OBJECT = 0x0D
_BINARY = 0x102
_VARIABLE = {_TEXT_8, _TEXT_16, _OBJECT, _BINARY}
_ATTRIBUTE_HEAD_BYTES = 9


class _Broken(Exception):
    """The bytes do not fit the format."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """``files`` are (name, bytes) in order; ``complete`` if they are all there is.

    More is a formatted body (the message has its text as well) or an embedded message; without
    any file nothing is complete.
    """

    files: tuple[tuple[str, bytes], ...]
    complete: bool


@dataclass(slots=True)
class _Entry:
    title: str = ""
    content: bytes | None = None


def read_tnef(content: bytes) -> Unpacked | None:
    """Return the files inside; None if it is not TNEF or is damaged."""
    entries: list[_Entry] = []
    formatted = False
    codec = "cp1252"
    try:
        for attribute, value in _attributes(content):
            if attribute == _MESSAGE_PROPERTIES:
                properties = _properties(value)
                formatted = any(name in _BODIES and data for name, _kind, data in properties)
            elif attribute == _CODE_PAGE:
                codec = _codec(struct.unpack_from("<I", value)[0])
            elif attribute == _RENDER_DATA:
                entries.append(_Entry())
            elif entries:
                _take(entries[-1], attribute, value, codec)
    except (_Broken, struct.error):
        return None
    files = tuple((one.title, one.content) for one in entries if one.content is not None)
    return Unpacked(files, complete=not formatted and 0 < len(files) == len(entries))


def _codec(code_page: int) -> str:
    return codec_of(f"cp{code_page}") or "cp1252"


def _take(entry: _Entry, attribute: int, value: bytes, codec: str) -> None:
    if attribute == _TITLE and not entry.title:
        entry.title = value.partition(b"\0")[0].decode(codec, "replace")
    elif attribute == _DATA:
        entry.content = value
    elif attribute == _PROPERTIES:
        for name, kind, data in _properties(value):
            if name == _LONG_NAME and kind in (_TEXT_8, _TEXT_16):
                text = data.decode("utf-16-le" if kind == _TEXT_16 else codec, "replace")
                entry.title = text.partition("\0")[0]
            elif name == _BINARY_DATA and kind == _BINARY and entry.content is None:
                entry.content = data


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Give each attribute's id and value; level, type and checksum are not needed."""
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != SIGNATURE:
        raise _Broken("not TNEF")
    at = 6
    while at + _ATTRIBUTE_HEAD_BYTES <= len(content):  # some mailers put a line end behind
        _level, attribute, _kind, length = struct.unpack_from("<BHHI", content, at)
        at += _ATTRIBUTE_HEAD_BYTES
        if at + length + 2 > len(content):
            raise _Broken("cut off")
        value = content[at : at + length]
        (checksum,) = struct.unpack_from("<H", content, at + length)
        if _checksum(value) != checksum:
            raise _Broken("damaged")
        yield attribute, value
        at += length + 2


def _checksum(value: bytes) -> int:
    slices = range(0, len(value), _SLICE_BYTES)  # no step holds the interpreter for long
    return sum(sum(value[at : at + _SLICE_BYTES]) for at in slices) & 0xFFFF


def _properties(value: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give each MAPI property's id, type and (first) value."""
    (count,) = struct.unpack_from("<I", value)
    at = 4
    for _ in range(count):
        kind, name = struct.unpack_from("<HH", value, at)
        at += 4
        if name >= _NAMED:
            at = _after_name(value, at)
        multiple, kind = kind & _MULTIPLE, kind & ~_MULTIPLE
        if kind in _FIXED_BYTES:
            length = _FIXED_BYTES[kind]
            if multiple:
                (values,) = struct.unpack_from("<I", value, at)
                at += 4
                length *= values
            data, at = value[at : at + length], at + length
        elif kind in _VARIABLE:
            data, at = _variable(value, at)
        else:
            raise _Broken("unknown property type")
        if at > len(value):
            raise _Broken("cut off")
        yield name, kind, data


def _after_name(value: bytes, at: int) -> int:
    (by_name,) = struct.unpack_from("<I", value, at + 16)
    at += 20
    if not by_name:
        return at + 4
    (length,) = struct.unpack_from("<I", value, at)
    return at + 4 + _padded(length)


def _variable(value: bytes, at: int) -> tuple[bytes, int]:
    (values,) = struct.unpack_from("<I", value, at)
    at += 4
    first = b""
    for number in range(values):
        (length,) = struct.unpack_from("<I", value, at)
        at += 4
        if at + length > len(value):
            raise _Broken("cut off")
        if not number:
            first = value[at : at + length]
        at += _padded(length)
    return first, at


def _padded(length: int) -> int:
    return length + -length % 4
