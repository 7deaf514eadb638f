"""The index finds what a plain look through the same texts finds, no more and no less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.model import AccountId, ContentId, MailboxId
from bridge.store.base import Store, Transaction
from bridge.store.messages import TextField
from bridge.store.sqlite import SqliteStore
from tests.store.made import NOW, ingested, row

BODIES = (
    "la ricevuta di accettazione",
    "avviso di mancata consegna",
    'con "virgolette" e * e -segni AND OR NOT',
    "àèìòù €uro 漢字かな 🙂🙂🙂",
    "aaaa",
    "aab",
    "",
    "ab",
    "riga\nsu due\nrighe",
    "nul\0dentro",
    "consegna " * 500,
)
NEEDLES = (
    "ricevuta", "consegna", "di m", "aaa", "aaaa", "aab", "a", "ab", "", '"virg', '"', "* e -",
    "AND OR", "NOT", "òù €", "漢字か", "🙂🙂🙂", "due\nrig", "\n", "l\0d", "ricevuta di consegna",
    "CONSEGNA", "na cons", "%", "_",
)  # fmt: skip


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await SqliteStore.open(tmp_path)
    yield store
    await store.close()


async def fill(store: Store, bodies: tuple[str, ...]) -> tuple[MailboxId, list[ContentId]]:
    async def work(tx: Transaction) -> tuple[MailboxId, list[ContentId]]:
        account = await tx.account("a@pec.example") or await tx.add_account("a@pec.example")
        box = await tx.add_mailbox(account, f"box {NOW}", None, 1)
        contents = []
        for uid, body in enumerate(bodies, start=1):
            contents.append(await tx.add_content(account, ingested(f"{box.id}/{uid}", body=body)))
            await tx.add_messages(box.id, [row(uid, contents[-1])])
        await tx.rename_mailbox(box.id, f"box {box.id}")
        return box.id, contents

    return await store.write(work)


async def found(store: Store, mailbox: MailboxId, needle: str) -> list[ContentId]:
    hits, doubtful = await store.scan(lambda tx: tx.matching_text(mailbox, TextField.BODY, needle))
    assert doubtful == []
    return hits


async def index(store: Store, limit: int = 1000) -> int:
    return await store.write(lambda tx: tx.index_bodies(limit))


@pytest.mark.parametrize("indexed", [0, 4, len(BODIES)], ids=["nothing", "some", "all"])
async def test_the_answer_does_not_depend_on_what_is_indexed(store: Store, indexed: int) -> None:
    mailbox, contents = await fill(store, BODIES)
    assert await index(store, indexed) == indexed
    for needle in NEEDLES:
        plain = [c for c, body in zip(contents, BODIES, strict=True) if needle in body]
        assert await found(store, mailbox, needle) == plain, needle


LETTERS = st.text(st.sampled_from('ab"à🙂 \n\0*'), max_size=12)


@given(bodies=st.lists(LETTERS, max_size=6).map(tuple), needle=LETTERS, indexed=st.integers(0, 6))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_index_agrees_with_a_plain_scan(
    tmp_path: Path, bodies: tuple[str, ...], needle: str, indexed: int
) -> None:
    async def run() -> None:
        store = await SqliteStore.open(tmp_path)
        await index(store)
        mailbox, contents = await fill(store, bodies)
        await index(store, indexed)
        plain = [c for c, body in zip(contents, bodies, strict=True) if needle in body]
        assert await found(store, mailbox, needle) == plain
        await store.close()

    asyncio.run(run())


async def test_indexing_goes_on_where_it_stopped(store: Store) -> None:
    await fill(store, BODIES)
    done = [await index(store, 5) for _ in range(4)]
    assert done == [5, 5, 1, 0]


async def test_a_dropped_text_leaves_the_index(store: Store) -> None:
    mailbox, _ = await fill(store, ("resta la ricevuta",))

    async def orphan(tx: Transaction) -> tuple[AccountId, ContentId]:
        account = await tx.account("a@pec.example")
        assert account is not None
        content = await tx.add_content(account, ingested("va", body="va la ricevuta"))
        await tx.mark_orphans([content], NOW)
        return account, content

    account, _ = await store.write(orphan)
    await index(store)
    later = NOW + timedelta(days=1)
    assert await store.write(lambda tx: tx.drop_orphans(later, 10)) == 1
    assert len(await found(store, mailbox, "la ricevuta")) == 1
    again = await store.write(lambda tx: tx.add_content(account, ingested("va", body="altro")))
    await store.write(lambda tx: tx.add_messages(mailbox, [row(2, again)]))
    await index(store)
    assert await found(store, mailbox, "altro") == [again]
    assert len(await found(store, mailbox, "ricevuta")) == 1


async def test_a_cut_text_stays_doubtful_in_the_index(store: Store) -> None:
    mailbox, _ = await fill(store, ())

    async def work(tx: Transaction) -> ContentId:
        account = await tx.account("a@pec.example")
        assert account is not None
        cut = ingested("cut", body="solo l'inizio", body_is_whole=False)
        content = await tx.add_content(account, cut)
        await tx.add_messages(mailbox, [row(1, content)])
        return content

    content = await store.write(work)
    await index(store)
    search = TextField.BODY
    hit = await store.scan(lambda tx: tx.matching_text(mailbox, search, "inizio"))
    miss = await store.scan(lambda tx: tx.matching_text(mailbox, search, "la fine"))
    assert hit == ([content], [])
    assert miss == ([], [content])
