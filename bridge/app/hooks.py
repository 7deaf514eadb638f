"""Hooks and alarms out, put together from the settings: rows in the store, ways out, tasks.

Nothing of it is needed for anything else: the bridge starts, sends, reads and stops whether anybody
who is told takes it or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from bridge.api.way import ApiRoute
from bridge.app.housekeeping import EVENTS_KEPT
from bridge.app.resources import Resources
from bridge.app.way import way
from bridge.app.worker import Work
from bridge.clock import Clock, rfc3339
from bridge.config import Config, Receiver
from bridge.credentials import ReceiverSecrets, Secrets, signing_key
from bridge.hooks.alarmsout import AlarmsOut, AlarmTarget, AlarmWay, AsJson, open_ways
from bridge.hooks.dealing import Dealer
from bridge.hooks.digest import sample_digest
from bridge.hooks.hook import Hook, HookTarget, body_of
from bridge.hooks.mail import MailTarget, Smarthost
from bridge.hooks.post import WebhookPlace, WebhookTarget
from bridge.hooks.program import CommandTarget
from bridge.hooks.runner import HookRunner
from bridge.hooks.schedule import TryReport
from bridge.hooks.taking_up import take_up
from bridge.model import AccountId
from bridge.operations.accounts import ApiAccount, ApiAccounts, Methods
from bridge.operations.events import event_facts
from bridge.operations.hooks import HookOperations, HookSetting, OutsideSettings, Trying
from bridge.store.base import ReadTransaction, Transaction
from bridge.store.events import EventRow
from bridge.store.hooks import HookRow

LIFE_CHARS = 12
MAIL = "mail"


def outside(config: Config, ids: Mapping[str, AccountId]) -> OutsideSettings:
    """Return who is told; ``ids`` are the accounts' in the store, by address."""
    hooks = []
    for number, _, one in config.webhooks():
        address = None if number is None else config.account[number].address
        id = None if address is None else ids.get(address)
        hooks.append(HookSetting(address, id, one.known_as, one.place, one.events))
    alarms = config.alarms
    ways = [] if alarms.to is None else [(MAIL, alarms.to)]
    ways += [(f"webhook {one.known_as}", one.place) for one in alarms.webhook]
    return OutsideSettings(tuple(hooks), tuple(ways))


class HookService:
    """Who is told of what happens, while a bridge or a command runs.

    Build it with ``build``; ``works`` begins nothing by itself.

    Args:
        resources: data and settings.
        secrets: what the settings point to; None where nobody will be told.
        random: spreads waits.
    """

    def __init__(self, resources: Resources, secrets: Secrets | None, random: Random) -> None:
        self._resources = resources
        self._random = random
        self.settings = outside(
            resources.config, {address: id for id, address in resources.addresses.items()}
        )
        self._targets: tuple[HookTarget, ...] = ()
        self._ways: tuple[AlarmWay, ...] = ()
        self._runners: tuple[HookRunner, ...] = ()
        self._alarms: tuple[AlarmsOut, ...] = ()
        self._dealer: Dealer | None = None
        self._unwatch: Callable[[], None] = _nothing
        self._accounts = ApiAccounts(
            tuple(ApiAccount(one.id, one.settings.address, None) for one in resources.accounts)
        )
        if secrets is not None:
            self._targets = tuple(_targets(resources, secrets))
            self._ways = tuple(_ways(resources, secrets, self.settings))

    @classmethod
    async def build(cls, resources: Resources, secrets: Secrets, random: Random) -> HookService:
        """Take up the hooks of the settings where they were left off, and put all together.

        One bridge of several tells: the one that leads.

        Raises:
            StoreFailed: the store cannot be used.
        """
        service = cls(resources, secrets, random)
        if resources.held.leads:
            await service._open()
        return service

    async def _open(self) -> None:
        resources, settings = self._resources, self.settings
        now = resources.clock.now()

        async def work(tx: Transaction) -> tuple[list[HookRow], str]:
            wanted = [(one.id, one.name) for one in settings.hooks]
            rows = await take_up(tx, wanted, now, EVENTS_KEPT)
            await open_ways(tx, [way.name for way in self._ways], now)
            lineage = await tx.lineage()
            return rows, "0" if lineage is None else lineage.incarnation[:LIFE_CHARS]

        rows, life = await resources.store.write(work)
        store, clock = resources.store, resources.clock
        hooks = [
            Hook(row.id, one.id, one.name, one.place, frozenset(one.events), target)
            for row, one, target in zip(rows, settings.hooks, self._targets, strict=True)
        ]
        self._runners = tuple(
            HookRunner(one, store, clock, self._random, self._facts) for one in hooks
        )
        self._alarms = tuple(AlarmsOut(one, store, clock, self._random, life) for one in self._ways)
        if hooks:
            self._dealer = Dealer(store, clock, hooks, life, self._wake_runners)
        if hooks or self._ways:
            self._unwatch = resources.mailboxes.on_commit(self._committed)

    def works(self) -> dict[str, Work]:
        """Return the background work by name; none where nobody is told."""
        works: dict[str, Work] = {} if self._dealer is None else {"hooks": self._dealer.run}
        for number, runner in enumerate(self._runners, 1):
            works[f"hook {number} {runner.hook.name}"] = runner.run
        for one in self._alarms:
            works[f"alarms out {one.way.name}"] = one.run
        return works

    def methods(self) -> Methods:
        """Return the operations by name."""
        return HookOperations(
            self._resources.store,
            self._resources.clock,
            self.settings,
            Trying(self._try_hook, self._try_alarms),
            self._wake_runners,
        ).methods()

    async def aclose(self) -> None:
        """Hear of nothing any more and let go of every connection; idempotent."""
        self._unwatch()
        self._unwatch = _nothing
        for target in self._targets:
            await target.aclose()
        for one in self._ways:
            await one.target.aclose()

    async def _facts(self, tx: ReadTransaction, event: EventRow) -> Mapping[str, Any]:
        return await event_facts(self._accounts, tx, event)

    def _committed(self) -> None:
        if self._dealer is not None:
            self._dealer.wake.call()
        for one in self._alarms:
            one.wake.call()

    def _wake_runners(self) -> None:
        for one in self._runners:
            one.wake.call()

    async def _try_hook(self, setting: HookSetting) -> TryReport:
        target = self._targets[self.settings.hooks.index(setting)]
        now = self._resources.clock.now()
        return await target.tell(f"test_{int(now.timestamp())}", body_of(_sample(setting, now)))

    async def _try_alarms(self, name: str) -> TryReport:
        found = next(one for one in self._ways if one.name == name)
        now = self._resources.clock.now()
        addresses = [*self._resources.addresses.values(), "?"]
        told = sample_digest(addresses[0], now)
        return await found.target.tell(f"test_{int(now.timestamp())}", told, now)


def _nothing() -> None:
    """Nobody listens to commits."""


def _targets(resources: Resources, secrets: Secrets) -> list[HookTarget]:
    """Return the way to each hook, in the order of ``Config.webhooks``."""
    hooks = resources.config.webhooks()
    every = secrets.webhooks or (ReceiverSecrets(),) * len(hooks)
    return [
        _target(resources, secrets, one, own) for (_, _, one), own in zip(hooks, every, strict=True)
    ]


def _target(
    resources: Resources, secrets: Secrets, receiver: Receiver, own: ReceiverSecrets
) -> HookTarget:
    if receiver.command is not None:
        folder: Path = resources.config.data_dir
        return CommandTarget(receiver.command, receiver.timeout_s, folder)
    return webhook_target(resources.config, secrets, resources.clock, (receiver, own))


def webhook_target(
    config: Config, secrets: Secrets, clock: Clock, meant: tuple[Receiver, ReceiverSecrets]
) -> WebhookTarget:
    """Return the way to a URL.

    Args:
        config: the settings.
        secrets: what they point to.
        clock: the time stamp.
        meant: the receiver, and its own secrets.
    """
    receiver, own = meant
    route = route_of(config, secrets, receiver)
    keys = tuple(signing_key(one) for one in own.signing)
    place = WebhookPlace(receiver.url or "", keys, receiver.timeout_s, route)
    return WebhookTarget(place, clock)


def route_of(config: Config, secrets: Secrets, receiver: Receiver) -> ApiRoute:
    """Return proxy and authorities for a receiver: the API's proxy only if it says so."""
    route = way(config.api, secrets.proxy_login)
    if not receiver.via_proxy:
        route = replace(route, proxy="", proxy_login=None, trust_env=False)
    return route if receiver.ca_file is None else replace(route, ca_file=receiver.ca_file)


def mail_target(config: Config, secrets: Secrets) -> MailTarget | None:
    """Return the way by mail, None if nobody is told by it."""
    alarms, server = config.alarms, smarthost(config, secrets)
    if alarms.to is None or server is None or alarms.smtp is None:
        return None
    return MailTarget(server, alarms.smtp.sender or alarms.to, alarms.to, config.display.language)


def smarthost(config: Config, secrets: Secrets) -> Smarthost | None:
    """Return the server that takes alarms, None if none is to."""
    smtp = config.alarms.smtp
    if smtp is None:
        return None
    password = secrets.alarms_password
    login = None if password is None else (smtp.user or "", password.reveal())
    return Smarthost(smtp.host, smtp.port, smtp.tls, smtp.timeout_s, login, smtp.ca_file)


def _ways(resources: Resources, secrets: Secrets, settings: OutsideSettings) -> list[AlarmWay]:
    alarms = resources.config.alarms
    mail = mail_target(resources.config, secrets)
    targets: list[AlarmTarget] = [] if mail is None else [mail]
    every = secrets.alarms or (ReceiverSecrets(),) * len(alarms.webhook)
    targets += [
        AsJson(_target(resources, secrets, one, own), resources.config.display.language)
        for one, own in zip(alarms.webhook, every, strict=True)
    ]
    return [
        AlarmWay(name, place, target)
        for (name, place), target in zip(settings.alarms, targets, strict=True)
    ]


def _sample(setting: HookSetting, now: datetime) -> dict[str, Any]:
    """Return what a test tells: shaped like every event, with the number 0."""
    return {
        "number": 0,
        "at": rfc3339(now),
        "event": "test",
        "account": setting.account,
        "id": None,
        "message_id": None,
        "reference": None,
        "envid": None,
        "code": None,
        "recipient": None,
        "detail": "A test of this webhook; nothing happened.",
    }
