"""The mailbox that a session has open, and which flags it tells of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from bridge.imap import responses
from bridge.imapserver.view import View
from bridge.model import (
    SYSTEM_FLAGS,
    Mailbox,
    Uid,
    is_reserved,
)


@dataclass(slots=True)
class Selected:
    """The mailbox a session has open."""

    mailbox: Mailbox
    view: View
    read_only: bool
    unsubscribe: Callable[[], None]
    recent: set[int] = field(default_factory=set)
    claims: set[asyncio.Task[None]] = field(default_factory=set)
    gone: bool = False
    told_keywords: int = -1

    def claim_later(
        self, claiming: Coroutine[object, object, list[Uid]], then: Callable[[], None]
    ) -> None:
        r"""See first which messages are ``\\Recent`` here and not on another bridge; then go on.

        Args:
            claiming: returns their UIDs.
            then: is called once that is known.
        """

        async def claim() -> None:
            self.recent.update(await claiming)
            then()

        task = asyncio.ensure_future(claim())
        self.claims.add(task)
        task.add_done_callback(self.claims.discard)

    async def settle_claims(self) -> None:
        r"""Wait until it is known which messages that came are ``\\Recent`` here."""
        while self.claims:
            await asyncio.wait(self.claims)


def flag_lines(selected: Selected) -> bytes:
    """Return the lines that name the flags in use (RFC 3501 §7.2.6); they count as told."""
    keywords = selected.view.index.keywords
    selected.told_keywords = len(keywords)
    shown = responses.flags([*SYSTEM_FLAGS, *keywords.values()])
    kept = responses.flags(
        [*SYSTEM_FLAGS, *(one for one in keywords.values() if not is_reserved(one))]
    )
    permanent = b"()" if selected.read_only else kept[:-1] + b" \\*)"
    return (
        b"* FLAGS " + shown + b"\r\n"
        b"* OK [PERMANENTFLAGS " + permanent + b"] flags that are kept\r\n"
    )
