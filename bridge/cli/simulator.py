"""``simulator``: the simulated API alone, on a port."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bridge.cli import option
from bridge.cli.daemon import run, stop_signal
from bridge.cli.output import print_json
from bridge.language import say


def simulator(
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0: any free one.")],
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    reading: Annotated[
        str, typer.Option("--reading", help="How the API is read: sequence or stable.")
    ] = "sequence",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change one option; repeatable."),
    ] = None,
    mailboxes: Annotated[
        list[str] | None,
        typer.Option("--mailbox", metavar="ADDRESS:PASSWORD", help="Open a mailbox; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Messages in each inbox.")] = 0,
    as_json: option.Json = False,
) -> None:
    """Serve the simulated API until it is told to stop."""
    import random

    from bridge.simulator import READINGS, Simulator

    if reading not in READINGS:
        raise typer.BadParameter(
            say("--reading is one of: {readings}", readings=", ".join(READINGS))
        )
    try:
        options = READINGS[reading].with_settings(_pairs(settings or [], "="))
        simulated = Simulator(options, random=random.SystemRandom())
        for address, password in _pairs(mailboxes or ["demo@pec.example:demo"], ":").items():
            simulated.add_mailbox(address, password)
            simulated.seed(address, seed)
    except ValueError as error:
        raise typer.BadParameter(error.args[0]) from None
    run(_serve(simulated, host, port, as_json))


async def _serve(simulated: object, host: str, port: int, as_json: bool) -> None:
    from bridge.simulator import Simulator, SimulatorServer

    assert isinstance(simulated, Simulator)  # noqa: S101 - for the type checker
    async with (
        stop_signal() as stop,
        SimulatorServer(simulated.app, host, port) as server,
    ):
        if as_json:
            print_json({"ready": True, "api": {"url": server.url}, "token": simulated.token})
        else:
            sys.stdout.write(
                f"The simulated API is ready.\n  API    {server.url}\n  token  {simulated.token}\n"
                f"  page   {server.url}/_simulator\n"
            )
            sys.stdout.flush()
        await stop.wait()


def _pairs(texts: list[str], separator: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, found, value = text.partition(separator)
        if not found or not name:
            raise ValueError(f"{text!r} lacks a {separator!r}")
        pairs[name] = value
    return pairs
