"""NOTIFY: which group counts, when it tells, and when it gives up."""

from __future__ import annotations

from asyncio import Event

import pytest

from bridge.model import AccountId
from tests.fakes import settle
from tests.imapserver.client import Client, Rig

MESSAGES = "(MessageNew MessageExpunge)"


@pytest.fixture
async def client(rig: Rig) -> Client:
    return await rig.client()


FILTERS = {
    "personal": (f"(personal {MESSAGES})", ["Archive", "Lists/a"]),
    "inboxes": (f"(inboxes {MESSAGES})", []),
    "by name": (f"(mailboxes (Archive Trash) {MESSAGES})", ["Archive"]),
    "subtree": (f"(subtree Lists {MESSAGES})", ["Lists/a"]),
    "not a name's beginning": (f"(subtree Li {MESSAGES})", []),
    "subscribed": (f"(subscribed {MESSAGES})", ["Archive"]),
    "the first group counts": (
        f"(mailboxes Archive NONE) (personal {MESSAGES})",
        ["Lists/a"],
    ),
    "names only": ("(personal (MailboxName))", []),
}


@pytest.mark.parametrize(("groups", "expected"), FILTERS.values(), ids=FILTERS.keys())
async def test_filter(rig: Rig, client: Client, groups: str, expected: list[str]) -> None:
    await client.ok("CREATE Lists/a")
    await client.ok(f"NOTIFY SET {groups}")
    for mailbox in ("Archive", "Lists/a"):
        await rig.add("m", mailbox=mailbox)
    heard = await client.ok("NOOP")
    heard += await client.ok("NOOP")
    assert [line.split()[2] for line in heard] == expected


async def test_a_command_waits_for_what_is_being_told(rig: Rig, client: Client) -> None:
    await client.ok(f"NOTIFY SET (personal {MESSAGES})")
    await rig.add("m", mailbox="Archive")
    assert (await client.line()).startswith(b"* STATUS Archive (MESSAGES 1 ")
    assert await client.ok("NOOP") == []


async def test_selected_delayed_holds_expunges_back(rig: Rig) -> None:
    for number in range(2):
        await rig.add(f"m{number}")
    client, other = await rig.client("INBOX"), await rig.client("INBOX")
    await client.ok(f"NOTIFY SET (selected-delayed {MESSAGES})")
    await other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    await other.ok("EXPUNGE")
    await rig.add("m2")
    assert await client.line() == b"* 3 EXISTS"
    await client.line()
    assert await client.ok("NOOP") == ["* 1 EXPUNGE"]


async def test_in_idle_too(rig: Rig, client: Client) -> None:
    await client.ok(f"NOTIFY SET (personal {MESSAGES})")
    await client.ok("SELECT INBOX")
    await client.send(b"a IDLE\r\n")
    assert await client.line() == b"+ idling"
    await rig.add("m", mailbox="Trash")
    assert (await client.line()).startswith(b"* STATUS Trash (MESSAGES 1 ")
    await rig.add("m")
    assert await client.line() == b"* 1 EXISTS"
    assert await client.line() == b"* 1 RECENT"
    await client.send(b"DONE\r\n")
    assert (await client.line()).startswith(b"a OK")


async def test_names_are_told(rig: Rig, client: Client) -> None:
    other = await rig.client()
    await client.ok("NOTIFY SET (personal (MailboxName SubscriptionChange))")
    await other.ok("CREATE Uno")
    assert await client.line() == b'* LIST () "/" Uno'
    await other.ok("RENAME Uno Due")
    assert await client.line() == b'* LIST () "/" Due ("OLDNAME" (Uno))'
    await other.ok("SUBSCRIBE Due")
    assert await client.line() == b'* LIST (\\Subscribed) "/" Due'
    await other.ok("UNSUBSCRIBE Due")
    assert await client.line() == b'* LIST () "/" Due'
    await other.ok("DELETE Due")
    assert await client.line() == b'* LIST (\\NonExistent) "/" Due'


async def test_none_ends_it(rig: Rig, client: Client) -> None:
    await client.ok(f"NOTIFY SET (personal {MESSAGES})")
    await client.ok("NOTIFY NONE")
    await rig.add("m", mailbox="Archive")
    await settle(50)
    assert await client.ok("NOOP") == []


async def test_a_client_too_far_behind_is_told_so_and_no_more(
    rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.imapserver.notifier.WAITING_LIMIT", 0)
    await client.ok("NOTIFY SET (personal (MailboxName))")
    other = await rig.client()
    await other.ok("CREATE Uno")
    assert (await client.line()).startswith(b"* OK [NOTIFICATIONOVERFLOW]")
    await other.ok("CREATE Due")
    assert await client.ok("NOOP") == []


async def test_a_client_that_leaves_is_forgotten(rig: Rig, client: Client) -> None:
    await client.ok(f"NOTIFY SET (personal {MESSAGES})")
    await client.ok("LOGOUT")
    await rig.add("m", mailbox="Archive")
    await settle(50)
    assert await client.eof() == b""


async def test_what_comes_while_something_is_told_is_told_after_it(
    rig: Rig, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.ok(f"NOTIFY SET (personal {MESSAGES})")
    subscriptions, asked, may_answer = rig.services.mailboxes.subscriptions, Event(), Event()

    async def slow(account: AccountId) -> tuple[str, ...]:
        asked.set()
        await may_answer.wait()
        return await subscriptions(account)

    monkeypatch.setattr(rig.services.mailboxes, "subscriptions", slow)
    await rig.add("m", mailbox="Archive")
    await asked.wait()
    await rig.add("m", mailbox="Trash")
    may_answer.set()
    assert (await client.line()).startswith(b"* STATUS Archive (MESSAGES 1 ")
    assert (await client.line()).startswith(b"* STATUS Trash (MESSAGES 1 ")
