"""Commands to the wire, and strategies that make any command: the parser's other half."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from bridge.imap import commands as c
from bridge.imap import search as s
from bridge.imap.mailboxname import canonical, encode
from bridge.imap.parse_mailbox import STATUS_ITEMS
from bridge.imap.parse_search import SORT_KEYS
from bridge.imap.parser import PLAIN
from bridge.imap.sections import BinarySize, FetchItem, Item, Section
from bridge.imap.sequence import SequenceSet
from bridge.imap.syntax import MODSEQ_LIMIT, MONTHS, NUMBER_LIMIT

_ATOM = re.compile(r"[^\x00-\x20\x7f-\U0010ffff(){%*\"\\\]]+")

# -- printing --------------------------------------------------------------------------------


def printed(tagged: c.Tagged) -> bytes:
    """Return a command as a client could send it."""
    return tagged.tag.encode() + b" " + _PRINTERS[type(tagged.command)](tagged.command) + b"\r\n"


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    if isinstance(value, str) and _ATOM.fullmatch(value) and value.upper() != "NIL":
        return raw
    if raw.isascii() and not re.search(rb"[\x00\r\n]", raw) and len(raw) < 100:
        return b'"' + re.sub(rb'(["\\])', rb"\\\1", raw) + b'"'
    return b"{%d+}\r\n" % len(raw) + raw


def name(value: str) -> bytes:
    return text(encode(value))


def flags(values: tuple[str, ...]) -> bytes:
    return b"(" + " ".join(values).encode() + b")"


def day(value: date) -> bytes:
    return f"{value.day}-{MONTHS[value.month - 1].title()}-{value.year:04}".encode()


def moment(value: datetime) -> bytes:
    offset = value.utcoffset()
    assert offset is not None
    minutes = int(offset.total_seconds() // 60)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    clock = value.strftime("%H:%M:%S")
    return b'"%2b-%b %b %b%02d%02d"' % (
        str(value.day).rjust(2).encode(),
        day(value).split(b"-", 1)[1],
        clock.encode(),
        sign.encode(),
        hours,
        rest,
    )


def item(value: FetchItem) -> bytes:
    match value:
        case Item():
            return value.value.encode()
        case BinarySize(path):
            return b"BINARY.SIZE[" + ".".join(map(str, path)).encode() + b"]"
        case Section():
            return _section(value)


def _section(value: Section) -> bytes:
    if value.shown.startswith("RFC822"):
        return value.shown.encode()
    inside = ".".join([*map(str, value.path), *([value.text] if value.text else [])]).encode()
    if value.names:
        inside += b" (" + b" ".join(map(text, value.names)) + b")"
    verb = (b"BINARY" if value.binary else b"BODY") + (b".PEEK" if value.peek else b"")
    part = b"<%d.%d>" % value.partial if value.partial else b""
    return verb + b"[" + inside + b"]" + part


def search(program: s.Program) -> bytes:
    """Print a search as RFC 3501 has it: an operator before what it joins."""
    printed: list[bytes] = []
    for step in program.steps:
        match step:
            case s.Operator.NOT:
                printed.append(b"NOT " + printed.pop())
            case s.Operator.OR:
                last = printed.pop()
                printed.append(b"OR " + printed.pop() + b" " + last)
            case s.Operator.AND:
                last = printed.pop()
                printed.append(b"(" + printed.pop() + b" " + last + b")")
            case _:
                printed.append(key(step))
    return b"".join(printed)


def key(value: s.SearchKey) -> bytes:  # noqa: C901 - one case for each kind of key
    match value:
        case s.All():
            return b"ALL"
        case s.SaveDateSupported():
            return b"SAVEDATESUPPORTED"
        case s.HasFlag(flag):
            return b"KEYWORD " + flag.encode() if flag[0] != "\\" else flag[1:].upper().encode()
        case s.Numbers(numbers, uid):
            return (b"UID " if uid else b"") + str(numbers).encode()
        case s.TextKey(field, needle):
            return field.upper().encode() + b" " + text(needle)
        case s.Header(field, needle):
            return b"HEADER " + text(field) + b" " + text(needle)
        case s.Dated(field, how, when):
            start = {"internal": "", "sent": "SENT", "saved": "SAVED"}[field.value]
            return f"{start}{('BEFORE', 'ON', 'SINCE')[how + 1]} ".encode() + day(when)
        case s.Sized(larger, size):
            return b"%b %d" % (b"LARGER" if larger else b"SMALLER", size)
        case s.Within(older, interval):
            return b"%b %d" % (b"OLDER" if older else b"YOUNGER", interval)
        case s.ModSeqAtLeast(modseq):
            return b"MODSEQ %d" % modseq
        case s.ObjectId(identifier, thread):
            return (b"THREADID " if thread else b"EMAILID ") + text(identifier)


def _returns(returns: frozenset[str] | None, partial: tuple[int, int] | None) -> bytes:
    if returns is None:
        return b""
    options = [
        f"PARTIAL {partial[0]}:{partial[1]}" if option == "PARTIAL" and partial else option
        for option in sorted(returns)
    ]
    return f"RETURN ({' '.join(options)}) ".encode()


def _authenticate(command: c.Authenticate) -> bytes:
    head = b"AUTHENTICATE " + command.mechanism.encode()
    if command.initial is None:
        return head
    return head + b" " + command.initial


def _id(command: c.Id) -> bytes:
    if not command.fields:
        return b"ID NIL"
    pairs = [
        b'"' + field.encode() + b'" ' + (b"NIL" if value is None else b'"' + value.encode() + b'"')
        for field, value in command.fields
    ]
    return b"ID (" + b" ".join(pairs) + b")"


def _select(command: c.Select) -> bytes:
    parameters = [b"CONDSTORE"] if command.condstore else []
    if command.qresync is not None:
        one = command.qresync
        parts = [b"%d %d" % (one.uid_validity, one.modseq)]
        if one.known_uids is not None:
            parts.append(str(one.known_uids).encode())
        if one.known_pairs is not None:
            parts.append(f"({one.known_pairs[0]} {one.known_pairs[1]})".encode())
        parameters.append(b"QRESYNC (" + b" ".join(parts) + b")")
    verb = b"EXAMINE " if command.read_only else b"SELECT "
    tail = b" (" + b" ".join(parameters) + b")" if parameters else b""
    return verb + name(command.mailbox) + tail


def _create(command: c.Create) -> bytes:
    use = b" (USE " + flags(command.special_use) + b")" if command.special_use else b""
    return b"CREATE " + name(command.mailbox) + use


def _list(command: c.List) -> bytes:
    patterns = [text(encode(pattern)) for pattern in command.patterns]
    if command.lsub:
        return b"LSUB " + name(command.reference) + b" " + patterns[0]
    selection = f"({' '.join(sorted(command.selection))}) ".encode() if command.extended else b""
    shown = b"(" + b" ".join(patterns) + b")" if len(patterns) > 1 else patterns[0]
    returns = b""
    if command.returns:
        options = [
            f"STATUS ({' '.join(command.status)})" if option == "STATUS" else option
            for option in sorted(command.returns)
        ]
        returns = f" RETURN ({' '.join(options)})".encode()
    return b"LIST " + selection + name(command.reference) + b" " + shown + returns


def _append(command: c.Append) -> bytes:
    parts = [b"APPEND " + name(command.mailbox)]
    for message in command.messages:
        if message.flags:
            parts.append(flags(message.flags))
        if message.internal_date:
            parts.append(moment(message.internal_date))
        if message.parts:
            parts.append(b"CATENATE (" + b" ".join(map(_part, message.parts)) + b")")
            continue
        mark = b"~" if message.binary else b""
        parts.append(mark + b"{%d+}\r\n" % len(message.text) + message.text)
    return b" ".join(parts)


def _part(part: bytes | str) -> bytes:
    if isinstance(part, str):
        return b"URL " + text(part)
    return b"TEXT {%d+}\r\n" % len(part) + part


def _sort(command: c.Sort) -> bytes:
    criteria = " ".join(f"REVERSE {one}" if back else one for one, back in command.criteria)
    returns = _returns(command.returns, command.partial)
    return b"SORT " + returns + f"({criteria}) UTF-8 ".encode() + search(command.key)


def _fetch(command: c.Fetch) -> bytes:
    modifiers = []
    if command.changed_since is not None:
        modifiers.append(f"CHANGEDSINCE {command.changed_since}")
    if command.vanished:
        modifiers.append("VANISHED")
    if command.partial is not None:
        modifiers.append(f"PARTIAL {command.partial[0]}:{command.partial[1]}")
    tail = f" ({' '.join(modifiers)})".encode() if modifiers else b""
    items = b" ".join(map(item, command.items))
    return b"FETCH " + str(command.numbers).encode() + b" (" + items + b")" + tail


def _store(command: c.Store) -> bytes:
    since = (
        "" if command.unchanged_since is None else f"(UNCHANGEDSINCE {command.unchanged_since}) "
    )
    silent = ".SILENT" if command.silent else ""
    head = f"STORE {command.numbers} {since}{command.sign}FLAGS{silent} "
    return head.encode() + flags(command.flags)


def _notify(command: c.Notify) -> bytes:
    if not command.groups:
        return b"NOTIFY NONE"
    head = b"NOTIFY SET" + (b" STATUS" if command.status else b"")
    return b" ".join([head, *map(_group, command.groups)])


def _group(group: c.EventGroup) -> bytes:
    names = b" (" + b" ".join(map(name, group.names)) + b")" if group.names else b""
    shown = []
    for event in sorted(group.events):
        items = b""
        if event == "MESSAGENEW" and group.items:
            items = b" (" + b" ".join(map(item, group.items)) + b")"
        shown.append(event.encode() + items)
    events = b"(" + b" ".join(shown) + b")" if shown else b"NONE"
    return b"(" + group.filter.encode() + names + b" " + events + b")"


def _uid(uid: bool) -> bytes:
    return b"UID " if uid else b""


def _numbered(verb: bytes, command: c.Copy) -> bytes:
    return _uid(command.uid) + verb + str(command.numbers).encode() + b" " + name(command.mailbox)


_PRINTERS: dict[type, Callable[[Any], bytes]] = {
    c.Plain: lambda one: one.name.encode(),
    c.Authenticate: _authenticate,
    c.Login: lambda one: b"LOGIN " + text(one.user) + b" " + text(one.password),
    c.Enable: lambda one: " ".join(["ENABLE", *one.capabilities]).encode(),
    c.Id: _id,
    c.Select: _select,
    c.Create: _create,
    c.Delete: lambda one: b"DELETE " + name(one.mailbox),
    c.Rename: lambda one: b"RENAME " + name(one.old) + b" " + name(one.new),
    c.Subscribe: lambda one: (b"SUBSCRIBE " if one.on else b"UNSUBSCRIBE ") + name(one.mailbox),
    c.List: _list,
    c.Status: lambda one: b"STATUS " + name(one.mailbox) + f" ({' '.join(one.items)})".encode(),
    c.Append: _append,
    c.Expunge: lambda one: f"UID EXPUNGE {one.uids}".encode(),
    c.Search: lambda one: (
        _uid(one.uid) + b"SEARCH " + _returns(one.returns, one.partial) + search(one.key)
    ),
    c.Sort: lambda one: _uid(one.uid) + _sort(one),
    c.Thread: lambda one: (
        _uid(one.uid) + b"THREAD " + one.algorithm.encode() + b" UTF-8 " + search(one.key)
    ),
    c.Fetch: lambda one: _uid(one.uid) + _fetch(one),
    c.Store: lambda one: _uid(one.uid) + _store(one),
    c.Copy: lambda one: _numbered(b"MOVE " if one.move else b"COPY ", one),
    c.GetQuota: lambda one: b"GETQUOTA " + text(one.root),
    c.GetQuotaRoot: lambda one: b"GETQUOTAROOT " + name(one.mailbox),
    c.Compress: lambda one: b"COMPRESS " + one.mechanism.encode(),
    c.Notify: _notify,
}

# -- making ----------------------------------------------------------------------------------

atoms = st.from_regex(r"[A-Z][A-Z0-9=]{0,8}", fullmatch=True)
tags = st.from_regex(r"[A-Za-z0-9.]{1,6}", fullmatch=True)
numbers = st.integers(1, NUMBER_LIMIT)
modseqs = st.integers(1, MODSEQ_LIMIT)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain_texts = st.text("abcXYZ 019.@-", max_size=20)
mailboxes = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFFF, exclude_categories=["Cs"]),
    min_size=1,
    max_size=12,
).map(canonical)
_ends = st.one_of(st.just(0), numbers)
sets = st.lists(st.tuples(_ends, _ends), min_size=1, max_size=4).map(
    lambda ranges: SequenceSet(tuple(ranges))
)
sets_or_saved = sets | st.just(SequenceSet(saved=True))
partials = st.tuples(st.integers(1, 1000), st.integers(1, 1000), st.sampled_from([1, -1])).map(
    lambda drawn: (drawn[2] * min(drawn[:2]), drawn[2] * max(drawn[:2]))
)
flag_names = st.sampled_from(["\\Seen", "\\Deleted", "$Label1", "Junk", "\\Recent"])
flag_lists = st.lists(flag_names, max_size=3).map(tuple)
dates = st.dates(date(1970, 1, 1), date(2200, 1, 1))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=zones).map(
    lambda value: value.replace(microsecond=0)
)

_plain_keys = st.one_of(
    st.just(s.All()),
    st.just(s.SaveDateSupported()),
    st.sampled_from(["\\Answered", "\\Seen", "\\Recent", "Junk", "$x"]).map(s.HasFlag),
    st.builds(s.Numbers, sets_or_saved, st.booleans()),
    st.builds(
        s.TextKey, st.sampled_from(["bcc", "body", "cc", "from", "subject", "text", "to"]), texts
    ),
    st.builds(s.Header, texts, texts),
    st.builds(s.Dated, st.sampled_from(s.DateField), st.sampled_from([-1, 0, 1]), dates),
    st.builds(s.Sized, st.booleans(), st.integers(0, MODSEQ_LIMIT)),
    st.builds(s.Within, st.booleans(), numbers),
    st.builds(s.ModSeqAtLeast, st.integers(0, MODSEQ_LIMIT)),
    st.builds(s.ObjectId, texts, st.booleans()),
)


def _joined(steps: tuple[s.Step, ...], operator: s.Operator) -> tuple[s.Step, ...]:
    # The parser takes NOT NOT away.
    doubled = operator is s.Operator.NOT and steps[-1] is s.Operator.NOT
    return steps[:-1] if doubled else (*steps, operator)


keys = st.recursive(
    _plain_keys.map(lambda one: (one,)),
    lambda inner: st.one_of(
        inner.map(lambda one: _joined(one, s.Operator.NOT)),
        st.tuples(inner, inner, st.sampled_from([s.Operator.OR, s.Operator.AND])).map(
            lambda pair: _joined(pair[0] + pair[1], pair[2])
        ),
    ),
    max_leaves=6,
).map(s.Program)


initial_responses = st.binary(max_size=20).map(lambda raw: base64.b64encode(raw) or b"=")


@st.composite
def sections(draw: st.DrawFn) -> Section:
    path = tuple(draw(st.lists(st.integers(1, 20), max_size=3)))
    partial = draw(st.none() | st.tuples(st.integers(0, 10**9), st.integers(1, 10**9)))
    peek = draw(st.booleans())
    shown_partial = f"<{partial[0]}>" if partial else ""
    inside = ".".join(map(str, path))
    if draw(st.booleans()):
        shown = f"BINARY[{inside}]{shown_partial}"
        return Section(path, "", (), partial, peek, binary=True, shown=shown)
    choices = ["", "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT"]
    words = draw(st.sampled_from([*choices, "MIME"] if path else choices))
    names: tuple[str, ...] = ()
    inside = f"{inside}.{words}" if path and words else inside or words
    if words.startswith("HEADER.FIELDS"):
        names = tuple(sorted(draw(st.sets(atoms, min_size=1, max_size=3))))
        inside += f" ({' '.join(names)})"
    return Section(path, words, names, partial, peek, shown=f"BODY[{inside}]{shown_partial}")


items = st.one_of(
    st.sampled_from(Item),
    st.lists(st.integers(1, 9), max_size=3).map(lambda path: BinarySize(tuple(path))),
    sections(),
)
item_lists = st.lists(items, min_size=1, max_size=4, unique=True).map(tuple)


@st.composite
def returns_and_partials(
    draw: st.DrawFn,
) -> tuple[frozenset[str] | None, tuple[int, int] | None]:
    if draw(st.booleans()):
        return None, None
    options = draw(st.sets(st.sampled_from(["MIN", "MAX", "COUNT", "SAVE", "ALL"]), min_size=1))
    if "ALL" not in options and draw(st.booleans()):
        return frozenset(options | {"PARTIAL"}), draw(partials)
    return frozenset(options), None


@st.composite
def searches(draw: st.DrawFn) -> c.Command:
    returns, partial = draw(returns_and_partials())
    uid, wanted = draw(st.booleans()), draw(keys)
    match draw(st.integers(0, 2)):
        case 0:
            return c.Search(uid, wanted, returns, partial)
        case 1:
            pair = st.tuples(st.sampled_from(sorted(SORT_KEYS)), st.booleans())
            criteria = tuple(
                draw(st.lists(pair, min_size=1, max_size=3, unique_by=lambda one: one[0]))
            )
            return c.Sort(uid, criteria, wanted, returns, partial)
        case _:
            algorithm = draw(st.sampled_from(["REFERENCES", "ORDEREDSUBJECT"]))
            return c.Thread(uid, algorithm, wanted)


@st.composite
def fetches(draw: st.DrawFn) -> c.Fetch:
    uid = draw(st.booleans())
    since = draw(st.none() | st.integers(0, MODSEQ_LIMIT))
    wanted = draw(item_lists)
    if uid and Item.UID not in wanted:
        wanted = (Item.UID, *wanted)
    if since is not None and Item.MODSEQ not in wanted:
        wanted = (*wanted, Item.MODSEQ)
    vanished = uid and since is not None and draw(st.booleans())
    numbers_ = draw(sets_or_saved)
    return c.Fetch(uid, numbers_, wanted, since, vanished, draw(st.none() | partials))


@st.composite
def lists(draw: st.DrawFn) -> c.List:
    reference = draw(mailboxes | st.just(""))
    pattern = st.text("abc/%*& ", min_size=0, max_size=8).map(canonical)
    if draw(st.booleans()):
        return c.List(reference, (draw(pattern),), lsub=draw(st.booleans()))
    selection = draw(st.frozensets(st.sampled_from(["SUBSCRIBED", "REMOTE", "SPECIAL-USE"])))
    returns = draw(st.frozensets(st.sampled_from(["SUBSCRIBED", "CHILDREN", "STATUS"])))
    status: tuple[str, ...] = ()
    if "STATUS" in returns:
        status = tuple(
            draw(st.lists(st.sampled_from(sorted(STATUS_ITEMS)), min_size=1, unique=True))
        )
    patterns = tuple(draw(st.lists(pattern, min_size=1, max_size=3)))
    return c.List(
        reference, patterns, selection=selection, returns=returns, status=status, extended=True
    )


@st.composite
def groups(draw: st.DrawFn) -> c.EventGroup:
    which = draw(st.sampled_from(["PERSONAL", "INBOXES", "SUBSCRIBED", "SUBTREE", "MAILBOXES"]))
    named = which in ("SUBTREE", "MAILBOXES")
    names = tuple(draw(st.lists(mailboxes, min_size=1, max_size=2))) if named else ()
    both = frozenset({"MESSAGENEW", "MESSAGEEXPUNGE"})
    events = draw(
        st.sampled_from(
            [frozenset(), both, both | {"FLAGCHANGE"}, frozenset({"MAILBOXNAME"}), both | {"OTHER"}]
        )
    )
    return c.EventGroup(which, names, events)


@st.composite
def notifies(draw: st.DrawFn) -> c.Notify:
    chosen = draw(st.lists(groups(), max_size=2))
    if draw(st.booleans()):
        events = frozenset({"MESSAGENEW", "MESSAGEEXPUNGE"})
        which = draw(st.sampled_from(["SELECTED", "SELECTED-DELAYED"]))
        chosen.append(c.EventGroup(which, (), events, draw(st.just(()) | item_lists)))
    return c.Notify(tuple(chosen), bool(chosen) and draw(st.booleans()))


_qresync = st.builds(
    c.QResync, numbers, modseqs, st.none() | sets, st.none() | st.tuples(sets, sets)
)
_message = st.builds(
    c.AppendMessage, st.binary(max_size=50), flag_lists, st.none() | moments, st.booleans()
)
_catenated = st.builds(
    lambda flags, date, parts: c.AppendMessage(b"", flags, date, parts=tuple(parts)),
    flag_lists,
    st.none() | moments,
    st.lists(st.binary(max_size=20) | texts, min_size=1, max_size=3),
)
ANY: st.SearchStrategy[c.Command] = st.one_of(
    st.sampled_from(sorted(PLAIN)).map(c.Plain),
    st.builds(c.Authenticate, atoms, st.none() | initial_responses),
    st.builds(c.Login, texts, texts),
    st.lists(atoms, min_size=1, max_size=3).map(lambda found: c.Enable(tuple(found))),
    st.lists(st.tuples(plain_texts, st.none() | plain_texts), max_size=3).map(
        lambda found: c.Id(tuple(found))
    ),
    st.builds(c.Select, mailboxes, st.booleans(), st.booleans(), st.none() | _qresync),
    st.builds(c.Create, mailboxes, st.sampled_from([(), ("\\Sent",), ("\\Junk", "\\Trash")])),
    st.builds(c.Delete, mailboxes),
    st.builds(c.Rename, mailboxes, mailboxes),
    st.builds(c.Subscribe, mailboxes, st.booleans()),
    lists(),
    st.builds(
        c.Status,
        mailboxes,
        st.lists(st.sampled_from(sorted(STATUS_ITEMS)), min_size=1, unique=True).map(tuple),
    ),
    st.builds(
        c.Append, mailboxes, st.lists(_message | _catenated, min_size=1, max_size=3).map(tuple)
    ),
    st.builds(c.Expunge, sets_or_saved),
    searches(),
    fetches(),
    st.builds(
        c.Store,
        st.booleans(),
        sets_or_saved,
        st.sampled_from(["", "+", "-"]),
        st.booleans(),
        flag_lists,
        st.none() | st.integers(0, MODSEQ_LIMIT),
    ),
    st.builds(c.Copy, st.booleans(), sets_or_saved, mailboxes, st.booleans()),
    st.builds(c.GetQuota, texts),
    st.builds(c.GetQuotaRoot, mailboxes),
    st.builds(c.Compress, atoms),
    notifies(),
)

_NAMES = {
    c.Search: "SEARCH",
    c.Sort: "SORT",
    c.Thread: "THREAD",
    c.Fetch: "FETCH",
    c.Store: "STORE",
}


def name_of(command: c.Command) -> str:
    """Return what the table calls a command."""
    match command:
        case c.Plain(written):
            return written
        case c.Select():
            return "EXAMINE" if command.read_only else "SELECT"
        case c.Subscribe():
            return "SUBSCRIBE" if command.on else "UNSUBSCRIBE"
        case c.List():
            return "LSUB" if command.lsub else "LIST"
        case c.Expunge():
            return "UID EXPUNGE"
        case c.Copy():
            return ("UID " if command.uid else "") + ("MOVE" if command.move else "COPY")
        case c.Search() | c.Sort() | c.Thread() | c.Fetch() | c.Store():
            return ("UID " if command.uid else "") + _NAMES[type(command)]
        case _:
            return type(command).__name__.upper()


tagged = st.builds(lambda tag, command: c.Tagged(tag, name_of(command), command), tags, ANY)
