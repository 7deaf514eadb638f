"""What a connection forgets when TLS begins."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest

from bridge.smtpserver.dialogue import Dialogue


class Wire(asyncio.Transport):
    """A connection that takes what is written and brings nothing."""

    def is_closing(self) -> bool:
        return False


class Silent(Dialogue):
    async def serve(self) -> None:
        """Say nothing."""


@pytest.mark.parametrize("from_first_byte", [True, False])
async def test_what_came_in_clear_is_not_taken_for_what_tls_protects(
    monkeypatch: pytest.MonkeyPatch, from_first_byte: bool
) -> None:
    """RFC 3207 §6; where TLS comes first, what came already is its beginning."""
    given: list[bytes] = []

    async def begin(*_: object, early: Callable[[], bytes], **__: object) -> Wire:
        given.append(early())
        return Wire()

    monkeypatch.setattr("bridge.smtpserver.dialogue.begin_tls", begin)
    loop = asyncio.get_running_loop()
    dialogue = Silent("x", loop, idle_s=60, handshake_s=60)
    dialogue.connection_made(Wire())
    dialogue.data_received(b"MAIL FROM:<a@b.it>\r\n")
    await dialogue.encrypt(ssl.create_default_context(), from_first_byte=from_first_byte)
    assert given == [b"MAIL FROM:<a@b.it>\r\n" if from_first_byte else b""]
    assert not dialogue.has_unread
    dialogue.connection_lost(None)
