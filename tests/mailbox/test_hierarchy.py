"""The rules of an account's mailboxes, without any protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.limits import MAILBOX_LEVELS, MAILBOXES
from bridge.mailbox import Mailboxes, MailboxExists, MailboxRefused, Refusal, hierarchy
from bridge.model import DELETED, SEEN, AccountId, Mailbox, SpecialUse
from tests.store.made import NOW, ingested

Step = Callable[[Mailboxes, AccountId], Awaitable[object]]


async def names(mailboxes: Mailboxes, account: AccountId) -> set[str]:
    return {box.name for box in await mailboxes.mailboxes(account)}


REFUSED: dict[str, tuple[Refusal, Step]] = {
    "a name that is taken": (
        Refusal.EXISTS,
        lambda boxes, account: hierarchy.create(boxes, account, "sent".capitalize()),
    ),
    "another spelling of INBOX": (
        Refusal.EXISTS,
        lambda boxes, account: hierarchy.create(boxes, account, "inbox"),
    ),
    "an empty level": (
        Refusal.NOT_ALLOWED,
        lambda boxes, account: hierarchy.create(boxes, account, "a//b"),
    ),
    "a wildcard": (
        Refusal.NOT_ALLOWED,
        lambda boxes, account: hierarchy.create(boxes, account, "a*"),
    ),
    "too many levels": (
        Refusal.NOT_ALLOWED,
        lambda boxes, account: hierarchy.create(boxes, account, "a/" * MAILBOX_LEVELS + "a"),
    ),
    "a use that another has": (
        Refusal.SPECIAL_USE,
        lambda boxes, account: hierarchy.create(boxes, account, "Cestino", SpecialUse.TRASH),
    ),
    "deleting INBOX": (
        Refusal.NOT_ALLOWED,
        lambda boxes, account: hierarchy.delete(boxes, account, "Inbox"),
    ),
    "deleting Sent": (
        Refusal.NOT_ALLOWED,
        lambda boxes, account: hierarchy.delete(boxes, account, "Sent"),
    ),
    "deleting what is not there": (
        Refusal.MISSING,
        lambda boxes, account: hierarchy.delete(boxes, account, "Nessuna"),
    ),
    "renaming what is not there": (
        Refusal.MISSING,
        lambda boxes, account: hierarchy.rename(boxes, account, "Nessuna", "Altra"),
    ),
    "renaming to what is there": (
        Refusal.EXISTS,
        lambda boxes, account: hierarchy.rename(boxes, account, "Archive", "Drafts"),
    ),
    "renaming below itself": (
        Refusal.NOT_ALLOWED,
        lambda boxes, account: hierarchy.rename(boxes, account, "Archive", "Archive/2026"),
    ),
    "subscribing to what can be none": (
        Refusal.NOT_ALLOWED,
        lambda boxes, account: hierarchy.subscribe(boxes, account, "a\nb"),
    ),
    "dropping what can be none": (
        Refusal.NOT_ALLOWED,
        lambda boxes, account: hierarchy.unsubscribe(boxes, account, "a\nb"),
    ),
}


@pytest.mark.parametrize(("refusal", "step"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_a_rule_forbids_changes_nothing(
    mailboxes: Mailboxes, account: AccountId, refusal: Refusal, step: Step
) -> None:
    before = await names(mailboxes, account)
    with pytest.raises(MailboxRefused) as refused:
        await step(mailboxes, account)
    assert refused.value.refusal is refusal
    assert refused.value.text
    assert await names(mailboxes, account) == before


async def test_levels_above_are_made(mailboxes: Mailboxes, account: AccountId) -> None:
    await hierarchy.create(mailboxes, account, "Clienti/2026/Rossi/")
    assert {"Clienti", "Clienti/2026", "Clienti/2026/Rossi"} <= await names(mailboxes, account)
    await hierarchy.rename(mailboxes, account, "Clienti/2026", "Storico/Vecchi/2026")
    assert await names(mailboxes, account) >= {
        "Clienti",
        "Storico",
        "Storico/Vecchi",
        "Storico/Vecchi/2026",
        "Storico/Vecchi/2026/Rossi",
    }


async def test_a_level_that_went_is_renamed_with_what_is_below(
    mailboxes: Mailboxes, account: AccountId
) -> None:
    await hierarchy.create(mailboxes, account, "Clienti/Rossi")
    await hierarchy.delete(mailboxes, account, "Clienti")
    await hierarchy.rename(mailboxes, account, "Clienti", "Fornitori")
    found = await names(mailboxes, account)
    assert "Fornitori/Rossi" in found
    assert not found & {"Clienti", "Clienti/Rossi", "Fornitori"}


async def test_a_name_below_that_would_be_too_long_changes_nothing(
    mailboxes: Mailboxes, account: AccountId
) -> None:
    await hierarchy.create(mailboxes, account, "a/" + "b" * 200)
    before = await names(mailboxes, account)
    with pytest.raises(MailboxRefused):
        await hierarchy.rename(mailboxes, account, "a", "c" * 100)
    assert await names(mailboxes, account) == before


async def test_inbox_stays_and_its_messages_move(
    mailboxes: Mailboxes, account: AccountId, inbox: Mailbox
) -> None:
    await mailboxes.append(inbox.id, ingested("one"), frozenset({SEEN}), NOW)
    await hierarchy.create(mailboxes, account, "INBOX/Sotto")
    await hierarchy.rename(mailboxes, account, "inbox", "INBOX/Vecchia")
    moved = await mailboxes.find(account, "INBOX/Vecchia")
    assert moved is not None
    assert len(await mailboxes.index(moved.id)) == 1
    assert len(await mailboxes.index(inbox.id)) == 0
    assert {"INBOX", "INBOX/Sotto"} <= await names(mailboxes, account)


async def test_two_who_make_the_same_at_once(mailboxes: Mailboxes, account: AccountId) -> None:
    outcomes = await asyncio.gather(
        *(hierarchy.create(mailboxes, account, "Clienti/Rossi") for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Mailbox) for one in outcomes) == 1
    others = [one for one in outcomes if not isinstance(one, Mailbox)]
    assert all(isinstance(one, MailboxRefused) for one in others)
    assert not any(isinstance(one, MailboxExists) for one in others)


async def test_there_is_room_for_so_many(
    mailboxes: Mailboxes, account: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = len(await names(mailboxes, account))
    monkeypatch.setattr(hierarchy, "MAILBOXES", there + 2)
    with pytest.raises(MailboxRefused):
        await hierarchy.create(mailboxes, account, "a/b/c")
    await hierarchy.create(mailboxes, account, "a/b")
    with pytest.raises(MailboxRefused) as refused:
        await hierarchy.rename(mailboxes, account, "a", "d/e")
    assert refused.value.refusal is Refusal.TOO_MANY
    assert there < MAILBOXES


async def test_subscriptions_are_counted_once_each(
    mailboxes: Mailboxes, account: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = len(await mailboxes.subscriptions(account))
    monkeypatch.setattr(hierarchy, "MAILBOXES", there + 1)
    await hierarchy.subscribe(mailboxes, account, "Nessuna/")
    await hierarchy.subscribe(mailboxes, account, "Nessuna")
    with pytest.raises(MailboxRefused) as refused:
        await hierarchy.subscribe(mailboxes, account, "Altra")
    assert refused.value.refusal is Refusal.TOO_MANY
    await hierarchy.unsubscribe(mailboxes, account, "Nessuna")
    assert len(await mailboxes.subscriptions(account)) == there


async def test_only_what_is_deleted_still_is_expunged(
    mailboxes: Mailboxes, account: AccountId, inbox: Mailbox
) -> None:
    one = await mailboxes.append(inbox.id, ingested("one"), frozenset({DELETED}), NOW)
    two = await mailboxes.append(inbox.id, ingested("two"), frozenset(), NOW)
    assert await mailboxes.expunge_deleted(inbox.id, [one.uid, two.uid]) == (one.uid,)
    assert await mailboxes.expunge_deleted(inbox.id, []) == ()
