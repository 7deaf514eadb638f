"""How the administration commands reach their hosts, and how they ask before money is spent.

The account's API key is read without being shown, from the terminal or else from standard input;
it is never an argument and never kept.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bridge.cli.failure import tell
from bridge.cli.hidden import read_hidden
from bridge.cli.output import visible
from bridge.cli.tongue import confirm, language, spoken
from bridge.cli.when import show_times_in
from bridge.config import ConfigFile
from bridge.language import say
from bridge.operations.speaking import speaking

if TYPE_CHECKING:
    from bridge.api.connection import Basic


def settings(path: Path | None) -> ConfigFile:
    """Read the configuration; it need not have an account yet."""
    import os

    from bridge.config import find_file, load

    file = load(find_file(path, os.environ), accounts=False)
    show_times_in(file.config.display.timezone)
    return file


def ask_mailboxes(file: ConfigFile, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """Carry out an operation at the mailbox host."""
    from bridge.app.administration import mailbox_client, mailbox_operations
    from bridge.clock import SystemClock

    async def work() -> Any:
        clock = SystemClock()
        async with mailbox_client(file, clock) as client:
            operations = mailbox_operations(client, file, clock)
            perform = speaking(operations.perform, language)
            return await perform(name, arguments or {}, _no_progress)

    _quiet()
    return asyncio.run(work())


class TokenHost:
    """The token host, opened with e-mail and key: configured, or asked for once."""

    def __init__(self, file: ConfigFile) -> None:
        from bridge.app.administration import account_key

        self._file = file
        self._credentials = account_key(file) or _asked(file.config.api.email)

    def ask(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Carry out an operation at the token host."""
        from bridge.app.administration import token_operations
        from bridge.clock import SystemClock

        async def work() -> Any:
            async with token_operations(self._file, self._credentials, SystemClock()) as operations:
                perform = speaking(operations.perform, language)
                return await perform(name, arguments or {}, _no_progress)

        _quiet()
        return asyncio.run(work())


def _asked(email: str | None) -> Basic:
    from bridge.api.connection import Basic

    if email is None:
        email = ask_line(say("E-mail of the account at openapi.com"))
    return Basic(email, ask_line(say("API key"), hide=True))


def ask_line(prompt: str, hide: bool = False) -> str:
    """Ask on the terminal; without one, take a line of standard input.

    Raises:
        BadParameter: nobody answered.
    """
    if sys.stdin.isatty():
        asked = spoken(prompt)
        return read_hidden(f"{asked}: ") if hide else str(typer.prompt(asked, err=True)).strip()
    line = sys.stdin.readline().strip()
    if not line:
        raise typer.BadParameter(
            say(
                "{prompt} is needed: on the terminal, as a line of standard input, or in [api].",
                prompt=prompt,
            )
        )
    return line


def agree(asked: Mapping[str, Any], yes: bool) -> None:
    """Show doubts and cost, and go on only if a person says so (or did, by ``--yes``)."""
    for doubt in asked.get("doubts") or ():
        tell(say("Please check: {doubt}", doubt=visible(doubt)))
    if asked.get("note"):
        tell(visible(asked["note"]))
    cost = asked.get("cost")
    if cost is not None:
        tell(cost["words"])
    if not yes:
        confirm(visible(asked["question"]))


def typed(asked: Mapping[str, Any]) -> str:
    """Have the address typed; on standard input where there is no terminal."""
    tell(visible(asked["question"]))
    return ask_line(say("Type {address} to do it", address=visible(asked["address"])))


def _no_progress(_done: int, _total: int) -> None:
    return None


def _quiet() -> None:
    from bridge.cli.log import configure

    configure("human", "error")
