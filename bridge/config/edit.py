"""Changes to a configuration's text that leave everything else in it as it was, comments too. Pure.

Failure: ``CannotEdit``, a sentence, for a text in a form that is better changed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, InlineTable, Table

from bridge.language import say

HEAD = "# The settings of pec-bridge; all there are, with their defaults, are in its README.md.\n"

Source = Mapping[str, str]
"""Where a secret is, as the file has it: ``{"file": "/etc/pec-bridge/secrets/token"}``."""


class CannotEdit(Exception):
    """The text cannot be changed; the message says why."""


def new_text(data_dir: Path, token: Source, base_url: str | None) -> str:
    """Return a configuration without an account.

    Args:
        data_dir: the data's folder.
        token: where the token is.
        base_url: the API's, None for the usual one.
    """
    document = tomlkit.document()
    document["data_dir"] = str(data_dir)
    api = tomlkit.table()
    if base_url is not None:
        api["base_url"] = base_url
    api["token"] = _inline(token)
    document["api"] = api
    return HEAD + tomlkit.dumps(document)


def with_account(
    text: str, address: str, username: str | None, password: Source, local_password: Source
) -> str:
    """Add an account at the end.

    Args:
        text: the configuration.
        address: the account's.
        username: its name at the API, None for the address.
        password: where the mailbox's own password is.
        local_password: where the hash is of the one for mail programs.

    Raises:
        CannotEdit: see the module.
    """
    document = _parsed(text)
    account = tomlkit.table()
    account["address"] = address
    if username is not None:
        account["username"] = username
    account["password"] = _inline(password)
    account["local_password"] = _inline(local_password)
    account.add(tomlkit.nl())
    accounts = document.get("account")
    if accounts is None or (isinstance(accounts, list) and not accounts):
        document.pop("account", None)
        accounts = tomlkit.aot()
        accounts.append(account)
        document.append("account", accounts)
    elif isinstance(accounts, AoT):
        accounts.append(account)
    else:
        raise CannotEdit(
            say("account is no list of [[account]] tables: write them so, then try again")
        )
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def without_account(text: str, address: str) -> str:
    """Take an account out.

    Raises:
        CannotEdit: see the module; or there is no such account.
    """
    document = _parsed(text)
    accounts, index = _found(document, address)
    del accounts[index]
    if not accounts:
        document.pop("account")
    return tomlkit.dumps(document)


def with_local_password(text: str, address: str, local_password: Source) -> str:
    """Say where an account's password for mail programs is.

    Raises:
        CannotEdit: see the module; or there is no such account.
    """
    document = _parsed(text)
    accounts, index = _found(document, address)
    accounts[index]["local_password"] = _inline(local_password)
    return tomlkit.dumps(document)


def with_setting(text: str, table: str, name: str, value: str | int | float | bool) -> str:
    """Set one key of a table, which is made if there is none.

    Args:
        text: the configuration.
        table: its name.
        name: the key.
        value: what TOML can say.

    Raises:
        CannotEdit: see the module.
    """
    document = _parsed(text)
    if table not in document:
        document.append(table, tomlkit.table())
    found: Any = document[table]
    if not isinstance(found, Table | InlineTable):
        raise CannotEdit(say("[{table}] is no table", table=table))
    found[name] = value
    return tomlkit.dumps(document)


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise CannotEdit(say("it is no TOML ({error})", error=error)) from None


def _found(document: tomlkit.TOMLDocument, address: str) -> tuple[Any, int]:
    accounts: Any = document.get("account")
    for index, account in enumerate(accounts if isinstance(accounts, list) else ()):
        if str(account.get("address", "")).casefold() == address.casefold():
            return accounts, index
    raise CannotEdit(say("there is no account {address}", address=address))


def _inline(values: Mapping[str, str]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(dict(values))
    return table
