"""``pec-bridge sendmail`` against a server as the bridge runs it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from bridge.cli.sendmail import run
from bridge.cli.sendmail_call import Exit
from bridge.store.dsn import DsnWish, NotifyOn
from tests.smtpserver.conftest import (
    ADDRESS,
    PASSWORD,
    TO,
    Serve,
    Served,
    message,
    serve,
)

__all__ = ["serve"]  # a fixture

CONFIG = """
data_dir = {data_dir}
[api]
token = {{ env = "NOT_NEEDED" }}
[smtp]
listen = ["{host}:{port}"]
[[account]]
address = "{address}"
password = {{ env = "PEC_PASSWORD" }}
"""

Sendmail = Callable[..., "asyncio.Future[int]"]


def configure(folder: Path, host: str, port: int) -> Path:
    path = folder / "config.toml"
    data_dir = f'"{(folder / "data").as_posix()}"'
    path.write_text(CONFIG.format(data_dir=data_dir, host=host, port=port, address=ADDRESS))
    return path


@pytest.fixture
def target() -> BytesIO:
    return BytesIO()


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEC_PASSWORD", PASSWORD)


@pytest.fixture
def no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEC_PASSWORD", raising=False)


async def call(
    served: Served, folder: Path, *arguments: str, raw: bytes, target: BytesIO | None = None
) -> int:
    """Call sendmail with the settings of ``served``; returns the exit code."""
    config = configure(folder, served.host, served.port)
    words = ["-C", str(config), *arguments]
    return await asyncio.to_thread(run, words, BytesIO(raw), target or BytesIO())


async def test_notifications_are_asked_for_as_sendmail_does(
    serve: Serve, tmp_path: Path, password: None
) -> None:
    served = await serve()
    words = ("-N", "success,FAILURE", "-R", "full", "-V", "ordine 17+b", TO)
    assert await call(served, tmp_path, *words, raw=message()) == Exit.OK
    (row,) = await served.queued()
    assert row.envid == "ordine 17+b"
    asked = await served.store.read(lambda tx: tx.dsn(row.id))
    assert asked is not None
    assert asked.full
    wish = DsnWish(frozenset({NotifyOn.SUCCESS, NotifyOn.FAILURE}))
    assert asked.wishes == {TO: wish}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-N", "x\r\nRCPT TO:<a@b>"), Exit.USAGE),
        (("-R", "full hdrs"), Exit.USAGE),
        (("-N", "sometimes"), Exit.UNAVAILABLE),
        (("-V", "è"), Exit.UNAVAILABLE),
    ],
)
async def test_what_cannot_be_asked_for_is_refused(
    serve: Serve, tmp_path: Path, password: None, words: tuple[str, ...], code: Exit
) -> None:
    served = await serve()
    assert await call(served, tmp_path, *words, TO, raw=message()) == code
    assert await served.queued() == ()


async def test_an_empty_message_is_not_sent(serve: Serve, tmp_path: Path, password: None) -> None:
    served = await serve()
    assert await call(served, tmp_path, TO, raw=b"") == Exit.DATA
    assert await served.queued() == ()


class Broken(BytesIO):
    """A standard output whose reader is gone."""

    def write(self, _data: object) -> int:
        raise BrokenPipeError


@pytest.mark.usefixtures("password")
async def test_what_is_queued_is_not_to_be_tried_again(serve: Serve, tmp_path: Path) -> None:
    served = await serve()
    code = await call(served, tmp_path, "-v", TO, raw=b"Subject: x\n\nCiao\n", target=Broken())
    assert code == Exit.OK
    assert len(await served.queued()) == 1


# -- what programs do -----------------------------------------------------------------------------

CRON = f"From: root (Cron Daemon)\nTo: {TO}\nSubject: Cron <root@erp> backup\n\nok\n".encode()
PHP = f"To: {TO}\nSubject: Ordine\nX-PHP-Originating-Script: 33:a.php\n\n.\nCiao\n".encode()


@pytest.mark.parametrize(
    ("arguments", "raw"),
    [
        pytest.param(
            ["-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"], CRON, id="cron"
        ),
        pytest.param(["-t", "-i"], PHP, id="PHP"),
        pytest.param(["-t", "-i", "-f", ADDRESS], PHP, id="PHP with a sender"),
        pytest.param(["-oi", "-f", ADDRESS, "--", TO], b"Subject: x\n\nCiao\n", id="mailx"),
        pytest.param(["-a", ADDRESS, "-t", "--read-envelope-from"], message(), id="msmtp"),
        pytest.param([TO], b"disco pieno\n", id="a script"),
    ],
)
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "with a login"])
@pytest.mark.usefixtures("password")
async def test_programs_that_know_only_sendmail(
    serve: Serve, tmp_path: Path, arguments: list[str], raw: bytes, trusted: bool
) -> None:
    served = await serve(trusted=trusted)
    assert await call(served, tmp_path, *arguments, raw=raw) == Exit.OK
    (row,) = await served.queued()
    assert row.recipients == (TO,)
    (text,) = await served.texts()
    assert ADDRESS.encode() in text
    assert text.endswith(
        raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").rpartition(b"\r\n\r\n")[2]
    )


@pytest.mark.usefixtures("password")
async def test_a_dot_alone_ends_a_message_unless_told_otherwise(
    serve: Serve, tmp_path: Path
) -> None:
    served = await serve()
    raw = b"Subject: x\n\none\n.\ntwo\n"
    assert await call(served, tmp_path, TO, raw=raw) == Exit.OK
    assert await call(served, tmp_path, "-i", TO, raw=raw) == Exit.OK
    short, whole = await served.texts()
    assert short.endswith(b"\r\n\r\none\r\n")
    assert whole.endswith(b"\r\n\r\none\r\n.\r\ntwo\r\n")


@pytest.mark.usefixtures("password")
async def test_says_the_queue_id_when_asked(serve: Serve, tmp_path: Path, target: BytesIO) -> None:
    served = await serve()
    assert await call(served, tmp_path, "-v", "-t", raw=message(), target=target) == Exit.OK
    (row,) = await served.queued()
    assert target.getvalue() == f"2.0.0 Ok: queued as {row.id}\n".encode()


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.usefixtures("password")
async def test_smtp_over_the_pipe(
    serve: Serve, tmp_path: Path, target: BytesIO, trusted: bool
) -> None:
    served = await serve(trusted=trusted)
    commands = f"EHLO x\r\nMAIL FROM:<{ADDRESS}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode()
    session = commands + message() + b".\r\nQUIT\r\n"
    assert await call(served, tmp_path, "-bs", raw=session, target=target) == Exit.OK
    lines = target.getvalue().split(b"\r\n")
    assert lines[0].startswith(b"220 ")
    assert [line[:3] for line in lines if line[3:4] == b" "] == [
        *(b"220", b"250", b"250", b"250", b"354", b"250", b"221")
    ]
    assert len(await served.queued()) == 1


# -- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "raw", "code", "sentence"),
    [
        pytest.param(["-Z"], b"", Exit.USAGE, "no option -Z", id="unknown option"),
        pytest.param([], b"x\n", Exit.USAGE, "names no address", id="no recipient"),
        pytest.param(["-a", "x@y", TO], b"x\n", Exit.USAGE, "no mailbox x@y", id="account"),
        pytest.param(["root"], b"x\n", Exit.NO_USER, "MAILTO", id="local user"),
        pytest.param(["a@b@c"], b"x\n", Exit.NO_USER, "not a mail address", id="no address"),
        pytest.param(
            ["-t"], message(From="www@web.example"), Exit.NOT_ALLOWED, "From field", id="From"
        ),
        pytest.param(["-t"], message(Bcc="h@b"), Exit.NOT_ALLOWED, "h@b", id="Bcc"),
        pytest.param(["-f", "x@y", TO], b"x\n", Exit.NOT_ALLOWED, ADDRESS, id="sender"),
        pytest.param(
            ["-t"], message(Content_Type="multipart/mixed"), Exit.DATA, "boundary", id="MIME"
        ),
        pytest.param([TO], b"A: b\nx\n\ny", Exit.DATA, "no header field", id="header"),
    ],
)
@pytest.mark.usefixtures("password")
async def test_refusals(
    serve: Serve,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    raw: bytes,
    code: Exit,
    sentence: str,
) -> None:
    served = await serve()
    assert await call(served, tmp_path, *arguments, raw=raw) == code
    said = capsys.readouterr().err
    assert said.startswith("sendmail: ")
    assert sentence in said
    assert await served.queued() == ()


@pytest.mark.usefixtures("password")
async def test_too_large(serve: Serve, tmp_path: Path) -> None:
    from bridge.mime.strict.rules import SubmissionRules

    served = await serve(rules=SubmissionRules(max_message_bytes=2000))
    raw = message("x" * 3000)
    assert await call(served, tmp_path, "-t", raw=raw) == Exit.DATA


@pytest.mark.usefixtures("no_password")
async def test_without_the_password_a_trusted_network_is_needed(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served = await serve()
    assert await call(served, tmp_path, "-t", raw=message()) == Exit.NOT_ALLOWED
    assert "[[smtp.trusted]]" in capsys.readouterr().err


async def test_a_wrong_password(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEC_PASSWORD", "sbagliata")
    served = await serve()
    assert await call(served, tmp_path, "-t", raw=message()) == Exit.NOT_ALLOWED


def test_no_bridge_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        config = configure(tmp_path, *free.getsockname())
    assert run(["-C", str(config), TO], BytesIO(b"x\n"), BytesIO()) == Exit.TRY_AGAIN
    assert "Is it running?" in capsys.readouterr().err


def test_no_settings(tmp_path: Path) -> None:
    config = tmp_path / "none.toml"
    assert run(["-C", str(config), TO], BytesIO(b"x\n"), BytesIO()) == Exit.SETTINGS


def test_an_open_port(tmp_path: Path) -> None:
    config = configure(tmp_path, "127.0.0.1", 0)
    assert run(["-C", str(config), TO], BytesIO(b"x\n"), BytesIO()) == Exit.SETTINGS


@pytest.mark.parametrize("arguments", [["-bi"], ["-q"], ["--help"]])
def test_nothing_to_do(arguments: list[str]) -> None:
    assert run(arguments, BytesIO(), BytesIO()) == Exit.OK


async def test_as_a_program(serve: Serve, tmp_path: Path) -> None:
    """Arguments reach it as they are, the dashes as well; its exit code reaches the caller."""
    served = await serve()
    config = configure(tmp_path, served.host, served.port)
    program = str(Path(sys.executable).with_name("pec-bridge"))

    def start(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [program, "sendmail", *arguments],
            input=message(),
            capture_output=True,
            check=False,
            env={**os.environ, "PEC_BRIDGE_CONFIG": str(config), "PEC_PASSWORD": PASSWORD},
        )

    done = await asyncio.to_thread(start, "-ti")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(await served.queued()) == 1
    done = await asyncio.to_thread(start, "-t", "--", "-Cevil")
    assert done.returncode == Exit.NO_USER
    assert b"-Cevil" in done.stderr
