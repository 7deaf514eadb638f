"""Who is told of a mailbox's changes, while others come and go."""

from __future__ import annotations

from bridge.mailbox.subscribers import Subscribers
from bridge.model import AccountId, Change, Expunged, MailboxId, ModSeq, Uid

ACCOUNT, BOX = AccountId(1), MailboxId(1)


def gone(uid: int) -> Expunged:
    return Expunged(BOX, ModSeq(uid), (Uid(uid),))


def test_who_stays_is_told_on_when_another_has_closed_the_same_mailbox() -> None:
    subscribers, told = Subscribers(), list[Change]()
    end = subscribers.subscribe_mailbox(ACCOUNT, BOX, lambda _: None)
    subscribers.subscribe_mailbox(ACCOUNT, BOX, told.append)
    end()
    subscribers.publish(gone(1))
    assert told == [gone(1)]
    assert subscribers.watchers(ACCOUNT) == 1


def test_who_ends_twice_ends_nobody_elses() -> None:
    subscribers, told = Subscribers(), list[Change]()
    end = subscribers.subscribe_mailbox(ACCOUNT, BOX, lambda _: None)
    end()
    subscribers.subscribe_mailbox(ACCOUNT, BOX, told.append)
    end()
    subscribers.publish(gone(1))
    assert told == [gone(1)]
