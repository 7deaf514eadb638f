"""``demo``: the bridge in front of a simulated API, all in one process and on loopback."""

from __future__ import annotations

import contextlib
import shlex
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import option
from bridge.cli.daemon import run, serve_until_told, start_logging
from bridge.cli.demo_config import write_config
from bridge.cli.output import print_json
from bridge.cli.without_rich import without_rich

if TYPE_CHECKING:
    from bridge.clock import Clock
    from bridge.config import Config
    from bridge.net.listening import Listening
    from bridge.simulator import Simulator

ADDRESS = "demo@pec.example"
PASSWORD = "demo"  # noqa: S105 - of a simulated mailbox that only loopback reaches
PREFERRED_IMAP, PREFERRED_SMTP, PREFERRED_WEB = 1143, 1025, 1180
SEEDED = 12
INBOX_WITHIN_S = 1.5
"""Whoever connects as soon as the demo is ready finds the messages; start-up stays under 3 s."""

STATE_NAME = "simulator.json"

Port = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="0 for any free one.", show_default=False),
]


def demo(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", metavar="D", help="Keep everything here, over runs.", show_default=False
        ),
    ] = None,
    imap_port: Port = None,
    smtp_port: Port = None,
    web_port: Port = None,
    tour: Annotated[
        bool | None,
        typer.Option(
            "--tour/--no-tour",
            help="Send messages that end in every state; else only without --json.",
            show_default=False,
        ),
    ] = None,
    as_json: option.Json = False,
    verbose: option.Verbose = False,
) -> None:
    """Try it: a bridge, a simulated API and a mailbox with some messages, all on this machine."""
    start_logging("human", verbose, level="warning")
    ports = (
        _port(imap_port, PREFERRED_IMAP),
        _port(smtp_port, PREFERRED_SMTP),
        _port(web_port, PREFERRED_WEB),
    )
    with _folder(data_dir) as folder:
        run(_demo(folder, ports, as_json, not as_json if tour is None else tour))


async def _demo(folder: Path, ports: tuple[int, int, int], as_json: bool, tour: bool) -> None:
    import random

    with without_rich():
        from bridge.app.bridge import Bridge
    from bridge.cli.demo_tour import OTHER_ADDRESS, begin_tour
    from bridge.clock import MovableClock
    from bridge.credentials import AccountSecrets, Secret, Secrets
    from bridge.simulator import SimulatorServer

    clock = MovableClock()
    addresses = (ADDRESS, OTHER_ADDRESS) if tour else (ADDRESS,)
    simulated, is_new = _simulator(folder, clock, addresses)

    async def beside(listening: Listening) -> None:
        smtp = listening.first("smtp")
        if tour and is_new and smtp is not None:
            await begin_tour(folder, smtp, ADDRESS, PASSWORD, clock.sleep)

    async with SimulatorServer(simulated.app) as server:
        bridge = Bridge(
            _config(folder, server.url, ports, addresses),
            Secrets(
                Secret(simulated.token),
                tuple(AccountSecrets(Secret(PASSWORD), Secret(PASSWORD)) for _ in addresses),
            ),
            clock=clock,
            random=random.SystemRandom(),
        )
        await serve_until_told(
            bridge,
            lambda listening: _tell_ready(
                listening, write_config(folder, listening, simulated.token, PASSWORD), as_json
            ),
            inbox_within_s=INBOX_WITHIN_S,
            beside=beside,
        )


def _simulator(folder: Path, clock: Clock, addresses: tuple[str, ...]) -> tuple[Simulator, bool]:
    """Return the API, and whether it is new; its state is kept beside the bridge's data."""
    import random

    from bridge.simulator import SEQUENCE_READING, Delays, Simulator

    delays = Delays(acceptance_s=0.3, delivery_s=0.6, failure_s=0.6)
    options = SEQUENCE_READING.replace(delays=delays, token="demo-token")  # noqa: S106 - the simulator's
    simulated = Simulator(options, clock, random.SystemRandom())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        known = simulated.keep_in(folder / STATE_NAME)
    except ValueError as error:
        raise typer.BadParameter(error.args[0], param_hint="--data-dir") from None
    if not known:
        for address in addresses:
            simulated.add_mailbox(address, PASSWORD)
        newest = clock.now() - timedelta(hours=3)
        simulated.seed(ADDRESS, SEEDED, newest=newest)
    for address in set(addresses) - set(simulated.addresses):  # a tour where there was none
        simulated.add_mailbox(address, PASSWORD)
    return simulated, not known


def _config(
    folder: Path, api_url: str, ports: tuple[int, int, int], addresses: tuple[str, ...]
) -> Config:
    from bridge.config import Account, Api, Config, Imap, Listen, SecretSource, Smtp, Sync, Web

    imap, smtp, web = (Listen("127.0.0.1", port) for port in ports)

    nowhere = SecretSource(env="UNUSED")
    return Config(
        api=Api(token=nowhere, base_url=api_url, admin_url=api_url, oauth_url=api_url),
        account=tuple(Account(address=one, password=nowhere) for one in addresses),
        data_dir=folder,
        sync=Sync(interval_s=1.0, request_budget_per_day=0),
        imap=Imap(listen=(imap,)),
        smtp=Smtp(listen=(smtp,)),
        web=Web(listen=(web,)),
    )


def _tell_ready(listening: Listening, config: Path, as_json: bool) -> None:
    if as_json:
        facts = {**listening.as_json(), "config": str(config)}
        for account in facts["accounts"]:
            account["password"] = PASSWORD
        print_json(facts)
        return
    imap, smtp, _web = listening.listeners
    sys.stdout.write(
        f"""\
The demo is ready: a simulated PEC mailbox; nothing leaves this machine.

  address    {ADDRESS}    password  {PASSWORD}
  IMAP       {imap.host}, port {imap.port}    (plain or STARTTLS)
  SMTP       {smtp.host}, port {smtp.port}    (plain or STARTTLS)
  page       {listening.web_url}    (log in with address and password)
  tour       {listening.web_url}tour    (what to see there; moves the clock on by hours)
  API        {listening.api_url}/_simulator    (what the simulated API received)

Set up a mail client with these, or try:
  curl -u {ADDRESS}:{PASSWORD} 'imap://{imap.host}:{imap.port}/INBOX?ALL'
  printf 'From: {ADDRESS}\\nTo: {ADDRESS}\\nSubject: Prova\\n\\nCiao.\\n' | curl -T - \\
    -u {ADDRESS}:{PASSWORD} --mail-from {ADDRESS} --mail-rcpt {ADDRESS} \\
    smtp://{smtp.host}:{smtp.port}
  pec-bridge status --config {shlex.quote(str(config))}    (and every other command)

Ctrl-C ends it.
"""
    )
    sys.stdout.flush()


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="pec-bridge-demo-") as folder:
        yield Path(folder)


def _port(given: int | None, preferred: int) -> int:
    """Return the port as given, else the preferred one if it is free, else any."""
    if given is not None:
        return given
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            return 0
    return preferred
