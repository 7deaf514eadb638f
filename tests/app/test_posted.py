"""What is submitted to a running bridge, and what reaches the API of it."""

from __future__ import annotations

import base64
import smtplib
from pathlib import Path

import pytest

from tests.running import ADDRESS, PASSWORD, PATIENCE_S, Running, apart, running, simulated, until

TO = "cliente@altra.example"
HEAD = f"From: {ADDRESS}\r\nTo: {TO}\r\nMessage-ID: <1@erp.example>\r\nMIME-Version: 1.0\r\n"
PDF = base64.b64encode(b"%PDF-1.7\n").decode()
DIV = '<div style="font-family: monospace">{}</div>'


def mixed(*parts: str, subtype: str = "mixed", end: str = "") -> str:
    """Return the fields and body of a multipart."""
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return f"Content-Type: multipart/{subtype}; boundary=b\r\n\r\n{body}--b--\r\n{end}"


def pdf(*fields: str, kind: str = "application/pdf", body: str = PDF) -> str:
    """Return a part in base64."""
    lines = [f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", *fields, "", body]
    return "\r\n".join(lines)


def html(markup: str) -> str:
    return f"Content-Type: text/html; charset=utf-8\r\n\r\n{markup}"


def submit(bridge: Running, message: str, sender: str = ADDRESS, to: str = TO) -> tuple[int, bytes]:
    """Submit bytes as they are; blocks. Returns the reply to the data, or to what was refused."""
    with smtplib.SMTP("127.0.0.1", bridge.port("smtp"), timeout=PATIENCE_S) as client:
        client.login(ADDRESS, PASSWORD)
        for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>", "DATA"):
            code, text = client.docmd(command)
            if code >= 400:
                return code, text
        client.send(message.encode("utf-8", "surrogateescape") + b"\r\n.\r\n")
        return client.getreply()


@pytest.mark.parametrize(
    ("message", "subject", "shown", "files"),
    [
        pytest.param(
            "Subject: Prot.  7  del  5\r\n\r\nTesto", "Prot.  7  del  5", DIV.format("Testo"), [],
            id="runs of blanks",
        ),
        pytest.param(
            mixed(html('<a href="cid:c@x">contratto</a>'),
                  pdf("Content-ID: <c@x>", "Content-Disposition: inline; filename=contratto.pdf"),
                  subtype="related"),
            "", '<a href="cid:c@x">contratto</a>', ["contratto.pdf"],
            id="a file that is only linked",
        ),
        pytest.param(
            mixed(html('<img src="cid:l@x"><object data="cid:c@x">'),
                  pdf("Content-ID: <l@x>", kind="image/png"),
                  pdf("Content-ID: <c@x>", kind="image/svg+xml; name=piano.svg"),
                  subtype="related"),
            "", f'<img src="data:image/png;base64,{PDF}"><object data="cid:c@x">', ["piano.svg"],
            id="one shown, one not",
        ),
        pytest.param(
            mixed("\r\nciao", pdf("Content-Disposition: attachment; filename*0=Ver; "
                                  "filename*1=bale.pdf; filename*1=bale.pdf")),
            "", DIV.format("ciao"), ["Verbale.pdf"], id="a segment twice",
        ),
        pytest.param(
            mixed("\r\nciao", pdf("Content-Disposition: =?utf-8?q?attachment=3B_"
                                  "filename=3D=22Citt=C3=A0.pdf=22?=")),
            "", DIV.format("ciao"), ["Città.pdf"], id="a field in one word",
        ),
        pytest.param(
            mixed("\r\nciao", pdf("Content-Disposition: attachment; filename=Citt_.pdf;\r\n"
                                  " filename*=iso-8859-1''Citt%E0.pdf")),
            "", DIV.format("ciao"), ["Città.pdf"], id="both names",
        ),
        pytest.param(
            mixed("\r\nciao", pdf('Content-Disposition: attachment filename="nota.pdf"',
                                  kind='application/pdf name="nota.pdf"')),
            "", DIV.format("ciao"), ["nota.pdf"], id="no semicolon",
        ),
        pytest.param(
            mixed("Content-Type: text/plain; name=testo.txt\r\n\r\nVi diffidiamo."),
            "", DIV.format("Vi diffidiamo."), [], id="a named text alone",
        ),
        pytest.param(
            "Content-Type: text/plain (testo); charset=us-ascii (puro)\r\n"
            "Content-Transfer-Encoding: 7-bit (nessuna)\r\n\r\nciao",
            "", DIV.format("ciao"), [], id="comments",
        ),
        pytest.param(
            "Content-Transfer-Encoding: base64\r\n" + mixed("\r\nciao", pdf()),
            "", DIV.format("ciao"), ["allegato-1.pdf"], id="an encoded multipart",
        ),
        pytest.param(
            "\r\r\n".join(["Subject: S", "", "ciao"]), "S", DIV.format("ciao"), [], id="CR CR LF"
        ),
    ],
)  # fmt: skip
async def test_what_was_written_is_posted(
    tmp_path: Path, message: str, subject: str, shown: str, files: list[str]
) -> None:
    simulator = simulated()
    head = HEAD.replace("\r\n", "\r\r\n") if "\r\r\n" in message else HEAD
    async with running(tmp_path, simulator) as bridge:
        code, text = await apart(submit, bridge, head + message)
        assert code == 250, text
        await until(lambda: simulator.sent)
    (sent,) = simulator.sent
    assert sent.subject == subject
    assert shown in sent.body
    assert [one.name for one in sent.attachments] == files
    assert {one.size_bytes for one in sent.attachments} <= {9}


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        pytest.param(
            mixed("\r\nciao", end="--b\r\n\r\nperso\r\n--b--\r\n"), 554, b"after its closing",
            id="a part behind the end",
        ),
        pytest.param(
            "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx", 554,
            b"more than one Content-Type", id="two types",
        ),
        pytest.param(
            mixed("\r\nx", pdf("Content-Disposition: inline",
                               "Content-Disposition: attachment")), 554,
            b"more than one Content-Disposition", id="two dispositions",
        ),
        pytest.param("Subject: =?utf-8?b?4oI=?=\r\n\r\nx", 554, b"the subject", id="half a letter"),
        pytest.param(
            mixed(html('<img src="cid:a">' * 200),
                  pdf("Content-ID: <a>", kind="image/png", body="AAAA" * 50_000),
                  subtype="related"),
            552, b"too large", id="one image two hundred times",
        ),
        pytest.param(
            'Cc: Tubi 3/4" srl <x@y.example>\r\n\r\nx', 250, b"", id="a Cc nobody sends to"
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(
    tmp_path: Path, message: str, code: int, words: bytes
) -> None:
    simulator = simulated()
    async with running(tmp_path, simulator) as bridge:
        reply = await apart(submit, bridge, HEAD + message)
        assert reply[0] == code, reply
        assert words in b" ".join(reply[1].split())
        assert reply[1].isascii()
        if code == 250:
            await until(lambda: simulator.sent)
    assert bool(simulator.sent) is (code == 250)


async def test_a_bounce_is_in_inbox_and_not_posted(tmp_path: Path) -> None:
    simulator = simulated()
    bounce = "From: <>\r\nTo: cron\r\nSubject: Undelivered\r\n\r\nx"
    async with running(tmp_path, simulator) as bridge:
        assert (await apart(submit, bridge, bounce, "", ADDRESS))[0] == 250
        assert (await apart(submit, bridge, bounce, "", TO))[0] == 550
        client = await apart(bridge.imap)
        assert (await apart(client.select))[1] == [b"1"]
        await apart(client.logout)
    assert simulator.sent == []
