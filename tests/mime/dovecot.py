"""Dovecot's ``imap`` as a program on a pipe, logged in already, over a maildir made for it.

No daemon, no port: the program is the one that Dovecot's own services run for a session, and it
ends with its input.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

PROGRAM = Path("/usr/lib/dovecot/imap")
FIRST_DATE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
_NOBODY = 65534

Value = bytes | list["Value"] | None
"""What an answer holds: a string or atom, a parenthesised list, NIL."""

_ATOM = re.compile(rb"[^ ()\r\n\[]+(?:\[[^\]]*\])?(?:<\d+>)?")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n")
_LITERAL_LINE = re.compile(rb"\{(\d+)\}\r\n\Z")


def missing() -> str:
    """Return why Dovecot can't be asked, "" if it can."""
    if not PROGRAM.exists() or shutil.which("doveconf", path=f"{os.defpath}:/usr/sbin") is None:
        return f"Dovecot's {PROGRAM} is not installed"
    return ""


def read_values(text: bytes) -> list[Value]:
    """Return the values in an answer, or in part of one, strings without their quotes.

    Raises:
        ValueError: that is no list of values.
    """
    found: list[Value] = []
    above: list[list[Value]] = []
    at = 0
    while at < len(text):
        mark = text[at : at + 1]
        if mark == b"(":
            above.append(found)
            inner: list[Value] = []
            found.append(inner)
            found = inner
        elif mark == b")":
            found = above.pop() if above else _fail("a list ends that never began")
        elif mark not in b" \r\n":
            value, at = _read_value(text, at)
            found.append(value)
            continue
        at += 1
    return _fail("a list without an end") if above else found


def _read_value(text: bytes, at: int) -> tuple[Value, int]:
    if literal := _LITERAL.match(text, at):
        end = literal.end() + int(literal[1])
        return text[literal.end() : end], end
    if quoted := _QUOTED.match(text, at):
        return re.sub(rb"\\(.)", rb"\1", quoted[1], flags=re.DOTALL), quoted.end()
    atom = _ATOM.match(text, at)
    if atom is None:
        _fail(f"no value at {at}")
    return None if atom[0].upper() == b"NIL" else atom[0], atom.end()


def _fail(fault: str) -> NoReturn:
    raise ValueError(fault)


class Crash(Exception):
    """Dovecot fell over one of its own assertions, and was started again."""


class Dovecot:
    """A session that is begun anew when Dovecot crashes; messages are numbered from 1."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._start()

    def _start(self) -> None:
        program = subprocess.Popen(
            [PROGRAM, "-c", self._config],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"USER": "peer", "HOME": str(self._config.parent), "PATH": os.defpath, "TZ": "UTC"},
        )
        assert program.stdin is not None
        assert program.stdout is not None
        self._program, self._to, self._from = program, program.stdin, program.stdout
        self._answer()
        self._command(b"SELECT INBOX")

    def close(self) -> None:
        """End the program, which does so when its input ends."""
        self._to.close()
        try:
            self._program.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()
        self._from.close()

    def _answer(self) -> bytes:
        """Read one answer with its literals."""
        answer = self._from.readline()
        while literal := _LITERAL_LINE.search(answer):
            answer += self._from.read(int(literal[1])) + self._from.readline()
        if not answer:
            raise EOFError
        return answer

    def _command(self, command: bytes) -> tuple[bytes, list[bytes]]:
        self._to.write(b"a " + command + b"\r\n")
        self._to.flush()
        untagged = []
        while not (answer := self._answer()).startswith(b"a "):
            untagged.append(answer)
        return answer, untagged

    def ask(self, command: str | bytes) -> list[bytes]:
        """Return the untagged answers to a command that must succeed, without their line ends.

        Raises:
            Crash: the program ended over it.
            ValueError: it said NO or BAD.
        """
        raw = command.encode() if isinstance(command, str) else command
        try:
            answer, untagged = self._command(raw)
        except (EOFError, BrokenPipeError):
            self.close()
            self._start()
            raise Crash(repr(raw)) from None
        if not answer.startswith(b"a OK"):
            raise ValueError(answer.decode())
        return [line.removesuffix(b"\r\n") for line in untagged]

    def fetch(self, number: int, items: Sequence[str]) -> dict[str, Value] | None:
        """Return what FETCH says, by the item's name as it comes back; None if it says NO.

        Raises:
            Crash: the program ended over it.
        """
        command = f"FETCH {number} ({' '.join(items)})".encode()
        try:
            answer, untagged = self._command(command)
        except EOFError:
            self.close()
            self._start()
            raise Crash(command.decode()) from None
        if answer.startswith(b"a BAD"):
            raise ValueError(answer.decode())
        found: dict[str, Value] = {}
        for line in untagged:
            opening = b"* %d FETCH " % number
            if line.startswith(opening):
                values = read_values(line[len(opening) :])[0]
                assert isinstance(values, list)
                for name, value in zip(values[::2], values[1::2], strict=True):
                    assert isinstance(name, bytes)
                    found[name.decode()] = value
        return found if answer.startswith(b"a OK") else None


@contextmanager
def dovecot(messages: Sequence[bytes], letters: Sequence[str] = ()) -> Iterator[Dovecot]:
    r"""Run Dovecot over ``messages``, which it gets as files, so that no byte is changed.

    Args:
        messages: what is in INBOX; each a day younger than the one before (INTERNALDATE).
        letters: their flags as a Maildir writes them; without any all are ``\\Seen``.
    """
    with TemporaryDirectory(prefix="dovecot-") as directory:
        session = Dovecot(_set_up(Path(directory), messages, letters or ["S"] * len(messages)))
        try:
            yield session
        finally:
            session.close()


def internal_date(number: int) -> datetime:
    """Return the INTERNALDATE of message ``number``, counted from 1."""
    return FIRST_DATE + timedelta(days=number - 1)


def _set_up(directory: Path, messages: Sequence[bytes], letters: Sequence[str]) -> Path:
    # It refuses to serve root's mail.
    user, group = (_NOBODY, _NOBODY) if os.getuid() == 0 else (os.getuid(), os.getgid())
    folders = [directory / "mail" / name for name in ("cur", "new", "tmp")]
    for folder in folders:
        folder.mkdir(parents=True)
    for number, (raw, flags) in enumerate(zip(messages, letters, strict=True), start=1):
        path = folders[0] / f"{1_700_000_000 + number}.M{number}P1.test:2,{flags}"
        path.write_bytes(raw)
        arrived = internal_date(number).timestamp()
        os.utime(path, (arrived, arrived))
    for path in (directory, directory / "mail", *folders, *folders[0].iterdir()):
        os.chown(path, user, group)
    config = directory / "dovecot.conf"
    config.write_text(
        f"base_dir = {directory}/run\nstate_dir = {directory}/run\nlog_path = {directory}/log\n"
        f"mail_location = maildir:{directory}/mail:LAYOUT=fs\n"
        f"mail_uid = {user}\nmail_gid = {group}\n"
        "protocols = imap\nssl = no\nfirst_valid_uid = 1\nstats_writer_socket_path =\n"
    )
    return config
