"""``sendmail``: for programs that know nothing but ``/usr/sbin/sendmail``.

Submits by SMTP to the running bridge, as any application would: without a login where
``[[smtp.trusted]]`` allows it, else with the mailbox's local password if this user may read it.
Returns when the message is on the bridge's disk. A wrapper makes it the system's sendmail::

    #!/bin/sh
    exec pec-bridge sendmail "$@"

Exit codes are those of ``sysexits.h``, because callers act on them: 0 queued; 64 usage, 65 bad
message, 66 no message, 67 no such recipient, 69 refused, 75 try again, 77 not allowed, 78 settings.
"""

from __future__ import annotations

import base64
import contextlib
import smtplib
import socket
import ssl
import sys
import threading
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from bridge.cli.failure import tell
from bridge.cli.sendmail_call import Exit, Mode, SendmailArguments, UsageFault, read_call
from bridge.cli.sendmail_message import MessageFault, Piped, Prepared, prepare, read_message
from bridge.language import listed, say

if TYPE_CHECKING:
    from bridge.config import Account, Config, ConfigFile, Listen

TIMEOUT_S = 120.0
CHUNK_BYTES = 64 * 1024
LOGIN_CODES = frozenset({530, 550})
"""Replies to MAIL that a login may change: none was given, or the network's is another mailbox."""

USAGE = (
    "Usage: pec-bridge sendmail [-t] [-i] [-f SENDER] [-F NAME] [-N DSN] [-R RET] [-V ENVID] [-o…] "
    "[-C CONFIG] [RECIPIENT …]"
)
LOGIN_WANTED = say(
    "The bridge wants a login, and this user cannot read the password of {address}: it {fault}. "
    'Let its programs in with [[smtp.trusted]] network = "127.0.0.1/32" in the settings.'
)


class Verbatim(TyperCommand):
    """A command whose arguments nobody reads before it does, ``--`` and ``--help`` included."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Hand the arguments over as they are."""
        ctx.params["arguments"] = list(args)
        return []


def sendmail(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[OPTION|RECIPIENT]...")] = None,
) -> None:
    """Submit a message from standard input, as /usr/sbin/sendmail does."""
    sys.exit(run(arguments or [], sys.stdin.buffer, sys.stdout.buffer))


def run(arguments: list[str], source: IO[bytes], target: IO[bytes]) -> int:
    """Carry out a call; ``source`` and ``target`` are its standard input and output."""
    from bridge.config import ConfigError

    if arguments == ["--help"]:
        target.write(f"{USAGE}\n".encode())
        return Exit.OK
    try:
        return _run(read_call(arguments), source, target)
    except UsageFault as fault:
        return _failed(Exit.USAGE, say("{fault}\n{usage}", fault=fault, usage=USAGE))
    except MessageFault as fault:
        return _failed(fault.code, fault.args[0])
    except ConfigError as error:
        return _failed(Exit.SETTINGS, error.args[0])
    except smtplib.SMTPResponseException as reply:
        return _failed(*_refusal(reply))
    except (OSError, smtplib.SMTPException) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        return _failed(
            Exit.TRY_AGAIN,
            say("The bridge cannot be reached ({reason}). Is it running?", reason=reason),
        )


def _run(call: SendmailArguments, source: IO[bytes], target: IO[bytes]) -> int:
    if call.mode is Mode.NOTHING:
        return Exit.OK
    from bridge.cli.perform import settings

    file = settings(call.config)
    config = file.config
    if call.mode is Mode.SMTP:
        with _Bridge(file) as bridge:
            bridge.log_in_if_possible(_account(config, call, None))
            bridge.relay(source, target)
        return Exit.OK
    message = read_message(_read(source, call.ignore_dots))
    account = _account(config, call, message)
    prepared = prepare(message, call, account.address)
    with _Bridge(file) as bridge:
        answer = bridge.submit(prepared, account, call)
    if call.verbose:
        with contextlib.suppress(OSError, ValueError):  # it is queued: no reason to try again
            target.write(answer + b"\n")
            target.flush()
    return Exit.OK


def _read(source: IO[bytes], ignore_dots: bool) -> bytes:
    """Read the message.

    Raises:
        MessageFault: standard input is closed or cannot be read to its end.
    """
    try:
        return _piped(source, ignore_dots)
    except OSError as error:
        sentence = say(
            "The message cannot be read from standard input: {strerror}.", strerror=error.strerror
        )
        raise MessageFault(Exit.NO_INPUT, sentence) from None


def _piped(source: IO[bytes], ignore_dots: bool) -> bytes:
    """Read to the end, or to a line that holds a dot alone."""
    if ignore_dots:
        return source.read()
    lines = []
    for line in source:
        if line in (b".\n", b".\r\n", b"."):
            break
        lines.append(line)
    return b"".join(lines)


def _account(config: Config, call: SendmailArguments, message: Piped | None) -> Account:
    """Return the mailbox that sends: the one named, else the only one or the one trusted here."""
    by_address = {account.address.casefold(): account for account in config.account}
    named = [call.account, call.sender or "", *(message.addresses("from") if message else ())]
    for address in named:
        if address.casefold() in by_address:
            return by_address[address.casefold()]
    if call.account:
        raise UsageFault(
            say("There is no mailbox {account} in the settings.", account=call.account)
        )
    usual = {one.account.casefold() for one in config.smtp.trusted} & by_address.keys()
    if len(usual) == 1:
        return by_address[usual.pop()]
    if len(config.account) == 1:
        return config.account[0]
    raise UsageFault(say("There are several mailboxes: say which one sends with -f ADDRESS."))


class _Bridge:
    """A connection to the running bridge."""

    def __init__(self, file: ConfigFile) -> None:
        self._file = file
        listen = _listener(file.config)
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - where it listens, not where we do
        if listen.implicit_tls:
            self._smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, listen.port, timeout=TIMEOUT_S, context=self._context()
            )
        else:
            self._smtp = smtplib.SMTP(self._host, listen.port, timeout=TIMEOUT_S)

    def __enter__(self) -> _Bridge:
        return self

    def __exit__(self, *_error: object) -> None:
        self._smtp.close()

    def submit(self, prepared: Prepared, account: Account, call: SendmailArguments) -> bytes:
        """Submit a message; returns the bridge's answer."""
        self._smtp.ehlo()
        code, answer = self._mail(prepared, call)
        if code in LOGIN_CODES:
            self._log_in(account, needed=code == 530)
            code, answer = self._mail(prepared, call)
        _expect(code, answer)
        wish = [f"NOTIFY={call.notify}"] if call.notify else []
        for recipient in prepared.recipients:
            _expect(*self._smtp.rcpt(recipient, wish))
        code, answer = self._smtp.data(prepared.raw)
        _expect(code, answer)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._smtp.quit()  # it is queued: a caller told otherwise would submit it twice
        return answer

    def log_in_if_possible(self, account: Account) -> None:
        """Log in, so that a session that follows need not."""
        self._smtp.ehlo()
        self._log_in(account, needed=False)

    def relay(self, source: IO[bytes], target: IO[bytes]) -> None:
        """Carry an SMTP session between ``source`` and ``target`` and the bridge."""
        connection = self._smtp.sock
        assert connection is not None  # noqa: S101 - connected since __init__
        target.write(b"220 pec-bridge ESMTP\r\n")
        target.flush()
        threading.Thread(target=_pump, args=(source, connection), daemon=True).start()
        while block := connection.recv(CHUNK_BYTES):
            target.write(block)
            target.flush()

    def _mail(self, prepared: Prepared, call: SendmailArguments) -> tuple[int, bytes]:
        options = [f"SIZE={len(prepared.raw)}"]
        options += [f"RET={call.returned}"] if call.returned else []
        options += [f"ENVID={_xtext(call.envid)}"] if call.envid else []
        if not all(one.isascii() for one in (prepared.sender, *prepared.recipients)):
            options.append("SMTPUTF8")
        return self._smtp.mail(prepared.sender, options)

    def _log_in(self, account: Account, *, needed: bool) -> None:
        from bridge.credentials import SecretFault, resolve

        try:
            password = resolve(account.local_password or account.password, folder=self._file.folder)
        except SecretFault as fault:
            if needed:
                sentence = LOGIN_WANTED.filled_with(address=account.address, fault=fault)
                raise MessageFault(Exit.NOT_ALLOWED, sentence) from None
            return
        if self._smtp.has_extn("starttls") and not self._smtp.has_extn("auth"):
            self._smtp.starttls(context=self._context())
            self._smtp.ehlo()
        words = f"\0{account.address}\0{password.reveal()}".encode()  # RFC 4616: UTF-8
        _expect(*self._smtp.docmd("AUTH", f"PLAIN {base64.b64encode(words).decode()}"))

    def _context(self) -> ssl.SSLContext:
        """Trust the bridge's own certificate, whatever name it is reached by; or loopback."""
        from bridge.app.certificate import FILE_NAME
        from bridge.net.address import is_loopback

        context = ssl.create_default_context()
        context.check_hostname = False
        try:
            context.load_verify_locations(
                self._file.config.tls.certificate or self._file.config.data_dir / FILE_NAME
            )
        except OSError:
            if is_loopback(self._host):
                context.verify_mode = ssl.CERT_NONE
        return context


def _listener(config: Config) -> Listen:
    """Return where the bridge listens, in clear if it does so anywhere: it is this machine."""
    known = sorted(config.smtp.listen, key=lambda listen: listen.implicit_tls)
    listen = next((one for one in known if one.port), None)
    if listen is None:
        raise MessageFault(
            Exit.SETTINGS,
            say("The settings leave the SMTP port open: give [smtp] listen a number."),
        )
    return listen


def _xtext(text: str) -> str:
    """Encode what may hold blanks and the like for SMTP (RFC 3461 §4)."""
    plain = "".join(chr(code) for code in range(33, 127) if chr(code) not in "+=")
    return "".join(
        one if one in plain else "".join(f"+{byte:02X}" for byte in one.encode()) for one in text
    )


def _pump(source: IO[bytes], connection: Any) -> None:
    """Carry what is said on ``source``; when it ends or cannot be read, there is no more."""
    with contextlib.suppress(OSError):
        while block := source.read1(CHUNK_BYTES):  # type: ignore[attr-defined] # stdin has it
            connection.sendall(block)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def _expect(code: int, answer: bytes) -> None:
    if code >= 400:
        raise smtplib.SMTPResponseException(code, answer)


def _refusal(reply: smtplib.SMTPResponseException) -> tuple[Exit, str]:
    """Return the exit code and the sentence for a reply that said no."""
    error = reply.smtp_error
    text = error.decode("utf-8", "replace") if isinstance(error, bytes) else error
    words = [line.partition(" ") for line in text.splitlines()]
    status = words[0][0] if words else ""
    sentence = " ".join(word[2] or word[0] for word in words)
    return _exit_code(reply.smtp_code, status), f"{sentence} ({reply.smtp_code} {status})"


def _exit_code(code: int, status: str) -> Exit:
    if code < 500:
        return Exit.TRY_AGAIN
    for start, exit_code in (
        ("5.7.", Exit.NOT_ALLOWED),
        ("5.1.", Exit.NO_USER),
        ("5.6.", Exit.DATA),
        ("5.3.4", Exit.DATA),
    ):
        if status.startswith(start):
            return exit_code
    return Exit.UNAVAILABLE


def _failed(code: Exit, sentence: str) -> int:
    tell(listed("", ("sendmail: ", sentence)))
    return code
