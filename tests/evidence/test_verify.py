"""Archives of evidence: whole ones pass, and nothing that was done to one goes unnoticed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.evidence.archive import ArchiveWriter
from bridge.evidence.layout import MANIFEST, ArchiveKind
from bridge.evidence.verify import Report, verify

AT = "2026-01-15T09:00:00.000Z"
FILES = {
    "README.txt": b"note\n",
    "message.eml": b"Subject: x\r\n\r\nciao\r\n",
    "receipts/1.json": b"",
}


def made(files: dict[str, bytes] = FILES, kind: ArchiveKind = ArchiveKind.SEND) -> bytes:
    stream = io.BytesIO()
    with ArchiveWriter(stream, kind, AT) as archive:
        for name, content in files.items():
            archive.add(name, content)
        archive.finish()
    return stream.getvalue()


def collection() -> bytes:
    sends = {f"sends/Q{number}.zip": made() for number in (1, 2)}
    return made({"README.txt": b"note\n", **sends}, ArchiveKind.COLLECTION)


WHOLE = made()
COLLECTION = collection()


def checked(content: bytes) -> Report:
    return verify(io.BytesIO(content))


def sealed(content: bytes) -> bytes:
    """Seal a ZIP file as whoever forges one can."""
    head = content[:-2]
    return head + b"\x47\x00sha256:" + hashlib.sha256(head).hexdigest().encode()


def zipped(files: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return sealed(stream.getvalue())


def listing(*entries: tuple[str, bytes]) -> tuple[str, bytes]:
    files = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in entries
    ]
    head = {"format": "pec-evidence 1", "kind": "send", "exported_at": AT, "files": files}
    return MANIFEST, json.dumps(head).encode()


@pytest.mark.parametrize(("content", "files"), [(WHOLE, 3), (COLLECTION, 9)])
def test_a_whole_archive_passes(content: bytes, files: int) -> None:
    report = checked(content)
    assert report.problems == ()
    assert report.files == files
    assert report.sha256 == hashlib.sha256(content).hexdigest()
    assert report.exported_at == AT


def test_the_same_evidence_gives_the_same_bytes() -> None:
    assert made() == WHOLE
    assert collection() == COLLECTION


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(at: int, change: int) -> None:
    changed = WHOLE[:at] + bytes([WHOLE[at] ^ change]) + WHOLE[at + 1 :]
    assert checked(changed).problems


@given(st.integers(0, len(COLLECTION) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_collection_is_found(at: int, change: int) -> None:
    changed = COLLECTION[:at] + bytes([COLLECTION[at] ^ change]) + COLLECTION[at + 1 :]
    assert checked(changed).problems


def test_every_bit_of_every_byte_counts() -> None:
    for at in range(len(WHOLE)):
        changed = WHOLE[:at] + bytes([WHOLE[at] ^ 1]) + WHOLE[at + 1 :]
        assert checked(changed).problems, at


@given(st.integers(0, len(COLLECTION) - 1))
def test_a_cut_off_archive_is_found(length: int) -> None:
    assert checked(COLLECTION[:length]).problems


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(content: bytes) -> None:
    assert checked(content).problems
    assert checked(sealed(content + b"\0\0")).problems


ONE = ("message.eml", b"ciao")
TWO = ("request.json", b"{}")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([ONE, listing(ONE, TWO)], "request.json is missing"),
        ([ONE, TWO, listing(ONE)], "request.json was added"),
        ([("message.eml", b"caro"), listing(ONE)], "message.eml was changed"),
        ([("message.eml", b"ciao!"), listing(ONE)], "message.eml was changed"),
        ([ONE], "no manifest"),
        ([(MANIFEST, b"[]")], "manifest cannot be read"),
        ([(MANIFEST, b"[" * 100_000)], "manifest cannot be read"),
        ([(MANIFEST, b'{"format": "other"}')], "of the format 'other'"),
        ([("../x", b""), listing(("../x", b""))], "would leave the folder"),
        ([("/etc/x", b""), listing(("/etc/x", b""))], "would leave the folder"),
        ([("a/../../x", b""), listing(("a/../../x", b""))], "would leave the folder"),
        ([("c:\\x", b""), listing(("c:\\x", b""))], "would leave the folder"),
        ([ONE, ("MESSAGE.EML", b"x"), listing(ONE)], "is there 2 times"),
    ],
)
def test_what_somebody_sealed_anew_is_still_looked_at(
    files: list[tuple[str, bytes]], said: str
) -> None:
    problems = checked(zipped(files)).problems
    assert any(said in one for one in problems), problems
    assert not any("seal" in one for one in problems)


def test_a_name_that_ends_early_is_refused() -> None:
    content = zipped([("aXb", b""), listing(("a", b""))])[:-73] + b"\0\0"
    problems = checked(sealed(content.replace(b"aXb", b"a\0b"))).problems
    assert any("would leave the folder" in one for one in problems)


def test_a_bomb_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    big = ("message.eml", b"\0" * 50_000_000)
    bomb = zipped([big, listing(big)], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000

    def read(*_: object) -> bytes:
        raise AssertionError("nothing of it may be unpacked")

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    assert any("is compressed" in one for one in checked(bomb).problems)


def test_files_that_lie_in_one_another_are_refused() -> None:
    """A small file that takes long to read: each file's bytes are those of the next as well."""
    inner = ("b", b"x" * 5000)
    record = zipped([inner])[: 30 + 1 + 5000]
    outer = ("a", record)
    content = zipped([outer, listing(outer, inner)])[:-73] + b"\0\0"
    directory = content.index(b"PK\x01\x02")
    entry = bytearray(zipped([inner])[len(record) :][: 46 + 1])
    entry[42:46] = (30 + 1).to_bytes(4, "little")
    end = bytearray(content[-22:])
    end[8:10] = end[10:12] = (3).to_bytes(2, "little")
    size = len(content) - 22 - directory + len(entry)
    end[12:16] = size.to_bytes(4, "little")
    problems = checked(sealed(content[:-22] + bytes(entry) + bytes(end))).problems
    assert problems == ("The files are said to be larger than the archive is.",)


def lying(size: object) -> tuple[str, bytes]:
    name, content = listing(("a", b"x"))
    return name, content.replace(b'"bytes": 1', f'"bytes": {json.dumps(size)}'.encode())


@pytest.mark.parametrize(
    ("size", "said"),
    [(2, "a was changed"), (True, "cannot be read"), (-1, "cannot be read"), ("1", "cannot be")],
)
def test_a_size_in_the_manifest_is_the_files(size: object, said: str) -> None:
    (problem,) = checked(zipped([("a", b"x"), lying(size)])).problems
    assert said in problem


def test_a_manifest_beyond_all_bounds_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.evidence.verify.MANIFEST_LIMIT_BYTES", 10)
    assert checked(WHOLE).problems == ("There is no manifest: this is no archive of evidence.",)


def test_a_changed_send_inside_a_collection_is_named() -> None:
    wrong = made({"message.eml": b"altro"})[:-1] + b"!"
    files = {"sends/Q1.zip": made(), "sends/Q2.zip": wrong}
    problems = checked(made(files, ArchiveKind.COLLECTION)).problems
    assert [one.partition(":")[0] for one in problems] == ["sends/Q2.zip"]


def test_a_collection_inside_a_collection_is_no_send() -> None:
    problems = checked(made({"sends/Q1.zip": COLLECTION}, ArchiveKind.COLLECTION)).problems
    assert problems == ("sends/Q1.zip: This archive is none of a send.",)


@pytest.mark.parametrize("name", ["../x", "/x", "", "a//b", ".hidden", "a\\b", "x" * 300, "a\n"])
def test_no_archive_is_written_with_a_name_that_leaves_it(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        made({name: b""})


def test_slices_are_one_file() -> None:
    stream = io.BytesIO()
    pieces: Callable[[], list[bytes]] = lambda: [b"ci", b"", b"ao"]  # noqa: E731
    with ArchiveWriter(stream, ArchiveKind.SEND, AT) as archive:
        entry = archive.add("message.eml", pieces())
        archive.finish()
    assert entry.size_bytes == 4
    assert stream.getvalue() == made({"message.eml": b"ciao"})
