"""``service``: the bridge as a Windows service, by pywin32, which is installed there only."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.failure import tell
from bridge.language import say
from bridge.operations.control import OperationFailed

commands = typer.Typer(help="The bridge as a Windows service.", no_args_is_help=True)

RUNS = "bridge.cli.winservice"
ELSEWHERE = say(
    "There are no Windows services here. systemd/ and launchd/ have what keeps the bridge running "
    "on Linux and macOS."
)
LEAST_TROUBLE = say("Run this as administrator, in a console that was opened so.")


@commands.command()
def install(
    config: option.Config = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="ACCOUNT",
            help="Runs it; else LocalSystem. Such as `NT AUTHORITY\\LocalService`.",
        ),
    ] = None,
) -> None:
    """Install the service: it starts with the machine and runs `serve` with this configuration."""
    from bridge.cli.perform import settings

    winservice = _winservice()
    file = settings(config)
    _done(winservice.install, str(Path(file.name).resolve()), user)
    tell(say("Installed; `pec-bridge service start` starts it now."))


@commands.command()
def remove(config: option.Config = None) -> None:
    """Take the service away; configuration and data stay."""
    _done(_winservice().remove)


@commands.command()
def start(config: option.Config = None) -> None:
    """Start the service."""
    _done(_winservice().start)


@commands.command()
def stop(config: option.Config = None) -> None:
    """Stop the service; what is in hand ends first, within ten seconds."""
    _done(_winservice().stop)


def _winservice() -> Any:
    try:
        return importlib.import_module(RUNS)
    except ImportError:
        raise OperationFailed(ELSEWHERE) from None


def _done(work: Any, *arguments: object) -> None:
    """Do something at the system's service manager, and say why not."""
    try:
        work(*arguments)
    except Exception as error:
        if type(error).__module__ != "pywintypes":
            raise
        words = getattr(error, "strerror", "") or str(error)
        raise OperationFailed(
            say(
                "Windows refuses it: {words}. {advice}",
                words=words,
                advice=LEAST_TROUBLE,
            )
        ) from None
