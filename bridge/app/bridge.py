"""The whole bridge: listeners, sending and reading on top of ``Resources``.

Start: lock, store, mailboxes, accounts, what a crash cut off, listeners, then background work.
Nothing waits for the API, so the bridge starts with the API down.

Stop: listen no more, finish what is in hand (submissions, commands, requests to the API) for up
to ``STOP_GRACE_S``, cut off the rest (a send under way is ``uncertain`` then), close the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

import structlog

from bridge.alarms.collector import Collector
from bridge.app.certificate import (
    CertificateFault,
    Identity,
    given_identity,
    listening_hosts,
    own_identity,
)
from bridge.app.disk import DiskSpace
from bridge.app.domains import Domains
from bridge.app.drain import Drain
from bridge.app.hooks import HookService
from bridge.app.housekeeping import Housekeeping
from bridge.app.listeners import Listeners, Stoppable
from bridge.app.memory import Memory, give_back, resident_bytes
from bridge.app.operations import operations
from bridge.app.pulse import standing
from bridge.app.reading import InboxReading
from bridge.app.reload import SettingsSource, at_rest, changes, kept, shut_out
from bridge.app.resources import Resources
from bridge.app.room import Descriptors, allowed_descriptors
from bridge.app.running_out import RunningOut
from bridge.app.sending import OutboxService
from bridge.app.timeofday import TimeOfDay
from bridge.app.voice import voice_of
from bridge.app.worker import Work, Workers
from bridge.clock import Clock
from bridge.config import Config, ConfigError
from bridge.credentials import Secrets
from bridge.language import say
from bridge.net.listening import Listening, Running
from bridge.operations.accounts import Methods
from bridge.operations.control import ControlServer, OperationFailed, Progress
from bridge.operations.speaking import speaking
from bridge.operations.table import Operations
from bridge.operations.trace import TraceOperations, trace_facts

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger()

READ_ROUND_S = 0.02
STOP_GRACE_S = 8.0
"""How long what is in hand may take after a stop was asked for: all is closed within 10 s."""


def _nobody(_done: int, _total: int) -> None:
    """Nobody is told how far something is."""


class Bridge:
    """See the module.

    Args:
        config: the settings.
        secrets: what they point to.
        clock: time.
        random: queue ids, jitter.
        http_transport: where API requests go instead of the network.
    """

    def __init__(
        self,
        config: Config,
        secrets: Secrets,
        *,
        clock: Clock,
        random: Random,
        http_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._config = config
        self._source: SettingsSource | None = None
        self._reloading = asyncio.Lock()
        self._ending = False
        self._listeners: Listeners | None = None
        self._offered: Operations | None = None
        self._running: Running | None = None
        self._secrets = secrets
        self._clock = clock
        self._random = random
        self._http_transport = http_transport
        self._resources: Resources | None = None
        self._sending: OutboxService | None = None
        self._running_out: RunningOut | None = None
        self._control: ControlServer | None = None
        self._reading: InboxReading | None = None
        self._domains: Domains | None = None
        self._hooks: HookService | None = None
        self._drain: Drain | None = None
        self._workers: Workers | None = None
        self._work: asyncio.Task[None] | None = None

    def reload_from(self, source: SettingsSource) -> None:
        """Have settings and secrets from there when ``reload`` is asked for."""
        self._source = source

    async def start(self) -> Listening:
        """Bring everything up; returns when every listener is.

        Raises:
            Locked: another bridge uses the data.
            StoreFailed, CertificateFault, CannotListen, OSError: something cannot be had; nothing
                stays up.
        """
        try:
            listening = await self._start()
        except BaseException:
            await self.stop()
            raise
        for one in listening.listeners:
            log.info("listening", protocol=one.protocol, host=one.host, port=one.port, tls=one.tls)
        return listening

    async def wait(self) -> None:
        """Return when the bridge is to end by itself: drained, or because background work ended.

        Raises:
            TermOver: another works on the data by now.
        """
        if self._work is None or self._drain is None or self._resources is None:
            return
        drained = asyncio.ensure_future(self._drain.wait())
        lost = asyncio.ensure_future(self._resources.lost())
        try:
            await asyncio.wait((self._work, drained, lost), return_when=asyncio.FIRST_COMPLETED)
            for ended in (self._work, lost):
                if ended.done():
                    ended.result()
        finally:
            drained.cancel()
            lost.cancel()

    async def standing(self) -> str:
        """Say in a sentence how things stand."""
        if self._resources is None:
            return "Nothing is up."
        return await standing(self._resources.store, len(self._resources.accounts))

    async def inbox_read(self, within_s: float) -> None:
        """Wait until what the API lists can be read here, ``within_s`` seconds at the most."""
        until_s = self._clock.monotonic() + within_s
        while self._clock.monotonic() < until_s and not self._is_read():
            await self._clock.sleep(READ_ROUND_S)

    def _is_read(self) -> bool:
        resources, reading = self._resources, self._reading
        if resources is None or reading is None:
            return False
        standings = [reading.sync.standing(one.id) for one in resources.accounts]
        return all(one.last_sync is not None and one.fetched == one.total for one in standings)

    async def stop(self) -> None:
        """See the module; idempotent, and harmless after a start that failed."""
        self._ending = True
        try:
            await self._finish()
        finally:
            await self._close()

    async def _start(self) -> Listening:
        resources = self._resources = await Resources.open(
            self._config, self._secrets, clock=self._clock, http_transport=self._http_transport
        )
        identity = await asyncio.to_thread(_identity, self._config)
        reading, sending = await self._build(resources)
        listeners = self._listeners = Listeners(
            resources, self._secrets, self._random, identity.context
        )
        listening = Listening(
            await listeners.open(sending.outbox, reading.sync),
            self._config.api.base_url,
            tuple(resources.addresses.values()),
            identity.fingerprint,
        )
        self._running = Running(
            self._clock.now(),
            listening,
            listeners.throttles,
            lambda: [trace_facts(resources.tracing, one) for one in resources.tracing.standing()],
        )
        self._drain = Drain(resources.store, listeners.accept_no_more, self._rest)
        self._offer(resources, reading, sending)
        resources.mailboxes.voice = voice_of(self._config, listening)
        said = speaking(self._perform, lambda: self._config.display.language)
        self._control = ControlServer(self._config.data_dir, said)
        await self._control.start()
        if listeners.page is not None:
            listeners.page.open(self._perform, listening)
        self._workers = Workers(self._works(resources, reading, sending), self._clock)
        self._work = asyncio.create_task(self._workers.run())
        return listening

    async def reload(self, progress: Progress = _nobody) -> dict[str, Any]:
        """Read the settings anew and go by them; connections stay. See ``app.reload``.

        Args:
            progress: is told how many requests that are waited for have ended.

        Returns:
            The names of what has changed, and of what needs a restart.

        Raises:
            ConfigError, CertificateFault, OperationFailed: nothing was changed.
            StoreFailed: it cannot be done; the bridge ends.
        """
        async with self._reloading:
            facts = await self._reload(progress)
        log.info("reloaded", **{name: ", ".join(names) for name, names in facts.items()})
        return facts

    async def _reload(self, progress: Progress) -> dict[str, list[str]]:
        resources, workers, drain = self._resources, self._workers, self._drain
        if self._source is None or resources is None or workers is None or drain is None:
            raise OperationFailed(say("This bridge has no configuration to read anew."))
        if drain.is_begun:
            raise OperationFailed(say("The bridge is being drained; it ends by itself."))
        read, secrets = await asyncio.to_thread(self._source.read)
        config, waits = kept(self._config, read)
        identity = await asyncio.to_thread(_identity, config)
        changed = changes(self._config, config, self._secrets, secrets)
        if self._running is not None and identity.fingerprint != self._running.fingerprint:
            changed.append("the certificate")

        out = shut_out(self._config, config, self._secrets, secrets)

        async def anew() -> dict[str, Work]:
            return await self._go_on_with(resources, config, secrets, identity, out)

        if self._sending is not None:
            await at_rest(self._sending, self._clock, progress)
            if drain.is_begun:
                self._sending.hold(on=False)
                raise OperationFailed(say("The bridge is being drained; it ends by itself."))
            workers.stopping()
            await self._sending.stop()
        if self._ending:  # meanwhile: nothing is begun any more
            raise OperationFailed(say("The bridge is stopping."))
        await workers.replace(anew)
        self._source.taken_over(config)
        return {"changed": changed, "needs_restart": waits}

    async def _go_on_with(
        self,
        resources: Resources,
        config: Config,
        secrets: Secrets,
        identity: Identity,
        out: Collection[str],
    ) -> dict[str, Work]:
        """Put together anew what sends and reads, which has ended, and hand it to the servers.

        Args:
            resources: what works on the data.
            config: the settings.
            secrets: what they point to.
            identity: the certificate.
            out: the accounts whose connections end, by address in lower case.
        """
        ended = {id for id, one in resources.addresses.items() if one.casefold() in out}
        for part in (self._sending, self._reading):
            if part is not None:
                part.close()
        await self._let_go()
        self._config, self._secrets = config, secrets
        await resources.take_over(config, secrets, self._http_transport)
        reading, sending = await self._build(resources)
        if self._listeners is not None:
            await self._listeners.let_in_by(identity, secrets, ended)
        if self._running is not None:
            self._running = self._running.now(
                config.api.base_url, tuple(resources.addresses.values()), identity.fingerprint
            )
            resources.mailboxes.voice = voice_of(config, self._running.listening)
        self._offer(resources, reading, sending)
        if self._listeners is not None:
            await self._listeners.take_over(sending.outbox, reading.sync, ended)
        return self._works(resources, reading, sending)

    async def _build(self, resources: Resources) -> tuple[InboxReading, OutboxService]:
        reading = self._reading = InboxReading(resources, self._random)
        sending = self._sending = await OutboxService.build(
            resources, self._random, reading.sync.wake
        )
        self._hooks = await HookService.build(resources, self._secrets, self._random)
        return reading, sending

    def _offer(self, resources: Resources, reading: InboxReading, sending: OutboxService) -> None:
        more: list[Methods] = [{"reload": self._reload_asked, "expiry list": self._expiries}]
        if self._drain is not None:
            more.append(self._drain.methods())
        more.append(TraceOperations(resources.tracing, resources.addresses.values()).methods())
        if self._hooks is not None:
            more.append(self._hooks.methods())
        self._offered = operations(
            resources, self._random, sending.wake, reading, self._running, more
        )

    async def _perform(self, name: str, arguments: Mapping[str, Any], progress: Progress) -> Any:
        assert self._offered is not None  # noqa: S101 - nobody can ask before
        return await self._offered.perform(name, arguments, progress)

    async def _expiries(self, _arguments: Mapping[str, Any], _progress: Progress) -> Any:
        assert self._running_out is not None  # noqa: S101 - nobody can ask before
        return self._running_out.seen()

    async def _reload_asked(self, _arguments: Mapping[str, Any], progress: Progress) -> Any:
        try:
            return await self.reload(progress)
        except (ConfigError, CertificateFault) as error:
            raise OperationFailed(say("{error}\nNothing was changed.", error=error)) from None

    def _works(
        self, resources: Resources, reading: InboxReading, sending: OutboxService
    ) -> dict[str, Work]:
        housekeeping = Housekeeping(resources.mailboxes, self._clock)
        domains = self._domains = Domains(resources, self._secrets, self._http_transport)
        running_out = RunningOut(resources, self._secrets, self._http_transport)
        self._running_out = running_out
        page = None if self._listeners is None else self._listeners.page
        return {
            **sending.works(),
            **reading.works(),
            "housekeeping": housekeeping.run,
            "notices": Collector(resources.store, resources.mailboxes, self._clock).run,
            "running out": running_out.run,
            "memory": Memory(self._clock, resident_bytes, give_back()).run,
            "clock": TimeOfDay(resources.mailboxes, self._clock).run,
            "disk": DiskSpace(resources.mailboxes, self._clock, self._config.data_dir).run,
            "descriptors": Descriptors(self._clock, allowed_descriptors()).run,
            "traces": resources.tracing.run,
            **domains.works(),
            **({} if self._hooks is None else self._hooks.works()),
            **({} if page is None else {"loop lag": page.lag.run}),
        }

    async def _rest(self) -> None:
        if self._sending is not None:
            await self._sending.rest()

    async def _finish(self) -> None:
        """Let what is in hand come to its end, but not for ever."""
        if self._workers is not None:
            self._workers.stopping()
        parts: list[Stoppable] = [] if self._listeners is None else self._listeners.parts
        if self._sending is not None:
            parts.append(self._sending)
        tasks = [asyncio.ensure_future(part.stop()) for part in parts]
        patience = asyncio.ensure_future(self._clock.sleep(STOP_GRACE_S))
        try:
            everything = asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.wait((everything, patience), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, patience):
                task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("part_stop_failed", exc_info=outcome)

    async def _close(self) -> None:
        if self._control is not None:
            await self._control.stop()
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        await self._let_go()
        if self._resources is not None:
            resources, self._resources = self._resources, None
            await resources.close()

    async def _let_go(self) -> None:
        """Close the connections to others than the API."""
        for part in (self._domains, self._hooks):
            if part is not None:
                await part.aclose()


def _identity(config: Config) -> Identity:
    tls = config.tls
    if tls.certificate is not None and tls.key is not None:
        return given_identity(tls.certificate, tls.key)
    return own_identity(config.data_dir, listening_hosts(config))
