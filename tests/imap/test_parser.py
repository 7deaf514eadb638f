"""One complete line to a command: round trips, a table of faults, and nothing else escapes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imap import commands as c
from bridge.imap.errors import ImapFault, SyntaxFault
from bridge.imap.framing import CommandLine, Framer
from bridge.imap.parse_search import BadCharset
from bridge.imap.parser import parse
from bridge.imap.search import HasFlag, Operator, Program, SearchKey, TextKey
from bridge.imap.sections import ALL, FAST, FULL, Item, Section
from bridge.imap.sequence import SequenceSet
from tests.imap.printer import printed, tagged


def parsed(text: str) -> c.Command:
    return parse(CommandLine(f"a {text}".encode(), ())).command


@given(tagged)
def test_what_is_printed_is_read_back(command: c.Tagged) -> None:
    framer = Framer(literal_limit_bytes=10_000)
    framer.feed(printed(command))
    line = framer.next_event()
    assert isinstance(line, CommandLine)
    assert parse(line) == command
    assert framer.next_event() is None


@given(st.binary(max_size=60))
def test_only_faults_escape(text: bytes) -> None:
    with suppress(ImapFault):
        parse(CommandLine(text, ()))


@given(tagged, st.data())
def test_only_faults_escape_from_what_is_nearly_a_command(
    command: c.Tagged, data: st.DataObject
) -> None:
    wire = bytearray(printed(command))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(wire) - 1))
        wire[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    framer = Framer(literal_limit_bytes=1000)
    framer.feed(bytes(wire))
    with suppress(ImapFault):
        while (line := framer.next_event()) is not None:
            if isinstance(line, CommandLine):
                parse(line)


FAULTS = {
    "no tag": "",
    "no command": "a",
    "no blank": "a ",
    "unknown": "a FROBNICATE",
    "unknown after UID": "a UID SELECT 1",
    "argument too many": "a NOOP x",
    "argument too few": "a LOGIN x",
    "blank too many": "a LOGIN  x y",
    "unclosed string": 'a LOGIN "x y',
    "unclosed list": "a FETCH 1 (FLAGS",
    "empty set": "a FETCH  FLAGS",
    "zero": "a FETCH 0 FLAGS",
    "number too big": "a FETCH 4294967296 FLAGS",
    "unknown item": "a FETCH 1 SHOES",
    "MIME of the message": "a FETCH 1 BODY[MIME]",
    "unknown section": "a FETCH 1 BODY[1.SHOES]",
    "partial of nothing": "a FETCH 1 BODY[]<0.0>",
    "VANISHED alone": "a UID FETCH 1 FLAGS (VANISHED)",
    "VANISHED without UID": "a FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
    "unknown key": "a SEARCH SHOES",
    "key without argument": "a SEARCH FROM",
    "no such day": "a SEARCH ON 31-Feb-2026",
    "no such month": "a SEARCH ON 1-Foo-2026",
    "both windows": "a SEARCH RETURN (ALL PARTIAL 1:2) ALL",
    "window from both ends": "a SEARCH RETURN (PARTIAL 1:-2) ALL",
    "unknown criterion": "a SORT (SHOES) UTF-8 ALL",
    "unknown algorithm": "a THREAD JWZ UTF-8 ALL",
    "unknown status": "a STATUS x (SHOES)",
    "empty status": "a STATUS x ()",
    "unknown parameter": "a SELECT x (SHOES)",
    "QRESYNC of zero": "a SELECT x (QRESYNC (0 1))",
    "append of no literal": "a APPEND x text",
    "append on no day": 'a APPEND x "31-Feb-2026 10:00:00 +0000" {1}',
    "recursive of all": 'a LIST (RECURSIVEMATCH) "" *',
    "unknown option": 'a LIST (SHOES) "" *',
    "new without expunge": "a NOTIFY SET (personal (MessageNew))",
    "fetch elsewhere": "a NOTIFY SET (personal (MessageNew (UID) MessageExpunge))",
    "mailbox events of the selected": "a NOTIFY SET (selected (MailboxName))",
    "selected twice": (
        "a NOTIFY SET (selected (MessageNew MessageExpunge))"
        " (selected-delayed (MessageNew MessageExpunge))"
    ),
    "store of no flags": "a STORE 1 +FLAGS",
}


@pytest.mark.parametrize("text", FAULTS.values(), ids=FAULTS.keys())
def test_fault(text: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse(CommandLine(text.encode(), ()))
    assert caught.value.tag == ("a" if text else "*")


DEEP = 2000
NESTED = {
    "OR in OR, to the right": ("OR SEEN " * DEEP + "DRAFT", 2 * DEEP + 1),
    "OR in OR, to the left": ("OR " * DEEP + "SEEN" + " DRAFT" * DEEP, 2 * DEEP + 1),
    "NOT NOT": ("NOT " * (2 * DEEP) + "SEEN", 1),
    "NOT NOT NOT": ("NOT " * (2 * DEEP + 1) + "SEEN", 2),
    "parentheses": ("(" * DEEP + "SEEN" + ")" * DEEP, 1),
    "keys in parentheses": ("(SEEN " * DEEP + "DRAFT" + ")" * DEEP, 2 * DEEP + 1),
    "one after the other": ("SEEN " * DEEP + "DRAFT", 2 * DEEP + 1),
    "all in turn": ("NOT (1 OR 2 " * DEEP + "SEEN" + ")" * DEEP, 6 * DEEP - DEEP + 1),
}


@pytest.mark.parametrize("command", ["SEARCH", "SORT (DATE) UTF-8", "THREAD REFERENCES UTF-8"])
@pytest.mark.parametrize(("keys", "steps"), NESTED.values(), ids=NESTED.keys())
def test_no_nesting_of_keys_is_too_deep(command: str, keys: str, steps: int) -> None:
    found = parsed(f"{command} {keys}")
    assert isinstance(found, c.Search | c.Sort | c.Thread)
    assert len(found.key.steps) == steps
    again = parsed(f"{command} {keys}")
    assert found == again
    assert hash(found) == hash(again)
    assert repr(found)


@pytest.mark.parametrize(
    "keys",
    ["OR SEEN", "NOT", "(SEEN", "(SEEN))", "()", "OR (SEEN DRAFT)", "OR SEEN OR DRAFT", "NOT ()"],
)
def test_what_lacks_a_key_is_refused(keys: str) -> None:
    with pytest.raises(SyntaxFault):
        parsed(f"SEARCH {keys}")


@pytest.mark.parametrize(
    "steps",
    [(), (Operator.NOT,), (HasFlag("x"), Operator.OR), (HasFlag("x"), HasFlag("y"))],
)
def test_a_program_leaves_one_result(steps: tuple[SearchKey | Operator, ...]) -> None:
    with pytest.raises(ValueError, match=r"before it|are left"):
        Program(steps)


def test_a_section_nested_too_deep_is_refused() -> None:
    with pytest.raises(SyntaxFault):
        parsed(f"FETCH 1 BODY[{'.'.join(['1'] * 1000)}]")


READ = {
    "lower case": ("fetch 1 flags", c.Fetch(False, SequenceSet(((1, 1),)), (Item.FLAGS,))),
    "ALL": ("FETCH 1 ALL", c.Fetch(False, SequenceSet(((1, 1),)), ALL)),
    "FAST": ("FETCH 1 FAST", c.Fetch(False, SequenceSet(((1, 1),)), FAST)),
    "FULL": ("FETCH 1 FULL", c.Fetch(False, SequenceSet(((1, 1),)), FULL)),
    "UID is added": (
        "UID FETCH 1 FLAGS",
        c.Fetch(True, SequenceSet(((1, 1),)), (Item.UID, Item.FLAGS)),
    ),
    "RFC822.HEADER peeks": (
        "FETCH 1 RFC822.HEADER",
        c.Fetch(
            False,
            SequenceSet(((1, 1),)),
            (Section(text="HEADER", peek=True, shown="RFC822.HEADER"),),
        ),
    ),
    "lazy preview": (
        "FETCH 1 (PREVIEW (LAZY))",
        c.Fetch(False, SequenceSet(((1, 1),)), (Item.PREVIEW,)),
    ),
    "flags without parentheses": (
        "STORE 1:2 -FLAGS \\Seen $x",
        c.Store(False, SequenceSet(((1, 2),)), "-", False, ("\\Seen", "$x")),
    ),
    "inbox in any case": ("SELECT inBox", c.Select("INBOX", read_only=False)),
    "modified UTF-7": ("DELETE Citt&AOA-", c.Delete("Città")),
    "UTF-8": ("DELETE Città", c.Delete("Città")),
    "neither": ("DELETE A&B", c.Delete("A&B")),
    "NEW": (
        "SEARCH NEW",
        c.Search(
            False,
            Program((HasFlag("\\Recent"), HasFlag("\\Seen"), Operator.NOT, Operator.AND)),
        ),
    ),
    "charset": (
        'SEARCH CHARSET ISO-8859-1 SUBJECT "x"',
        c.Search(False, Program((TextKey("subject", "x"),)), has_charset=True),
    ),
    "empty RETURN is ALL": (
        "SEARCH RETURN () SEEN",
        c.Search(False, Program((HasFlag("\\Seen"),)), frozenset({"ALL"})),
    ),
    "blank at the end": ("NOOP ", c.Plain("NOOP")),
    "one mailbox to be notified of": (
        "NOTIFY SET (subtree Lists NONE)",
        c.Notify((c.EventGroup("SUBTREE", ("Lists",)),)),
    ),
}


@pytest.mark.parametrize(("text", "command"), READ.values(), ids=READ.keys())
def test_read(text: str, command: c.Command) -> None:
    assert parsed(text) == command


@pytest.mark.parametrize(
    ("charset", "needle", "text"),
    [
        (b"ISO-8859-1", b"\xe0 \x80", "à €"),
        (b"windows-949", b"\x8cc", "똠"),
        (b'"x-cp1251"', b"\xe4\xe0", "да"),
        (b"US-ASCII", b"\xc3\xa0", "à"),
        (b"UTF-8", b"\xc3\xa0 \xe0", "à \ufffd"),
        (b"UTF-7", b"+AOA-", "à"),
    ],
)
def test_text_in_another_charset_is_decoded(charset: bytes, needle: bytes, text: str) -> None:
    line = CommandLine(b"a SEARCH CHARSET %b BODY {%d}\n" % (charset, len(needle)), (needle,))
    wanted = Program((TextKey("body", text),))
    assert parse(line).command == c.Search(False, wanted, has_charset=True)


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "rot13", "zip", "x-no"])
def test_what_is_no_charset_is_refused(charset: str) -> None:
    for command in ("SEARCH CHARSET %s ALL", "SORT (DATE) %s ALL", "THREAD REFERENCES %s ALL"):
        with pytest.raises(BadCharset):
            parsed(command % charset)


def test_a_password_is_not_in_the_repr() -> None:
    assert "segreta" not in repr(parsed("LOGIN anna segreta"))
