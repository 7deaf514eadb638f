"""What a program pipes into ``sendmail``, made into a message and its envelope. Pure.

Programs of this kind know neither the mailbox nor, often, their own domain: cron writes ``From:
root``, PHP nothing at all. A From without an address becomes the mailbox's, keeping the name; a
To without one is made from the arguments. Whoever is named with an address stays as he is, and
the bridge decides.

RFCs: 5322 §3.6; 5321 §2.3.8 (line ends).

Failure: ``MessageFault`` with the exit code for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formataddr, parseaddr

from bridge.cli.sendmail_call import Exit, SendmailArguments
from bridge.language import say
from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.part import HeaderField, parse_fields, split_header
from bridge.mime.strict.text import addresses

_LINE_END = re.compile(rb"\r?\n")
_RECIPIENT_FIELDS = ("to", "cc", "bcc")


class MessageFault(Exception):
    """The message cannot be submitted; ``code`` is the exit code."""

    def __init__(self, code: Exit, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Piped:
    """A message as it came, with CRLF at line ends: its header's fields and its body."""

    fields: tuple[HeaderField, ...]
    body: bytes

    def addresses(self, *names: str) -> tuple[str, ...]:
        """Return the addresses in the fields of these names."""
        return addresses([field.value for field in self.fields if field.name in names])


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is submitted."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes


def read_message(raw: bytes) -> Piped:
    """Take apart what came by the pipe.

    Raises:
        MessageFault: its header cannot be read.
    """
    raw = _LINE_END.sub(b"\r\n", raw)
    start, end, body = split_header(raw)
    try:
        return Piped(parse_fields(raw[start:end]), raw[body:])
    except Unreadable as fault:
        raise MessageFault(
            Exit.DATA, say("The message cannot be read: {fault}.", fault=fault)
        ) from None


def prepare(message: Piped, call: SendmailArguments, mailbox: str) -> Prepared:
    """Return what is submitted on behalf of ``mailbox``.

    Raises:
        MessageFault: nobody is to receive it, somebody has no address, or it says nothing.
    """
    if not message.body.strip():
        raise MessageFault(
            Exit.DATA, say("The message is empty, as when the program before it fails.")
        )
    recipients = _recipients(message, call)
    added = []
    if not message.addresses("from"):
        added.append(("from", f"From: {_name(message, call)}<{mailbox}>"))
    if not message.addresses("to") and not message.addresses("cc"):
        added.append(("to", "To: " + ",\r\n ".join(f"<{one}>" for one in recipients)))
    gone = {name for name, _line in added} | ({"bcc"} if call.read_recipients else set())
    front = "".join(f"{line}\r\n" for _name, line in added).encode()
    kept = b"".join(_whole(field) for field in message.fields if field.name not in gone)
    sender = call.sender if call.sender and "@" in call.sender else mailbox
    return Prepared(sender, recipients, front + kept + b"\r\n" + message.body)


def _recipients(message: Piped, call: SendmailArguments) -> tuple[str, ...]:
    named = [address.strip("<>") for address in call.recipients]
    if call.read_recipients:
        named += message.addresses(*_RECIPIENT_FIELDS)
    if local := [address for address in named if "@" not in address]:
        raise MessageFault(
            Exit.NO_USER,
            say(
                "{local} is no mail address: PEC has no local users. (For cron, set "
                "MAILTO to an address.)",
                local=", ".join(local),
            ),
        )
    if not named:
        raise MessageFault(
            Exit.USAGE, say("Nobody is to receive the message: it names no address.")
        )
    return tuple(dict.fromkeys(named))


def _name(message: Piped, call: SendmailArguments) -> str:
    """Return the name before the address, ready for the header: what is given, else From's."""
    written = next((field.value for field in message.fields if field.name == "from"), "")
    name = call.full_name or parseaddr(written)[0]
    return formataddr((name.strip(), "")).removesuffix("<>")


def _whole(field: HeaderField) -> bytes:
    return field.line if field.line.endswith(b"\n") else field.line + b"\r\n"
