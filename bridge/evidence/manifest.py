"""The list of an archive's files with their sums, as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.evidence.layout import FORMAT, ArchiveKind
from bridge.language import say


class NoManifest(Exception):
    """What should be a manifest is none; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive; ``sha256`` in hexadecimal."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself; ``exported_at`` is RFC 3339."""

    kind: ArchiveKind
    exported_at: str
    entries: tuple[Entry, ...]


def dump(kind: ArchiveKind, exported_at: str, entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield a manifest's bytes, a line for each file."""
    head = {"format": FORMAT, "kind": kind.value, "exported_at": exported_at}
    yield json.dumps(head, indent=0)[:-2].encode() + b',\n"files": ['
    for number, one in enumerate(entries):
        line = {"name": one.name, "bytes": one.size_bytes, "sha256": one.sha256}
        yield (b",\n" if number else b"\n") + json.dumps(line).encode()
    yield b"\n]\n}\n"


def parse(content: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        NoManifest: it is none, or of another version.
    """
    try:
        found = json.loads(content)
        if found["format"] != FORMAT:
            raise NoManifest(
                say("The manifest is of the format {format}.", format=repr(found["format"]))
            )
        entries = tuple(map(_entry, found["files"]))
        return Manifest(ArchiveKind(found["kind"]), str(found["exported_at"]), entries)
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NoManifest(say("The manifest cannot be read.")) from None


def _entry(value: Any) -> Entry:
    size_bytes = value["bytes"]
    if type(size_bytes) is not int or size_bytes < 0:
        raise ValueError("a size is a whole number")
    return Entry(str(value["name"]), size_bytes, str(value["sha256"]))
