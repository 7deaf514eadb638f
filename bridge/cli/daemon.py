"""``serve``: the daemon. It says when every listener is up, and ends well when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bridge.cli import option
from bridge.cli.output import print_json
from bridge.cli.streams import let_go
from bridge.cli.without_rich import without_rich

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.app.bridge import Bridge
    from bridge.config import Config
    from bridge.credentials import Secrets
    from bridge.net.listening import Listening

STOP_LIMIT_S = 9.5
"""After this a process that was told to stop is ended; a service manager's patience is 10 s."""

PR_SET_DUMPABLE = 4

LogOption = Annotated[
    Literal["human", "json"] | None,
    typer.Option("--log", help="Form of log lines; else human on a terminal, JSON elsewhere."),
]


def serve(
    config: option.Config = None,
    as_json: option.Json = False,
    log: LogOption = None,
    verbose: option.Verbose = False,
) -> None:
    """Run the bridge until it is told to stop (SIGTERM, Ctrl-C)."""
    import random

    with without_rich():
        from bridge.app.bridge import Bridge
    from bridge.clock import SystemClock

    source = SettingsFrom(config, log, verbose)
    settings, secrets = source.read()
    source.taken_over(settings)
    bridge = Bridge(settings, secrets, clock=SystemClock(), random=random.SystemRandom())
    bridge.reload_from(source)
    run(serve_until_told(bridge, lambda listening: tell_ready(listening, as_json)))


class SettingsFrom:
    """The configuration's file, and the words of the command line that go with it.

    Args:
        path: the file, None for the one that is found.
        form: of log lines.
        verbose: log every step, whatever the file says.
    """

    def __init__(
        self, path: Path | None, form: Literal["human", "json"] | None, verbose: bool
    ) -> None:
        from bridge.net.manager import passed_sockets

        self._path = path
        self._form = form
        self._verbose = verbose
        self._passed = passed_sockets()

    def read(self) -> tuple[Config, Secrets]:
        """See ``app.reload.SettingsSource``.

        Raises:
            ConfigError: with everything that is wrong.
        """
        from bridge.app.passed import listening_on
        from bridge.cli.whole import whole_settings

        file, secrets = whole_settings(self._path)
        return listening_on(file.config, self._passed), secrets

    def taken_over(self, config: Config) -> None:
        """Log as the settings say from here on."""
        start_logging(self._form, self._verbose, level=config.log.level)


def start_logging(
    form: Literal["human", "json"] | None, verbose: bool, *, level: str = "info"
) -> None:
    """Log to standard error from here on; ``verbose`` tells more than any level."""
    from bridge.cli.log import configure

    level = "debug" if verbose else level
    configure(form or ("human" if sys.stderr.isatty() else "json"), level)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` on the fastest event loop there is."""
    from bridge.app.memory import keep_little
    from bridge.app.responsive import keep_responsive

    factory: Callable[[], asyncio.AbstractEventLoop] | None
    try:
        from uvloop import new_event_loop as factory
    except ImportError:
        factory = None
    keep_responsive()
    keep_little()
    leave_no_core()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


def leave_no_core() -> None:
    """See to it that a crash writes no memory to the disk: passwords and mail are in it.

    On Linux no other process of the same user can look into this one from then on, nor does a
    program get the core that the system pipes cores to, which a limit of size does not stop.
    """
    if sys.platform == "win32":  # has neither
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def end_within(limit_s: float) -> None:
    """End this process in so many seconds, whatever a thread of it is doing by then.

    The store is closed before, or is left as by a crash; both are safe. What hangs is named on
    standard error, by functions and not by values. The interpreter's lock is not waited for.
    """
    with contextlib.suppress(OSError, ValueError):  # standard error is no file
        faulthandler.dump_traceback_later(limit_s, exit=True)


async def serve_until_told(
    bridge: Bridge,
    ready: Callable[[Listening], None],
    *,
    inbox_within_s: float = 0.0,
    beside: Callable[[Listening], Coroutine[Any, Any, None]] | None = None,
    told: Callable[[], AbstractAsyncContextManager[asyncio.Event]] | None = None,
) -> None:
    """Start the bridge, tell that it is ready, and stop it when a signal comes.

    Args:
        bridge: not started.
        ready: is told where it listens.
        inbox_within_s: it counts as ready when its inboxes were read, or so long after its
            listeners are up.
        beside: is begun then; that it ends, ends nothing.
        told: gives an event that ends it; None: the signals do.
    """
    from bridge.app.pulse import Pulse
    from bridge.clock import SystemClock
    from bridge.net.manager import notify, notify_ready, watchdog_s
    from bridge.wake import first_of

    more: asyncio.Task[None] | None = None
    async with (told or stop_signal)() as stop, hang_up_signal() as hang_up:
        try:
            listening = await bridge.start()
            await bridge.inbox_read(inbox_within_s)
            _tell(ready, listening)
            standing = await bridge.standing()
            notify_ready(standing)
            pulse = Pulse(SystemClock(), watchdog_s(), bridge.standing, standing)
            reloads = reload_when_told(bridge, hang_up)
            if beside is not None:
                more = asyncio.create_task(beside(listening))
            await first_of(stop.wait(), bridge.wait(), pulse.run(), reloads)
        finally:
            if more is not None:
                more.cancel()
            notify("STOPPING=1", "STATUS=Finishing what is in hand.")
            await bridge.stop()


def _tell(ready: Callable[[Listening], None], listening: Listening) -> None:
    """Tell that everything is up; that nobody can be told is no reason to serve nobody."""
    import structlog

    try:
        ready(listening)
    except OSError as error:
        let_go(sys.stdout)
        structlog.get_logger().warning("the ready line cannot be written", reason=error.strerror)


@contextlib.asynccontextmanager
async def stop_signal() -> AsyncIterator[asyncio.Event]:
    """Give an event that SIGTERM or SIGINT sets; a second SIGINT ends the process at once.

    On Windows Ctrl-C and Ctrl-Break do, the latter as whoever ends a service's console sends it.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)

    def told() -> None:
        end_within(STOP_LIMIT_S)
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    try:
        for number in signals:
            loop.add_signal_handler(number, told)
    except NotImplementedError:  # no loop has them on Windows
        with _signals_of_windows(loop, stop):
            yield stop
        return
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _signals_of_windows(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> Iterator[None]:
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]

    def told(_number: int, _frame: object) -> None:
        if stop.is_set():  # the second time: at once
            raise KeyboardInterrupt
        end_within(STOP_LIMIT_S)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, told) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.asynccontextmanager
async def hang_up_signal() -> AsyncIterator[asyncio.Event]:
    """Give an event that SIGHUP sets, where there is such a signal."""
    hang_up = asyncio.Event()
    if sys.platform == "win32":
        yield hang_up
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    try:
        yield hang_up
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def reload_when_told(bridge: Bridge, hang_up: asyncio.Event) -> None:
    """Have the settings taken over at each SIGHUP; a fault in them is logged and changes nothing.

    Raises:
        StoreFailed: the bridge cannot go on.
    """
    import structlog

    from bridge.app.certificate import CertificateFault
    from bridge.config import ConfigError
    from bridge.net.manager import notify_ready, notify_reloading
    from bridge.operations.control import OperationFailed

    while True:
        await hang_up.wait()
        hang_up.clear()
        notify_reloading()
        try:
            await bridge.reload()
        except (ConfigError, CertificateFault, OperationFailed) as error:
            structlog.get_logger().error("nothing was reloaded", reason=str(error))
        notify_ready(await bridge.standing())


def tell_ready(listening: Listening, as_json: bool) -> None:
    """Say on standard output where everything is."""
    if as_json:
        print_json(listening.as_json())
        return
    lines = ["The bridge is ready."]
    for listener in listening.listeners:
        lines.append(
            f"  {listener.protocol.upper()}  {listener.host}:{listener.port}  ({listener.tls})"
        )
    lines.append(f"  API   {listening.api_url}")
    lines += (f"  for   {address}" for address in listening.accounts)
    lines.append(f"  certificate (SHA-256)  {listening.fingerprint}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
