"""What a bridge hears of others on its database: each commit once, and nothing is missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.model import AccountId, MailboxId
from bridge.store.base import Transaction
from bridge.store.news import ANYTHING, NOTHING, News
from bridge.store.postgres import PostgresStore
from bridge.store.postgres.news import ACCOUNTS_A_LINE, LINE_MOST, line_of, news_of, words_of
from tests.cluster import Cluster
from tests.running import until
from tests.store.postgres.proxy import Proxy

pytestmark = pytest.mark.slow


@dataclass(slots=True)
class Hearing:
    """One bridge's store, and what it heard of others."""

    store: PostgresStore
    heard: list[News] = field(default_factory=list)

    async def begun(self) -> None:
        """Wait for what is said first: that nobody knows what was before."""
        await until(lambda: ANYTHING in self.heard)
        await asyncio.sleep(0)
        self.heard.clear()


def mailbox(number: int) -> News:
    return News(frozenset({MailboxId(number)}), frozenset())


async def tell(store: PostgresStore, *numbers: int) -> None:
    async def work(tx: Transaction) -> None:
        await tx.announce([MailboxId(number) for number in numbers], [])

    await store.write(work)


@pytest.fixture
async def one(server: Cluster, database: str, tmp_path: Path) -> AsyncIterator[Hearing]:
    store = await PostgresStore.open(server.url(database), tmp_path)
    hearing = Hearing(store)
    store.listen(hearing.heard.append, "one")
    await hearing.begun()
    yield hearing
    await store.close()


@pytest.fixture
async def other(server: Cluster, database: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(server.url(database), tmp_path / "other")
    yield store
    await store.close()


async def test_what_others_commit_is_heard_in_order_and_what_is_ones_own_is_not(
    one: Hearing, other: PostgresStore
) -> None:
    await tell(one.store, 1)
    for number in range(2, 9):
        await tell(other, number)
    await until(lambda: mailbox(8) in one.heard)
    assert one.heard == [mailbox(number) for number in range(2, 9)]


async def test_what_was_undone_is_not_told(one: Hearing, other: PostgresStore) -> None:
    async def undone(tx: Transaction) -> None:
        await tx.announce([MailboxId(1)], [])
        raise LookupError

    with pytest.raises(LookupError):
        await other.write(undone)
    await tell(other, 2)
    await until(lambda: one.heard)
    assert one.heard == [mailbox(2)]


async def test_a_commit_that_nobody_told_of_may_have_changed_anything(
    one: Hearing, server: Cluster, database: str
) -> None:
    server.run("INSERT INTO last_commit VALUES ('silent', 7, now())", database)
    await until(lambda: one.heard)
    assert one.heard == [ANYTHING]
    one.heard.clear()
    server.run("NOTIFY pec_bridge, 'silent 8 m3'", database)
    await until(lambda: one.heard)
    server.run("NOTIFY pec_bridge, 'silent 10 m4'", database)
    await until(lambda: len(one.heard) == 2)
    assert one.heard == [mailbox(3), ANYTHING]


async def test_a_connection_that_was_lost_is_made_anew(
    proxy: Proxy, server: Cluster, database: str, tmp_path: Path
) -> None:
    store = await PostgresStore.open(f"postgresql://bridge@/{database}?host={tmp_path}", tmp_path)
    hearing = Hearing(store)
    store.listen(hearing.heard.append, "one")
    await hearing.begun()
    server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE application_name = 'pec-bridge: one' AND datname = '{database}'"
    )
    await until(lambda: hearing.heard)
    assert hearing.heard[0] == ANYTHING
    await store.close()


def test_a_line_says_what_changed_and_a_long_one_that_anything_may_have() -> None:
    words = set(words_of([MailboxId(12)], [AccountId(3)]))
    writer, number, *heard = line_of("w", 5, words).split(" ")
    assert (writer, number) == ("w", "5")
    assert news_of(heard) == News(frozenset({MailboxId(12)}), frozenset({AccountId(3)}))
    many = set(words_of([MailboxId(number) for number in range(10**6, 10**6 + 2000)], []))
    assert len(line_of("w", 5, many)) < LINE_MOST
    assert news_of(line_of("w", 5, many).split(" ")[2:]) == ANYTHING
    assert news_of(["x1"]) == ANYTHING
    assert mailbox(1).with_more(mailbox(2)) == news_of(["m1", "m2"])
    assert mailbox(1).with_more(ANYTHING) == ANYTHING
    assert NOTHING.with_more(mailbox(1)) == mailbox(1)


async def test_one_knows_whether_others_are_connected(one: Hearing, other: PostgresStore) -> None:
    await until(lambda: not one.store.has_company())
    assert other.has_company()  # it does not listen, and cannot know
    other.listen(lambda _news: None, "other")
    await until(one.store.has_company)
    await until(other.has_company)
    await other.close()
    await until(lambda: not one.store.has_company())


async def test_others_hear_whose_mailboxes_are_open(one: Hearing, other: PostgresStore) -> None:
    """Of as many as there may be; nothing was changed of them."""
    watched = frozenset(AccountId(number) for number in range(1, 2 * ACCOUNTS_A_LINE + 2))
    other.listen(lambda _news: None, "other")
    await until(other.has_company)
    await until(one.store.has_company)
    one.heard.clear()
    other.tell_watched(watched)
    await until(lambda: len(one.heard) == 3)
    assert frozenset().union(*(news.watched for news in one.heard)) == watched
    assert not any(news.of_commit for news in one.heard)
    assert one.heard[0].with_more(NOTHING).of_commit
    assert not one.heard[0].with_more(one.heard[1]).of_commit
