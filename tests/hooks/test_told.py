"""The whole bridge tells a real receiver, whatever becomes of either."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from bridge.config import Config, SecretSource, Webhook
from bridge.operations.control import ask
from tests.hooks.receiver import Inbox, receiving
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
