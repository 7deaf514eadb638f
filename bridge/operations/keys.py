"""``apikey``: by which programs ask over HTTP; each is of one account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bridge.clock import Clock, rfc3339
from bridge.credentials.apikey import new_api_key
from bridge.language import say
from bridge.limits import API_KEY_NAME_CHARS, API_KEYS
from bridge.operations.accounts import ApiAccounts, Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.keys import ApiKeyRow

log = structlog.get_logger()


class KeyOperations:
    """See the module.

    Args:
        store: keeps them.
        clock: stamps.
        accounts: whose they may be.
    """

    def __init__(self, store: Store, clock: Clock, accounts: ApiAccounts) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "apikey create": self._create,
            "apikey list": self._list,
            "apikey revoke": self._revoke,
        }

    async def _create(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Make a key; its ``key`` is in this answer and nowhere else."""
        chosen = self._accounts.chosen(arguments)
        if len(chosen) != 1:
            raise OperationFailed(
                say("Say whose key it is with --account: a key is of one account.")
            )
        name = _checked(str(arguments["name"]))
        key = new_api_key()
        may_write = bool(arguments.get("write"))
        row = ApiKeyRow(key.id, chosen[0].id, name, key.hash(), may_write, self._clock.now())

        async def work(tx: Transaction) -> None:
            there = await tx.api_keys()
            if any(one.name == name for one in there):
                raise OperationFailed(
                    say("There is a key called {name} already; name this another.", name=repr(name))
                )
            if len(there) >= API_KEYS:
                raise OperationFailed(
                    say("There are {most} keys already; revoke one first.", most=API_KEYS)
                )
            await tx.add_api_key(row)

        await self._store.write(work)
        log.info("api_key_created", id=row.id, account=row.account, may_write=may_write)
        return {**self._facts(row, chosen[0].address), "key": key.text()}

    async def _list(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return all keys of the account, or of all, without their secrets."""
        named = arguments.get("account") is not None
        chosen = {one.id for one in self._accounts.chosen(arguments)}

        async def work(tx: ReadTransaction) -> list[dict[str, Any]]:
            return [
                self._facts(row, await tx.address(row.account))
                for row in await tx.api_keys()
                if not named or row.account in chosen
            ]

        return await self._store.read(work)

    async def _revoke(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """End the key that ``which`` names, by its id or its name."""
        which = str(arguments["which"]).strip()

        async def work(tx: Transaction) -> dict[str, Any]:
            for row in await tx.api_keys():
                if which in (row.id, row.name):
                    await tx.revoke_api_key(row.id)
                    return self._facts(row, await tx.address(row.account))
            raise OperationFailed(
                say("There is no key {which}; `pec-bridge apikey list` shows all.", which=which)
            )

        facts = await self._store.write(work)
        log.info("api_key_revoked", id=facts["id"])
        return facts

    def _facts(self, row: ApiKeyRow, address: str | None) -> dict[str, Any]:
        return {
            "id": row.id,
            "name": row.name,
            "account": address,
            "access": "read-write" if row.may_write else "read-only",
            "created_at": rfc3339(row.created_at),
            "used_at": rfc3339(row.used_at),
        }


def _checked(name: str) -> str:
    name = name.strip()
    if not name or not name.isprintable() or len(name) > API_KEY_NAME_CHARS:
        raise OperationFailed(
            say(
                "A key's name is a line of 1 to {most} characters, such "
                "as the program's that is to use it.",
                most=API_KEY_NAME_CHARS,
            )
        )
    return name
