"""An account tried at the API, and written down: its secrets in files, the rest in the settings.

Nothing is written before it was tried. Secrets go first, each 0600 in a folder of their own beside
the configuration; where the settings cannot be written after that, they are taken away again.

Failure: ``OperationFailed`` with a sentence; ``ApiError`` for what the API says.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.api.client import PecClient
from bridge.api.connection import DIRECT, ApiConnection
from bridge.api.way import ApiRoute
from bridge.clock import Clock
from bridge.config import Api, ConfigError, parse
from bridge.config.edit import CannotEdit, Source
from bridge.credentials import Secret
from bridge.credentials.source import SECRETS_FOLDER
from bridge.language import say
from bridge.operations.control import OperationFailed
from bridge.operations.secretfile import SecretFile, SettingsFile

PRIVATE_FOLDER, OPEN_FOLDER = 0o700, 0o755


@dataclass(frozen=True, slots=True)
class SettingsPlace:
    """Where a configuration is, and whether it names secrets as systemd's credentials."""

    config: Path
    by_credential: bool

    @property
    def folder(self) -> Path:
        """Where the secrets are."""
        return self.config.absolute().parent / SECRETS_FOLDER

    def secret(self, name: str) -> Path:
        """Return the file of a secret."""
        return self.folder / name

    def source(self, name: str) -> Source:
        """Return how the configuration names it."""
        if self.by_credential:
            return {"credential": f"{SECRETS_FOLDER}_{name}"}
        return {"file": str(self.secret(name))}


def secret_name(address: str, kind: str) -> str:
    """Return the name of an account's secret: its address, as far as files may be called so."""
    return f"{re.sub(r'[^a-z0-9.@_+-]', '_', address.casefold())}.{kind}"


def usual_place(environment: dict[str, str]) -> tuple[Path, Path]:
    """Return where a first configuration goes, and its data: the system's for root, else one's own.

    Both are found again: ``serve`` looks there, too.
    """
    if is_root():
        return Path("/etc/pec-bridge/config.toml"), Path("/var/lib/pec-bridge")
    home = Path(environment.get("HOME", "~")).expanduser()
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share")
    return config / "pec-bridge/config.toml", data / "pec-bridge"


def is_root() -> bool:
    """Tell whether the system's own files are ours to write."""
    return sys.platform != "win32" and os.geteuid() == 0


@asynccontextmanager
async def client(
    api: Api,
    token: Secret,
    username: str,
    password: Secret,
    clock: Clock,
    way: ApiRoute = DIRECT,
) -> AsyncIterator[PecClient]:
    """Give the API as one account sees it.

    Args:
        api: where it is.
        token: for it.
        username: the mailbox's.
        password: the mailbox's.
        clock: time.
        way: there.
    """
    connection = ApiConnection(
        api.base_url, token.reveal(), clock=clock, timeout_s=api.timeout_s, way=way
    )
    try:
        yield PecClient(connection, username=username, password=password.reveal(), clock=clock)
    finally:
        await connection.aclose()


async def tried(pec: PecClient) -> dict[str, Any]:
    """Ask the API two things that need token and mailbox; return what it said.

    Raises:
        ApiError: it did not answer, or refused.
    """
    page, quota = await asyncio.gather(pec.inbox_page(), pec.quota())
    return {"messages": page.total, "full_percent": quota.percent}


def write(place: SettingsPlace, text: str, secrets: dict[str, Secret]) -> None:
    """Write a configuration and the secrets it names; blocks.

    Args:
        place: where.
        text: the configuration, whole.
        secrets: by their names in the folder.

    Raises:
        OperationFailed: nothing was changed; the sentence says why.
    """
    path = place.config
    try:
        parse(text, name=str(path), folder=path.absolute().parent, accounts=False)
    except ConfigError as error:
        raise OperationFailed(
            say("{path} would have faults, and was not changed:\n{error}", path=path, error=error)
        ) from None
    try:
        with _undone() as undo:
            _folder(path.absolute().parent, OPEN_FOLDER if is_root() else PRIVATE_FOLDER)
            if secrets:
                _folder(place.folder, PRIVATE_FOLDER)
            for name, secret in secrets.items():
                target = place.secret(name)
                undo(target)
                with SecretFile(target) as file:
                    file.write(secret.reveal())
            with SettingsFile(path) as file:
                file.write(text.rstrip("\n"))
    except OSError as error:
        named = error.filename or path
        raise OperationFailed(
            say(
                "{named}: {strerror}. Nothing was changed.",
                named=named,
                strerror=error.strerror or error,
            )
        ) from None


@contextmanager
def _undone() -> Iterator[Any]:
    """Give a function that notes a file; if the block fails each is as it was."""
    before: dict[Path, str | None] = {}

    def note(path: Path) -> None:
        before[path] = path.read_text(encoding="utf-8") if path.exists() else None

    try:
        yield note
    except BaseException:
        for path, text in before.items():
            with contextlib.suppress(OSError):
                if text is None:
                    path.unlink(missing_ok=True)
                else:
                    with SecretFile(path) as file:
                        file.write(text.removesuffix("\n"))
        raise


def _folder(path: Path, mode: int) -> None:
    """Make a folder if there is none, and those above it, with the owner of what they stand in."""
    if path.exists():
        return
    _folder(path.parent, OPEN_FOLDER)
    path.mkdir(mode=mode)
    path.chmod(mode)
    if sys.platform != "win32" and is_root():
        above = path.parent.stat()
        os.chown(path, above.st_uid, above.st_gid)


def changed(place: SettingsPlace, change: Any) -> str:
    """Return the configuration's text after ``change``, a function of ``bridge.config.edit``.

    Raises:
        OperationFailed: it cannot be changed.
    """
    try:
        text: str = change(place.config.read_bytes().decode("utf-8-sig"))
    except CannotEdit as fault:
        raise OperationFailed(
            say("{path} cannot be changed: {fault}.", path=place.config, fault=fault)
        ) from None
    return text
