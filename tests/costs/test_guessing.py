"""Guessing over both protocols: slower and slower, and the good ones get in."""

from __future__ import annotations

import asyncio
import base64

from bridge.limits import GUESS_PAUSE_S, GUESSES_FREE
from tests.fakes import FakeClock, settle
from tests.imapserver import client as imap
from tests.imapserver.client import Rig
from tests.smtpserver.conftest import ADDRESS, PASSWORD, Serve


def plain(password: str) -> str:
    return "AUTH PLAIN " + base64.b64encode(f"\0{ADDRESS}\0{password}".encode()).decode()


async def test_smtp_logins_wait_after_failures(serve: Serve, clock: FakeClock) -> None:
    served = await serve(max_login_failures=100)
    client = await served.connect()
    await client.do("EHLO guesser")
    for _ in range(GUESSES_FREE):
        assert (await client.do(plain("wrong"))).code == 535
    right = await served.connect()
    await right.do("EHLO user")
    for one, password, code in ((client, "wrong", 535), (right, PASSWORD, 235)):
        reply = asyncio.ensure_future(one.do(plain(password)))
        await asyncio.sleep(0.05)
        await settle(50)
        assert not reply.done()
        await clock.advance(GUESS_PAUSE_S)
        assert (await reply).code == code


async def test_imap_logins_wait_after_failures(rig: Rig) -> None:
    guard = rig.services.logins.guard
    for _ in range(GUESSES_FREE):
        client = await rig.connect()
        await client.line()
        assert "AUTHENTICATIONFAILED" in await client.tagged(f"LOGIN {imap.ADDRESS} wrong")
    assert guard.pause_s("127.0.0.1", imap.ADDRESS) > 0
    await rig.client()  # waits, and gets in


async def test_while_a_guesser_waits_others_are_served(serve: Serve, clock: FakeClock) -> None:
    served = await serve(max_login_failures=100)
    user = await served.user()
    client = await served.connect()
    await client.do("EHLO guesser")
    for _ in range(GUESSES_FREE):
        await client.do(plain("wrong"))
    await client.send(plain("wrong").encode() + b"\r\n")
    assert (await user.do("NOOP")).code == 250
    await clock.advance(GUESS_PAUSE_S)
    assert (await client.reply()).code == 535
