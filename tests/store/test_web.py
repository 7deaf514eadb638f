"""The contract of ``store.web``, for every backend."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bridge.model import AccountId
from bridge.store.base import Store
from bridge.store.web import SentGroup, SentQuery, WebSession
from tests.store.made import NOW

HOUR = timedelta(hours=1)


def session(name: str, account: AccountId | None = None, *, hours: int = 0) -> WebSession:
    begun = NOW + hours * HOUR
    return WebSession(name.encode(), account, begun, begun + 12 * HOUR, b"\0 a seal")


async def added(store: Store, session: WebSession, most: int = 10) -> None:
    await store.write(lambda tx: tx.add_web_session(session, most))


async def found(store: Store, name: str, at: datetime) -> WebSession | None:
    return await store.read(lambda tx: tx.web_session(name.encode(), at))


async def known(store: Store, *names: str, hours: int = 0) -> list[bool]:
    return [await found(store, name, NOW + hours * HOUR) is not None for name in names]


async def test_a_session_is_what_was_kept_until_its_time_is_over(
    store: Store, account: AccountId
) -> None:
    at = NOW + 12 * HOUR - timedelta(microseconds=1)
    for name, of in (("a", account), ("b", None)):
        await added(store, session(name, of))
        assert await found(store, name, at) == session(name, of)
    assert await known(store, "a", "b", "c", hours=12) == [False, False, False]


async def test_who_logs_out_is_forgotten(store: Store) -> None:
    for name in ("a", "b"):
        await added(store, session(name))
    await store.write(lambda tx: tx.end_web_session(b"a"))
    await store.write(lambda tx: tx.end_web_session(b"a"))
    assert await known(store, "a", "b") == [False, True]


async def test_an_accounts_sessions_end_together_and_no_others(
    store: Store, account: AccountId
) -> None:
    other = await store.write(lambda tx: tx.add_account("altra@pec.example"))
    for name, of in (("a", account), ("b", account), ("c", other), ("d", None)):
        await added(store, session(name, of))
    await store.write(lambda tx: tx.end_web_sessions(account))
    assert await known(store, *"abcd") == [False, False, True, True]


async def test_the_oldest_sessions_make_room(store: Store) -> None:
    for hour, name in enumerate("abcd"):
        await added(store, session(name, hours=hour), 3)
    assert await known(store, *"abcd", hours=4) == [False, True, True, True]


async def test_sessions_that_are_over_go(store: Store) -> None:
    await added(store, session("a"))
    await added(store, session("b", hours=13))
    assert await known(store, "a", "b", hours=1) == [False, True]


@pytest.mark.parametrize("group", [None, *SentGroup])
@pytest.mark.parametrize("text", [None, "50%_~"])
async def test_every_question_has_its_index(
    store: Store, account: AccountId, group: SentGroup | None, text: str | None
) -> None:
    """An index that is named and does not fit is an error of the store."""
    for whose in (None, account):
        query = SentQuery(5, whose, group, NOW, NOW + HOUR, "a@b.example", text, before=9)
        assert await page_of(store, query) == ()


async def page_of(store: Store, query: SentQuery) -> object:
    return await store.read(lambda tx: tx.sent_page(query))
