"""Names, levels, patterns, subscriptions, flags and keywords without end."""

from __future__ import annotations

import pytest

from bridge.imap.mailboxname import canonical, fault_of
from bridge.imapserver import view
from bridge.imapserver.commands.list import levels_above
from bridge.limits import (
    IMAP_FLAGS,
    IMAP_NAME_BYTES,
    IMAP_NOTIFY_NAMES,
    IMAP_PATTERNS,
    KEYWORDS,
    MAILBOX_LEVELS,
)
from bridge.mailbox import MailboxTransaction
from bridge.store.sql.messages import SqlMessages
from tests.costs.measure import computed_s, others, peak
from tests.imapserver.client import Rig

LONG = "a/" * 20_000 + "a"


def literal(text: str) -> bytes:
    raw = text.encode()
    return b"{%d+}\r\n%b" % (len(raw), raw)


TOO_MUCH: dict[str, bytes] = {
    "patterns": b'LIST "" (' + b"x " * IMAP_PATTERNS + b"x)",
    "a pattern": b'LIST "" ' + b"%a" * IMAP_NAME_BYTES,
    "a long pattern": b'LSUB "" ' + literal("%*" * 1_000_000),
    "flags": b"STORE 1 +FLAGS (" + b"x " * IMAP_FLAGS + b"x)",
    "flags without parentheses": b"STORE 1 FLAGS " + b"x " * IMAP_FLAGS + b"x",
    "flags of a new message": b"APPEND INBOX (" + b"x " * IMAP_FLAGS + b"x) {1+}\r\nx",
    "names in NOTIFY": b"NOTIFY SET (MAILBOXES (" + b"x " * IMAP_NOTIFY_NAMES + b"x) NONE)",
    "groups of NOTIFY": b"NOTIFY SET" + b" (PERSONAL NONE)" * (IMAP_NOTIFY_NAMES + 1),
}


@pytest.mark.parametrize("command", TOO_MUCH.values(), ids=TOO_MUCH.keys())
async def test_what_is_too_much_is_refused(rig: Rig, command: bytes) -> None:
    await rig.add()
    client = await rig.client("INBOX")
    with peak() as held:
        assert (await client.tagged(command)).startswith("NO [LIMIT]")
    assert held.size_bytes < 16_000_000
    await client.ok("NOOP")


NAMES = {
    "levels": LONG,
    "a level": "x" * 100_000,
    "marks": "\u0327\u0301" * 100_000,
    "shifts": "&AOg-" * 50_000,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("command", ["SUBSCRIBE", "CREATE", "RENAME INBOX", "SELECT", "DELETE"])
async def test_long_names_are_refused(rig: Rig, command: str, name: str) -> None:
    client = await rig.client()
    with peak() as held:
        answer = await client.tagged(command.encode() + b" " + literal(name))
    assert answer.startswith(("NO [CANNOT]", "NO [NONEXISTENT]"))
    assert held.size_bytes < 8_000_000


async def test_what_was_subscribed_to_is_shown_and_can_be_dropped(rig: Rig) -> None:
    async def work(transaction: MailboxTransaction) -> None:
        await transaction.subscribe(rig.account, LONG)

    await rig.services.mailboxes.write(work)
    client = await rig.client()
    with peak() as held:
        assert len(await client.ok('LSUB "" *')) == 6
        assert len(await client.ok('LSUB "" %')) == 5
        assert len(await client.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" *')) == 6
        assert len(await client.ok('LIST "" %%%a%a%*')) == 0
    assert held.size_bytes < 16_000_000
    await client.ok(b"UNSUBSCRIBE " + literal(LONG))
    assert len(await client.ok('LSUB "" *')) == 5


def test_what_is_no_name_has_no_levels() -> None:
    assert levels_above(LONG) == []
    assert levels_above("a/b/c") == ["a", "a/b"]
    assert computed_s(lambda: canonical("\u0327\u0301" * 60_000)) < 0.05
    assert fault_of(LONG) == "the mailbox name is too long"


@pytest.mark.parametrize("command", ["SUBSCRIBE", "CREATE", "RENAME Archive"])
async def test_names_have_so_many_levels(rig: Rig, command: str) -> None:
    client = await rig.client()
    deep = "/".join("a" * MAILBOX_LEVELS)
    assert (await client.tagged(f"{command} {deep}/b")).startswith("NO [CANNOT]")
    assert (await client.tagged(f"{command} {deep}")).startswith("OK")


async def test_an_account_has_so_many_mailboxes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.mailbox.hierarchy.MAILBOXES", 8)
    client = await rig.client()
    for command in ("CREATE", "SUBSCRIBE"):
        await client.ok(f"{command} a/b")
    assert (await client.tagged("CREATE x/y")).startswith("NO [LIMIT]")
    assert (await client.tagged("RENAME a/b c/d")).startswith("NO [LIMIT]")
    await client.ok("CREATE x")
    assert (await client.tagged("CREATE y")).startswith("NO [LIMIT]")
    await client.ok("SUBSCRIBE c")
    await client.ok("SUBSCRIBE d")
    assert (await client.tagged("SUBSCRIBE e")).startswith("NO [LIMIT]")
    await client.ok("SUBSCRIBE d")
    await client.ok("UNSUBSCRIBE c")
    await client.ok("SUBSCRIBE e")


async def test_a_tree_is_renamed_without_reading_all_names_for_each(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = 0
    mailboxes = SqlMessages.mailboxes

    async def counted(self: SqlMessages, account: object) -> object:
        nonlocal listed
        listed += 1
        return await mailboxes(self, account)  # type: ignore[arg-type]

    client = await rig.client()
    for at in range(50):
        await client.ok(f"CREATE a/{at}")
    monkeypatch.setattr(SqlMessages, "mailboxes", counted)
    await client.ok("RENAME a b")
    assert len(await client.ok('LIST "" b*')) == 51
    assert listed <= 2  # to check the name and the number, however many are renamed


async def test_lists_of_many_names_let_others_run(rig: Rig) -> None:
    async def work(transaction: MailboxTransaction) -> None:
        for at in range(1000):
            await transaction.create(rig.account, f"z/{at}")

    await rig.services.mailboxes.write(work)
    client = await rig.client()
    patterns = " ".join(f"*{at}q" for at in range(IMAP_PATTERNS - 1))
    async with others() as turns:
        assert len(await client.ok(f'LIST "" ({patterns} z/%)')) == 1000
    assert turns.count >= 100


async def test_a_mailbox_has_so_many_keywords(rig: Rig) -> None:
    await rig.add()
    client = await rig.client("INBOX")
    for start in range(0, KEYWORDS, IMAP_FLAGS):
        keywords = " ".join(f"k{at}" for at in range(start, start + IMAP_FLAGS))
        await client.ok(f"STORE 1 +FLAGS.SILENT ({keywords})")
    assert (await client.tagged("STORE 1 +FLAGS (one)")).startswith("NO [LIMIT]")
    assert (await client.append("INBOX", b"x", "(one) ")).startswith("NO [LIMIT]")
    await client.ok("STORE 1 +FLAGS.SILENT (K7 \\Seen $PecDelivered)")
    await client.ok("STORE 1 -FLAGS.SILENT (k0 none)")
    await client.ok("STORE 1 +FLAGS.SILENT (one)")
    assert (await client.tagged("STORE 1 +FLAGS (two)")).startswith("NO [LIMIT]")


async def test_sets_of_flags_that_nobody_has_are_forgotten(rig: Rig) -> None:
    await rig.add()
    client = await rig.client("INBOX")
    box = await rig.services.mailboxes.find(rig.account, "INBOX")
    assert box is not None
    index = await rig.services.mailboxes.index(box.id)
    for at in range(1, 1300):
        keywords = " ".join(f"k{bit}" for bit in range(11) if at >> bit & 1)
        await client.send(b"x STORE 1 FLAGS.SILENT (%b)\r\n" % keywords.encode())
        await client.answer(b"x ")
    assert len(index._shared) < 1100


async def test_flags_of_many_are_told_in_pieces(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MOST_FLAGS", 7)
    for _ in range(20):
        await rig.add()
    client, idler, other = [await rig.client("INBOX") for _ in range(3)]
    await idler.send(b"i IDLE\r\n")
    assert (await idler.line()).startswith(b"+")
    await other.ok("STORE 1:* +FLAGS.SILENT (\\Flagged)")
    told = await client.ok("NOOP")
    assert sum("\\Flagged" in line for line in told) == 20
    assert all([b"\\Flagged" in await idler.line() for _ in range(20)])
    await other.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
    await other.ok("EXPUNGE")
    told = await client.ok("NOOP")
    assert sum("EXPUNGE" in line for line in told) == 20
    assert await client.ok("SEARCH ALL") == ["* SEARCH"]


async def test_many_messages_at_once_let_others_run(rig: Rig) -> None:
    client = await rig.client()
    messages = b" ".join(b"{4+}\r\na: b" for _ in range(200))
    async with others() as turns:
        assert (await client.tagged(b"APPEND INBOX " + messages)).startswith("OK")
    assert turns.count >= 200


async def test_qresync_with_many_ranges(rig: Rig) -> None:
    for _ in range(5):
        await rig.add()
    client = await rig.client("INBOX")
    await client.ok("STORE 2 +FLAGS.SILENT \\Deleted")
    await client.ok("EXPUNGE")
    await client.ok("ENABLE QRESYNC")
    validity = next(
        line for line in await client.ok("SELECT INBOX") if "UIDVALIDITY" in line
    ).split()[3][:-1]
    known = ",".join(str(at) for at in range(2, 9000, 2))
    told = await client.ok(f"SELECT INBOX (QRESYNC ({validity} 1 {known}))")
    assert "* VANISHED (EARLIER) 2" in told
    assert [line.split()[1] for line in told if "FETCH" in line] == ["3"]
