"""An account as the configuration has it, and as it is shown and tried; for ``account``."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.cli.output import visible
from bridge.cli.tongue import spoken
from bridge.config import Account, Api, Config, ConfigFile, SecretSource
from bridge.language import say
from bridge.operations.control import OperationFailed

if TYPE_CHECKING:
    from bridge.app.accounts import SettingsPlace
    from bridge.credentials import Secret

ANSWERS_WITHIN_S = 5.0
RELOADED_WITHIN_S = 120.0
"""A reload waits for the requests under way."""

AT_ITS_START = say(
    "systemd hands secrets to a service when it starts it. `systemctl restart pec-bridge` does so; "
    "until then those before hold."
)

SHOWN_ONCE = say("shown only now; `pec-bridge account password` makes another")


def place_of(path: Path, file: ConfigFile | None) -> SettingsPlace:
    """Return where secrets go: as the token does, for a first configuration of root as credentials.

    The unit in systemd/ loads them so, and no process but the service's can read them then.
    """
    from bridge.app.accounts import SettingsPlace, is_root

    if file is None:
        return SettingsPlace(path, is_root())
    return SettingsPlace(path, file.config.api.token.credential is not None)


def try_api(
    api: Api, token: Secret, username: str, password: Secret, file: ConfigFile | None = None
) -> dict[str, Any]:
    """Ask the API with these secrets, and return what it said.

    Args:
        api: where it is.
        token: for it.
        username: the mailbox's.
        password: the mailbox's.
        file: the configuration, None if there is none yet.

    Raises:
        ApiError: it did not answer, or refused.
    """
    from bridge.api.way import ApiRoute
    from bridge.app.accounts import client, tried
    from bridge.app.way import way_of
    from bridge.cli.log import configure
    from bridge.clock import SystemClock

    async def work() -> dict[str, Any]:
        there = ApiRoute() if file is None else way_of(file)
        async with client(api, token, username, password, SystemClock(), there) as pec:
            return await tried(pec)

    configure("human", "error")
    return asyncio.run(work())


def account_facts(
    file: ConfigFile, address: str, ports: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return what the configuration says of an account.

    Args:
        file: the configuration.
        address: the account's.
        ports: where the bridge listens (``ports_of``); None to find out.
    """
    from bridge.operations.mailprograms import connection

    if ports is None:
        ports = ports_of(file.config)
    account = account_of(file, address)
    return {
        "address": account.address,
        "username": account.api_username,
        "password": _shown(account.password),
        "local_password": account.local_password and _shown(account.local_password),
        "configuration": file.name,
        "connection": connection(account.address, ports, socket.gethostname()),
    }


def ports_of(config: Config) -> list[dict[str, Any]]:
    """Return where the running bridge listens, whose ports systemd may have opened; or would."""
    from bridge.operations.control import NotRunning, ask
    from bridge.operations.mailprograms import listeners

    try:
        status = asyncio.run(ask(config.data_dir, "status", {}, within_s=ANSWERS_WITHIN_S))
    except (NotRunning, OperationFailed):
        return listeners(config)
    found: list[dict[str, Any]] = status["listeners"]
    return found


def account_of(file: ConfigFile, address: str) -> Account:
    """Return the account with this address, in any case.

    Raises:
        OperationFailed: there is none.
    """
    for one in file.config.account:
        if one.address.casefold() == address.casefold():
            return one
    raise OperationFailed(
        say("There is no account {address} in {name}.", address=visible(address), name=file.name)
    )


def _shown(source: SecretSource) -> str:
    """Return where a secret is, in words."""
    if source.command is not None:
        return f"command {source.command[0]}"
    for kind in ("file", "env", "keyring", "credential"):
        if (value := getattr(source, kind)) is not None:
            return f"{kind} {value}"
    return ""


def has_credentials(config: Config) -> bool:
    """Tell whether systemd hands out any of the secrets."""
    api = config.api
    sources = [api.token, api.admin_token, api.api_key, api.proxy_login, config.store.url]
    for account in config.account:
        sources += [account.password, account.local_password]
    return any(one is not None and one.credential is not None for one in sources)


def say_password(facts: dict[str, Any]) -> None:
    """Write a password that was just made, for the only time."""
    above = spoken(say("Password for mail programs ({once}):", once=SHOWN_ONCE))
    below = spoken(say("The mailbox's own password opens the account, too."))
    sys.stdout.write(f"\n{above}\n\n    {facts['new_local_password']}\n\n{below}\n")


def taken_over(place: SettingsPlace, data_dir: Path, secret: str | None = None) -> str:
    """Let a bridge that runs take the changed configuration over; return what came of it.

    Args:
        place: where the configuration is.
        data_dir: whose bridge.
        secret: what was changed and has to be among what the bridge says has changed. One that
            systemd hands out is not: a service has the one of its start until its end.
    """
    from bridge.operations.control import NotRunning, ask

    try:
        done = asyncio.run(ask(data_dir, "reload", {}, within_s=RELOADED_WITHIN_S))
    except NotRunning:
        return say("No bridge runs: `pec-bridge serve`, or `systemctl start pec-bridge`.")
    except OperationFailed as fault:
        anew = say(" (systemd hands new credentials over when it starts a service)")
        return say(
            "The running bridge did not take it over, start it again{why}: {fault}",
            why=anew if place.by_credential else "",
            fault=fault,
        )
    if secret is not None and secret not in done["changed"]:
        return say(
            "The running bridge does NOT have it yet: {at_its_start}", at_its_start=AT_ITS_START
        )
    return say("The running bridge has taken it over.")


def say_programs(facts: dict[str, Any]) -> None:
    """Write what to type into mail programs."""
    from bridge.operations.mailprograms import steps

    for program, lines in steps(facts["connection"]).items():
        sys.stdout.write(f"\n{program}\n" + "".join(f"  {line}\n" for line in lines))
