"""Large messages are converted in a process that can be killed, and stay on the disk."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from bridge.apart.process import Apart
from bridge.api.quoting import within_quotes
from bridge.mime.strict.content import Content, Sealed, SignedPolicy, convert
from bridge.mime.strict.field import Unreadable
from bridge.outbox.conversion import Converted, convert_apart
from bridge.spool import Spooled, SpoolFile

HEAD = b"From: a@pec.example\r\nTo: b@pec.example\r\nSubject: Perch=?utf-8?q?=C3=A9?=\r\n"
MIXED = (
    HEAD
    + b'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nCitt\xc3\xa0 "\\"\r\n--b\r\n'
    + b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf"
    + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(bytes(range(256)) * 100).replace(b"\n", b"\r\n")
    + b"--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n\r\n--b--\r\n"
)
SIGNED = HEAD + b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx\r\n"


async def converted(tmp_path: Path, raw: bytes, signed: SignedPolicy) -> Converted:
    given = SpoolFile(tmp_path)
    given.append(raw)
    return await convert_apart(Apart(tmp_path), given, signed)


def as_sent(content: Content | Converted) -> tuple[object, ...]:
    body = content.body
    files = [
        (
            one.name,
            one.media_type,
            one.content.whole() if isinstance(one.content, Spooled) else one.content,
        )
        for one in content.files
    ]
    quoted = body.whole() if isinstance(body, Spooled) else b"".join(within_quotes(body))
    return content.subject, quoted, files


@pytest.mark.parametrize(
    ("raw", "signed"),
    [(MIXED, "refuse"), (HEAD + b"\r\n", "refuse"), (SIGNED, "attach")],
    ids=["files", "nothing", "a signed message"],
)
async def test_it_makes_what_is_made_here(tmp_path: Path, raw: bytes, signed: SignedPolicy) -> None:
    assert as_sent(await converted(tmp_path, raw, signed)) == as_sent(convert(raw, signed))


async def test_what_cannot_be_sent_is_said_likewise(tmp_path: Path) -> None:
    with pytest.raises(Sealed, match="S/MIME"):
        await converted(tmp_path, SIGNED, "refuse")
    with pytest.raises(Unreadable, match="names no boundary"):
        await converted(tmp_path, HEAD + b"Content-Type: multipart/mixed\r\n\r\nx", "refuse")
