"""Mail that breaks the rules: some by hand, some from Python's own corpus, any number by chance."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

HEAD = b"From: a@b.it\r\nMIME-Version: 1.0\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"

BY_HAND: dict[str, bytes] = {
    "nothing": b"",
    "one line end": b"\r\n",
    "no header": b"\r\nbody\r\n",
    "no blank line": b"Subject: x",
    "body only, looks like none": b"hello there\r\nhow are you\r\n",
    "bare LF": b"From: a@b\nSubject: x\n\nbody\nmore\n",
    "bare LF in the middle": b"From: a@b\r\nSubject: x\nTo: c@d\r\n\r\nbody\nmore\r\n",
    "lone CR": b"From: a@b\rSubject: x\r\n\r\nbody\rmore\r\n",
    "NUL in names": b'From: "a\0b" <c@d>\r\nSubject: x\0y\r\n\r\nbo\0dy\r\n',
    "NUL in parameters": HEAD + b'Content-Type: a/b; c="d\0e"; f==\0g\r\n\r\nx',
    "8-bit header": b"From: \xe8 <a@b>\r\nSubject: citt\xe0 \xc3\xa8\r\n\r\nx",
    "colon in blanks": b"Subject  : x\r\nFrom\t: a@b\r\n\r\n",
    "fields twice": b"Subject: a\r\nSubject: b\r\nFrom: a@b\r\nFrom: c@d\r\nTo: \r\n\r\n",
    "empty folds": b"Subject: a\r\n \r\n b\r\nTo: c@d\r\n \r\n\r\nx",
    "boundary never comes": MIXED + b"text\r\n",
    "closed at once": MIXED + b"--x--\r\n",
    "never closed": MIXED + b"--x\r\n\r\na\r\n--x\r\nContent-Type: text/html\r\n\r\nb",
    "boundary in a header": MIXED + b"--x\r\nContent-Type: a/b\r\n--x\r\n\r\nb\r\n--x--\r\n",
    "parts without a body": MIXED + b"--x\r\n\r\n--x\r\nA: b\r\n\r\n--x--\r\n",
    "boundary with a tail": MIXED + b"--xyz\r\n\r\na\r\n--x \r\n\r\nb\r\n--x-- \r\nafter\r\n",
    "no boundary named": HEAD + b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\na\r\n",
    "empty boundary": HEAD + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\na\r\n--',
    "long boundary": HEAD
    + b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n\r\na" % (b"y" * 90, b"y" * 90),
    "one boundary for two": MIXED
    + b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--\r\n--x--\r\n",
    "inner boundary longer": MIXED
    + b"--x\r\nContent-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\n\r\na\r\n--x\r\n\r\nb\r\n",
    "message in a message": HEAD
    + b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: deep\r\n\r\nbody\r\n",
    "message without an end": MIXED + b"--x\r\nContent-Type: message/rfc822\r\n\r\nTo: a\r\n--x--",
    "message that is encoded": HEAD
    + b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nVG86IGE=\r\n",
    "digest": HEAD
    + b"Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\nSubject: a\r\n\r\nb\r\n--x\r\n"
    b"Content-Type: text/plain\r\n\r\nc\r\n--x--\r\n",
    "message with parts in a part": MIXED
    + b"--x\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed;boundary=y\r\n\r\n"
    b"--y\r\n\r\na\r\n--y--\r\n--x\r\n\r\nb\r\n--x--\r\n",
    "two content types": HEAD + b"Content-Type: text/html\r\nContent-Type: image/gif\r\n\r\nx",
    "content type of nonsense": HEAD + b"Content-Type: ;;;=a/b\r\n\r\nx",
    "content type without a subtype": HEAD + b"Content-Type: text\r\n\r\nx",
    "absurd parameters": HEAD
    + b"Content-Type: text/plain; name*1=b; name*0=a; x*2=c; =; ;; y*0*=utf-8''%e8; y*1=q\r\n"
    b'Content-Disposition: attachment; filename="a\\"b"; filename*=utf-8\'\'%C3%A8; z\r\n'
    b"Content-Language: it, en , \r\nContent-Location: \r\n a:b\r\n c\r\nContent-MD5: \r\n\r\nx",
    "encoding of nonsense": HEAD + b"Content-Transfer-Encoding: 8bit or so\r\n\r\nx=3D",
    "encoding named twice": HEAD
    + b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\nx",
    "broken base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nYQ=b=\r\n\r\n",
    "broken quoted-printable": HEAD
    + b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=zz =\r\n b=\r\nc=3",
    "broken addresses": b'From: a b c@d\r\nTo: <>, "x" , y@, @z, <a@b, c@d>\r\nCc: g: a@b;, h:;\r\n'
    b"Reply-To: <@r1,@r2:a@b>, (c) d@e (f), \"q\\\"r\" <.a..b.@c.d.>\r\nSender: [x] (unclosed\r\n"
    b"Bcc: undisclosed-recipients:;, =?utf-8?q?=C3=A8?= <a@[1.2.3.4]>, a@b;c@d\r\n\r\n",
}  # fmt: skip

MENDED: dict[str, bytes] = {
    "odd names": b"From: x@y.it <a@b>\r\nTo: [z] q <a@b>, c@d, R @ S <e@f>\r\nCc: A; B <a@b>\r\n",
    "types without semicolons": HEAD + b"Content-Type: text/html charset=utf-8\r\n\r\n<p>x",
    "a type without a subtype": HEAD + b"Content-Type: text; charset=utf-8\r\n\r\nx",
    "an empty type": HEAD + b"Content-Type:\r\n\r\nx",
    "base64 without padding": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nc2FsZG8gNzU",
}
"""Mail that says one thing and means another: ENVELOPE, SEARCH and PREVIEW go by what it means."""

PIECES: Sequence[bytes] = (
    b"--BOUNDARY\r\n", b"\r\n", b"\n", b"\r", b"(", b")", b"<", b">", b'"', b"\\", b",", b";",
    b":", b"@", b".", b"=", b"\0", b"\xe8", b"\xff\xfe", b" ", b"\t", b"\r\n ", b"[", b"]",
    b"=?utf-8?q?=C3=A8?=", b"*0*=", b"utf-8''%e8", b"a=b", b"; name=x",
    b"\r\n--x\r\n", b"\r\n--x--\r\n", b"MIME-Version: 1.0\r\n", b"Content-Type: text/plain\r\n",
    b"Content-Type: message/rfc822\r\n", b"Content-Type: multipart/digest; boundary=x\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"From: a b <c@d>, e: f@g, <h@i>;, j (k)\r\n", b'To: "q\\"r" <@a,@b:c@d>\r\n', b"Cc: [\r\n",
    b"Sender: .a..b.@c.d.\r\n", b'Subject: \xe0 "x"\r\n\ty\r\n', b"Content-Language: it, en\r\n",
    b"Content-Disposition: attachment; filename*0=a; filename*1=b\r\n",
)  # fmt: skip


def with_crlf(raw: bytes) -> bytes:
    """Return ``raw`` with a CR before each LF that has none."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", raw)


def python_corpus() -> dict[str, bytes]:
    """Return the messages that Python's tests of ``email`` come with; {} without those tests."""
    try:
        spec = importlib.util.find_spec("test.test_email")
    except ModuleNotFoundError:
        return {}
    if spec is None or spec.origin is None:
        return {}
    files = sorted((Path(spec.origin).parent / "data").glob("*.txt"))
    return {path.name: with_crlf(path.read_bytes()) for path in files}


def mutated(random: Random, originals: Sequence[bytes]) -> bytes:
    """Return one of ``originals`` with a few things done to it."""
    raw = random.choice(originals)
    for _ in range(random.randint(1, 6)):
        raw = _mutate(random, raw, originals)
    return raw


def _mutate(random: Random, raw: bytes, originals: Sequence[bytes]) -> bytes:
    lines = raw.split(b"\n")
    line = random.randrange(len(lines))
    at = random.randrange(len(raw) + 1)
    header = random.randrange(raw.find(b"\r\n\r\n") + 2)
    piece = random.choice(PIECES)
    match random.randrange(8):
        case 0:
            return raw[:at] + piece + raw[at:]
        case 1:
            return raw[:header] + piece + raw[header:]
        case 2:
            return raw[:at] + raw[at + random.randint(1, 20) :]
        case 3:
            return raw[:at] + random.randbytes(1) + raw[at + 1 :]
        case 4:
            del lines[line]
        case 5:
            lines.insert(random.randrange(len(lines)), lines[line])
        case 6:
            lines[line] += piece
        case _:
            other = random.choice(originals)
            return raw[:at] + other[: random.randrange(len(other) + 1)] + raw[at:]
    return b"\n".join(lines)
