"""``reload`` and SIGHUP: changed settings taken over while mail programs stay connected.

Everything is read and checked first; a fault in any of it changes nothing. Then what sends and what
reads is ended and put together anew on the same store, and the servers go on with that. Requests
that may be sending something are waited for, as long as ``WAITS_S``: one that takes longer (the
API hangs, a large message leaves slowly) is not cut off, or nobody would know whether it was sent.
Only what a port, a socket or the data's folder hangs on needs a restart, and is named.

Connections stay, but for those of accounts that are gone, or one of whose passwords opens no more:
who was let in by it may be whom it was changed for.

Failure: ``ConfigError``, ``CertificateFault``, ``OperationFailed`` (requests under way): nothing
has changed.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any, Protocol

import structlog

from bridge.app.drain import Drain
from bridge.app.worker import Workers
from bridge.clock import Clock
from bridge.config import Config
from bridge.credentials import AccountSecrets, Secrets
from bridge.language import say
from bridge.net.manager import notify_status
from bridge.operations.control import OperationFailed, Progress

log = structlog.get_logger()

WAITS_S = 90.0
TELL_S = 2.0


class SettingsSource(Protocol):
    """Where the settings came from, and can be had anew."""

    def read(self) -> tuple[Config, Secrets]:
        """Return the settings and all that they point to; blocks.

        Raises:
            ConfigError: with everything that is wrong with any of them.
        """

    def taken_over(self, config: Config) -> None:
        """Note that the bridge goes by these from here on."""


class SendingUnderWay(Protocol):
    """What sends."""

    @property
    def under_way(self) -> int:
        """How many requests may be sending something."""

    def hold(self, *, on: bool = True) -> None:
        """Begin no other, until this is taken back."""

    async def idle(self) -> None:
        """Return when none is under way."""

    async def stop(self) -> None:
        """Begin none any more; return when those under way have ended."""


async def at_rest(sends: SendingUnderWay, clock: Clock, progress: Progress) -> None:
    """Let no send begin any more, and return when those under way have ended.

    Args:
        sends: what sends.
        clock: time.
        progress: is told how many of them have ended, now and then.

    Raises:
        OperationFailed: they have not within ``WAITS_S``; sends begin again.
    """
    sends.hold()
    at_first = sends.under_way
    resting = asyncio.ensure_future(sends.idle())
    until_s = clock.monotonic() + WAITS_S
    try:
        while not resting.done() and (left_s := until_s - clock.monotonic()) > 0:
            await _either(resting, clock, min(left_s, TELL_S))
            if not resting.done():
                log.info("reload_waits", requests=sends.under_way)
                notify_status(f"Reloading: waits for {_requests(sends.under_way)} to the API.")
                progress(at_first - sends.under_way, at_first)
        if not resting.done():
            raise OperationFailed(
                say(
                    "{requests} to the API did not end within {seconds} s, and cut off "
                    "nobody would know whether a message was sent (`pec-bridge queue list "
                    "--state dispatching` names it). Nothing was changed; try again later.",
                    requests=_requests(sends.under_way),
                    seconds=f"{WAITS_S:g}",
                )
            )
        resting.result()
    except BaseException:
        resting.cancel()
        sends.hold(on=False)
        raise


async def let_end(
    sends: SendingUnderWay, workers: Workers, drain: Drain, clock: Clock, progress: Progress
) -> None:
    """Let what sends end, so that something else can take its place.

    Args:
        sends: what sends.
        workers: the background work, which begins nothing again.
        drain: whether the bridge is to end.
        clock: time.
        progress: see ``at_rest``.

    Raises:
        OperationFailed: it does not, or the bridge ends; nothing was changed.
    """
    await at_rest(sends, clock, progress)
    if drain.is_begun:
        sends.hold(on=False)
        raise OperationFailed(say("The bridge is being drained; it ends by itself."))
    workers.stopping()
    await sends.stop()


async def _either(resting: asyncio.Future[None], clock: Clock, wait_s: float) -> None:
    pause = asyncio.ensure_future(clock.sleep(wait_s))
    await asyncio.wait((resting, pause), return_when=asyncio.FIRST_COMPLETED)
    pause.cancel()


def _requests(count: int) -> str:
    return say("1 request") if count == 1 else say("{count} requests", count=count)


SECRETS = ("token", "admin_token", "api_key", "proxy_login")


def kept(old: Config, new: Config) -> tuple[Config, list[str]]:
    """Return the new settings without what needs a restart, and the names of that."""
    waits = [
        name
        for name, was, is_now in (
            ("data_dir", old.data_dir, new.data_dir),
            ("store.url", old.store, new.store),
            ("imap.listen", old.imap.listen, new.imap.listen),
            ("smtp.listen", old.smtp.listen, new.smtp.listen),
            ("web.listen", old.web.listen, new.web.listen),
            ("web.hosts", old.web.hosts, new.web.hosts),
        )
        if was != is_now
    ]
    smtp = dataclasses.replace(new.smtp, listen=old.smtp.listen)
    config = dataclasses.replace(
        new, data_dir=old.data_dir, store=old.store, imap=old.imap, smtp=smtp, web=old.web
    )
    return config, waits


def changes(old: Config, new: Config, before: Secrets, after: Secrets) -> list[str]:
    """Return the names of what is other than it was: settings, accounts, secrets.

    Args:
        old: the settings as they were.
        new: as they are now.
        before: the secrets as they were.
        after: as they are now.
    """
    return [*_settings(old, new), *_accounts(old, new), *_secrets(old, new, before, after)]


def _settings(old: Any, new: Any, path: str = "") -> Iterator[str]:
    for field in dataclasses.fields(old):
        was, is_now = getattr(old, field.name), getattr(new, field.name)
        if was == is_now or (not path and field.name == "account"):
            continue
        name = f"{path}{field.name}"
        if dataclasses.is_dataclass(was) and type(was) is type(is_now):
            yield from _settings(was, is_now, f"{name}.")
        else:
            yield name


def _accounts(old: Config, new: Config) -> Iterator[str]:
    was = {one.address.casefold(): one for one in old.account}
    is_now = {one.address.casefold(): one for one in new.account}
    yield from (f"account {one.address} added" for key, one in is_now.items() if key not in was)
    yield from (f"account {one.address} removed" for key, one in was.items() if key not in is_now)
    for key, one in is_now.items():
        if key in was and one != was[key]:
            yield f"account {one.address}"


def _secrets(old: Config, new: Config, before: Secrets, after: Secrets) -> Iterator[str]:
    for name in SECRETS:
        if _text(getattr(before, name)) != _text(getattr(after, name)):
            yield f"the secret api.{name}"
    was = _by_address(old, before)
    for address, secrets in _by_address(new, after).items():
        for name in ("password", "local_password"):
            if address in was and _text(getattr(was[address], name)) != _text(
                getattr(secrets, name)
            ):
                yield f"the secret {name} of {address}"
    yield from _receivers(old, new, before, after)


def _receivers(old: Config, new: Config, before: Secrets, after: Secrets) -> Iterator[str]:
    """Yield the receivers whose secrets changed."""
    was, is_now = _by_receiver(old, before), _by_receiver(new, after)
    for name, texts in is_now.items():
        if name in was and was[name] != texts:
            yield f"the secret of {name}"
    if _text(before.alarms_password) != _text(after.alarms_password):
        yield "the secret alarms.smtp.password"


def _by_receiver(config: Config, secrets: Secrets) -> dict[str, list[str]]:
    found = {}
    for (number, _, one), own in zip(config.webhooks(), secrets.webhooks, strict=False):
        whose = "" if number is None else f" of {config.account[number].address}"
        found[f"webhook {one.known_as}{whose}"] = [each.reveal() for each in own.signing]
    for receiver, own in zip(config.alarms.webhook, secrets.alarms, strict=False):
        found[f"alarms.webhook {receiver.known_as}"] = [each.reveal() for each in own.signing]
    return found


def shut_out(old: Config, new: Config, before: Secrets, after: Secrets) -> frozenset[str]:
    """Return the accounts, by address in lower case, whose connections end.

    Args:
        old: the settings as they were.
        new: as they are now.
        before: the secrets as they were.
        after: as they are now.
    """
    opens = {address: _passwords(one) for address, one in _by_address(new, after).items()}
    return frozenset(
        address
        for address, one in _by_address(old, before).items()
        if not _passwords(one) <= opens.get(address, frozenset())
    )


def _passwords(secrets: AccountSecrets) -> frozenset[str]:
    return frozenset((secrets.password.reveal(), secrets.local_password.reveal()))


def _by_address(config: Config, secrets: Secrets) -> dict[str, AccountSecrets]:
    return {
        account.address.casefold(): one
        for account, one in zip(config.account, secrets.accounts, strict=True)
    }


def _text(secret: Any) -> str | None:
    return None if secret is None else secret.reveal()
