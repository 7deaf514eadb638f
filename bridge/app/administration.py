"""The administration hosts, put together for one command or for the daemon's daily look.

No store and no lock: what is asked for here is at the service. The same operations serve
whoever else asks for them by name.

Failure: ``ConfigError`` for a secret that cannot be had.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.api.connection import ApiConnection, Basic
from bridge.api.mailboxes import MailboxClient
from bridge.api.tokens import TokenClient
from bridge.app.way import way_of
from bridge.clock import Clock
from bridge.config import ConfigError, ConfigFault, ConfigFile, SecretSource
from bridge.credentials import Secret, SecretFault, resolve
from bridge.operations.mailboxes import MailboxOperations
from bridge.operations.table import Operations
from bridge.operations.tokens import TokenOperations

if TYPE_CHECKING:
    import httpx

SANDBOX_PREFIX = "test."
USUAL_FOLDER = PurePath("/etc/pec-bridge")


@asynccontextmanager
async def mailbox_client(
    file: ConfigFile, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[MailboxClient]:
    """Give the mailbox host's client; blocks while the secret is found.

    Raises:
        ConfigError: the token cannot be had.
    """
    api = file.config.api
    name, source = ("admin_token", api.admin_token) if api.admin_token else ("token", api.token)
    connection = ApiConnection(
        api.admin_url,
        _secret(file, source, "api", name).reveal(),
        clock=clock,
        timeout_s=api.timeout_s,
        transport=transport,
        way=way_of(file),
    )
    try:
        yield MailboxClient(connection, clock)
    finally:
        await connection.aclose()


def mailbox_operations(client: MailboxClient, file: ConfigFile, clock: Clock) -> Operations:
    """Return what can be asked for about mailboxes."""
    config = file.config
    host = urlsplit(config.api.admin_url).hostname or ""
    token = config.api.token.file
    mailboxes = MailboxOperations(
        client,
        clock,
        config.prices,
        sandbox=host.startswith(SANDBOX_PREFIX),
        known=frozenset(account.address.casefold() for account in config.account),
        secrets_folder=token.parent if token is not None else USUAL_FOLDER,
    )
    return Operations([mailboxes.methods()])


@asynccontextmanager
async def token_operations(
    file: ConfigFile,
    credentials: Basic,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Operations]:
    """Give what can be asked for about tokens and the wallet.

    Args:
        file: the configuration, and where it was read.
        credentials: the account's email and key.
        clock: the time.
        transport: in place of the network; None: the network.
    """
    api = file.config.api
    connection = ApiConnection(
        api.oauth_url,
        credentials,
        clock=clock,
        timeout_s=api.timeout_s,
        transport=transport,
        way=way_of(file),
    )
    sources = [source for source in (api.token, api.admin_token) if source is not None]
    in_use = frozenset(_tokens_at_hand(sources, file.folder))
    try:
        client = TokenClient(connection, clock)
        yield Operations([TokenOperations(client, clock, file.config.prices, in_use).methods()])
    finally:
        await connection.aclose()


def account_key(file: ConfigFile) -> Basic | None:
    """Return the account's e-mail and API key, None where the configuration lacks the key.

    Raises:
        ConfigError: the key cannot be had.
    """
    api = file.config.api
    if api.email is None or api.api_key is None:
        return None
    return Basic(api.email, _secret(file, api.api_key, "api", "api_key").reveal())


def _secret(file: ConfigFile, source: SecretSource, *key: str) -> Secret:
    try:
        return resolve(source, folder=file.folder)
    except SecretFault as fault:
        raise ConfigError((ConfigFault(file.where(*key), fault.args[0]),)) from None


def _tokens_at_hand(sources: list[SecretSource], folder: Path) -> list[str]:
    """Return the tokens that the sources have; a file that is yet to be made has none."""
    found = []
    for source in sources:
        try:
            found.append(resolve(source, folder=folder).reveal())
        except SecretFault:
            continue
    return found
