"""Asks the token host what the service counted, for one command.

Failure: none; what keeps it from being asked is a sentence in the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bridge.api.connection import ApiConnection
from bridge.api.errors import ApiError
from bridge.api.tokens import TokenClient
from bridge.app.administration import account_key
from bridge.app.way import way_of
from bridge.clock import Clock
from bridge.config import ConfigError, ConfigFile
from bridge.language import say
from bridge.operations.vendor_count import compared, unasked

if TYPE_CHECKING:
    import httpx

NO_KEY = say(
    "The service's own count is not asked for: set email and api_key in [api], and it stands here."
)


async def vendor_count(
    file: ConfigFile,
    usage: Mapping[str, Any],
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
) -> dict[str, Any]:
    """Return what the service counted in the period of ``usage`` (that operation's result).

    Args:
        file: the configuration, and where it was read.
        usage: the result of the operation of that name.
        clock: the time.
        transport: in place of the network; None: the network.
    """
    config = file.config
    try:
        credentials, found = account_key(file), way_of(file)
    except ConfigError as error:
        return unasked(say("The service's own count cannot be asked for: {error}", error=error))
    if credentials is None:
        return unasked(NO_KEY)
    connection = ApiConnection(
        config.api.oauth_url,
        credentials,
        clock=clock,
        timeout_s=config.api.timeout_s,
        transport=transport,
        way=found,
    )
    host = urlsplit(config.api.base_url).hostname or ""
    try:
        counted = await TokenClient(connection, clock).usage(host, usage["period"])
    except ApiError as error:
        return unasked(say("The service's own count cannot be had: {reason}", reason=error.reason))
    finally:
        await connection.aclose()
    ours = usage["all_accounts"]
    return compared(ours, ours["sends_eur"], counted, host)
