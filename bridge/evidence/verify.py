"""Checks an archive of evidence: seal, names, sizes and sums, and that nothing is missing or added.

Whoever changes an archive and works out its sums anew is not found out: the archive is not signed.
Its own SHA-256, kept elsewhere when it was written, tells.

Hostile archives: nothing is unpacked; what is compressed is refused, so that reading never takes
more than the file's own size, and archives in a collection are looked into one level deep.
"""

from __future__ import annotations

import hashlib
import struct
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from bridge.evidence.archive import SLICE_BYTES, seal_of
from bridge.evidence.layout import MANIFEST, SENDS, ArchiveKind, is_safe
from bridge.evidence.manifest import Entry, Manifest, NoManifest, parse
from bridge.language import listed, say

MANIFEST_LIMIT_BYTES = 256 * 1024**2
SPOOLED_BYTES = 4 * 1024**2
PROBLEMS_SHOWN = 100

_DAMAGE = (
    zipfile.BadZipFile,
    struct.error,
    ValueError,
    OSError,
    EOFError,
    RuntimeError,  # encrypted
    NotImplementedError,
    OverflowError,
)
"""What zipfile raises over what is no sound ZIP file."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; the archive is whole if there are no ``problems`` (the first of them).

    ``files`` counts those whose sums were compared, in archives inside as well; ``sha256`` is the
    whole archive's.
    """

    sha256: str
    kind: ArchiveKind | None
    exported_at: str | None
    files: int
    problems: tuple[str, ...]


class _Check:
    def __init__(self) -> None:
        self.files = 0
        self.problems: list[str] = []
        self.manifest: Manifest | None = None

    def found(self, within: str | None, sentence: str) -> None:
        """Keep what is wrong; ``within`` is the archive inside that it is about."""
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(listed(": ", (within or "", sentence)))


def verify(stream: BinaryIO) -> Report:
    """Check an archive.

    Args:
        stream: its bytes, seekable.
    """
    check = _Check()
    sha256 = _archive(check, stream, None)
    manifest = check.manifest
    return Report(
        sha256,
        manifest.kind if manifest else None,
        manifest.exported_at if manifest else None,
        check.files,
        tuple(check.problems),
    )


def _archive(check: _Check, stream: BinaryIO, within: str | None) -> str:
    """Check one archive, and those inside if it is not inside another; return its SHA-256."""
    sealed, sha256 = seal_of(stream)
    if not sealed:
        check.found(
            within, say("The seal does not fit: the file was changed after it was written.")
        )
    size_bytes = stream.seek(0, 2)
    try:
        with zipfile.ZipFile(stream) as archive:
            manifest = _contents(check, archive, within, size_bytes)
            if within is None:
                check.manifest = manifest
                _inside(check, archive, manifest)
            elif manifest is not None and manifest.kind is not ArchiveKind.SEND:
                check.found(within, say("This archive is none of a send."))
    except _DAMAGE:
        check.found(within, say("This is no sound ZIP file."))
    return sha256


def _contents(
    check: _Check, archive: zipfile.ZipFile, within: str | None, size_bytes: int
) -> Manifest | None:
    """Compare an archive's files with its manifest, if they may be read at all."""
    unsound = list(_unsound(archive, size_bytes))
    for sentence in unsound:
        check.found(within, sentence)
    if unsound:
        return None
    infos = {info.filename: info for info in archive.infolist()}
    listing = infos.pop(MANIFEST, None)
    if listing is None or listing.file_size > MANIFEST_LIMIT_BYTES:
        check.found(within, say("There is no manifest: this is no archive of evidence."))
        return None
    try:
        manifest = parse(archive.read(listing))
    except NoManifest as fault:
        check.found(within, fault.args[0])
        return None
    known = {one.name: one for one in manifest.entries}
    for name in sorted(infos.keys() - known.keys()):
        check.found(within, say("{name} was added: the manifest does not know it.", name=name))
    for one in manifest.entries:
        if one.name not in infos:
            check.found(within, say("{name} is missing.", name=one.name))
        elif not _agrees(archive, infos[one.name], one):
            check.found(within, say("{name} was changed: size or SHA-256 differ.", name=one.name))
        check.files += 1
    return manifest


def _unsound(archive: zipfile.ZipFile, size_bytes: int) -> Iterator[str]:
    """Yield why an archive is not to be read."""
    infos = archive.infolist()
    for name, times in Counter(info.orig_filename.casefold() for info in infos).items():
        if times > 1:
            yield say("{name} is there {times} times.", name=ascii(name), times=times)
    for info in infos:
        if not is_safe(info.orig_filename):
            name = ascii(info.orig_filename)
            yield say("The name {name} would leave the folder, or is none.", name=name)
        elif info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            yield say(
                "{name} is compressed, which nothing in such an archive is.", name=info.filename
            )
    if sum(info.file_size for info in infos) > size_bytes:
        yield say("The files are said to be larger than the archive is.")


def _agrees(archive: zipfile.ZipFile, info: zipfile.ZipInfo, entry: Entry) -> bool:
    if info.file_size != entry.size_bytes:
        return False
    digest = hashlib.sha256()
    try:
        with archive.open(info) as file:
            while piece := file.read(SLICE_BYTES):
                digest.update(piece)
    except _DAMAGE:
        return False
    return digest.hexdigest() == entry.sha256


def _inside(check: _Check, archive: zipfile.ZipFile, manifest: Manifest | None) -> None:
    if manifest is None or manifest.kind is not ArchiveKind.COLLECTION:
        return
    names = set(archive.namelist())
    for entry in manifest.entries:
        if not entry.name.startswith(SENDS) or entry.name not in names:
            continue
        with tempfile.SpooledTemporaryFile(SPOOLED_BYTES) as copy:
            try:
                with archive.open(entry.name) as file:
                    while piece := file.read(SLICE_BYTES):
                        copy.write(piece)
            except _DAMAGE:
                continue  # said already
            _archive(check, cast(BinaryIO, copy), entry.name)
