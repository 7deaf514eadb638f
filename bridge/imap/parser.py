"""One complete command line to a command value (RFC 3501 §9 ``command`` and extensions).

``parse`` raises nothing but ``bridge.imap.errors``: whatever a client sends is a command or a
fault with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bridge.imap.commands import (
    Append,
    AppendMessage,
    Authenticate,
    Command,
    Compress,
    Copy,
    Create,
    Delete,
    Enable,
    Expunge,
    GetQuota,
    GetQuotaRoot,
    Id,
    Login,
    Plain,
    Rename,
    Status,
    Subscribe,
    Tagged,
)
from bridge.imap.errors import SyntaxFault
from bridge.imap.framing import CommandLine
from bridge.imap.mailboxname import canonical
from bridge.imap.memo import memoized
from bridge.imap.parse_fetch import parse_fetch, parse_store
from bridge.imap.parse_mailbox import parse_list, parse_lsub, parse_select, take_status_items
from bridge.imap.parse_notify import parse_notify
from bridge.imap.parse_search import parse_search, parse_sort, parse_thread
from bridge.imap.syntax import Scanner, text_of
from bridge.limits import IMAP_PARTS

PLAIN = frozenset(
    {
        "CAPABILITY",
        "CHECK",
        "CLOSE",
        "EXPUNGE",
        "IDLE",
        "LOGOUT",
        "NAMESPACE",
        "NOOP",
        "STARTTLS",
        "UNSELECT",
    }
)
# tag = 1*<any ASTRING-CHAR except "+">
_TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]+")


def parse(line: CommandLine, *, utf8: bool = False) -> Tagged:
    """Return the command in ``line``; ``utf8`` says how it writes names, see ``Scanner``.

    Raises:
        SyntaxFault: it is none, or its arguments break the grammar.
    """
    scanner = Scanner(line, utf8=utf8)
    tag = scanner.match(_TAG)
    if tag is None:
        raise scanner.fault("a tag")
    scanner.tag = tag[0].decode("ascii")
    scanner.space()
    name = scanner.word("a command")
    if name == "UID":
        scanner.space()
        name = f"UID {scanner.word('a command')}"
    if name in PLAIN:
        scanner.end()
        return Tagged(scanner.tag, name, Plain(name))
    arguments = _ARGUMENTS.get(name)
    if arguments is None:
        raise SyntaxFault(scanner.tag, "{} is not a command of this server", name)
    command = arguments(scanner)
    scanner.end()
    return Tagged(scanner.tag, name, command)


# -- one function for each command with arguments ------------------------------------------


def _authenticate(scanner: Scanner) -> Command:
    # authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] (RFC 4959 §3)
    scanner.space()
    mechanism = scanner.atom().upper()
    initial = None
    if scanner.take(b" "):
        initial = scanner.astring_bytes()
    return Authenticate(mechanism, initial)


def _login(scanner: Scanner) -> Command:
    scanner.space()
    user = scanner.astring()
    scanner.space()
    return Login(user, scanner.astring())


def _enable(scanner: Scanner) -> Command:
    scanner.space()
    names = [scanner.word("a capability")]
    while scanner.take(b" "):
        names.append(scanner.word("a capability"))
    return Enable(tuple(names))


def _id(scanner: Scanner) -> Command:
    # id = "ID" SP id-params-list ; "(" *(string SP nstring) ")" / nil (RFC 2971 §3.1)
    scanner.space()
    if scanner.take(b"NIL"):
        return Id(())
    scanner.expect(b"(")
    fields: list[tuple[str, str | None]] = []
    while not scanner.take(b")"):
        if fields:
            scanner.space()
        name = text_of(scanner.string())
        scanner.space()
        value = scanner.nstring()
        fields.append((name, None if value is None else text_of(value)))
    return Id(tuple(fields))


def _create(scanner: Scanner) -> Command:
    scanner.space()
    written = scanner.mailbox_as_written()
    special_use: tuple[str, ...] = ()
    if scanner.take(b" (USE "):
        special_use = scanner.flag_list()
        scanner.expect(b")")
    return Create(canonical(written), special_use, written)


def _mailbox(scanner: Scanner) -> str:
    scanner.space()
    return scanner.mailbox()


def _rename(scanner: Scanner) -> Command:
    old = _mailbox(scanner)
    scanner.space()
    written = scanner.mailbox_as_written()
    return Rename(old, canonical(written), written)


def _status(scanner: Scanner) -> Command:
    mailbox = _mailbox(scanner)
    scanner.space()
    return Status(mailbox, _status_items(scanner))


_status_items = memoized(take_status_items)


def _append(scanner: Scanner) -> Command:
    # append = "APPEND" SP mailbox 1*append-message (RFC 3502 §6.3.11)
    mailbox = _mailbox(scanner)
    messages: list[AppendMessage] = []
    while not messages or scanner.peek(b" "):
        scanner.space()
        messages.append(_append_message(scanner))
    return Append(mailbox, tuple(messages))


def _append_message(scanner: Scanner) -> AppendMessage:
    flags: tuple[str, ...] = ()
    if scanner.peek(b"("):
        flags = scanner.flag_list()
        scanner.space()
    internal_date = scanner.take_date_time()
    if internal_date is not None:
        scanner.space()
    if scanner.take(b"CATENATE ("):
        return AppendMessage(b"", flags, internal_date, parts=_parts(scanner))
    wrapped = scanner.take(b"UTF8 (")  # append-data-ext (RFC 6855 §4)
    literal = scanner.take_literal()
    if literal is None:
        raise scanner.fault("a literal")
    if wrapped:
        scanner.expect(b")")
    return AppendMessage(literal[0], flags, internal_date, binary=literal[1] and not wrapped)


def _parts(scanner: Scanner) -> tuple[bytes | str, ...]:
    # cat-part = text-literal / url ; text-literal = "TEXT" SP literal ; url = "URL" SP astring
    parts: list[bytes | str] = []
    while not parts or scanner.take(b" "):
        if scanner.take(b"URL "):
            parts.append(scanner.astring())
            scanner.limit(len(parts), IMAP_PARTS, "parts of a message")
            continue
        scanner.expect(b"TEXT ")
        literal = scanner.take_literal()
        if literal is None:
            raise scanner.fault("a literal")
        parts.append(literal[0])
    scanner.expect(b")")
    return tuple(parts)


def _uid_expunge(scanner: Scanner) -> Command:
    scanner.space()
    return Expunge(scanner.sequence_set())


def _copy(scanner: Scanner, *, uid: bool, move: bool) -> Command:
    scanner.space()
    numbers = scanner.sequence_set()
    return Copy(uid, numbers, _mailbox(scanner), move)


def _get_quota(scanner: Scanner) -> Command:
    scanner.space()
    return GetQuota(scanner.astring())


def _compress(scanner: Scanner) -> Command:
    scanner.space()
    return Compress(scanner.word("a mechanism"))


_ARGUMENTS: dict[str, Callable[[Scanner], Command]] = {
    "APPEND": _append,
    "AUTHENTICATE": _authenticate,
    "COMPRESS": _compress,
    "COPY": lambda scanner: _copy(scanner, uid=False, move=False),
    "CREATE": _create,
    "DELETE": lambda scanner: Delete(_mailbox(scanner)),
    "ENABLE": _enable,
    "EXAMINE": lambda scanner: parse_select(scanner, read_only=True),
    "FETCH": lambda scanner: parse_fetch(scanner, uid=False),
    "GETQUOTA": _get_quota,
    "GETQUOTAROOT": lambda scanner: GetQuotaRoot(_mailbox(scanner)),
    "ID": _id,
    "LIST": parse_list,
    "LOGIN": _login,
    "LSUB": parse_lsub,
    "MOVE": lambda scanner: _copy(scanner, uid=False, move=True),
    "NOTIFY": parse_notify,
    "RENAME": _rename,
    "SEARCH": lambda scanner: parse_search(scanner, uid=False),
    "SELECT": lambda scanner: parse_select(scanner, read_only=False),
    "SORT": lambda scanner: parse_sort(scanner, uid=False),
    "STATUS": _status,
    "STORE": lambda scanner: parse_store(scanner, uid=False),
    "SUBSCRIBE": lambda scanner: Subscribe(_mailbox(scanner), on=True),
    "THREAD": lambda scanner: parse_thread(scanner, uid=False),
    "UID COPY": lambda scanner: _copy(scanner, uid=True, move=False),
    "UID EXPUNGE": _uid_expunge,
    "UID FETCH": lambda scanner: parse_fetch(scanner, uid=True),
    "UID MOVE": lambda scanner: _copy(scanner, uid=True, move=True),
    "UID SEARCH": lambda scanner: parse_search(scanner, uid=True),
    "UID SORT": lambda scanner: parse_sort(scanner, uid=True),
    "UID STORE": lambda scanner: parse_store(scanner, uid=True),
    "UID THREAD": lambda scanner: parse_thread(scanner, uid=True),
    "UNSUBSCRIBE": lambda scanner: Subscribe(_mailbox(scanner), on=False),
}
