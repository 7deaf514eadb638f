"""Runs ``pec-bridge`` as on a system that is not Unix: ``python without_unix.py demo --json``.

Names that only Unix has are taken away before the package is imported, modules that only Unix has
cannot be imported, and ``sys.platform`` says ``win32``. The standard library was imported before,
and stays what it is: this shows that nothing of ours needs Unix, not that Windows behaves.
"""

from __future__ import annotations

import asyncio
import asyncio.subprocess
import contextlib
import ctypes  # noqa: F401
import fcntl
import importlib
import importlib.abc
import multiprocessing  # noqa: F401
import os
import signal
import socket
import sqlite3  # noqa: F401
import ssl  # noqa: F401
import subprocess
import sys
import tempfile
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import httpx  # noqa: F401
import typer  # noqa: F401
import uvicorn  # noqa: F401

for _name in (
    *("aiosmtpd.smtp", "cryptography.x509", "jinja2", "pydantic", "rich.console"),
    *("rich.progress", "starlette.applications", "structlog", "sysconfig", "zoneinfo"),
):
    importlib.import_module(_name)

UNIX_ONLY = frozenset({"fcntl", "resource", "pwd", "grp", "termios", "uvloop", "syslog"})
_OF_OS = (
    *("geteuid", "getuid", "getegid", "getgid", "chown", "lchown", "fchown", "fchmod", "umask"),
    *("fork", "forkpty", "setsid", "killpg", "getpgid", "mkfifo", "nice"),
    *("pread", "pwrite", "posix_fallocate", "posix_fadvise", "getloadavg", "sysconf", "sync"),
    *("O_CLOEXEC", "O_NOFOLLOW", "O_DIRECTORY", "O_ASYNC", "O_NONBLOCK", "O_SYNC"),
)
_OF_SIGNAL = ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL", "SIGALRM", "SIGCHLD", "SIGPIPE")


class Missing(importlib.abc.MetaPathFinder):
    """Finds nothing where Windows has nothing."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Refuse the modules that only Unix has."""
        if fullname in UNIX_ONLY:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


class Places:
    """What platformdirs answers."""

    def __init__(self, *_: object, **__: object) -> None:
        self.user_config_path = self.site_config_path = Path(tempfile.gettempdir(), "nowhere")
        self.site_data_path = self.user_data_path = self.site_config_path


def take_away() -> None:
    """Leave what Windows has."""
    lock, unlock = fcntl.flock, fcntl
    msvcrt = types.ModuleType("msvcrt")
    msvcrt.LK_NBLCK = 2  # type: ignore[attr-defined]

    def locking(file: int, _mode: int, _count: int) -> None:
        lock(file, unlock.LOCK_EX | unlock.LOCK_NB)

    msvcrt.locking = locking  # type: ignore[attr-defined]
    sys.modules["msvcrt"] = msvcrt
    for name in UNIX_ONLY:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, Missing())
    pair, family = socket.socketpair, socket.AF_UNIX  # what the loop wakes itself with

    def socketpair() -> tuple[socket.socket, socket.socket]:
        return pair(family)

    socket.socketpair = socketpair  # type: ignore[assignment]
    for module, names in ((os, _OF_OS), (signal, _OF_SIGNAL), (socket, ("AF_UNIX",))):
        for name in names:
            with contextlib.suppress(AttributeError):
                delattr(module, name)
    for name in ("start_unix_server", "open_unix_connection"):
        delattr(asyncio, name)

    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError

    asyncio.AbstractEventLoop.add_signal_handler = refuse  # type: ignore[method-assign]
    asyncio.SelectorEventLoop.add_signal_handler = refuse  # type: ignore[method-assign]
    sys.platform = "win32"
    places = types.ModuleType("platformdirs")
    places.PlatformDirs = Places  # type: ignore[attr-defined]
    sys.modules["platformdirs"] = places
    run = subprocess.run

    def without_icacls(words: list[str], **options: Any) -> Any:
        return None if words[0] == "icacls" else run(words, **options)

    vars(subprocess)["run"] = without_icacls


if __name__ == "__main__":
    take_away()
    from bridge.cli import main

    main()
