"""Commands as values: one class each, arguments already checked against the grammar.

Mailbox names are decoded and in their one spelling (NFC, INBOX in capitals); ``written`` is such
a name as the client spelled it. RFC 3501 §6 and the extensions named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bridge.imap.search import Program
from bridge.imap.sections import FetchItem
from bridge.imap.sequence import SequenceSet


@dataclass(frozen=True, slots=True)
class Plain:
    """A command without arguments, by its name in capitals."""

    name: str


@dataclass(frozen=True, slots=True)
class Authenticate:
    """AUTHENTICATE; ``initial`` is the initial response as it stands, in base64 (RFC 4959)."""

    mechanism: str
    initial: bytes | None


@dataclass(frozen=True, slots=True)
class Login:
    """LOGIN."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"


@dataclass(frozen=True, slots=True)
class Enable:
    """ENABLE (RFC 5161)."""

    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Id:
    """ID (RFC 2971)."""

    fields: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class QResync:
    """The QRESYNC parameter of SELECT (RFC 7162 §3.2.5)."""

    uid_validity: int
    modseq: int
    known_uids: SequenceSet | None
    known_pairs: tuple[SequenceSet, SequenceSet] | None


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT, or with ``read_only`` EXAMINE."""

    mailbox: str
    read_only: bool
    condstore: bool = False
    qresync: QResync | None = None
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Create:
    """CREATE; ``special_use`` attributes as written (RFC 6154 §5.3)."""

    mailbox: str
    special_use: tuple[str, ...] = ()
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Rename:
    """RENAME."""

    old: str
    new: str
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE, or without ``on`` UNSUBSCRIBE."""

    mailbox: str
    on: bool


@dataclass(frozen=True, slots=True)
class List:
    """LIST (RFC 5258), or with ``lsub`` LSUB; options in capitals.

    ``status`` are the items of RETURN (STATUS …) (RFC 5819). ``extended`` is whether any
    extended syntax was used.
    """

    reference: str
    patterns: tuple[str, ...]
    lsub: bool = False
    selection: frozenset[str] = frozenset()
    returns: frozenset[str] = frozenset()
    status: tuple[str, ...] = ()
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS; items in capitals."""

    mailbox: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """One message of an APPEND; ``binary`` if it came as literal8 (RFC 3516).

    ``parts`` are texts and URLs to be put together (CATENATE, RFC 4469); then ``text`` is empty.
    """

    text: bytes
    flags: tuple[str, ...]
    internal_date: datetime | None
    binary: bool = False
    parts: tuple[bytes | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Append:
    """APPEND of one message or several (RFC 3502)."""

    mailbox: str
    messages: tuple[AppendMessage, ...]


@dataclass(frozen=True, slots=True)
class Expunge:
    """EXPUNGE, or UID EXPUNGE of ``uids`` (RFC 4315)."""

    uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """SEARCH; ``returns`` is None without RETURN, which gives an untagged SEARCH (RFC 4731).

    ``partial`` is RETURN (PARTIAL a:b) (RFC 9394), negative from the end. ``has_charset`` is
    whether one was named, which UTF8=ACCEPT forbids (RFC 6855 §3).
    """

    uid: bool
    key: Program
    returns: frozenset[str] | None = None
    partial: tuple[int, int] | None = None
    has_charset: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """SORT (RFC 5256), with RETURN (RFC 5267); criteria as (name, reversed)."""

    uid: bool
    criteria: tuple[tuple[str, bool], ...]
    key: Program
    returns: frozenset[str] | None = None
    partial: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """THREAD (RFC 5256)."""

    uid: bool
    algorithm: str
    key: Program


@dataclass(frozen=True, slots=True)
class Fetch:
    """FETCH; ``changed_since`` and ``vanished`` of RFC 7162, ``partial`` of RFC 9394."""

    uid: bool
    numbers: SequenceSet
    items: tuple[FetchItem, ...]
    changed_since: int | None = None
    vanished: bool = False
    partial: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """STORE; ``sign`` is "", "+" or "-"."""

    uid: bool
    numbers: SequenceSet
    sign: str
    silent: bool
    flags: tuple[str, ...]
    unchanged_since: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY, or with ``move`` MOVE (RFC 6851)."""

    uid: bool
    numbers: SequenceSet
    mailbox: str
    move: bool = False


@dataclass(frozen=True, slots=True)
class GetQuota:
    """GETQUOTA of a root (RFC 9208)."""

    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot:
    """GETQUOTAROOT of a mailbox (RFC 9208)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Compress:
    """COMPRESS (RFC 4978)."""

    mechanism: str


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Mailboxes and what is to be told of them (RFC 5465 §3.1).

    ``filter`` is SELECTED, SELECTED-DELAYED, INBOXES, PERSONAL, SUBSCRIBED, SUBTREE or
    MAILBOXES, the last two with ``names``. ``events`` are in capitals, none for NONE. ``items``
    are fetched of each new message.
    """

    filter: str
    names: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()
    items: tuple[FetchItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify:
    """NOTIFY (RFC 5465); without groups NOTIFY NONE."""

    groups: tuple[EventGroup, ...] = ()
    status: bool = False


Command = (
    Plain
    | Authenticate
    | Login
    | Enable
    | Id
    | Select
    | Create
    | Delete
    | Rename
    | Subscribe
    | List
    | Status
    | Append
    | Expunge
    | Search
    | Sort
    | Thread
    | Fetch
    | Store
    | Copy
    | GetQuota
    | GetQuotaRoot
    | Compress
    | Notify
)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A command and its tag; ``name`` as the table knows it, such as ``UID FETCH``."""

    tag: str
    name: str
    command: Command
