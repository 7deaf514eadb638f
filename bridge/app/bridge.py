"""The whole bridge: listeners, sending and reading on top of ``Resources``.

Start: lock, store, mailboxes, accounts, what a crash cut off, listeners, then background work.
Nothing waits for the API, so the bridge starts with the API down.

Stop: listen no more, finish what is in hand (submissions, commands, requests to the API) for up
to ``STOP_GRACE_S``, cut off the rest (a send under way is ``uncertain`` then), close the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

import structlog

from bridge.app.background import BackgroundWork
from bridge.app.certificate import CertificateFault, Identity, identity_of
from bridge.app.drain import Drain
from bridge.app.ending import ended, let_stop
from bridge.app.hooks import HookService
from bridge.app.listeners import Listeners, Stoppable
from bridge.app.membership import Membership
from bridge.app.offered import Offered
from bridge.app.operations import accounts_of
from bridge.app.pulse import standing
from bridge.app.reading import InboxReading
from bridge.app.reload import SettingsSource, changes, kept, let_end, shut_out
from bridge.app.resources import Resources
from bridge.app.sending import OutboxService
from bridge.app.voice import voice_of
from bridge.app.worker import Work, Workers
from bridge.clock import Clock
from bridge.config import Config, ConfigError
from bridge.credentials import Secrets
from bridge.language import say
from bridge.net.listening import Listening, Running
from bridge.operations.accounts import Methods
from bridge.operations.control import ControlServer, OperationFailed, Progress
from bridge.operations.lead import LeadOperations
from bridge.operations.speaking import speaking
from bridge.operations.trace import TraceOperations, trace_facts
from bridge.store.news import News

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
        self._offered: Offered | None = None
        self._running: Running | None = None
        self._secrets = secrets
        self._clock = clock
        self._random = random
        self._http_transport = http_transport
        self._resources: Resources | None = None
        self._sending: OutboxService | None = None
        self._control: ControlServer | None = None
        self._reading: InboxReading | None = None
        self._background: BackgroundWork | None = None
        self._hooks: HookService | None = None
        self._drain: Drain | None = None
        self._workers: Workers | None = None
        self._work: asyncio.Task[None] | None = None
        self._membership: Membership | None = None
        self._member: asyncio.Task[None] | None = None

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
            TermOver: another leads by now, though this one did not let it.
            PutBack: the database is not the one that it was.
        """
        if self._work is None or self._drain is None or self._member is None:
            return
        drained = asyncio.ensure_future(self._drain.wait())
        try:
            watched = (self._work, drained, self._member)
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in (self._work, self._member):
                if task.done():
                    task.result()
        finally:
            drained.cancel()

    async def standing(self) -> str:
        """Say in a sentence how things stand."""
        if self._resources is None:
            return "Nothing is up."
        return await standing(self._resources.store, len(self._resources.accounts))

    async def inbox_read(self, within_s: float) -> None:
        """Wait until what the API lists can be read here, ``within_s`` seconds at the most."""
        until_s = self._clock.monotonic() + within_s
        while self._clock.monotonic() < until_s:
            if self._reading is not None and self._reading.is_current():
                return
            await self._clock.sleep(READ_ROUND_S)

    async def stop(self) -> None:
        """See the module; idempotent, and harmless after a start that failed."""
        self._ending = True
        try:
            await self._finish()
        finally:
            await self._close()

    async def _start(self) -> Listening:
        resources = self._resources = await Resources.open(
            self._config,
            self._secrets,
            clock=self._clock,
            http_transport=self._http_transport,
            follows=True,
        )
        identity = await asyncio.to_thread(identity_of, self._config)
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
        offered = self._offered = Offered(resources, self._random)
        self._offer(resources, reading, sending)
        resources.mailboxes.voice = voice_of(self._config, listening)
        said = speaking(offered.perform, lambda: self._config.display.language)
        self._control = ControlServer(self._config.data_dir, said)
        await self._control.start()
        if listeners.page is not None:
            listeners.page.open(offered.perform, listening)
        self._workers = Workers(self._works(resources, reading, sending), self._clock)
        self._work = asyncio.create_task(self._workers.run())
        self._membership = Membership(resources, self._heard, self._lead)
        self._member = asyncio.create_task(self._membership.run())
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
        identity = await asyncio.to_thread(identity_of, config)
        changed = changes(self._config, config, self._secrets, secrets)
        if self._running is not None and identity.fingerprint != self._running.fingerprint:
            changed.append("the certificate")

        out = shut_out(self._config, config, self._secrets, secrets)

        async def anew() -> dict[str, Work]:
            return await self._go_on_with(resources, config, secrets, identity, out)

        if self._sending is not None:
            await let_end(self._sending, workers, drain, self._clock, progress)
        if self._ending:  # meanwhile: nothing is begun any more
            raise OperationFailed(say("The bridge is stopping."))
        await workers.replace(anew)
        self._source.taken_over(config)
        return {"changed": changed, "needs_restart": waits}

    async def _lead(self) -> None:
        """Do from here on what the bridge that leads does."""
        async with self._reloading:
            await self._as_its_role_is()

    async def _release(self, progress: Progress) -> None:
        """Let another bridge lead.

        Raises:
            OperationFailed: this one does not lead, or what it sends does not end.
        """
        resources, sending, workers = self._resources, self._sending, self._workers
        if resources is None or sending is None or workers is None or self._drain is None:
            return
        async with self._reloading:
            if not (resources.held.is_shared and resources.held.leads):
                raise OperationFailed(say("This bridge leads for no others."))
            await let_end(sending, workers, self._drain, self._clock, progress)
            await self._as_its_role_is(before=resources.held.leave)
        if self._membership is not None:
            self._membership.has_left()

    async def _as_its_role_is(self, before: Callable[[], Awaitable[None]] | None = None) -> None:
        resources, workers = self._resources, self._workers
        if resources is None or workers is None or self._ending:
            return
        identity = await asyncio.to_thread(identity_of, self._config)

        async def anew() -> dict[str, Work]:
            if before is not None:
                await before()
            return await self._go_on_with(resources, self._config, self._secrets, identity, ())

        await workers.replace(anew)

    def _heard(self, news: News) -> None:
        """Another bridge changed something: whoever has to do with it looks again."""
        if self._sending is not None and self._reading is not None:
            self._sending.wake.call()
            self._reading.sync.look_for_deletions(news.mailboxes)

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
        self._background = BackgroundWork(resources, self._secrets, self._http_transport)
        return reading, sending

    def _offer(self, resources: Resources, reading: InboxReading, sending: OutboxService) -> None:
        more: list[Methods] = [{"reload": self._reload_asked}]
        if self._drain is not None:
            more.append(self._drain.methods())
        more.append(LeadOperations(accounts_of(resources), self._release).methods())
        more.append(TraceOperations(resources.tracing, resources.addresses.values()).methods())
        more += [one.methods() for one in (self._background, self._hooks) if one is not None]
        if self._offered is not None:
            self._offered.renew(sending.wake, reading, self._running, more)

    async def _reload_asked(self, _arguments: Mapping[str, Any], progress: Progress) -> Any:
        try:
            return await self.reload(progress)
        except (ConfigError, CertificateFault) as error:
            raise OperationFailed(say("{error}\nNothing was changed.", error=error)) from None

    def _works(
        self, resources: Resources, reading: InboxReading, sending: OutboxService
    ) -> dict[str, Work]:
        background, hooks = self._background, self._hooks
        page = None if self._listeners is None else self._listeners.page
        works = sending.works() | ({} if background is None else background.of_each())
        if page is not None:
            works["loop lag"] = page.lag.run
        if resources.held.leads and background is not None and hooks is not None:
            works |= {**reading.works(), **background.of_the_leader(), **hooks.works()}
        return works

    async def _rest(self) -> None:
        resources = self._resources
        if self._sending is not None and resources is not None and resources.held.leads:
            await self._sending.rest()

    async def _finish(self) -> None:
        """Let what is in hand come to its end, but not for ever."""
        await ended(self._member)
        if self._workers is not None:
            self._workers.stopping()
        parts: list[Stoppable] = [] if self._listeners is None else self._listeners.parts
        if self._sending is not None:
            parts.append(self._sending)
        await let_stop(parts, self._clock, STOP_GRACE_S)

    async def _close(self) -> None:
        if self._control is not None:
            await self._control.stop()
        await ended(self._work)
        await self._let_go()
        if self._resources is not None:
            resources, self._resources = self._resources, None
            await resources.close()

    async def _let_go(self) -> None:
        """Close the connections to others than the API."""
        for part in (self._background, self._hooks):
            if part is not None:
                await part.aclose()
