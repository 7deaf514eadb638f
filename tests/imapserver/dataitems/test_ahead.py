from __future__ import annotations

import asyncio
from typing import cast

import pytest

from bridge.imapserver.dataitems.ahead import ReadAhead
from bridge.model import ContentId
from bridge.store.base import ReadTransaction, ReadWork, Store, StoreFailed

SOME, OTHERS = [ContentId(1), ContentId(2)], [ContentId(1), ContentId(3)]


class Reads:
    """A store that hands works nothing, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    async def read(self, work: ReadWork[object]) -> object:
        self.count += 1
        return await work(cast(ReadTransaction, None))


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def ahead(reads: Reads) -> ReadAhead:
    return ReadAhead(cast(Store, reads))


def saying(word: str) -> ReadWork[str]:
    async def work(_tx: ReadTransaction) -> str:
        return word

    return work


async def failing(_tx: ReadTransaction) -> str:
    raise StoreFailed("gone")


async def test_what_was_begun_is_read_once(reads: Reads, ahead: ReadAhead) -> None:
    ahead.begin("texts", SOME, saying("begun"))
    assert await ahead.read("texts", list(SOME), saying("anew")) == "begun"
    assert reads.count == 1
    assert await ahead.read("texts", SOME, saying("anew")) == "anew"


@pytest.mark.parametrize(("kind", "contents"), [("texts", OTHERS), ("texts", SOME[:1]), (7, SOME)])
async def test_what_was_not_begun_is_read_anew(
    ahead: ReadAhead, kind: object, contents: list[ContentId]
) -> None:
    ahead.begin("texts", SOME, saying("begun"))
    assert await ahead.read(kind, contents, saying("anew")) == "anew"


async def test_a_failure_is_told_to_who_comes_for_it_alone(ahead: ReadAhead) -> None:
    ahead.begin("texts", SOME, failing)
    ahead.begin("others", SOME, failing)  # nobody comes: a warning of the loop's fails this test
    await asyncio.sleep(0)
    with pytest.raises(StoreFailed, match="gone"):
        await ahead.read("texts", SOME, saying("anew"))
