"""SELECT, EXAMINE, LIST, LSUB and the items of STATUS: arguments to values.

RFC 3501 §6.3; RFCs 5258, 5819, 6154, 7162 §3.2.5.

Raises:
    SyntaxFault: the arguments break the grammar.
    TooMuch: there is more of something in them than a command may have.
"""

from __future__ import annotations

from bridge.imap.commands import Command, List, QResync, Select
from bridge.imap.mailboxname import canonical
from bridge.imap.syntax import MODSEQ_LIMIT, Scanner
from bridge.limits import IMAP_PATTERNS

STATUS_ITEMS = frozenset(
    {
        "APPENDLIMIT",
        "DELETED",
        "HIGHESTMODSEQ",
        "MAILBOXID",
        "MESSAGES",
        "RECENT",
        "SIZE",
        "UIDNEXT",
        "UIDVALIDITY",
        "UNSEEN",
    }
)
SELECTION_OPTIONS = frozenset({"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"})
RETURN_OPTIONS = frozenset({"SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS"})


def parse_select(scanner: Scanner, *, read_only: bool) -> Command:
    """Take SELECT's or EXAMINE's arguments (RFC 7162 §3.1.8, §3.2.5)."""
    scanner.space()
    written = scanner.mailbox_as_written()
    condstore = False
    qresync = None
    if scanner.take(b" ("):
        while True:
            name = scanner.word("a parameter")
            if name == "CONDSTORE":
                condstore = True
            elif name == "QRESYNC":
                scanner.space()
                qresync = _qresync(scanner)
            else:
                raise scanner.fault("CONDSTORE or QRESYNC")
            if not scanner.take(b" "):
                break
        scanner.expect(b")")
    return Select(canonical(written), read_only, condstore, qresync, written)


def _qresync(scanner: Scanner) -> QResync:
    # "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")" (RFC 7162 §7)
    scanner.expect(b"(")
    uid_validity = scanner.nz_number()
    scanner.space()
    modseq = scanner.nz_number(MODSEQ_LIMIT)
    known_uids = None
    known_pairs = None
    if scanner.take(b" "):
        if not scanner.peek(b"("):
            known_uids = scanner.sequence_set()
        if known_uids is None or scanner.take(b" "):
            scanner.expect(b"(")
            numbers = scanner.sequence_set()
            scanner.space()
            known_pairs = (numbers, scanner.sequence_set())
            scanner.expect(b")")
    scanner.expect(b")")
    return QResync(uid_validity, modseq, known_uids, known_pairs)


def parse_list(scanner: Scanner) -> Command:
    """Take LIST's arguments (RFC 5258 §6)."""
    # list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
    scanner.space()
    extended = scanner.peek(b"(")
    selection: frozenset[str] = frozenset()
    if extended:
        selection = _options(scanner, SELECTION_OPTIONS)[0]
        scanner.space()
        if "RECURSIVEMATCH" in selection and not selection & {"SUBSCRIBED"}:
            raise scanner.fault("RECURSIVEMATCH with SUBSCRIBED")
    reference = scanner.mailbox()
    scanner.space()
    if scanner.take(b"("):
        extended = True
        patterns = [scanner.list_mailbox()]
        while scanner.take(b" "):
            patterns.append(scanner.list_mailbox())
            scanner.limit(len(patterns), IMAP_PATTERNS, "patterns")
        scanner.expect(b")")
    else:
        patterns = [scanner.list_mailbox()]
    returns: frozenset[str] = frozenset()
    status: tuple[str, ...] = ()
    if scanner.take(b" RETURN "):
        extended = True
        returns, status = _options(scanner, RETURN_OPTIONS)
    return List(
        reference,
        tuple(patterns),
        selection=selection,
        returns=returns,
        status=status,
        extended=extended,
    )


def _options(scanner: Scanner, known: frozenset[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    scanner.expect(b"(")
    options: set[str] = set()
    status: tuple[str, ...] = ()
    while not scanner.take(b")"):
        if options:
            scanner.space()
        option = scanner.word("an option")
        if option not in known:
            raise scanner.fault("an option", option)
        options.add(option)
        if option == "STATUS":
            scanner.space()
            status = take_status_items(scanner)
    return frozenset(options), status


def parse_lsub(scanner: Scanner) -> Command:
    """Take LSUB's arguments."""
    scanner.space()
    reference = scanner.mailbox()
    scanner.space()
    return List(reference, (scanner.list_mailbox(),), lsub=True)


def take_status_items(scanner: Scanner) -> tuple[str, ...]:
    """Take STATUS' items in parentheses."""
    scanner.expect(b"(")
    items: list[str] = []
    while not items or scanner.take(b" "):
        item = scanner.word("a status item")
        if item not in STATUS_ITEMS:
            raise scanner.fault("a status item", item)
        items.append(item)
    scanner.expect(b")")
    return tuple(dict.fromkeys(items))
