r"""Texts, numbers and times as they go over to PostgreSQL and come back.

PostgreSQL's texts have no U+0000, but mail does. So six control characters are written in two:
U+0000 to U+0002 as U+0001 and one of U+0003 to U+0005, those three as U+0002 and one of them. The
first of such a pair is never the second of another, and none stands alone. So a text is found in
another exactly if it is what the texts were written for, one begins with another if it did, and
their order by bytes stays. A text that was cut between the two has its last character dropped.

Whatever Python's str holds beside (lone surrogates) neither database takes.

Numbers are eight bytes. What PostgreSQL sums up is ``numeric`` there, and whole again here.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from psycopg import adapt, pq
from psycopg.types.numeric import NumericBinaryLoader

_WRITTEN = {
    0: "\x01\x03",
    1: "\x01\x04",
    2: "\x01\x05",
    3: "\x02\x03",
    4: "\x02\x04",
    5: "\x02\x05",
}
_READ = {pair.encode(): bytes([char]) for char, pair in _WRITTEN.items()}
_TO_WRITE = re.compile("[\0-\x05]")
_TO_READ = re.compile(rb"[\x01\x02](.?)", re.DOTALL)
_NUMBER = struct.Struct("!q")


def written(text: str) -> str:
    """Return a text as PostgreSQL keeps it."""
    return text.translate(_WRITTEN) if _TO_WRITE.search(text) else text


def read(kept: bytes) -> str:
    """Return the text that ``written`` made, which may have been cut."""
    if b"\x01" in kept or b"\x02" in kept:
        kept = _TO_READ.sub(lambda pair: _READ.get(pair[0], b""), kept)
    return kept.decode()


class WordsDumper(adapt.Dumper):
    """A text for the server, whose type follows from where it stands."""

    oid = 0

    def dump(self, obj: str) -> bytes:
        """See ``adapt.Dumper``."""
        return written(obj).encode()


class NumberDumper(adapt.Dumper):
    """A whole number in eight bytes."""

    format = pq.Format.BINARY
    oid = 20

    def dump(self, obj: int) -> bytes:
        """See ``adapt.Dumper``.

        Raises:
            OverflowError: it has no room there.
        """
        try:
            return _NUMBER.pack(obj)
        except struct.error as error:
            raise OverflowError("a whole number is too large to be kept") from error


class BigInts(list[int]):
    """Whole numbers that go over together."""


class BigIntsDumper(adapt.Dumper):
    """Them as an array of bigint; psycopg's way asks each what it is."""

    oid = 1016

    def dump(self, obj: BigInts) -> bytes:
        """See ``adapt.Dumper``."""
        return f"{{{','.join(map(str, obj))}}}".encode()


class WordsLoader(adapt.Loader):
    """A text of ours."""

    format = pq.Format.BINARY

    def load(self, data: Any) -> str:
        """See ``adapt.Loader``."""
        return read(bytes(data))


class WholeLoader(NumericBinaryLoader):
    """A sum of whole numbers."""

    def load(self, data: Any) -> Any:
        """See ``adapt.Loader``."""
        return int(super().load(data))


def register(connection: adapt.AdaptersMap) -> None:
    """Let texts and numbers go over as this module says."""
    connection.register_dumper(str, WordsDumper)
    connection.register_dumper(int, NumberDumper)
    connection.register_dumper(BigInts, BigIntsDumper)
    connection.register_loader("text", WordsLoader)
    connection.register_loader("numeric", WholeLoader)
