"""Large messages are converted in a process that can be killed."""

from __future__ import annotations

import asyncio
import base64
import sys
import time

import pytest

from bridge.mime.strict.content import Sealed, SignedPolicy, convert
from bridge.mime.strict.field import Unreadable
from bridge.outbox.conversion import TooCostly, convert_apart

HEAD = b"From: a@pec.example\r\nTo: b@pec.example\r\nSubject: Perch=?utf-8?q?=C3=A9?=\r\n"
MIXED = (
    HEAD
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nCitt\xc3\xa0\r\n--b\r\n"
    + b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf"
    + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(bytes(range(256)) * 100).replace(b"\n", b"\r\n")
    + b"--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n\r\n--b--\r\n"
)
SIGNED = HEAD + b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx\r\n"
SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")
LITTLE_MEMORY = (
    *(sys.executable, "-P", "-c"),
    "import sys; from bridge.outbox import conversion as c; c.CONVERSION_BYTES = 192 << 20; "
    "sys.exit(c.main(sys.argv[1:]))",
)


@pytest.mark.parametrize(
    ("raw", "signed"),
    [(MIXED, "refuse"), (HEAD + b"\r\n", "refuse"), (SIGNED, "attach")],
    ids=["files", "nothing", "a signed message"],
)
async def test_it_makes_what_is_made_here(raw: bytes, signed: SignedPolicy) -> None:
    assert await convert_apart(raw, signed) == convert(raw, signed)


async def test_what_cannot_be_sent_is_said_likewise() -> None:
    with pytest.raises(Sealed, match="S/MIME"):
        await convert_apart(SIGNED, "refuse")
    with pytest.raises(Unreadable, match="names no boundary"):
        await convert_apart(HEAD + b"Content-Type: multipart/mixed\r\n\r\nx", "refuse")


async def test_a_deadline_is_kept() -> None:
    begun = time.monotonic()
    with pytest.raises(TooCostly, match=r"longer than 0\.2 seconds"):
        await convert_apart(MIXED, "refuse", deadline_s=0.2, program=SLEEPS)
    assert time.monotonic() - begun < 60


async def test_memory_is_bounded() -> None:
    large = HEAD + b"Content-Type: application/pdf\r\n\r\n" + bytes(128 << 20)
    with pytest.raises(TooCostly, match="memory"):
        await convert_apart(large, "refuse", program=LITTLE_MEMORY)


async def test_cancelling_does_not_wait() -> None:
    begun = time.monotonic()
    work = asyncio.create_task(convert_apart(MIXED, "refuse", program=SLEEPS))
    _, pending = await asyncio.wait([work], timeout=0.3)
    assert pending
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert time.monotonic() - begun < 60
