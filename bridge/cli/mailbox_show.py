"""A mailbox as people read it, once or whenever it has moved."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from bridge.cli.failure import tell
from bridge.cli.output import print_facts, print_json
from bridge.config import ConfigFile
from bridge.language import say

_LAST = ("next", "configuration", "users", "is_active", "is_end")


def print_mailbox(facts: Mapping[str, Any], as_json: bool) -> None:
    """Write all facts of a mailbox, what comes next, and its lines for the configuration."""
    if as_json:
        print_json(facts)
        return
    print_facts(
        (name, value)
        for name, value in facts.items()
        if name not in _LAST and value not in (None, "", [], 0)
    )
    for user in facts["users"]:
        print_facts([("user", f"{user['name']} ({user['login']}, {user['email']})")])
    if facts["next"]:
        print_facts([("next", facts["next"])])
    if facts["configuration"]:
        sys.stdout.write(f"\n{facts['configuration']}")


def print_watched(file: ConfigFile, id: str, as_json: bool) -> bool:
    """Write a mailbox each time it has moved, until its way ends; tells whether it is active."""
    return asyncio.run(_watch(file, id, as_json))


async def _watch(file: ConfigFile, id: str, as_json: bool) -> bool:
    from bridge.api.errors import ApiError
    from bridge.app.administration import mailbox_client, mailbox_operations
    from bridge.cli.log import configure
    from bridge.clock import SystemClock
    from bridge.operations.mailboxes import watch

    configure("human", "error")
    clock, facts = SystemClock(), {"is_active": False}
    async with mailbox_client(file, clock) as client:
        operations = mailbox_operations(client, file, clock)
        async for seen in watch(client, clock, id):
            if isinstance(seen, ApiError):
                tell(say("{reason} Looking again later.", reason=seen.reason))
                continue
            facts = await operations.perform("mailbox show", {"id": id}, _no_progress)
            print_mailbox(facts, as_json)
            sys.stdout.flush()
    return bool(facts["is_active"])


def _no_progress(_done: int, _total: int) -> None:
    return None
