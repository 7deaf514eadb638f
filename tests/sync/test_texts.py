"""Which texts of receipts are fetched, when, and what is shown of one that was not."""

from __future__ import annotations

from pathlib import Path

from bridge.api.purpose import Purpose
from bridge.simulator import SEQUENCE_READING, Operation
from bridge.simulator.wording import NetworkKind
from bridge.store.base import ReadTransaction
from bridge.store.deletions import DeletionState
from bridge.store.receipts import ReceiptBasis
from bridge.store.remote import RemoteId
from bridge.sync.service import SyncSettings
from tests.sync.test_rows import ANNA, code_of, frugal, know_issuer, receipt, states, submit
from tests.sync.world import ADDRESS, World, world

BRUNO = "bruno@pec.invalid"
NEVER = SyncSettings(text="never")


async def listed(here: World, number: int) -> list[RemoteId]:
    async def work(tx: ReadTransaction) -> list[RemoteId]:
        return [one.id for one in await tx.listed_with_code(here.account, code_of(number))]

    return await here.store.read(work)


def is_of_row(raw: str) -> bool:
    return "the text unread; unsigned" in raw.replace("\r\n ", " ")


async def bases(here: World, id: str) -> set[ReceiptBasis]:
    async def work(tx: ReadTransaction) -> set[ReceiptBasis]:
        return {one.basis for one in await tx.receipts_of(id)}  # type: ignore[arg-type]

    return await here.store.read(work)


async def sent_and_delivered(here: World, number: int = 1) -> str:
    await know_issuer(here)
    id = await submit(here, number)
    receipt(here, number, NetworkKind.ACCEPTANCE)
    receipt(here, number, NetworkKind.DELIVERY, later_s=1)
    await here.sync_now()
    return id


async def test_never_shows_what_a_row_says_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, settings=NEVER) as here:
        id = await sent_and_delivered(here)
        assert await states(here, id) == ["delivered"]  # type: ignore[arg-type]
        shown = list((await here.messages()).values())
        assert len(shown) == 2
        for raw in shown:
            assert f"In-Reply-To: <{id}@a.invalid>" in raw
            assert is_of_row(raw)
            assert "Its text was not read" in raw.replace("=\r\n", "")
        assert here.made(Operation.INBOX_GET) == 0
        standing = here.sync.standing(here.account)
        assert standing.fetched == standing.total == 2


async def test_never_leaves_texts_alone_that_only_confirm_and_no_others(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, settings=NEVER) as here:
        await know_issuer(here)
        await submit(here, 1)
        await submit(here, 2, ANNA, BRUNO)
        here.simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: Domanda")
        receipt(here, 1, NetworkKind.ACCEPTANCE)
        receipt(here, 1, NetworkKind.FAILURE, later_s=1)
        receipt(here, 2, NetworkKind.ACCEPTANCE, ANNA, BRUNO)
        receipt(here, 2, NetworkKind.DELIVERY, BRUNO, later_s=2)
        await here.sync_now()
        shown = (await here.messages()).values()
        unread = [raw for raw in shown if is_of_row(raw)]
        assert len(shown) == 5
        assert len(unread) == 1
        assert here.made(Operation.INBOX_GET) == 4


async def test_a_message_made_of_its_row_changes_no_more(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, settings=NEVER) as here:
        id = await sent_and_delivered(here)
        before = await here.messages()
        remotes = await listed(here, 1)
        assert await here.sync.fetch_texts(here.account, remotes) == 2
        assert await bases(here, id) == {ReceiptBasis.TEXT}
        assert await here.messages() == before
        assert await here.sync.fetch_texts(here.account, remotes) == 0
        assert here.made(Operation.INBOX_GET) == 2
        await here.restart()
        await here.sync_now()
        assert await here.messages() == before


async def test_rows_that_waited_are_shown_once_that_is_wanted(tmp_path: Path) -> None:
    _, wrap = frugal(Purpose.CONFIRMATION)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        await sent_and_delivered(here)
        assert await here.messages() == {}
        here.settings = NEVER
        await here.restart()
        await here.sync_now()
        assert len(await here.messages()) == 2


async def test_a_person_has_a_text_fetched(tmp_path: Path) -> None:
    _, wrap = frugal(Purpose.CONFIRMATION)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        id = await sent_and_delivered(here)
        assert await bases(here, id) == {ReceiptBasis.ROW}
        assert await here.sync.fetch_texts(here.account, await listed(here, 1)) == 2
        assert await bases(here, id) == {ReceiptBasis.TEXT}
        shown = (await here.messages()).values()
        assert len(shown) == 2
        assert not any(is_of_row(raw) for raw in shown)


async def test_what_the_api_shows_instead_is_not_taken_for_a_text(tmp_path: Path) -> None:
    _, wrap = frugal(Purpose.CONFIRMATION)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        for number in range(3):
            here.simulator.inject(ADDRESS, subject=f"POSTA CERTIFICATA: {number}")
        id = await sent_and_delivered(here)
        remotes = await listed(here, 1)
        here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[0].row)
        assert await here.sync.fetch_texts(here.account, remotes) == 2  # all ids had moved
        assert await bases(here, id) == {ReceiptBasis.TEXT}
        assert await states(here, id) == ["delivered"]  # type: ignore[arg-type]
        assert await here.alarms() == []


async def test_always_fetches_receipts_like_mail(tmp_path: Path) -> None:
    made, wrap = frugal(Purpose.CONFIRMATION)
    settings = SyncSettings(text="always")
    async with world(tmp_path, SEQUENCE_READING, settings=settings, wrap=wrap) as here:
        await sent_and_delivered(here)
        assert {purpose for purpose, _ in made[0].notes} == {Purpose.BODY}
        assert len(await here.messages()) == 2


async def test_one_made_of_its_row_is_read_before_it_is_deleted(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, settings=NEVER) as here:
        await sent_and_delivered(here)
        uids = list(await here.messages())
        await here.mailboxes.expunge(here.inbox_id, uids)
        remotes = await listed(here, 1)
        for _ in range(4):
            await here.sync_now()
        assert here.simulator.inbox(ADDRESS) == ()
        bodies = [
            await here.store.read(lambda tx, one=one: tx.remote_body(one))  # type: ignore[misc]
            for one in remotes
        ]
        assert all(bodies)
        done = await here.store.read(lambda tx: tx.deletions(here.account, DeletionState.DONE))
        assert len(done) == 2
