"""Rows that agree in every listed field: each is a message, and none is taken for another."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.api.client import PecClient
from bridge.api.schema import InboxMessage
from bridge.simulator import (
    SEQUENCE_READING,
    FaultRule,
    FixedAnswer,
    Ids,
    Operation,
    Phase,
)
from bridge.store.remote import Place
from bridge.sync.twins import Twins
from tests.sync.client import Passing
from tests.sync.test_service import running, until
from tests.sync.world import ADDRESS, World, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE)
SUBJECT = "CONSEGNA: x"


def twins(here: World, *texts: str) -> None:
    for text in texts:
        at = here.clock.now().replace(hour=1, minute=0, second=0, microsecond=0)
        here.simulator.inject(ADDRESS, subject=SUBJECT, body=f"Testo {text}.", at=at)


async def shown(here: World) -> str:
    """Return which of the texts a, b, c are shown, each as often as it is."""
    texts = "".join((await here.messages()).values())
    return "".join(text * texts.count(f"Testo {text}.") for text in "abc")


def broken(here: World, text: str) -> FaultRule:
    """Let the API not show the body of one twin, under the id that it has now."""
    found = next(one for one in here.simulator.inbox(ADDRESS) if one.row.text == f"Testo {text}.")
    return here.simulator.faults.add(
        FaultRule(
            phase=Phase.INSTEAD,
            result=FixedAnswer(500, b"oops"),
            operation=Operation.INBOX_GET,
            times=None,
            when=lambda call: call.target == str(found.id),
        )
    )


async def test_twins_are_all_read_and_told_apart(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        twins(here, "a", "b", "c")
        here.simulator.seed(ADDRESS, 30)
        await here.sync_now()
        assert len(await here.messages()) == 33
        here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[1].row)
        await here.sync_now()
        assert await shown(here) == "ac"


async def test_twins_alike_to_the_last_byte_are_two_messages(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        twins(here, "a", "a")
        await here.sync_now()
        assert await shown(here) == "aa"


@pytest.mark.parametrize("which", [0, 1])
async def test_of_twins_alike_to_the_last_byte_the_one_leaves_whose_id_went(
    tmp_path: Path, which: int
) -> None:
    async with world(tmp_path, STABLE) as here:
        twins(here, "a", "a")
        await here.sync_now()
        uids = list(await here.messages())
        here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[which].row)
        await here.sync_now()
        assert list(await here.messages()) == [uids[1 - which]]


async def test_a_twin_that_cannot_be_read_for_hours_keeps_its_text(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        twins(here, "a", "b", "c")
        rule = broken(here, "b")
        for hours in (0, 1, 3, 6):
            await here.clock.advance(hours * 3600)
            await here.sync_now()
            assert await shown(here) == "ac"
            assert len(await here.messages()) == 2
        here.simulator.faults.remove(rule)
        await here.clock.advance(3600)
        await here.sync_now()
        assert await shown(here) == "abc"


async def test_a_twin_that_cannot_be_read_at_all_is_shown_without_a_text(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        twins(here, "a", "b")
        broken(here, "b")
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(13 * 3600)
        assert await shown(here) == "a"
        assert len(await here.messages()) == 2


async def test_a_known_twin_that_cannot_be_read_stays(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        twins(here, "a", "b")
        await here.sync_now()
        before = await here.messages()
        twins(here, "c")
        broken(here, "b")
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(13 * 3600)
        after = await here.messages()
        assert before.items() <= after.items()
        assert len(after) == 3


async def test_of_twins_that_are_fewer_none_leaves_before_all_were_read(tmp_path: Path) -> None:
    """What stands under the id of the one that went may be any of the others."""
    async with world(tmp_path, SEQUENCE_READING) as here:
        twins(here, "a", "b", "c")
        await here.sync_now()
        before = await here.messages()
        here.simulator.delete_where(ADDRESS, lambda row: row.text == "Testo a.")
        rule = broken(here, "b")
        for hours in (0, 1, 6):
            await here.clock.advance(hours * 3_600)
            await here.sync_now()
            assert await here.messages() == before
        here.simulator.faults.remove(rule)
        await here.clock.advance(3_600)
        await here.sync_now()
        assert await shown(here) == "bc"
        assert (await here.messages()).items() < before.items()


async def test_twins_that_wait_hold_up_nothing_else(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        here.simulator.seed(ADDRESS, 130)
        twins(here, "a", "b")
        broken(here, "b")
        await here.sync_now()
        assert len(await here.messages()) == 131


async def test_a_message_that_takes_the_place_of_one_just_like_it_is_another(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, STABLE) as here:
        twins(here, "a")
        here.simulator.seed(ADDRESS, 3)
        await here.sync_now()
        first = here.simulator.inbox(ADDRESS)[0].row
        here.simulator.delete(ADDRESS, first)
        twins(here, "b")
        for _ in range(3):
            await here.sync_now()
            await here.clock.advance(90_000)
        assert await shown(here) == "b"


async def test_a_twin_that_may_have_moved_is_not_shown_twice_while_nothing_tells(
    tmp_path: Path,
) -> None:
    """What stands under the id that it had cannot be read: it may stand there, or have moved."""
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 1)
        await here.clock.advance(60)
        twins(here, "a", "b")
        await here.sync_now()
        here.simulator.delete_where(ADDRESS, lambda row: not row.text.startswith("Testo"))
        twins(here, "c")
        rule = broken(here, "b")
        for _ in range(3):
            await here.sync_now()
            assert (await shown(here)).count("a") == 1
            await here.clock.advance(3_600)
        here.simulator.faults.remove(rule)
        for _ in range(3):
            await here.clock.advance(3_600)
            await here.sync_now()
        assert await shown(here) == "abc"


async def test_each_doubt_has_all_its_patience(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        twins(here, "a", "b")
        broken(here, "b")
        await here.sync_now()
        here.simulator.delete_where(ADDRESS, lambda row: row.text == "Testo b.")
        await here.clock.advance(3600)
        await here.sync_now()
        await here.clock.advance(13 * 3600)
        at = here.simulator.inbox(ADDRESS)[0].row.at
        here.simulator.inject(ADDRESS, subject=SUBJECT, body="Testo c.", at=at)
        rule = broken(here, "c")
        await here.sync_now()
        assert len(await here.messages()) == 1
        here.simulator.faults.remove(rule)
        await here.clock.advance(3600)
        await here.sync_now()
        assert await shown(here) == "ac"


class Late(Passing):
    """A client whose first text arrives when it is let go, or once another one was asked for."""

    def __init__(self, client: PecClient, state: LateState) -> None:
        super().__init__(client)
        self._state = state

    async def inbox_message(self, api_id: str) -> InboxMessage:
        state, message = self._state, await super().inbox_message(api_id)
        if not state.is_held.is_set():
            state.is_held.set()
            await state.is_released.wait()
        elif state.others_let_go and not state.is_released.is_set():
            state.is_released.set()
            await until(state.is_filed)
        return message


@dataclass
class LateState:
    """Shared by the clients of one world."""

    is_filed: Callable[[], bool]
    others_let_go: bool = True
    is_held: asyncio.Event = field(default_factory=asyncio.Event)
    is_released: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.mark.parametrize("is_seen", [True, False])
async def test_a_text_that_comes_while_its_like_are_read_is_not_given_to_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_seen: bool
) -> None:
    """Whether it is seen to be on its way when they begin to be read, or sets out later."""
    if not is_seen:
        monkeypatch.setattr(Twins, "_are_fetched", lambda twins, known: False)
    state = LateState(lambda: here.sync.standing(here.account).fetched > 0)
    async with world(tmp_path, SEQUENCE_READING, wrap=lambda client: Late(client, state)) as here:
        twins(here, "a")
        async with running(here):
            await state.is_held.wait()
            here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[0].row)
            twins(here, "b", "a")  # the id of the one is the other's by now
            looks = here.made(Operation.INBOX_LIST)
            if is_seen:
                await until(lambda: here.made(Operation.INBOX_LIST) >= looks + 2, here.clock)
                assert not state.is_released.is_set()  # they are not read for nothing
                state.is_released.set()
            await until(state.is_released.is_set, here.clock)
            await until(lambda: here.sync.standing(here.account).fetched == 2, here.clock)
        assert await shown(here) == "ab"


@pytest.mark.slow
async def test_none_is_kept_while_a_text_that_set_out_meanwhile_is_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, are_fetched = itertools.cycle([False, True]), Twins._are_fetched

    def seen_afterwards(twins: Twins, known: Sequence[Place]) -> bool:
        return next(turns) and are_fetched(twins, known)

    monkeypatch.setattr(Twins, "_are_fetched", seen_afterwards)
    state = LateState(lambda: True, others_let_go=False)
    async with world(tmp_path, SEQUENCE_READING, wrap=lambda client: Late(client, state)) as here:
        twins(here, "a")
        async with running(here):
            await state.is_held.wait()
            twins(here, "b")
            texts = here.made(Operation.INBOX_GET)
            await until(lambda: here.made(Operation.INBOX_GET) > texts + 2, here.clock)
            assert here.sync.standing(here.account).fetched == 0
            state.is_released.set()
            await until(lambda: here.sync.standing(here.account).fetched == 2, here.clock)
        assert await shown(here) == "ab"
