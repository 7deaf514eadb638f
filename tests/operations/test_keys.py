"""Keys of programs: made, shown once, listed and ended."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.credentials.apikey import new_api_key, read_api_key
from bridge.limits import API_KEY_NAME_CHARS, API_KEYS
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.control import OperationFailed
from bridge.operations.keys import KeyOperations
from bridge.operations.table import Operations
from bridge.store.keys import ApiKeyRow
from tests.receipts.rig import ADDRESS, Rig

OTHER = "altra@pec.example"


class Keys:
    """The operations, as the command line asks for them."""

    def __init__(self, rig: Rig, *addresses: str) -> None:
        self._rig = rig
        self._addresses = addresses or (ADDRESS,)

    async def __call__(self, what: str, /, **arguments: object) -> Any:
        known = []
        for address in self._addresses:
            known.append(ApiAccount(await self._rig.mailboxes.open_account(address), address, None))
        accounts = ApiAccounts(tuple(known))
        methods = KeyOperations(self._rig.store, self._rig.clock, accounts).methods()
        return await Operations([methods]).perform(f"apikey {what}", arguments, lambda *_: None)

    async def kept(self) -> list[ApiKeyRow]:
        return list(await self._rig.store.read(lambda tx: tx.api_keys()))


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(rig: Rig) -> None:
    keys = Keys(rig)
    made = await keys("create", name="ERP", write=True)
    key = read_api_key(made["key"])
    assert key is not None
    assert (made["id"], made["access"], made["account"]) == (key.id, "read-write", ADDRESS)
    (kept,) = await keys.kept()
    assert key.fits(kept.secret_hash)
    assert key.secret not in repr(kept) + repr(key)
    (listed,) = await keys("list")
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert key.secret not in json.dumps(listed)


async def test_a_key_looks_and_does_not_write_unless_that_is_said(rig: Rig) -> None:
    assert (await Keys(rig)("create", name="ERP"))["access"] == "read-only"
    assert not (await Keys(rig).kept())[0].may_write


async def test_a_key_is_of_one_account(rig: Rig) -> None:
    keys = Keys(rig, ADDRESS, OTHER)
    with pytest.raises(OperationFailed, match="--account"):
        await keys("create", name="ERP")
    await keys("create", name="ERP", account=OTHER)
    await rig.clock.advance(1)
    await keys("create", name="other", account=ADDRESS)
    assert [one["account"] for one in await keys("list")] == [OTHER, ADDRESS]
    assert [one["name"] for one in await keys("list", account=ADDRESS)] == ["other"]


@pytest.mark.parametrize("by", ["id", "name"])
async def test_a_key_is_ended_by_its_id_or_its_name(rig: Rig, by: str) -> None:
    keys = Keys(rig)
    made = await keys("create", name="ERP")
    stays = await keys("create", name="other")
    assert (await keys("revoke", which=made[by]))["id"] == made["id"]
    assert [one["id"] for one in await keys("list")] == [stays["id"]]
    with pytest.raises(OperationFailed, match="apikey list"):
        await keys("revoke", which=made[by])


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * (API_KEY_NAME_CHARS + 1), "\x1b[2J"])
async def test_a_name_that_is_none_is_refused(rig: Rig, name: str) -> None:
    with pytest.raises(OperationFailed, match="A key's name"):
        await Keys(rig)("create", name=name)


async def test_two_keys_have_two_names(rig: Rig) -> None:
    await Keys(rig)("create", name="ERP")
    with pytest.raises(OperationFailed, match="already"):
        await Keys(rig)("create", name="ERP")


async def test_there_are_so_many_keys_and_no_more(rig: Rig) -> None:
    keys = Keys(rig)
    for number in range(API_KEYS):
        await keys("create", name=f"key {number}")
    with pytest.raises(OperationFailed, match="revoke one"):
        await keys("create", name="one more")
    assert len(await keys.kept()) == API_KEYS


async def test_a_use_is_noted_and_of_a_key_that_is_gone_nothing(rig: Rig) -> None:
    keys = Keys(rig)
    made = await keys("create", name="ERP")
    now = rig.clock.now()
    await rig.store.write(lambda tx: tx.use_api_key(made["id"], now))
    await rig.store.write(lambda tx: tx.use_api_key("another", now))
    assert [(one.id, one.used_at) for one in await keys.kept()] == [(made["id"], now)]
    assert (await keys("list"))[0]["used_at"] == "2026-01-15T09:00:00.000Z"


def test_a_key_is_read_as_it_is_written_and_no_two_are_alike() -> None:
    made = [new_api_key() for _ in range(100)]
    assert [read_api_key(one.text()) for one in made] == made
    assert len({one.id for one in made}) == len({one.secret for one in made}) == len(made)
    assert not any(one.fits(other.hash()) for one, other in itertools.pairwise(made))


@given(st.text())
def test_what_is_no_key_is_read_as_none(text: str) -> None:
    assert read_api_key(text) is None
    assert read_api_key(f"{new_api_key().text()}{text or ' '}") is None
