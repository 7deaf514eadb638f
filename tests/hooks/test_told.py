"""The whole bridge tells a real receiver, whatever becomes of either."""

from __future__ import annotations

import dataclasses
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.config import Config, SecretSource, Webhook
from bridge.operations.control import ask
from tests.hooks.receiver import Inbox, Request, receiving
from tests.running import SIGNING, apart, running, simulated, until
from tests.test_erp import verifier

RECIPIENT = "cliente@altra.example"
FOLLOWED = ["queued", "submitted", "accepted", "delivered"]


def telling(*urls: str, **more: object) -> Callable[[Config], Config]:
    def change(config: Config) -> Config:
        hooks = tuple(
            Webhook(url=url, secret=SecretSource(env="UNUSED"), name=f"hook{number}", **more)  # type: ignore[arg-type]
            for number, url in enumerate(urls)
        )
        return dataclasses.replace(config, webhook=hooks)

    return change


async def told(inbox: Inbox, count: int) -> None:
    await until(lambda: len(inbox.told()) >= count)


async def test_each_event_is_told_in_order_and_signed(tmp_path: Path) -> None:
    with receiving(Inbox()) as inbox:
        async with running(tmp_path, simulated(), change=telling(inbox.url)) as bridge:
            await apart(bridge.submit, "Uno", RECIPIENT)
            await told(inbox, 4)
            events = (await ask(tmp_path, "events", {}))["events"]
    assert [kind for kind, _ in inbox.told()] == FOLLOWED
    known = [one.event["code"] for one in inbox.taken]  # as far as it was when each was told
    assert [one.event for one in inbox.taken] == [
        {**event, "code": code} for event, code in zip(events, known, strict=True)
    ]
    verified = verifier()
    for one in inbox.taken:
        fields = {name.lower(): value for name, value in one.fields.items()}
        assert verified(fields, one.body, SIGNING)
    assert len({one.fields["webhook-id"] for one in inbox.taken}) == 4


def hung(_request: Request) -> int:
    HUNG.wait(30)
    return 204


HUNG = threading.Event()


@pytest.mark.slow
async def test_receivers_that_hang_hold_up_neither_sending_nor_stopping(tmp_path: Path) -> None:
    """Three receivers take nothing, a fourth takes all, and messages leave all the same."""
    simulator = simulated()
    HUNG.clear()
    try:
        with (
            receiving(Inbox(hung)) as hangs,
            receiving(Inbox()) as inbox,
            socket.create_server(("127.0.0.1", 0)) as unaccepted,
        ):
            nobody = f"http://127.0.0.1:{unaccepted.getsockname()[1]}/"
            urls = (hangs.url, nobody, "http://127.0.0.1:9/", inbox.url)
            async with running(tmp_path, simulator, change=telling(*urls)) as bridge:
                for number in range(20):
                    await apart(bridge.submit, f"Numero {number}", RECIPIENT)
                await until(lambda: len(simulator.sent) == 20)
                await until(lambda: delivered(inbox) == 20)
                began_s = time.monotonic()
                await bridge.bridge.stop()
                assert time.monotonic() - began_s < 10
    finally:
        HUNG.set()


def delivered(inbox: Inbox) -> int:
    return sum(kind == "delivered" for kind, _ in inbox.told())


@pytest.mark.slow
async def test_a_restart_asks_at_once_what_was_failing(tmp_path: Path) -> None:
    with receiving(Inbox(lambda _request: 503)) as inbox:
        async with running(tmp_path, simulated(), change=telling(inbox.url)) as bridge:
            await apart(bridge.submit, "Uno", RECIPIENT)
            await until(lambda: inbox.heard)
        inbox.respond = lambda _request: 204
        async with running(tmp_path, simulated(), change=telling(inbox.url)):
            await told(inbox, 2)  # a restart asks at once
    assert [kind for kind, _ in inbox.told()][:2] == FOLLOWED[:2]
